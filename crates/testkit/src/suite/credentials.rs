//! Passwords and what a login reads.

use super::Fixture;
use super::fixture::{MILLISECOND, address, password};
use vestibule_domain::id::UserId;
use vestibule_domain::page::{Limit, PageRequest};
use vestibule_domain::user::Status;
use vestibule_domain::user::store::UserFilter;

pub async fn a_password_is_set_and_replaced(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let mut work = fixture.begin().await;
    work.set_password(alice.id, &password("b"), fixture.now()).await.expect("a password");
    work.commit().await.expect("a commit");
    assert_eq!(fixture.store.password(alice.id).await.expect("an answer"), Some(password("b")));
    let nobody = UserId::generate(&fixture.clock, &fixture.rng);
    assert_eq!(fixture.store.password(nobody).await.expect("an answer"), None);
}

pub async fn a_login_candidate_is_found_by_any_spelling(fixture: &Fixture) {
    let alice = fixture.register("Alice@Bücher.example").await;
    let candidate = fixture.store.login_candidate(&address("ALICE@xn--bcher-kva.example")).await.expect("an answer");
    let candidate = candidate.expect("the account");
    assert_eq!((candidate.user, candidate.password), (alice.clone(), Some(password("a"))));
    assert!(fixture.store.login_candidate(&address("bob@example.com")).await.expect("an answer").is_none());

    let mut work = fixture.begin().await;
    work.set_status(alice.id, Status::Disabled, fixture.now()).await.expect("an answer");
    let without_password = fixture.user("passkey@example.com");
    assert!(work.insert_user(&without_password, None).await.expect("an answer"));
    work.commit().await.expect("a commit");
    let disabled = fixture.store.login_candidate(&alice.email).await.expect("an answer").expect("the account");
    assert_eq!(disabled.user.status, Status::Disabled);
    let bare = fixture.store.login_candidate(&without_password.email).await.expect("an answer").expect("the account");
    assert_eq!(bare.password, None);
}

async fn is_marked(fixture: &Fixture, email: &str) -> bool {
    let candidate = fixture.store.login_candidate(&address(email)).await.expect("an answer");
    candidate.expect("the account").is_marked_breached
}

pub async fn a_breached_password_is_marked_once_and_until_another_is_set(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    assert!(!is_marked(fixture, "alice@example.com").await);
    let marked_at = fixture.now();
    let mut work = fixture.begin().await;
    assert!(work.mark_breached(alice.id, marked_at).await.expect("an answer"));
    assert!(!work.mark_breached(alice.id, marked_at.plus(MILLISECOND)).await.expect("an answer"));
    let nobody = UserId::generate(&fixture.clock, &fixture.rng);
    assert!(!work.mark_breached(nobody, marked_at).await.expect("an answer"));
    work.upgrade_hash(alice.id, &password("b")).await.expect("another hash of the same password");
    work.commit().await.expect("a commit");
    assert!(is_marked(fixture, "alice@example.com").await);
    assert_eq!(fixture.store.password(alice.id).await.expect("an answer"), Some(password("b")));

    fixture.register("bob@example.com").await;
    let page = PageRequest { limit: Limit::parse("200").expect("a limit"), after: None };
    let listed = fixture.store.users(&UserFilter::default(), page, fixture.now()).await.expect("a page");
    let marks: Vec<_> = listed.data.iter().map(|listed| listed.password_breached_at).collect();
    assert_eq!(marks, [Some(marked_at), None]);

    let mut work = fixture.begin().await;
    work.set_password(alice.id, &password("c"), fixture.now()).await.expect("a password");
    work.commit().await.expect("a commit");
    assert!(!is_marked(fixture, "alice@example.com").await);
}

pub async fn only_an_existing_hash_is_upgraded(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let bare = fixture.user("passkey@example.com");
    let mut work = fixture.begin().await;
    assert!(work.insert_user(&bare, None).await.expect("an answer"));
    work.commit().await.expect("a commit");
    let mut work = fixture.begin().await;
    assert!(work.upgrade_hash(bare.id, &password("b")).await.is_err());
    drop(work);
    assert_eq!(fixture.store.password(bare.id).await.expect("an answer"), None);
    assert_eq!(fixture.store.password(alice.id).await.expect("an answer"), Some(password("a")));
}
