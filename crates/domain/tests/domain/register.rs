use crate::fakes::{PASSWORD, World, email, new_password, now};
use std::time::Duration;
use vestibule_domain::user::{IdempotencyKey, Name, Register, RegistrationMode, UserError};
use vestibule_domain::{Clock, Settings};

const NEAR: Duration = Duration::ZERO;
const FAR: Duration = Duration::from_millis(30);

/// How long a registration lasts with a store that is so far away, on a clock that else only goes on while somebody
/// waits; and whether the address was free.
fn lasts(mode: RegistrationMode, name: &str, key: Option<&IdempotencyKey>, round_trip: Duration) -> (bool, Duration) {
    let world = World::new(Settings { registration: mode, ..Settings::default() });
    world.register("taken", &[]);
    world.store.set_round_trip(&world.clock, round_trip);
    let began = world.clock.monotonic();
    let request = Register { email: email(name), name: Name::parse(name).unwrap(), password: new_password(PASSWORD) };
    let outcome = now(world.services.users.register(request, key, &world.context)).outcome;
    assert!(matches!(outcome, Ok(_) | Err(UserError::EmailTaken)), "{outcome:?}");
    (outcome.is_ok(), world.clock.monotonic().saturating_sub(began))
}

#[test]
fn d44_a_strict_registration_writes_for_the_same_time_whether_the_address_is_free_or_taken() {
    let even = Duration::from_millis(20);
    assert_eq!(lasts(RegistrationMode::Strict, "free", None, NEAR), (true, even));
    assert_eq!(lasts(RegistrationMode::Strict, "taken", None, NEAR), (false, even));
    assert_eq!(lasts(RegistrationMode::Open, "free", None, NEAR), (true, Duration::ZERO));
}

#[test]
fn d44_a_free_and_a_taken_address_ask_a_store_that_is_far_away_equally_often() {
    let key = IdempotencyKey::parse("a-key").unwrap();
    for (key, times) in [(None, 4), (Some(&key), 5)] {
        let even = FAR * times;
        assert_eq!(lasts(RegistrationMode::Strict, "free", key, FAR), (true, even));
        assert_eq!(lasts(RegistrationMode::Strict, "taken", key, FAR), (false, even));
    }
}
