//! Rotation of refresh tokens.

use super::Fixture;
use super::fixture::{DAY, MILLISECOND};
use std::time::Duration;
use vestibule_domain::session::EndReason;
use vestibule_domain::session::store::{FoundRefresh, RefreshStanding};
use vestibule_domain::session::{RefreshToken, SealedToken};
use vestibule_domain::user::Status;

async fn find(fixture: &Fixture, token: &RefreshToken) -> FoundRefresh {
    fixture.store.find_refresh(&token.hash()).await.expect("an answer").expect("the token is known")
}

pub async fn a_token_rotates_once(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (before, token) = fixture.sign_in(alice.id).await;
    fixture.clock.advance(Duration::from_millis(1_234));
    let child = token.child(&fixture.rng);
    let rotated = fixture.store.rotate_refresh(&fixture.rotation(&token, &child)).await.expect("an answer");
    let (session, user) = rotated.expect("the token rotates");
    assert_eq!(session.last_seen_at, fixture.now());
    assert_eq!(session.idle_expires_at, fixture.now().plus(14 * DAY));
    assert_eq!((session.id, session.expires_at, session.authenticated_at), {
        (before.id, before.expires_at, before.authenticated_at)
    });
    assert_eq!(user, alice);
    assert_eq!(find(fixture, &child).await.session, session, "what is returned is what is stored");
    assert!(fixture.rotate(&token).await.is_none(), "a second time it does not");
    assert!(fixture.rotate(&child).await.is_some());
}

pub async fn a_replaced_token_is_the_parent_and_then_spent(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (session, first) = fixture.sign_in(alice.id).await;
    assert!(matches!(find(fixture, &first).await.standing, RefreshStanding::Current));
    fixture.clock.advance(Duration::from_millis(77));
    let rotation_time = fixture.now();
    let second = first.child(&fixture.rng);
    let rotation = fixture.rotation(&first, &second);
    let sealed: SealedToken = rotation.sealed_child.clone();
    fixture.store.rotate_refresh(&rotation).await.expect("an answer").expect("the token rotates");
    let RefreshStanding::Parent { replaced_at, child } = find(fixture, &first).await.standing else {
        panic!("the token before the current one is its parent");
    };
    assert_eq!((replaced_at, child), (rotation_time, Some(sealed)));
    let third = fixture.rotate(&second).await.expect("the token rotates");
    assert!(matches!(find(fixture, &first).await.standing, RefreshStanding::Spent));
    assert!(matches!(find(fixture, &second).await.standing, RefreshStanding::Parent { .. }));
    assert!(matches!(find(fixture, &third).await.standing, RefreshStanding::Current));
    for token in [&first, &second, &third] {
        assert_eq!(find(fixture, token).await.session.id, session.id);
    }
}

pub async fn idleness_never_outlasts_the_session(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (session, mut token) = fixture.sign_in(alice.id).await;
    for _ in 0..2 {
        fixture.clock.advance(13 * DAY);
        token = fixture.rotate(&token).await.expect("the token rotates");
    }
    let found = find(fixture, &token).await;
    assert_eq!(found.session.idle_expires_at, session.expires_at);
}

pub async fn nothing_rotates_after_the_end(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (session, parent) = fixture.sign_in(alice.id).await;
    let child = fixture.rotate(&parent).await.expect("the token rotates");
    let mut work = fixture.begin().await;
    work.end_session(alice.id, session.id, EndReason::LoggedOut, fixture.now()).await.expect("an answer");
    work.commit().await.expect("a commit");
    assert!(fixture.rotate(&child).await.is_none());
    assert!(fixture.rotate(&parent).await.is_none());
    assert!(find(fixture, &child).await.ended);
}

pub async fn nothing_rotates_after_expiry(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (_, idle) = fixture.sign_in(alice.id).await;
    fixture.clock.advance((14 * DAY).saturating_sub(MILLISECOND));
    let mut token = fixture.rotate(&idle).await.expect("a millisecond before the end");
    fixture.clock.advance(14 * DAY);
    assert!(fixture.rotate(&token).await.is_none(), "idle for too long");

    (_, token) = fixture.sign_in(alice.id).await;
    for _ in 0..2 {
        fixture.clock.advance(13 * DAY);
        token = fixture.rotate(&token).await.expect("the token rotates");
    }
    fixture.clock.advance(4 * DAY);
    assert!(fixture.rotate(&token).await.is_none(), "however often it was used");
}

pub async fn nothing_rotates_for_the_disabled(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (session, token) = fixture.sign_in(alice.id).await;
    let mut work = fixture.begin().await;
    // Without the end of the session, which the use case would add: the user's status alone must be enough.
    work.set_status(alice.id, Status::Disabled, fixture.now()).await.expect("an answer");
    work.commit().await.expect("a commit");
    assert!(fixture.rotate(&token).await.is_none());
    let mut work = fixture.begin().await;
    work.end_session(alice.id, session.id, EndReason::UserDisabled, fixture.now()).await.expect("an answer");
    work.commit().await.expect("a commit");
}

pub async fn a_token_of_no_session_or_of_another_family_is_unknown(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let [one, other, none] = [1, 2, 3].map(|n| {
        let session = fixture.session(alice.id);
        (session.clone(), RefreshToken::new(session.id, [n; 16], [n; 32]))
    });
    let mut work = fixture.begin().await;
    for (session, token) in [&one, &other] {
        work.insert_session(session, &token.hash()).await.expect("a session");
    }
    work.commit().await.expect("a commit");
    let unknown = [
        none.1,
        RefreshToken::new(none.0.id, [1; 16], [1; 32]),
        RefreshToken::new(one.0.id, [3; 16], [1; 32]),
        RefreshToken::new(one.0.id, [2; 16], [1; 32]),
        RefreshToken::new(one.0.id, [2; 16], [2; 32]),
    ];
    for token in &unknown {
        assert!(fixture.rotate(token).await.is_none());
        assert!(fixture.store.find_refresh(&token.hash()).await.expect("an answer").is_none());
    }
    // Of the right family, with the secret of another session's token.
    let spent = RefreshToken::new(one.0.id, [1; 16], [2; 32]);
    assert!(fixture.rotate(&spent).await.is_none());
    let rotations: Vec<_> = unknown
        .iter()
        .chain([&spent, &other.1])
        .map(|token| fixture.rotation(token, &token.child(&fixture.rng)))
        .collect();
    let rotated = fixture.store.rotate_refreshes(&rotations).await.expect("an answer");
    assert_eq!(rotated.iter().flatten().map(|(session, _)| session.id).collect::<Vec<_>>(), [other.0.id]);
    assert!(rotated.last().is_some_and(Option::is_some));
    assert!(fixture.rotate(&one.1).await.is_some());
}

/// The family alone tells whose it was.
pub async fn what_is_neither_current_nor_parent_of_a_family_is_spent(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (session, token) = fixture.sign_in(alice.id).await;
    let never_handed_out = token.child(&fixture.rng);
    let found = find(fixture, &never_handed_out).await;
    assert!(matches!(found.standing, RefreshStanding::Spent));
    assert_eq!((found.session.id, found.ended), (session.id, false));
}
