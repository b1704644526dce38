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
    let child = fixture.child(&token);
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
    let second = fixture.child(&first);
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

pub async fn unknown_tokens_are_unknown(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (session, token) = fixture.sign_in(alice.id).await;
    let (_, other) = fixture.sign_in(alice.id).await;
    let no_session = RefreshToken::new(fixture.session(alice.id).id, [1; 16], *token.secret());
    let another_family = RefreshToken::new(session.id, [1; 16], *token.secret());
    // With all that another session's token has of its own.
    let another_session = other.with_secret(*token.secret());
    for made_up in [&no_session, &another_family, &another_session] {
        assert!(fixture.rotate(made_up).await.is_none());
        let group =
            [fixture.rotation(made_up, &fixture.child(made_up)), fixture.rotation(made_up, &fixture.child(made_up))];
        assert!(fixture.store.rotate_refreshes(&group).await.expect("an answer").iter().all(Option::is_none));
    }
    for unknown in [no_session, another_family] {
        assert!(fixture.store.find_refresh(&unknown.hash()).await.expect("an answer").is_none());
    }
    assert!(fixture.rotate(&token).await.is_some());
}

/// The family alone tells whose it was.
pub async fn what_is_not_current_of_a_family_is_spent(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (session, token) = fixture.sign_in(alice.id).await;
    let never_handed_out = fixture.child(&token);
    let found = find(fixture, &never_handed_out).await;
    assert!(matches!(found.standing, RefreshStanding::Spent));
    assert_eq!((found.session.id, found.ended), (session.id, false));
}
