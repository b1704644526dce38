use crate::fakes::{HandClock, MemoryStore, World, now};
use std::sync::Arc;
use std::time::Duration;
use vestibule_domain::audit::{Actor, AuditKind};
use vestibule_domain::session::SessionSettings;
use vestibule_domain::token::{Algorithm, KeyServiceError, KeySet, KeyState, RotationTiming, SigningKey};
use vestibule_domain::{Clock, Settings};

const HOUR: u64 = 60;

/// Processes that sign with different algorithms share the store and the clock.
#[derive(Default)]
struct Keys {
    store: Arc<MemoryStore>,
    clock: Arc<HandClock>,
}

impl Keys {
    fn process(&self, algorithm: Algorithm) -> World {
        World::beside(&self.store, &self.clock, Settings { algorithm, ..Settings::default() })
    }

    fn set(&self) -> KeySet {
        KeySet::new(self.store.state().keys.clone())
    }

    fn active(&self, algorithm: Algorithm) -> Option<SigningKey> {
        self.set().active(algorithm, self.clock.now()).cloned()
    }

    /// What `other` adds now appears only between the next process's look and its transaction.
    fn overtaken_by(&self, other: &World) {
        ensure(other);
        self.appears_late(self.store.state().keys.remove(0));
    }

    fn appears_late(&self, key: SigningKey) {
        self.store.before_next_transaction(move |state| {
            state.keys.push(key);
            Ok(())
        });
    }

    /// Lets time pass with a look at the keys every minute, and proves at each that there is a key to sign with and
    /// that what any key has signed verifies until it expires.
    fn pass(&self, world: &World, algorithm: Algorithm, minutes: u64) {
        let lifetime = SessionSettings::default().access_ttl;
        for minute in 0..minutes {
            now(world.services.keys.ensure()).unwrap();
            let signer = self.active(algorithm).unwrap_or_else(|| panic!("no key after {minute} minutes"));
            let expiry = self.clock.now().plus(lifetime);
            assert!(signer.retires_at.is_none_or(|end| expiry <= end), "outlived after {minute} minutes");
            self.clock.advance(Duration::from_mins(1));
        }
    }
}

fn ensure(world: &World) {
    now(world.services.keys.ensure()).unwrap();
}

fn rotate(world: &World, timing: RotationTiming) {
    now(world.services.keys.rotate(timing)).unwrap();
}

fn states(world: &World) -> Vec<KeyState> {
    now(world.services.keys.list()).unwrap().into_iter().map(|(_, state)| state).collect()
}

#[test]
fn the_first_look_makes_one_key_and_the_second_none() {
    let keys = Keys::default();
    let world = keys.process(Algorithm::EdDsa);
    ensure(&world);
    ensure(&world);
    assert_eq!(states(&world), [KeyState::Active]);
    let added = keys.store.audited(AuditKind::KeyAdded);
    let key = keys.set().iter().next().map(|key| key.id);
    assert_eq!(added.iter().map(|event| (event.actor, event.key)).collect::<Vec<_>>(), [(Actor::Service, key)]);
}

#[test]
fn two_processes_that_begin_at_once_share_one_key() {
    let keys = Keys::default();
    let (one, other) = (keys.process(Algorithm::EdDsa), keys.process(Algorithm::EdDsa));
    keys.overtaken_by(&other);
    ensure(&one);
    assert_eq!(states(&one), [KeyState::Active]);
    assert_eq!(keys.active(Algorithm::EdDsa).unwrap().retires_at, None);
}

#[test]
fn two_processes_that_begin_at_once_with_different_algorithms_both_have_a_key() {
    let keys = Keys::default();
    let (one, other) = (keys.process(Algorithm::EdDsa), keys.process(Algorithm::Es256));
    keys.overtaken_by(&other);
    ensure(&one);
    assert!(keys.active(Algorithm::EdDsa).is_some());
    assert!(keys.active(Algorithm::Es256).is_some());
}

#[test]
fn an_operator_who_loses_the_generation_still_gets_the_key_that_was_asked_for() {
    let keys = Keys::default();
    let world = keys.process(Algorithm::EdDsa);
    ensure(&world);
    let waiting = SigningKey {
        generation: 2,
        activates_at: keys.clock.now().plus(Duration::from_mins(10)),
        ..keys.active(Algorithm::EdDsa).unwrap()
    };
    keys.appears_late(waiting);
    rotate(&world, RotationTiming::Now);
    assert_eq!(keys.active(Algorithm::EdDsa).unwrap().generation, 3);
}

#[test]
fn case_74_a_rotation_publishes_first_and_leaves_no_token_behind() {
    let keys = Keys::default();
    let world = keys.process(Algorithm::EdDsa);
    ensure(&world);
    rotate(&world, RotationTiming::Published);
    assert_eq!(states(&world), [KeyState::Next, KeyState::Active]);
    keys.pass(&world, Algorithm::EdDsa, 10);
    assert_eq!(states(&world), [KeyState::Active, KeyState::Retiring]);
    keys.pass(&world, Algorithm::EdDsa, 20);
    assert_eq!(states(&world), [KeyState::Active, KeyState::Retired]);
}

#[test]
fn case_74_whoever_adds_a_key_takes_it_into_use_at_once() {
    let keys = Keys::default();
    let world = keys.process(Algorithm::EdDsa);
    ensure(&world);
    assert_eq!(world.codec.loaded(), keys.set());
    for timing in [RotationTiming::Published, RotationTiming::Now] {
        rotate(&world, timing);
        assert_eq!(world.codec.loaded(), keys.set(), "{timing:?}");
    }
}

#[test]
fn a_waiting_key_that_was_overtaken_waits_for_nothing_unless_the_other_is_revoked() {
    let keys = Keys::default();
    let world = keys.process(Algorithm::EdDsa);
    ensure(&world);
    rotate(&world, RotationTiming::Published);
    rotate(&world, RotationTiming::Now);
    assert_eq!(states(&world), [KeyState::Active, KeyState::Retiring, KeyState::Retiring]);
    now(world.services.keys.revoke(keys.active(Algorithm::EdDsa).unwrap().id)).unwrap();
    assert_eq!(states(&world)[..2], [KeyState::Revoked, KeyState::Active]);
}

#[test]
fn case_74_a_key_is_replaced_after_ninety_days_and_only_once() {
    let keys = Keys::default();
    let world = keys.process(Algorithm::EdDsa);
    ensure(&world);
    keys.clock.advance(Duration::from_hours(90 * 24));
    ensure(&world);
    assert_eq!(states(&world), [KeyState::Active]);
    keys.clock.advance_millis(1);
    ensure(&world);
    ensure(&world);
    assert_eq!(states(&world), [KeyState::Next, KeyState::Active]);
    keys.pass(&world, Algorithm::EdDsa, 2 * HOUR);
    assert_eq!(states(&world), [KeyState::Active, KeyState::Retired]);
}

#[test]
fn case_74_two_rotations_in_a_row_leave_no_token_behind() {
    let keys = Keys::default();
    let world = keys.process(Algorithm::EdDsa);
    for timings in [
        [RotationTiming::Published, RotationTiming::Published],
        [RotationTiming::Published, RotationTiming::Now],
        [RotationTiming::Now, RotationTiming::Published],
        [RotationTiming::Now, RotationTiming::Now],
    ] {
        ensure(&world);
        for timing in timings {
            rotate(&world, timing);
            keys.pass(&world, Algorithm::EdDsa, 1);
        }
        keys.pass(&world, Algorithm::EdDsa, HOUR);
        assert_eq!(states(&world).iter().filter(|state| state.verifies()).count(), 1, "{timings:?}");
    }
}

#[test]
fn case_75_when_the_active_key_is_revoked_the_waiting_one_takes_its_place() {
    let keys = Keys::default();
    let world = keys.process(Algorithm::EdDsa);
    ensure(&world);
    let active = keys.active(Algorithm::EdDsa).unwrap().id;
    rotate(&world, RotationTiming::Published);
    now(world.services.keys.revoke(active)).unwrap();
    assert_eq!(states(&world), [KeyState::Active, KeyState::Revoked]);
    assert!(matches!(now(world.services.keys.revoke(active)), Err(KeyServiceError::NoSuchKey)));
    keys.pass(&world, Algorithm::EdDsa, HOUR);
}

#[test]
fn case_75_when_the_only_key_is_revoked_a_new_one_takes_its_place() {
    let keys = Keys::default();
    let world = keys.process(Algorithm::EdDsa);
    ensure(&world);
    let only = keys.active(Algorithm::EdDsa).unwrap().id;
    now(world.services.keys.revoke(only)).unwrap();
    assert_eq!(states(&world), [KeyState::Active, KeyState::Revoked]);
    let revoked = keys.store.audited(AuditKind::KeyRevoked);
    assert_eq!(
        revoked.iter().map(|event| (event.actor, event.key)).collect::<Vec<_>>(),
        [(Actor::Operator, Some(only))]
    );
}

#[test]
fn case_75_when_the_waiting_key_is_revoked_the_active_one_is_followed_in_time() {
    for minutes in [0, 1, 9] {
        let keys = Keys::default();
        let world = keys.process(Algorithm::EdDsa);
        ensure(&world);
        rotate(&world, RotationTiming::Published);
        keys.pass(&world, Algorithm::EdDsa, minutes);
        let waiting = keys.set().next(Algorithm::EdDsa, keys.clock.now()).unwrap().id;
        now(world.services.keys.revoke(waiting)).unwrap();
        keys.pass(&world, Algorithm::EdDsa, 2 * HOUR);
    }
}

#[test]
fn case_75_when_a_young_key_is_revoked_its_predecessor_signs_only_what_it_outlives() {
    for minutes in [0, 1, 5, 12] {
        let keys = Keys::default();
        let world = keys.process(Algorithm::EdDsa);
        ensure(&world);
        rotate(&world, RotationTiming::Now);
        keys.pass(&world, Algorithm::EdDsa, minutes);
        now(world.services.keys.revoke(keys.active(Algorithm::EdDsa).unwrap().id)).unwrap();
        keys.pass(&world, Algorithm::EdDsa, 2 * HOUR);
    }
}

#[test]
fn a_change_of_algorithm_back_and_forth_leaves_no_token_behind() {
    for minutes in [0, 1, 7, 14, 30] {
        let keys = Keys::default();
        let (ed, es) = (keys.process(Algorithm::EdDsa), keys.process(Algorithm::Es256));
        keys.pass(&ed, Algorithm::EdDsa, 5);
        keys.pass(&es, Algorithm::Es256, minutes);
        keys.pass(&ed, Algorithm::EdDsa, 2 * HOUR);
        assert_eq!(states(&ed).iter().filter(|state| state.verifies()).count(), 1, "after {minutes} minutes");
    }
}

#[test]
fn after_a_change_to_a_shared_secret_the_old_keys_end() {
    let keys = Keys::default();
    ensure(&keys.process(Algorithm::EdDsa));
    let world = keys.process(Algorithm::Hs256);
    ensure(&world);
    assert_eq!(states(&world), [KeyState::Retiring]);
    keys.clock.advance(Duration::from_mins(16));
    ensure(&world);
    assert_eq!(states(&world), [KeyState::Retired]);
    let changes = keys.store.state().changes.len();
    ensure(&world);
    assert_eq!(keys.store.state().changes.len(), changes, "there is nothing left to do");
    assert!(matches!(now(world.services.keys.rotate(RotationTiming::Now)), Err(KeyServiceError::Symmetric)));
}

#[test]
fn an_answer_that_comes_late_does_not_bring_a_revoked_key_back() {
    let keys = Keys::default();
    let world = keys.process(Algorithm::EdDsa);
    ensure(&world);
    let services = world.services.clone();
    let active = keys.active(Algorithm::EdDsa).unwrap().id;
    keys.store.while_it_is_read(move || now(services.keys.revoke(active)).unwrap());
    now(world.services.keys.reload()).unwrap();
    let revoked = |key: &SigningKey| key.id == active && key.revoked_at.is_some();
    assert!(world.codec.loaded().iter().any(revoked));
}

#[test]
fn whoever_cannot_open_the_keys_neither_adds_nor_revokes_one() {
    let keys = Keys::default();
    let world = keys.process(Algorithm::EdDsa);
    ensure(&world);
    let before = keys.store.state().keys.clone();
    world.codec.cannot_open(before[0].id);
    let refused = |outcome| matches!(outcome, Err(KeyServiceError::Key(_)));
    assert!(refused(now(world.services.keys.rotate(RotationTiming::Now))));
    assert!(refused(now(world.services.keys.revoke(before[0].id))));
    assert_eq!(keys.store.state().keys, before);
}
