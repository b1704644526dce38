use crate::fakes::{HandClock, SeededRng, World, now};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use vestibule_domain::Clock;
use vestibule_domain::feed::{Change, Follower, Revocation, RevocationCursor};
use vestibule_domain::id::{SessionId, UserId};

/// A process whose feed is written by hand, and a service that reads it.
struct Reader {
    world: World,
    follower: Follower,
    cursor: Option<String>,
}

impl Reader {
    fn new() -> Self {
        Self { world: World::default(), follower: Follower::default(), cursor: None }
    }

    /// Writes changes that no one sees before they are committed; their numbers begin with the one that is returned.
    fn begin(&self, changes: impl IntoIterator<Item = Change>) -> i64 {
        let mut state = self.world.store.state();
        let first = i64::try_from(state.changes.len()).unwrap() + 1;
        state.changes.extend(changes);
        let end = state.changes.len();
        state.changed_at.resize(end, self.world.clock.now());
        state.taken.extend(first..=i64::try_from(end).unwrap());
        first
    }

    fn commit(&self, number: i64) {
        self.commit_all([number]);
    }

    fn commit_all(&self, numbers: impl IntoIterator<Item = i64>) {
        for number in numbers {
            assert!(self.world.store.state().taken.remove(&number));
        }
    }

    fn write(&self, change: Change) {
        self.commit(self.begin([change]));
    }

    /// So that what is new can be told from memory.
    fn follow(&mut self) {
        let world = &self.world;
        now(self.follower.poll(&*world.store, &*world.clock, &world.services.ports.snapshots)).unwrap();
    }

    /// The next page, by the cursor as it went over the wire.
    fn read(&mut self) -> Vec<Revocation> {
        let after = self.cursor.take().map(|text| RevocationCursor::parse(&text).unwrap());
        let page = now(self.world.services.revocations.page(after)).unwrap();
        self.cursor = Some(page.next.encode());
        page.data
    }

    fn sessions(&mut self) -> Vec<SessionId> {
        self.read().into_iter().map(|revocation| revocation.session.unwrap()).collect()
    }
}

fn ended(number: u128) -> Change {
    Change::SessionEnded { user: user(), session: session(number) }
}

fn session(number: u128) -> SessionId {
    uuid::Uuid::from_u128(number).into()
}

fn user() -> UserId {
    UserId::generate(&HandClock::default(), &SeededRng::default())
}

proptest! {
    #[test]
    fn every_end_is_told_once_in_whatever_order_they_commit(
        order in Just((1_i64..=40).collect::<Vec<_>>()).prop_shuffle(),
        steps in prop::collection::vec((1_usize..6, any::<bool>()), 40),
    ) {
        let mut reader = Reader::new();
        reader.begin((1..=40).map(ended));
        let mut told = reader.sessions();
        let (mut rest, mut steps) = (&order[..], steps.into_iter());
        while !rest.is_empty() {
            let (many, follows) = steps.next().unwrap_or((1, true));
            let (committed, later) = rest.split_at(many.min(rest.len()));
            reader.commit_all(committed.iter().copied());
            if follows {
                reader.follow();
            }
            // What memory does not know yet comes with a later page.
            told.extend(reader.sessions());
            rest = later;
        }
        reader.follow();
        told.extend(reader.sessions());
        told.sort();
        prop_assert_eq!(told, (1..=40).map(session).collect::<Vec<_>>());
    }

    #[test]
    fn a_cursor_is_only_what_the_service_could_have_made(text in "[A-Za-z0-9_=-]{0,60}|.{0,40}") {
        if let Ok(cursor) = RevocationCursor::parse(&text) {
            prop_assert_eq!(cursor.encode(), text);
        }
    }

    #[test]
    fn bytes_of_any_kind_are_a_cursor_or_none(bytes in prop::collection::vec(prop_oneof![Just(0_u8), 0..3_u8, any::<u8>()], 0..64)) {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let text = URL_SAFE_NO_PAD.encode(bytes);
        if let Ok(cursor) = RevocationCursor::parse(&text) {
            prop_assert_eq!(cursor.encode(), text);
            prop_assert!(now(World::default().services.revocations.page(Some(cursor))).is_ok());
        }
    }
}

#[test]
fn only_what_makes_tokens_worthless_is_told() {
    let mut reader = Reader::new();
    let (user, at) = (user(), reader.world.clock.now());
    for change in [Change::UserChanged(user), Change::KeysChanged, Change::UserGone(user), Change::ClientsChanged] {
        reader.write(change);
    }
    reader.write(ended(7));
    let gone = Revocation { user, session: None, at };
    assert_eq!(reader.read(), [gone, Revocation { session: Some(session(7)), ..gone }]);
    assert_eq!(reader.read(), []);
}

#[test]
fn without_a_cursor_all_is_told_that_could_still_be_taken_for_good() {
    let mut reader = Reader::new();
    reader.write(ended(1));
    reader.world.clock.advance_millis(1);
    reader.write(ended(2));
    // Ten minutes of an access token, and half a minute for the clocks of either side.
    reader.world.clock.advance(Duration::from_mins(11));
    reader.write(ended(3));
    assert_eq!(reader.sessions(), [2, 3].map(session));
}

#[test]
fn without_a_cursor_what_is_being_written_is_not_lost() {
    let mut reader = Reader::new();
    let open = reader.begin([ended(1)]);
    reader.write(ended(2));
    assert_eq!(reader.sessions(), [session(2)]);
    reader.commit(open);
    assert_eq!(reader.sessions(), [session(1)]);
}

#[test]
fn a_number_that_never_comes_is_given_up_after_a_minute_and_holds_nothing_up() {
    for (waited, told) in [(59, vec![session(1)]), (60, vec![])] {
        let mut reader = Reader::new();
        let open = reader.begin([ended(1)]);
        reader.write(ended(2));
        assert_eq!(reader.sessions(), [session(2)]);
        let cursor = reader.cursor.clone();
        reader.world.clock.advance(Duration::from_secs(waited));
        reader.write(ended(3));
        assert_eq!(reader.sessions(), [session(3)], "what comes later does not wait");
        reader.commit(open);
        assert_eq!(reader.sessions(), told, "after {waited} s");
        // Whoever was away for so long still finds it, the first time.
        reader.cursor = cursor;
        assert_eq!(reader.sessions(), [1, 3].map(session));
    }
}

#[test]
fn pages_end_after_five_hundred_and_go_on() {
    let mut reader = Reader::new();
    assert_eq!(reader.sessions(), []);
    for number in 1..=1_201 {
        reader.write(ended(number));
        reader.write(Change::UserChanged(user()));
    }
    let pages = [reader.sessions(), reader.sessions(), reader.sessions(), reader.sessions()];
    assert_eq!(pages.each_ref().map(Vec::len), [500, 500, 201, 0]);
    assert_eq!(pages.concat(), (1..=1_201).map(session).collect::<Vec<_>>());
}

#[test]
fn very_many_changes_of_other_kinds_take_more_than_one_page_and_lose_nothing() {
    let mut reader = Reader::new();
    assert_eq!(reader.sessions(), []);
    let first = reader.begin((0..12_000).map(|_| Change::UserChanged(user())));
    reader.commit_all(first..first + 12_000);
    reader.write(ended(1));
    assert_eq!(reader.sessions(), [], "a page reads ten thousand");
    assert_eq!(reader.sessions(), [session(1)]);
}

#[test]
fn with_very_many_holes_a_cursor_fits_a_url_and_nothing_is_lost() {
    let mut reader = Reader::new();
    assert_eq!(reader.sessions(), []);
    let first = reader.begin((1..=2_000).map(ended));
    let (late, early): (Vec<_>, Vec<_>) = (first..first + 2_000).partition(|number| number % 2 == 0);
    reader.commit_all(early);
    let mut told = BTreeMap::new();
    for _ in 0..10 {
        for session in reader.sessions() {
            *told.entry(session).or_insert(0) += 1;
        }
        assert!(reader.cursor.as_ref().unwrap().len() < 4_096);
    }
    reader.commit_all(late);
    for _ in 0..10 {
        told.extend(reader.sessions().into_iter().map(|session| (session, 1)));
    }
    assert_eq!(told.into_keys().collect::<BTreeSet<_>>(), (1..=2_000).map(session).collect());
    assert_eq!(reader.sessions(), [], "and it comes to an end");
}

#[test]
fn with_more_missing_than_a_cursor_holds_nothing_is_lost() {
    let mut reader = Reader::new();
    assert_eq!(reader.sessions(), []);
    let first = reader.begin((1..=3_003).map(ended));
    let (early, late): (Vec<_>, Vec<_>) = (first..first + 3_003).partition(|number| number % 1_001 == 0);
    reader.commit_all(early);
    let mut told: BTreeSet<_> = reader.sessions().into_iter().collect();
    assert_eq!(told.len(), 3, "whatever the cursor holds, what is there is told");
    reader.commit_all(late);
    for _ in 0..10 {
        told.extend(reader.sessions());
    }
    assert_eq!(told, (1..=3_003).map(session).collect());
}

#[test]
fn what_memory_does_not_reach_back_to_is_told_from_the_store() {
    let mut reader = Reader::new();
    let open = reader.begin([ended(1)]);
    for _ in 0..1_500 {
        reader.write(Change::UserChanged(user()));
    }
    assert_eq!(reader.sessions(), []);
    reader.follow();
    reader.commit(open);
    reader.follow();
    assert_eq!(reader.sessions(), [session(1)], "a number that this process never looked for");
}

#[test]
fn after_a_failover_that_lost_the_newest_numbers_reading_begins_anew() {
    let mut reader = Reader::new();
    (1..=5).for_each(|number| reader.write(ended(number)));
    assert_eq!(reader.sessions().len(), 5);
    let mut state = reader.world.store.state();
    state.changes.truncate(2);
    state.changed_at.truncate(2);
    drop(state);
    reader.write(ended(6));
    assert_eq!(reader.sessions(), [1, 2, 6].map(session), "some of it again");
    reader.write(ended(7));
    assert_eq!(reader.sessions(), [session(7)]);
}

#[test]
fn a_cursor_of_a_process_that_is_ahead_is_not_taken_for_one_after_a_failover() {
    let mut reader = Reader::new();
    reader.write(ended(1));
    assert_eq!(reader.sessions(), [session(1)]);
    // As the feed was when this process looked last.
    reader.world.store.state().taken.insert(1);
    reader.follow();
    reader.commit(1);
    assert_eq!(reader.sessions(), []);
}

#[test]
fn waiting_makes_sense_only_while_the_feed_is_followed() {
    let mut reader = Reader::new();
    assert!(!reader.world.services.revocations.can_wait());
    reader.follow();
    assert!(reader.world.services.revocations.can_wait());
    reader.world.clock.advance_millis(700);
    assert!(!reader.world.services.revocations.can_wait());
}

#[test]
fn no_changed_cursor_is_taken() {
    let mut reader = Reader::new();
    let open = reader.begin([ended(1), ended(2)]);
    reader.write(ended(3));
    reader.commit(open);
    reader.sessions();
    let cursor = reader.cursor.unwrap();
    assert_eq!(cursor.len(), 30, "a newest number and one stretch");
    let (head, tail) = cursor.split_at(12);
    for broken in ["", "A", "AAAA", "x", head, tail, &format!("{cursor}A"), &format!("{cursor}==")] {
        assert_eq!(RevocationCursor::parse(broken).unwrap_err().code, "invalid_cursor", "{broken}");
    }
    // The newest number is -1; a stretch begins above the newest number; one has no length.
    for bytes in ["__________8", "AAAAAAAAAAEAAAAAAAAAAwABAAAAAA", "AAAAAAAAAAkAAAAAAAAAAwAAAAAAAA"] {
        assert!(RevocationCursor::parse(bytes).is_err(), "{bytes}");
    }
}
