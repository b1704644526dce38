//! What a statement sees and says that had to wait for another transaction.

use crate::database::{Database, alice, bob, insert, opening, rotation, session, token};
use sqlx::{Connection, Executor, PgConnection};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio::time::timeout;
use vestibule_domain::access::RoleName;
use vestibule_domain::session::EndReason;
use vestibule_domain::session::store::{Opening, SessionRotation, SessionUpkeep};
use vestibule_domain::throttle::store::{Swap, ThrottleStore};
use vestibule_domain::throttle::{Bucket, BucketKey};
use vestibule_domain::user::store::{ProfileOutcome, ProfileUpdate};
use vestibule_domain::user::{Email, User};
use vestibule_domain::{RequestContext, Store, StoreError, Timestamp, UnitOfWork};

pub(crate) async fn until_somebody_waits(connection: &mut PgConnection) {
    let asking = async {
        let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity
                                      WHERE datname = current_database() AND wait_event_type = 'Lock')";
        while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut *connection).await.expect("an answer") {}
    };
    timeout(Duration::from_secs(20), asking).await.expect("nobody waits");
}

#[tokio::test]
async fn a_login_that_waited_for_a_demotion_has_the_new_roles() {
    let database = Database::migrated().await;
    let store = database.store(4);
    let alice = User { roles: BTreeSet::from([RoleName::admin(), RoleName::user()]), ..alice() };
    insert(&store, &alice).await;
    let mut demotion = store.begin().await.expect("a transaction");
    let roles = BTreeSet::from([RoleName::user()]);
    demotion.set_roles(alice.id, &roles, Timestamp::EPOCH).await.expect("an answer");

    let login = store.clone();
    let waits = tokio::spawn(async move {
        let (session, context) = (session(1), RequestContext::default());
        login.open_session(&opening(&session, &context)).await
    });
    until_somebody_waits(&mut database.connect().await).await;
    demotion.commit().await.expect("a commit");
    let opened = waits.await.expect("no panic").expect("an answer").expect("a login");
    assert_eq!((opened.user.roles, opened.user.version), (roles, 3));
}

/// What the second counts it counts after the first has committed.
#[tokio::test]
async fn a_login_that_waited_for_another_makes_room_for_both() {
    let database = Database::migrated().await;
    let store = database.store(4);
    insert(&store, &alice()).await;
    let (context, sessions) = (RequestContext::default(), [session(1), session(2)]);
    let mut first = store.begin().await.expect("a transaction");
    let opened = first.open_session(&Opening { keep: 1, ..opening(&sessions[0], &context) }).await;
    assert!(opened.expect("an answer").is_some());

    let login = store.clone();
    let second = sessions[1].clone();
    let waits = tokio::spawn(async move {
        let context = RequestContext::default();
        login.open_session(&Opening { keep: 1, ..opening(&second, &context) }).await
    });
    until_somebody_waits(&mut database.connect().await).await;
    first.commit().await.expect("a commit");
    let opened = waits.await.expect("no panic").expect("an answer").expect("a login");
    assert_eq!(opened.displaced, [sessions[0].id]);
}

#[tokio::test]
async fn j131_a_deadlock_is_contention_and_can_be_tried_again() {
    let database = Database::migrated().await;
    let store = database.store(4);
    let bob = bob();
    insert(&store, &alice()).await;
    insert(&store, &bob).await;
    // Each holds its own record and waits for the other's address.
    let (mut one, mut other) = (store.begin().await.expect("a transaction"), store.begin().await.expect("one"));
    rename(&mut *one, &alice(), None).await.expect("an answer");
    rename(&mut *other, &bob, None).await.expect("an answer");
    let (bobs, alices) = (bob.email.clone(), alice().email);
    let (one, other) = tokio::join!(
        tokio::spawn(async move { rename(&mut *one, &alice(), Some(bobs)).await.map(|_| one) }),
        tokio::spawn(async move { rename(&mut *other, &bob, Some(alices)).await.map(|_| other) }),
    );
    let outcomes = [one.expect("no panic").map(drop), other.expect("no panic").map(drop)];
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(StoreError::Contention))), "{outcomes:?}");
    assert!(!outcomes.iter().any(|outcome| matches!(outcome, Err(StoreError::Unavailable { .. }))), "{outcomes:?}");
}

async fn rename(work: &mut dyn UnitOfWork, user: &User, email: Option<Email>) -> Result<ProfileOutcome, StoreError> {
    let name = email.is_none().then(|| user.name.clone());
    let update = ProfileUpdate { id: user.id, name, email, version: None, now: Timestamp::EPOCH };
    work.update_profile(&update).await
}

pub(crate) fn bucket(n: u8) -> [BucketKey; 1] {
    [BucketKey::from_bytes([n; 32])]
}

pub(crate) fn fail(buckets: &mut [Bucket]) {
    for bucket in buckets {
        bucket.failures += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_tries_waits_for_those_alone_who_share_a_bucket() {
    let database = Database::migrated().await;
    let store = database.store(4);
    store.change_buckets(&bucket(2), &mut fail).await.expect("an answer");
    let mut others = Vec::new();
    let mut meanwhile = |buckets: &mut [Bucket]| {
        for n in 1..=3 {
            let other = async { store.change_buckets(&bucket(n), &mut fail).await };
            others.push(block_in_place(|| Handle::current().block_on(other)));
        }
        fail(buckets);
    };
    store.change_buckets(&bucket(1), &mut meanwhile).await.expect("an answer");
    assert!(matches!(others[..], [Err(StoreError::Contention), Ok(()), Ok(())]), "{others:?}");
    store.change_buckets(&bucket(1), &mut fail).await.expect("the connections are sound");
}

/// What the statement saw when it began has neither what others inserted meanwhile nor what they changed.
#[tokio::test]
async fn buckets_that_others_change_meanwhile_are_not_overwritten() {
    let database = Database::migrated().await;
    let store = database.store(4);
    let new = [Bucket { failures: 7, ..Bucket::default() }];
    let mut theirs = 0;
    for change in [
        "INSERT INTO throttles VALUES (decode(repeat('01', 32), 'hex'), 'epoch', 1, 'epoch', '', 0, 'epoch', false, 'epoch')",
        "UPDATE throttles SET failures = 2",
    ] {
        let old = store.buckets(&bucket(1)).await.expect("an answer");
        let mut other = database.connect().await;
        let mut other = other.begin().await.expect("a transaction");
        other.execute(change).await.expect("an answer");
        let (swapping, new) = (store.clone(), new.clone());
        let waits = tokio::spawn(async move { swapping.swap_buckets(&bucket(1), &old, &new).await });
        until_somebody_waits(&mut database.connect().await).await;
        other.commit().await.expect("a commit");
        theirs += 1;
        let found = vec![Bucket { failures: theirs, ..Bucket::default() }];
        assert_eq!(store.buckets(&bucket(1)).await.expect("the connections are sound"), found);
        assert_eq!(waits.await.expect("no panic").expect("an answer"), Swap::Lost(found));
    }
    let old = [Bucket { failures: theirs, ..Bucket::default() }];
    assert_eq!(store.swap_buckets(&bucket(1), &old, &new).await.expect("an answer"), Swap::Done);
}

/// The bucket that is missing has the lower key: whoever held the one that is there and then inserted the other would
/// be waited for by whom it waits for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_swaps_and_who_holds_do_not_wait_for_each_other() {
    let database = Database::migrated().await;
    let store = database.store(4);
    store.change_buckets(&bucket(2), &mut fail).await.expect("an answer");
    let both = [bucket(1)[0], bucket(2)[0]];
    let old = store.buckets(&both).await.expect("an answer");
    let mut new = old.clone();
    fail(&mut new);
    let mut swapping = None;
    let mut meanwhile = |buckets: &mut [Bucket]| {
        let (store, old, new) = (store.clone(), old.clone(), new.clone());
        swapping = Some(tokio::spawn(async move { store.swap_buckets(&both, &old, &new).await }));
        block_in_place(|| {
            Handle::current().block_on(async { until_somebody_waits(&mut database.connect().await).await });
        });
        fail(buckets);
    };
    store.change_buckets(&both, &mut meanwhile).await.expect("nobody waits for it");
    let swapped = swapping.expect("it began").await.expect("no panic").expect("its turn came");
    assert!(matches!(&swapped, Swap::Lost(found) if *found == new), "{swapped:?}");
}

/// As somebody may write by hand.
#[tokio::test]
async fn times_that_are_finer_than_a_millisecond_stand_in_nobodys_way() {
    let database = Database::migrated().await;
    let store = database.store(4);
    store.change_buckets(&bucket(1), &mut fail).await.expect("an answer");
    let fine = "UPDATE throttles SET full_at = '2026-01-01 00:00:00.123456Z', closed_until = full_at + '1 us',
                running_until = full_at + '2 us', expires_at = full_at + '3 us'";
    database.execute(fine).await;
    let old = store.buckets(&bucket(1)).await.expect("an answer");
    let mut new = old.clone();
    fail(&mut new);
    assert_eq!(store.swap_buckets(&bucket(1), &old, &new).await.expect("an answer"), Swap::Done);
}

/// Whoever holds a session, were it for long, keeps nobody waiting but those who want that very session.
#[tokio::test]
async fn refreshes_in_a_group_wait_for_no_session_that_somebody_holds() {
    let database = Database::migrated().await;
    let store = database.store(4);
    insert(&store, &alice()).await;
    let [held, free] = [1, 2].map(|n| (session(n), token(&session(n))));
    let mut work = store.begin().await.expect("a transaction");
    for (session, token) in [&held, &free] {
        work.insert_session(session, &token.hash()).await.expect("an answer");
    }
    work.commit().await.expect("a commit");
    let mut holder = store.begin().await.expect("a transaction");
    let (user, at) = (alice().id, Timestamp::EPOCH);
    assert!(holder.end_session(user, held.0.id, EndReason::LoggedOut, at).await.expect("an answer"));

    let group = [&held, &free].map(|(_, token)| rotation(token));
    let rotated = store.rotate_refreshes(&group).await.expect("an answer");
    let rotated = rotated.into_iter().map(|one| one.map(|(session, _)| session.id));
    assert_eq!(rotated.collect::<Vec<_>>(), [None, Some(free.0.id)]);
    drop(holder);
}

/// What is being refreshed gets another child anyway.
#[tokio::test]
async fn housekeeping_waits_for_no_session_that_somebody_holds() {
    let database = Database::migrated().await;
    let store = database.store(2);
    insert(&store, &alice()).await;
    let sessions = [1, 2].map(session);
    let mut work = store.begin().await.expect("a transaction");
    for session in &sessions {
        work.insert_session(session, &token(session).hash()).await.expect("an answer");
    }
    work.commit().await.expect("a commit");
    let group = sessions.each_ref().map(|session| rotation(&token(session)));
    assert!(store.rotate_refreshes(&group).await.expect("an answer").iter().all(Option::is_some));
    let mut holder = store.begin().await.expect("a transaction");
    let [held, _] = &sessions;
    assert!(holder.end_session(alice().id, held.id, EndReason::LoggedOut, Timestamp::EPOCH).await.expect("an answer"));
    let after = uuid::Uuid::nil().into();
    let before = Timestamp::EPOCH.plus(Duration::from_secs(1));
    let last = store.forget_sealed_children(before, after, 2).await.expect("an answer");
    assert_eq!(last, Some(sessions[1].id), "it goes on behind both");
    holder.commit().await.expect("a commit");
    let last = store.forget_sealed_children(before, after, 1).await.expect("an answer");
    assert_eq!(last, Some(held.id), "which comes up again");
    assert_eq!(store.forget_sealed_children(before, after, 1).await.expect("an answer"), None);
}
