use crate::fakes::{HandClock, SeededRng, World, now};
use async_trait::async_trait;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use vestibule_domain::access::Caller;
use vestibule_domain::feed::store::FeedReads;
use vestibule_domain::feed::{Change, Follower, Gaps, Principal, Recorded, Snapshots};
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::session::Session;
use vestibule_domain::token::KeySet;
use vestibule_domain::user::User;
use vestibule_domain::{Clock, StoreError, Timestamp};

/// Changes become visible in the order in which they are committed, not in that of their numbers.
#[derive(Default)]
struct Feed {
    visible: Mutex<BTreeMap<i64, Option<Change>>>,
    /// How many more reads succeed.
    reads_left: Mutex<Option<usize>>,
}

impl Feed {
    fn commit(&self, number: i64, change: Change) {
        self.visible.lock().unwrap().insert(number, Some(change));
    }

    /// By a version that knows more kinds of changes.
    fn commit_unknown(&self, number: i64) {
        self.visible.lock().unwrap().insert(number, None);
    }

    fn fail_after(&self, reads: usize) {
        *self.reads_left.lock().unwrap() = Some(reads);
    }

    fn recover(&self) {
        *self.reads_left.lock().unwrap() = None;
    }

    fn read(&self) -> Result<BTreeMap<i64, Option<Change>>, StoreError> {
        match &mut *self.reads_left.lock().unwrap() {
            Some(0) => return Err(StoreError::Unavailable { context: "cut off", source: None }),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(self.visible.lock().unwrap().clone())
    }
}

#[async_trait]
impl FeedReads for Feed {
    async fn newest_change(&self) -> Result<i64, StoreError> {
        Ok(self.read()?.last_key_value().map_or(0, |(number, _)| *number))
    }

    async fn changes(&self, after: i64, missing: &[i64], limit: u32) -> Result<Vec<Recorded>, StoreError> {
        let wanted = |number: &i64| *number > after || missing.contains(number);
        let visible = self.read()?.into_iter().filter(|(number, _)| wanted(number)).take(limit as usize);
        Ok(visible.map(|(number, change)| Recorded { number, at: Timestamp::EPOCH, change }).collect())
    }

    async fn changed_keys(&self) -> Result<KeySet, StoreError> {
        Ok(KeySet::default())
    }
}

/// A process that follows a feed and remembers users.
struct Process {
    feed: Feed,
    clock: HandClock,
    rng: SeededRng,
    snapshots: Snapshots,
    follower: Follower,
    pattern: Caller,
}

impl Process {
    fn new() -> Self {
        let world = World::default();
        world.register("alice", &[]);
        let pattern = world.caller(&world.login("alice"));
        let (feed, clock, rng) = (Feed::default(), HandClock::default(), SeededRng::default());
        Self { feed, clock, rng, snapshots: Snapshots::default(), follower: Follower::default(), pattern }
    }

    fn poll(&mut self) -> Result<bool, StoreError> {
        self.clock.advance_millis(200);
        now(self.follower.poll(&self.feed, &self.clock, &self.snapshots))
    }

    /// A user with a session, read from the store and remembered.
    fn remember(&self) -> Arc<Principal> {
        let (id, user) = (SessionId::generate(&self.clock, &self.rng), UserId::generate(&self.clock, &self.rng));
        let session = Session { id, user, ..Session::clone(&self.pattern.session) };
        let principal = Arc::new(Principal::new(session, User { id: user, ..User::clone(&self.pattern.user) }));
        self.snapshots.insert(&principal, self.snapshots.generation(), self.clock.monotonic());
        principal
    }

    fn remembers(&self, principal: &Principal) -> bool {
        self.snapshots.get(principal.session.id, self.clock.monotonic()).is_some()
    }
}

fn changed(principal: &Principal) -> Change {
    Change::UserChanged(principal.user.id)
}

proptest! {
    #[test]
    fn gaps_are_exactly_the_numbers_not_yet_seen(order in Just((1_i64..=40).collect::<Vec<_>>()).prop_shuffle()) {
        let (mut gaps, mut seen) = (Gaps::starting_at(0), BTreeSet::new());
        for number in order {
            gaps.saw(number, Duration::ZERO);
            seen.insert(number);
            let newest = *seen.last().unwrap();
            prop_assert_eq!(gaps.newest(), newest);
            prop_assert_eq!(gaps.missing(), (1..newest).filter(|n| !seen.contains(n)).collect::<Vec<_>>());
        }
        prop_assert_eq!(gaps.missing(), Vec::<i64>::new());
    }

    #[test]
    fn every_change_is_felt_with_the_next_poll_in_whatever_order_they_commit(
        order in Just((1_i64..=30).collect::<Vec<_>>()).prop_shuffle(),
        batches in prop::collection::vec(1_usize..6, 30),
    ) {
        let mut process = Process::new();
        process.poll().unwrap();
        let users: BTreeMap<i64, _> = (1..=30).map(|number| (number, process.remember())).collect();
        let (mut rest, mut batches) = (&order[..], batches.into_iter());
        while !rest.is_empty() {
            let (committed, later) = rest.split_at(batches.next().unwrap_or(1).min(rest.len()));
            for number in committed {
                process.feed.commit(*number, changed(&users[number]));
            }
            process.poll().unwrap();
            prop_assert!(committed.iter().all(|number| !process.remembers(&users[number])));
            prop_assert!(later.iter().all(|number| process.remembers(&users[number])));
            rest = later;
        }
    }

    #[test]
    fn every_change_reads_back_from_its_parts(user in any::<u128>(), session in any::<u128>()) {
        let (user, session) = (UserId::from(uuid::Uuid::from_u128(user)), SessionId::from(uuid::Uuid::from_u128(session)));
        for change in [
            Change::UserChanged(user),
            Change::UserGone(user),
            Change::SessionEnded { user, session },
            Change::KeysChanged,
            Change::ClientsChanged,
        ] {
            prop_assert_eq!(Change::from_parts(change.kind(), change.user(), change.session()), Some(change));
        }
    }
}

#[test]
fn parts_that_no_change_has_are_none() {
    let process = Process::new();
    let (user, session) = (Some(process.pattern.user.id), Some(process.pattern.session.id));
    for (kind, user, session) in [
        ("user_changed", None, None),
        ("user_changed", user, session),
        ("session_ended", user, None),
        ("session_ended", None, session),
        ("keys_changed", user, None),
        ("KEYS_CHANGED", None, None),
        ("", None, None),
    ] {
        assert_eq!(Change::from_parts(kind, user, session), None, "{kind}");
    }
}

#[test]
fn gaps_are_given_up_after_a_minute_and_not_before() {
    let mut gaps = Gaps::starting_at(0);
    gaps.saw(3, Duration::from_secs(10));
    gaps.saw(5, Duration::from_secs(40));
    gaps.forget_old(Duration::from_millis(69_999));
    assert_eq!(gaps.missing(), [1, 2, 4]);
    gaps.forget_old(Duration::from_secs(70));
    assert_eq!(gaps.missing(), [4]);
    gaps.forget_old(Duration::from_secs(100));
    assert_eq!(gaps.missing(), Vec::<i64>::new());
}

#[test]
fn a_reset_of_the_sequence_leaves_a_bounded_number_of_gaps() {
    let mut gaps = Gaps::starting_at(0);
    gaps.saw(1_000_000_000, Duration::ZERO);
    assert!(gaps.missing().len() <= 1_000);
    assert_eq!(gaps.newest(), 1_000_000_000);
}

#[test]
fn nothing_is_remembered_before_the_first_look() {
    let mut process = Process::new();
    let early = process.remember();
    assert!(!process.remembers(&early));
    assert!(process.poll().unwrap(), "the keys are to be read after the first look");
    assert!(!process.remembers(&early));
    let later = process.remember();
    assert!(process.remembers(&later));
}

#[test]
fn a_transaction_that_is_open_at_the_first_look_is_felt_when_it_commits() {
    let mut process = Process::new();
    process.feed.commit(2, Change::KeysChanged);
    process.poll().unwrap();
    // Number 1 was taken before 2, and is not committed yet: the store still shows the old record.
    let user = process.remember();
    process.feed.commit(1, changed(&user));
    process.poll().unwrap();
    assert!(!process.remembers(&user));
}

#[test]
fn more_changes_than_one_read_holds_are_all_felt_by_one_poll() {
    let mut process = Process::new();
    process.poll().unwrap();
    let users: Vec<_> = (1..=1_201).map(|number| (number, process.remember())).collect();
    for (number, user) in &users {
        process.feed.commit(*number, changed(user));
    }
    process.poll().unwrap();
    assert!(users.iter().all(|(_, user)| !process.remembers(user)));
}

#[test]
fn keys_that_changed_are_reported_even_if_a_later_read_fails() {
    let mut process = Process::new();
    process.poll().unwrap();
    process.feed.commit(1, Change::KeysChanged);
    for number in 2..=600 {
        process.feed.commit(number, Change::UserGone(process.pattern.user.id));
    }
    process.feed.fail_after(1);
    assert!(process.poll().is_err());
    process.feed.recover();
    assert!(process.poll().unwrap());
    assert!(!process.poll().unwrap(), "once is enough");
}

#[test]
fn whoever_is_cut_off_stops_answering_from_memory() {
    let mut process = Process::new();
    process.poll().unwrap();
    let user = process.remember();
    process.feed.fail_after(0);
    let answered = (1..=10).take_while(|_| process.poll().is_err() && process.remembers(&user)).count();
    assert!((2..=4).contains(&answered), "polls every 200 ms, and the last good one counts for 700: {answered}");
    process.feed.recover();
    process.poll().unwrap();
    assert!(!process.remembers(&user), "what happened while it was cut off may be gone from the feed");
    let user = process.remember();
    assert!(process.remembers(&user));
}

#[test]
fn a_failover_to_a_store_whose_numbers_went_back_is_survived() {
    let mut process = Process::new();
    process.feed.commit(100, Change::KeysChanged);
    process.poll().unwrap();
    process.feed.fail_after(0);
    process.poll().unwrap_err();
    process.feed.recover();
    process.feed.visible.lock().unwrap().clear();
    process.poll().unwrap();
    let user = process.remember();
    process.feed.commit(90, changed(&user));
    process.poll().unwrap();
    assert!(!process.remembers(&user));
}

#[test]
fn a_poll_vouches_only_for_the_time_when_it_began() {
    let mut process = Process::new();
    process.poll().unwrap();
    let user = process.remember();
    process.clock.advance_millis(699);
    assert!(process.remembers(&user));
    process.clock.advance_millis(1);
    assert!(!process.remembers(&user));
}

#[test]
fn a_change_of_an_unknown_kind_makes_everything_forgotten() {
    let mut process = Process::new();
    process.poll().unwrap();
    let principal = process.remember();
    process.feed.commit_unknown(1);
    assert!(process.poll().unwrap(), "it could be about keys");
    assert!(!process.remembers(&principal));
    assert!(!process.poll().unwrap(), "once");
}
