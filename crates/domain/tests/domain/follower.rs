//! What a process that follows the feed asks for, and how long it vouches for what it was told.

use crate::fakes::{HandClock, SeededRng, now};
use async_trait::async_trait;
use std::sync::Mutex;
use std::time::Duration;
use vestibule_domain::feed::store::FeedReads;
use vestibule_domain::feed::{Change, Follower, Recorded, Snapshots};
use vestibule_domain::id::UserId;
use vestibule_domain::token::KeySet;
use vestibule_domain::{Clock, StoreError, Timestamp};

/// Begins with nothing, and takes its time.
#[derive(Default)]
struct Feed {
    clock: HandClock,
    takes: Duration,
    visible: Mutex<Vec<(i64, Change)>>,
    /// Which missing numbers the newest reading asked for.
    asked: Mutex<Vec<i64>>,
}

impl Feed {
    fn commit(&self, number: i64, change: Change) {
        self.visible.lock().unwrap().push((number, change));
    }

    fn asked(&self) -> Vec<i64> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl FeedReads for Feed {
    async fn newest_change(&self) -> Result<i64, StoreError> {
        Ok(0)
    }

    async fn changes(&self, after: i64, missing: &[i64], _: u32) -> Result<Vec<Recorded>, StoreError> {
        self.clock.advance(self.takes);
        *self.asked.lock().unwrap() = missing.to_vec();
        let visible = self.visible.lock().unwrap().clone();
        let wanted = visible.into_iter().filter(|(number, _)| *number > after || missing.contains(number));
        Ok(wanted.map(|(number, change)| Recorded { number, at: Timestamp::EPOCH, change: Some(change) }).collect())
    }

    async fn changed_keys(&self) -> Result<KeySet, StoreError> {
        Ok(KeySet::default())
    }
}

/// What each poll tells of the keys.
fn polls<'a>(feed: &'a Feed, snapshots: &'a Snapshots) -> impl FnMut() -> bool + 'a {
    let mut follower = Follower::default();
    move || now(follower.poll(feed, &feed.clock, snapshots)).unwrap()
}

#[test]
fn keys_are_asked_for_when_they_have_changed_and_never_else() {
    let (feed, snapshots) = (Feed::default(), Snapshots::default());
    let mut poll = polls(&feed, &snapshots);
    assert!(poll(), "the first look knows nothing");
    assert!(!poll());
    let user = UserId::generate(&feed.clock, &SeededRng::default());
    for (number, change, keys) in [
        (1, Change::UserChanged(user), false),
        (2, Change::KeysChanged, true),
        (3, Change::ClientsChanged, false),
        (4, Change::UserGone(user), false),
    ] {
        feed.commit(number, change);
        assert_eq!(poll(), keys, "{change:?}");
    }
}

#[test]
fn a_slow_answer_is_vouched_for_from_when_it_was_asked_for() {
    let (feed, snapshots) = (Feed { takes: Duration::from_millis(600), ..Feed::default() }, Snapshots::default());
    let asked = feed.clock.monotonic();
    polls(&feed, &snapshots)();
    assert!(snapshots.are_fresh(asked + Duration::from_millis(699)));
    assert!(!snapshots.are_fresh(asked + Duration::from_millis(700)));
}

#[test]
fn a_number_that_never_comes_is_asked_for_during_a_minute() {
    let (feed, snapshots) = (Feed::default(), Snapshots::default());
    let mut poll = polls(&feed, &snapshots);
    poll();
    feed.commit(3, Change::KeysChanged);
    poll();
    for _ in 0..59 {
        feed.clock.advance(Duration::from_secs(1));
        poll();
        assert_eq!(feed.asked(), [1, 2]);
    }
    feed.clock.advance(Duration::from_secs(1));
    poll();
    poll();
    assert_eq!(feed.asked(), Vec::<i64>::new());
}
