use crate::fakes::{PASSWORD, World, email, new_password, now};
use std::time::Duration;
use vestibule_domain::user::{Name, Register, RegistrationMode, UserError};
use vestibule_domain::{Clock, Settings};

/// How long a registration lasts, on a clock that only goes on while somebody waits.
fn lasts(mode: RegistrationMode, name: &str) -> (bool, Duration) {
    let world = World::new(Settings { registration: mode, ..Settings::default() });
    world.register("taken", &[]);
    let began = world.clock.monotonic();
    let request = Register { email: email(name), name: Name::parse(name).unwrap(), password: new_password(PASSWORD) };
    let outcome = now(world.services.users.register(request, None, &world.context)).outcome;
    assert!(matches!(outcome, Ok(_) | Err(UserError::EmailTaken)), "{outcome:?}");
    (outcome.is_ok(), world.clock.monotonic().saturating_sub(began))
}

#[test]
fn d44_a_strict_registration_writes_for_the_same_time_whether_the_address_is_free_or_taken() {
    let even = Duration::from_millis(20);
    assert_eq!(lasts(RegistrationMode::Strict, "free"), (true, even));
    assert_eq!(lasts(RegistrationMode::Strict, "taken"), (false, even));
    assert_eq!(lasts(RegistrationMode::Open, "free"), (true, Duration::ZERO));
}
