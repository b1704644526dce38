//! Housekeeping.

use super::Fixture;
use super::fixture::{DAY, MILLISECOND};
use std::time::Duration;
use uuid::Uuid;
use vestibule_domain::session::store::RefreshStanding;
use vestibule_domain::session::{DeviceToken, EndReason, RefreshToken};

pub async fn old_sessions_are_purged_in_portions(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    for _ in 0..3 {
        let (_, token) = fixture.sign_in(alice.id).await;
        fixture.rotate(&token).await.expect("the token rotates");
    }
    let (ended, _) = fixture.sign_in(alice.id).await;
    let device = DeviceToken::generate(&fixture.rng).hash();
    let mut work = fixture.begin().await;
    work.end_session(alice.id, ended.id, EndReason::LoggedOut, fixture.now()).await.expect("an answer");
    work.insert_device(alice.id, &device, fixture.now(), fixture.now().plus(DAY)).await.expect("a device");
    work.commit().await.expect("a commit");

    let before = fixture.now().plus(DAY).plus(MILLISECOND);
    fixture.clock.advance(2 * DAY);
    let purged = fixture.store.purge_sessions(before, 10).await.expect("a count");
    assert_eq!(purged, 2, "the session that ended and the device that expired");
    fixture.clock.advance(60 * DAY);
    let mut total = 0;
    loop {
        let purged = fixture.store.purge_sessions(fixture.now(), 2).await.expect("a count");
        assert!(purged <= 2, "{purged} rows at once");
        total += purged;
        if purged == 0 {
            break;
        }
    }
    assert_eq!(total, 3);
    for table in ["sessions", "devices"] {
        assert_eq!(fixture.database.dump(table).await.len(), 0, "{table}");
    }
}

pub async fn live_sessions_are_never_purged(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (session, token) = fixture.sign_in(alice.id).await;
    fixture.clock.advance(13 * DAY);
    let child = fixture.rotate(&token).await.expect("the token rotates");
    fixture.clock.advance(13 * DAY);
    assert_eq!(fixture.store.purge_sessions(fixture.now(), 100).await.expect("a count"), 0);
    assert!(fixture.store.principal(session.id).await.expect("an answer").is_some());
    assert!(fixture.rotate(&child).await.is_some());
}

/// A refresh moves its end, and would have to move it in an index each time.
pub async fn a_session_that_idled_out_is_kept_until_the_day_is_over(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (first, idle) = fixture.sign_in(alice.id).await;
    let (second, token) = fixture.sign_in(alice.id).await;
    fixture.clock.advance(13 * DAY);
    let token = fixture.rotate(&token).await.expect("the token rotates");
    fixture.clock.advance(13 * DAY);
    // In a group, and so late that the session's absolute end comes before its idleness would.
    let group =
        [fixture.rotation(&token, &token.child(&fixture.rng)), fixture.rotation(&idle, &idle.child(&fixture.rng))];
    assert!(fixture.store.rotate_refreshes(&group).await.expect("an answer")[0].is_some());
    fixture.clock.advance(60 * DAY);
    let purge = async |before| fixture.store.purge_sessions(before, 10).await.expect("a count");
    for end in [first.idle_expires_at, second.expires_at] {
        let begun = Duration::from_millis(end.as_millis().unsigned_abs() % 86_400_000);
        let next_day = end.minus(begun).plus(DAY);
        assert_eq!(purge(next_day).await, 0);
        assert_eq!(purge(next_day.plus(MILLISECOND)).await, 1);
    }
}

pub async fn sealed_children_are_forgotten_and_nothing_else(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let mut parents = Vec::new();
    for _ in 0..5 {
        let (_, token) = fixture.sign_in(alice.id).await;
        fixture.rotate(&token).await.expect("the token rotates");
        parents.push(token);
        fixture.clock.advance(MILLISECOND);
    }
    let (_, unused) = fixture.sign_in(alice.id).await;
    let children = async || {
        let mut children = Vec::new();
        for parent in &parents {
            let found = fixture.store.find_refresh(&parent.hash()).await.expect("an answer").expect("the token");
            let RefreshStanding::Parent { child, .. } = found.standing else { panic!("it stays the parent") };
            children.push(child.is_some());
        }
        children
    };
    let ids: Vec<_> = parents.iter().map(|parent| parent.hash().session).collect();
    let forget = async |before, after| fixture.store.forget_sealed_children(before, after, 2).await.expect("an answer");
    let (first, last) = (Uuid::nil().into(), fixture.now().minus(MILLISECOND));
    // Before the last of the five rotations.
    assert_eq!(forget(last, first).await, Some(ids[1]));
    assert_eq!(children().await, [false, false, true, true, true]);
    assert_eq!(forget(last, ids[2]).await, Some(ids[4]));
    assert_eq!(children().await, [false, false, true, false, true], "the last is within its grace");
    assert_eq!(forget(last, ids[4]).await, None);
    // Those that have none are not counted.
    assert_eq!(forget(fixture.now(), first).await, Some(ids[4]));
    assert_eq!(children().await, [false; 5]);
    assert_eq!(forget(fixture.now(), first).await, None);
    assert!(fixture.rotate(&unused).await.is_some());
}

/// The tokens of three sessions, in the order in which those ended or expired: the other way round than they began.
async fn three_that_are_over(fixture: &Fixture) -> [RefreshToken; 3] {
    let alice = fixture.insert(fixture.user(&format!("{}@example.com", fixture.now().as_millis()))).await;
    let (_, third) = fixture.sign_in(alice.id).await;
    let (second_session, second) = fixture.sign_in(alice.id).await;
    let (first_session, first) = fixture.sign_in(alice.id).await;
    for session in [first_session, second_session] {
        fixture.clock.advance(DAY);
        let mut work = fixture.begin().await;
        work.end_session(alice.id, session.id, EndReason::LoggedOut, fixture.now()).await.expect("an answer");
        work.commit().await.expect("a commit");
    }
    fixture.clock.advance(60 * DAY);
    [first, second, third]
}

/// Of whose sessions something is left.
async fn known(fixture: &Fixture, tokens: &[RefreshToken]) -> Vec<bool> {
    let mut known = Vec::new();
    for token in tokens {
        known.push(fixture.store.find_refresh(&token.hash()).await.expect("an answer").is_some());
    }
    known
}

pub async fn the_oldest_sessions_are_purged_first(fixture: &Fixture) {
    let tokens = three_that_are_over(fixture).await;
    for left in [vec![false, true, true], vec![false, false, true], vec![false, false, false]] {
        assert_eq!(fixture.store.purge_sessions(fixture.now(), 1).await.expect("a count"), 1);
        assert_eq!(known(fixture, &tokens).await, left);
    }
    assert_eq!(fixture.store.purge_sessions(fixture.now(), 1).await.expect("a count"), 0);
}
