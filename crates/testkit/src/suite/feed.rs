//! The change feed.

use super::Fixture;
use super::fixture::{DAY, MILLISECOND, until_settled};
use crate::StoreKind;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule_domain::feed::store::MAX_PASSED;
use vestibule_domain::feed::{Change, Follower, Gaps, Principal, Recorded, Snapshots};
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::{Clock, Store, StoreError};

async fn append(fixture: &Fixture, change: Change) {
    let mut work = fixture.begin().await;
    work.append_changes(&[change], fixture.now()).await.expect("a change");
    work.commit().await.expect("a commit");
}

fn somebody(fixture: &Fixture) -> UserId {
    UserId::generate(&fixture.clock, &fixture.rng)
}

pub async fn changes_come_in_order_with_all_they_say(fixture: &Fixture) {
    assert_eq!(fixture.store.newest_change().await.expect("a number"), 0);
    let user = somebody(fixture);
    let session = SessionId::generate(&fixture.clock, &fixture.rng);
    let written = [
        Change::UserChanged(user),
        Change::UserGone(user),
        Change::SessionEnded { user, session },
        Change::KeysChanged,
        Change::ClientsChanged,
    ];
    append(fixture, written[0]).await;
    let mut work = fixture.begin().await;
    work.append_changes(&written[1..], fixture.now()).await.expect("the changes");
    work.commit().await.expect("a commit");
    let read = fixture.store.changes(0, &[], 100).await.expect("the changes");
    assert_eq!(read.iter().map(|recorded| recorded.change).collect::<Vec<_>>(), written.map(Some));
    assert!(read.is_sorted_by(|one, next| one.number < next.number));
    assert!(read.iter().all(|recorded| recorded.at == fixture.now()));
    assert_eq!(fixture.store.newest_change().await.expect("a number"), read[4].number);
    let later = fixture.store.changes(read[1].number, &[], 100).await.expect("the changes");
    assert_eq!(later, read[2..]);
}

pub async fn changes_come_in_batches(fixture: &Fixture) {
    for _ in 0..5 {
        append(fixture, Change::KeysChanged).await;
    }
    let numbers = async |after, limit| -> Vec<i64> {
        let changes = fixture.store.changes(after, &[], limit).await.expect("the changes");
        changes.into_iter().map(|recorded| recorded.number).collect()
    };
    let all = numbers(0, 100).await;
    assert_eq!(numbers(0, 2).await, all[..2], "the oldest first");
    assert_eq!(numbers(all[1], 2).await, all[2..4]);
    assert_eq!(numbers(all[4], 2).await, Vec::<i64>::new());
}

pub async fn missing_numbers_are_looked_for_again(fixture: &Fixture) {
    for _ in 0..4 {
        append(fixture, Change::KeysChanged).await;
    }
    let all = fixture.store.changes(0, &[], 100).await.expect("the changes");
    let (first, last) = (all[0].number, all[3].number);
    let again = fixture.store.changes(last, &[first, last + 1_000], 100).await.expect("the changes");
    assert_eq!(again, all[..1]);
}

/// On PostgreSQL a lower number can become visible after a higher one; on SQLite writers come one after another.
pub async fn followers_miss_no_change_of_many_writers(fixture: &Fixture) {
    const WRITERS: usize = 8;
    const EACH: usize = 12;
    let mut users = BTreeSet::new();
    let (mut writers, turns) = (JoinSet::new(), fixture.turns());
    for _ in 0..WRITERS {
        let mine: Vec<_> = (0..EACH).map(|_| somebody(fixture)).collect();
        users.extend(mine.iter().copied());
        let (store, now, turns) = (Arc::clone(&fixture.store), fixture.now(), Arc::clone(&turns));
        writers.spawn(async move {
            for user in mine {
                let _turn = turns.acquire().await;
                until_settled(async || append_slowly(&*store, Change::UserChanged(user), now).await).await;
            }
        });
    }
    let mut gaps = Gaps::starting_at(0);
    let mut seen = BTreeSet::new();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while seen.len() < users.len() {
        assert!(tokio::time::Instant::now() < deadline, "{} of {} changes seen", seen.len(), users.len());
        for Recorded { number, change, .. } in
            fixture.store.changes(gaps.newest(), &gaps.missing(), 7).await.expect("the changes")
        {
            gaps.saw(number, fixture.clock.monotonic());
            let user = change.expect("a known kind").user().expect("a user");
            assert!(seen.insert(user), "a change is seen once");
        }
    }
    assert_eq!(seen, users);
    writers.join_all().await;
    if fixture.database.kind() == StoreKind::Postgres {
        commits_out_of_order(fixture, gaps).await;
    }
}

/// Gives other writers the time to take the next number before this one commits.
async fn append_slowly(store: &dyn Store, change: Change, now: vestibule_domain::Timestamp) -> Result<(), StoreError> {
    let mut work = store.begin().await?;
    work.append_changes(&[change], now).await?;
    for _ in 0..change.user().map_or(0, |user| user.as_uuid().as_bytes()[15] % 32) {
        tokio::task::yield_now().await;
    }
    work.commit().await
}

async fn commits_out_of_order(fixture: &Fixture, mut gaps: Gaps) {
    let (early, late) = (Change::UserChanged(somebody(fixture)), Change::UserChanged(somebody(fixture)));
    let mut first = fixture.begin().await;
    first.append_changes(&[early], fixture.now()).await.expect("a change");
    append(fixture, late).await;
    let read =
        async |gaps: &Gaps| fixture.store.changes(gaps.newest(), &gaps.missing(), 100).await.expect("the changes");
    let seen = read(&gaps).await;
    assert_eq!(seen.iter().map(|recorded| recorded.change).collect::<Vec<_>>(), [Some(late)]);
    gaps.saw(seen[0].number, fixture.clock.monotonic());
    first.commit().await.expect("a commit");
    let seen = read(&gaps).await;
    assert_eq!(seen.iter().map(|recorded| recorded.change).collect::<Vec<_>>(), [Some(early)]);
    gaps.saw(seen[0].number, fixture.clock.monotonic());
    assert_eq!(gaps.missing(), Vec::<i64>::new());
}

pub async fn a_follower_forgets_what_another_handle_changed(fixture: &Fixture) {
    let (alice, bob) = (fixture.register("alice@example.com").await, fixture.register("bob@example.com").await);
    let (alices, _) = fixture.sign_in(alice.id).await;
    let (bobs, _) = fixture.sign_in(bob.id).await;
    let (snapshots, mut follower) = (Snapshots::default(), Follower::default());
    let other = fixture.database.open().await;
    let keys_changed = follower.poll(&*other, &fixture.clock, &snapshots).await.expect("the first look");
    assert!(keys_changed, "before the first look anything may have changed");
    for session in [&alices, &bobs] {
        let principal: Principal = other.principal(session.id).await.expect("an answer").expect("the session");
        snapshots.insert(&Arc::new(principal), snapshots.generation(), fixture.clock.monotonic());
    }
    let remembered = |session: SessionId| snapshots.get(session, fixture.clock.monotonic()).is_some();
    assert!(remembered(alices.id) && remembered(bobs.id));

    append(fixture, Change::SessionEnded { user: alice.id, session: alices.id }).await;
    assert!(!follower.poll(&*other, &fixture.clock, &snapshots).await.expect("a look"));
    assert!(!remembered(alices.id));
    assert!(remembered(bobs.id), "others are not forgotten");
    append(fixture, Change::KeysChanged).await;
    assert!(follower.poll(&*other, &fixture.clock, &snapshots).await.expect("a look"));
    fixture.clock.advance(Duration::from_secs(1));
    assert!(!remembered(bobs.id), "whoever has not read the feed for a second trusts nothing");
    follower.poll(&*other, &fixture.clock, &snapshots).await.expect("a look");
    assert!(remembered(bobs.id));
}

pub async fn an_old_change_is_purged(fixture: &Fixture) {
    for _ in 0..3 {
        append(fixture, Change::KeysChanged).await;
    }
    let boundary = fixture.now().plus(DAY);
    fixture.clock.advance(DAY);
    append(fixture, Change::KeysChanged).await;
    let newest = fixture.store.newest_change().await.expect("a number");
    let purge = async || fixture.store.purge_changes(boundary, 2).await.expect("a count");
    assert_eq!((purge().await, purge().await, purge().await), (2, 1, 0));
    assert_eq!(fixture.store.newest_change().await.expect("a number"), newest, "a number is never used again");
    append(fixture, Change::KeysChanged).await;
    assert_eq!(fixture.store.changes(newest, &[], 10).await.expect("the changes").len(), 1);
}

/// A later version may run beside this one.
pub async fn a_change_of_an_unknown_kind_is_not_hidden(fixture: &Fixture) {
    append(fixture, Change::KeysChanged).await;
    let sql = "INSERT INTO changes (kind, at) SELECT 'of_a_later_version', at FROM changes";
    assert_eq!(fixture.database.execute(sql).await.expect("an insert"), 1);
    let read = fixture.store.changes(0, &[], 10).await.expect("the changes");
    assert_eq!(read.iter().map(|recorded| recorded.change).collect::<Vec<_>>(), [Some(Change::KeysChanged), None]);
}

/// Where a reader begins who asks for what was written since some time.
pub async fn the_first_change_since_a_time_is_found(fixture: &Fixture) {
    let first = async |since| fixture.store.first_change(since).await.expect("an answer");
    assert_eq!(first(fixture.now()).await, 0);
    append(fixture, Change::KeysChanged).await;
    let since = fixture.now().plus(MILLISECOND);
    // Written by processes whose clocks disagree.
    for delay in [3, 1, 2] {
        let mut work = fixture.begin().await;
        let at = fixture.now().plus(delay * MILLISECOND);
        work.append_changes(&[Change::KeysChanged], at).await.expect("a change");
        work.commit().await.expect("a commit");
    }
    let all = fixture.store.changes(0, &[], 10).await.expect("the changes");
    assert_eq!(first(since).await, all[1].number, "though another was written earlier by its clock");
    assert_eq!(first(since.plus(2 * MILLISECOND)).await, all[1].number);
    assert_eq!(first(since.plus(3 * MILLISECOND)).await, all[3].number, "the newest, if none is so young");
}

/// The lengths of the runs, and whose end each tells of.
async fn runs(fixture: &Fixture, after: i64, missing: &[i64], limit: u32) -> Vec<(i64, u32, Option<UserId>)> {
    let runs = fixture.store.ends(after, missing, limit).await.expect("an answer").expect("the number is known");
    let ends = |change: Change| match change {
        Change::SessionEnded { user, .. } | Change::UserGone(user) => Some(user),
        Change::UserChanged(_) | Change::KeysChanged | Change::ClientsChanged => None,
    };
    runs.iter().map(|run| (run.last.number, run.length, run.last.change.and_then(ends))).collect()
}

pub async fn ends_come_with_the_numbers_of_all_that_was_passed(fixture: &Fixture) {
    let (one, other) = (somebody(fixture), somebody(fixture));
    let session = SessionId::generate(&fixture.clock, &fixture.rng);
    for change in [
        Change::KeysChanged,
        Change::UserChanged(one),
        Change::SessionEnded { user: one, session },
        Change::UserGone(other),
        Change::ClientsChanged,
        Change::KeysChanged,
        Change::SessionEnded { user: other, session },
        Change::UserChanged(one),
        Change::KeysChanged,
    ] {
        append(fixture, change).await;
    }
    let newest = fixture.store.newest_change().await.expect("a number");
    let n = newest - 9;
    // As of a transaction that came to nothing, or that is still open.
    assert_eq!(
        fixture.database.execute(&format!("DELETE FROM changes WHERE number = {}", n + 6)).await.expect("one"),
        1
    );
    let all =
        [(n + 3, 3, Some(one)), (n + 4, 1, Some(other)), (n + 5, 1, None), (n + 7, 1, Some(other)), (n + 9, 2, None)];
    assert_eq!(runs(fixture, n, &[], 10).await, all);
    assert_eq!(runs(fixture, n, &[], 2).await, all[..2], "the oldest first");
    assert_eq!(runs(fixture, n + 4, &[], 10).await, all[2..]);
    let late = runs(fixture, n + 8, &[n + 1, n + 2, n + 4, n + 6, n + 7], 10).await;
    assert_eq!(late, [(n + 2, 2, None), (n + 4, 1, Some(other)), (n + 7, 1, Some(other)), (n + 9, 1, None)]);
    let told = fixture.store.ends(n, &[], 1).await.expect("an answer").expect("it is known").remove(0).last;
    assert_eq!(told.change, Some(Change::SessionEnded { user: one, session }));
    assert_eq!(told.at, fixture.now());
    assert_eq!(runs(fixture, newest, &[], 10).await, []);
    assert_eq!(fixture.store.ends(newest + 1, &[], 10).await.expect("an answer"), None, "as after a failover");
}

/// However many changes of other kinds there are.
pub async fn ends_are_looked_for_among_so_many_changes_at_once(fixture: &Fixture) {
    append(fixture, Change::KeysChanged).await;
    for _ in 0..14 {
        let sql = "INSERT INTO changes (kind, at) SELECT kind, at FROM changes";
        fixture.database.execute(sql).await.expect("twice as many");
    }
    let user = somebody(fixture);
    append(fixture, Change::UserGone(user)).await;
    let newest = fixture.store.newest_change().await.expect("a number");
    let most = i64::from(MAX_PASSED);
    let first = newest - (1 << 14);
    assert_eq!(runs(fixture, first - 1, &[], 10).await, [(first - 1 + most, MAX_PASSED, None)]);
    let rest = u32::try_from((1 << 14) + 1 - most).expect("a length");
    assert_eq!(runs(fixture, first - 1 + most, &[], 10).await, [(newest, rest, Some(user))]);
}
