//! Passwords and what a login reads.

use super::Fixture;
use super::fixture::{address, password};
use vestibule_domain::id::UserId;
use vestibule_domain::user::Status;

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
    assert!(work.insert_user(&without_password).await.expect("an answer"));
    work.commit().await.expect("a commit");
    let disabled = fixture.store.login_candidate(&alice.email).await.expect("an answer").expect("the account");
    assert_eq!(disabled.user.status, Status::Disabled);
    let bare = fixture.store.login_candidate(&without_password.email).await.expect("an answer").expect("the account");
    assert_eq!(bare.password, None);
}
