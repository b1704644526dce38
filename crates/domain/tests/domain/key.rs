use proptest::prelude::*;
use std::time::Duration;
use uuid::Uuid;
use vestibule_domain::Timestamp;
use vestibule_domain::id::KeyId;
use vestibule_domain::token::{Algorithm, KeySet, KeyState, SigningKey};

fn minute(minutes: u64) -> Timestamp {
    Timestamp::EPOCH.plus(Duration::from_mins(minutes))
}

fn key(generation: i64, activates: u64, retires: Option<u64>) -> SigningKey {
    SigningKey {
        id: KeyId::from(Uuid::from_u128(generation.unsigned_abs().into())),
        algorithm: Algorithm::EdDsa,
        generation,
        public_key: Vec::new(),
        sealed_private_key: Vec::new(),
        created_at: minute(0),
        activates_at: minute(activates),
        retires_at: retires.map(minute),
        revoked_at: None,
    }
}

/// The states, the oldest generation first, when `EdDSA` is configured.
fn states(keys: &KeySet, at: u64) -> Vec<KeyState> {
    let mut states: Vec<_> = keys.iter().map(|key| keys.state(key, Algorithm::EdDsa, minute(at))).collect();
    states.reverse();
    states
}

#[test]
fn a_key_is_next_then_active_then_retiring_then_retired() {
    use KeyState::{Active, Next, Retired, Retiring};
    let keys = KeySet::new(vec![key(1, 0, Some(30)), key(2, 20, Some(50)), key(3, 40, None)]);
    for (at, expected) in [
        (0, [Active, Next, Next]),
        (19, [Active, Next, Next]),
        (20, [Retiring, Active, Next]),
        (29, [Retiring, Active, Next]),
        (30, [Retired, Active, Next]),
        (40, [Retired, Retiring, Active]),
        (50, [Retired, Retired, Active]),
    ] {
        assert_eq!(states(&keys, at), expected, "at minute {at}");
    }
}

#[test]
fn the_generation_of_a_key_that_is_left_out_is_taken_all_the_same() {
    let mut keys = KeySet::new(vec![key(1, 0, None)]);
    for (left_out, newest) in [(5, 5), (3, 5), (6, 6)] {
        keys.leave_out(key(left_out, 0, None).id, left_out, "ES999");
        assert_eq!(keys.newest_generation(), newest);
    }
    assert_eq!(keys.iter().count(), 1);
}

#[test]
fn case_75_a_revoked_key_is_good_for_nothing_and_another_takes_over() {
    let mut second = key(2, 20, None);
    second.revoked_at = Some(minute(25));
    let keys = KeySet::new(vec![second, key(1, 0, Some(40))]);
    assert_eq!(states(&keys, 30), [KeyState::Active, KeyState::Revoked]);
    assert_eq!(keys.next(Algorithm::EdDsa, minute(10)), None);
    assert!(!KeyState::Revoked.verifies() && !KeyState::Retired.verifies());
}

#[test]
fn a_key_of_another_algorithm_only_verifies() {
    let keys = KeySet::new(vec![SigningKey { algorithm: Algorithm::Es256, ..key(2, 0, None) }, key(1, 0, Some(30))]);
    assert_eq!(states(&keys, 1), [KeyState::Active, KeyState::Retiring]);
    assert_eq!(keys.active(Algorithm::Es256, minute(1)).map(|key| key.generation), Some(2));
    assert_eq!(keys.active(Algorithm::Rs256, minute(1)), None);
    assert!(KeyState::Retiring.verifies());
}

#[test]
fn a_key_whose_time_comes_after_that_of_a_newer_one_is_never_next() {
    use KeyState::{Active, Next, Retired, Retiring};
    let keys = KeySet::new(vec![key(1, 0, Some(30)), key(2, 20, Some(25)), key(3, 10, None)]);
    for (at, expected) in [
        (5, [Active, Retiring, Next]),
        (10, [Retiring, Retiring, Active]),
        (22, [Retiring, Retiring, Active]),
        (30, [Retired, Retired, Active]),
    ] {
        assert_eq!(states(&keys, at), expected, "at minute {at}");
    }
    let other = KeySet::new(vec![key(1, 0, None), SigningKey { algorithm: Algorithm::Es256, ..key(2, 20, None) }]);
    assert_eq!(states(&other, 5), [Active, Retiring], "nor is one of an algorithm that is not configured");
}

#[test]
fn nothing_is_active_before_the_first_key_or_after_the_last() {
    let keys = KeySet::new(vec![key(1, 10, Some(20))]);
    for at in [0, 9, 20, 100] {
        assert_eq!(keys.active(Algorithm::EdDsa, minute(at)), None, "at minute {at}");
    }
    assert_eq!(KeySet::default().newest_generation(), 0);
}

fn keys() -> impl Strategy<Value = Vec<SigningKey>> {
    let parts = (0_u64..100, prop::option::of(0_u64..100), prop::option::of(0_u64..100), 0_usize..2);
    prop::collection::vec(parts, 0..8).prop_map(|keys| {
        (1..)
            .zip(keys)
            .map(|(generation, (activates, retires, revoked, algorithm))| SigningKey {
                algorithm: Algorithm::ALL[algorithm],
                revoked_at: revoked.map(minute),
                ..key(generation, activates, retires)
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn at_most_one_key_signs_and_it_verifies(keys in keys().prop_shuffle(), at in 0_u64..110) {
        let keys = KeySet::new(keys);
        let now = minute(at);
        let state = |key: &SigningKey| keys.state(key, Algorithm::EdDsa, now);
        let active: Vec<_> = keys.iter().filter(|key| state(key) == KeyState::Active).collect();
        prop_assert!(active.len() <= 1);
        prop_assert_eq!(active.first().copied(), keys.active(Algorithm::EdDsa, now));
        if let Some(active) = active.first() {
            prop_assert!(state(active).verifies());
            prop_assert_eq!(active.algorithm, Algorithm::EdDsa);
            prop_assert!(active.activates_at <= now && active.revoked_at.is_none());
            prop_assert!(active.retires_at.is_none_or(|at| now < at));
        }
        prop_assert!(keys.iter().map(|key| key.generation).is_sorted_by(|a, b| a > b));
    }

    #[test]
    fn what_is_over_stays_over(keys in keys(), at in 0_u64..110, later in 0_u64..110) {
        let keys = KeySet::new(keys);
        for key in keys.iter() {
            if !keys.state(key, Algorithm::EdDsa, minute(at)).verifies() {
                prop_assert!(!keys.state(key, Algorithm::EdDsa, minute(at + later)).verifies());
            }
        }
    }
}

#[test]
fn algorithms_have_one_name_each() {
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::parse(algorithm.as_str()), Some(algorithm));
    }
    for text in ["none", "None", "nOnE", "", "eddsa", "HS384", "Ed448"] {
        assert_eq!(Algorithm::parse(text), None, "{text}");
    }
}
