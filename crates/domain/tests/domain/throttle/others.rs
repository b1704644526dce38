//! Refreshes, changes of password, registrations.

use crate::fakes::{PASSWORD, World, email, new_password, now};
use std::time::Duration;
use vestibule_domain::credential::{ChangePassword, CredentialError, PasswordAttempt};
use vestibule_domain::session::SessionError;
use vestibule_domain::throttle::ThrottleSettings;
use vestibule_domain::user::{ChangeProfile, Name, ProfileChange, Register, RegistrationMode, UserError};
use vestibule_domain::{RequestContext, Settings, StoreError};

fn context() -> RequestContext {
    RequestContext { ip: Some("192.0.2.1".parse().unwrap()), ..RequestContext::default() }
}

fn request(name: &str) -> Register {
    Register { email: email(name), name: Name::parse(name).unwrap(), password: new_password(PASSWORD) }
}

fn register(world: &World, name: &str) -> Result<(), UserError> {
    now(world.services.users.register(request(name), None, &context())).outcome.map(drop)
}

#[test]
fn d44_who_asks_for_taken_addresses_soon_waits() {
    let world = World::default();
    world.register("alice", &[]);
    for _ in 0..5 {
        assert!(matches!(register(&world, "alice"), Err(UserError::EmailTaken)));
    }
    assert!(matches!(register(&world, "alice"), Err(UserError::Throttled(_))));
    assert!(matches!(register(&world, "bob"), Err(UserError::Throttled(_))), "the answer would tell");
    world.clock.advance(Duration::from_mins(12));
    assert!(register(&world, "bob").is_ok());
}

#[test]
fn d44_strict_registration_counts_taken_and_free_addresses_alike() {
    let settings = || Settings { registration: RegistrationMode::Strict, ..Settings::default() };
    let (taken, free) = (World::new(settings()), World::new(settings()));
    taken.register("user", &[]);
    for n in 0..70 {
        let a = now(taken.services.users.register(request("user"), None, &context()));
        let b = now(free.services.users.register(request(&format!("user{n}")), None, &context()));
        assert_eq!(a.standing, b.standing, "{n}");
        let throttled = |error: Result<_, UserError>| matches!(error, Err(UserError::Throttled(_)));
        assert_eq!((throttled(a.outcome), throttled(b.outcome)), (n >= 60, n >= 60), "{n}");
    }
}

#[test]
fn d53_a_wrong_current_password_counts_though_the_trail_cannot_be_written() {
    let world = World::default();
    world.register("alice", &[]);
    let caller = world.caller(&world.login("alice"));
    let change = || {
        let current = PasswordAttempt::parse("wrong").unwrap();
        let request = ChangePassword { current, new: new_password("a better lamp on a hill") };
        now(world.services.credentials.change_password(&caller, request, &context()))
    };
    let before = change().standing.unwrap().remaining;
    world.store.before_next_transaction(|_| Err(StoreError::Unavailable { context: "trail", source: None }));
    let unrecorded = change();
    assert!(matches!(unrecorded.outcome, Err(CredentialError::Unrecorded(_))));
    assert_eq!(unrecorded.standing.unwrap().remaining, before - 1);
}

#[test]
fn a_wrong_current_password_is_throttled_like_a_login() {
    let world = World::default();
    world.register("alice", &[]);
    let caller = world.caller(&world.login("alice"));
    let change = |current: &str| {
        let current = PasswordAttempt::parse(current).unwrap();
        let request = ChangePassword { current, new: new_password("a better lamp on a hill") };
        now(world.services.credentials.change_password(&caller, request, &context())).outcome
    };
    for _ in 0..3 {
        assert!(matches!(change("wrong"), Err(CredentialError::WrongPassword)));
    }
    assert!(matches!(change(PASSWORD), Err(CredentialError::Throttled(_))));
    assert!(world.try_login("alice", PASSWORD).is_ok(), "strangers are not locked out by it");
    world.clock.advance(Duration::from_secs(1));
    assert!(change(PASSWORD).is_ok());
}

#[test]
fn made_up_refresh_tokens_are_throttled_and_good_ones_are_not() {
    let world = World::default();
    world.register("alice", &[]);
    let mut token = world.login("alice").refresh_token;
    let refresh = |token| now(world.services.sessions.refresh(token, &context())).outcome;
    for _ in 0..100 {
        token = refresh(Some(token)).unwrap().refresh_token;
    }
    for _ in 0..300 {
        assert!(matches!(refresh(None), Err(SessionError::InvalidRefreshToken)));
    }
    assert!(matches!(refresh(None), Err(SessionError::Throttled(_))));
}

#[test]
fn nothing_is_limited_where_limits_are_off() {
    let limits = ThrottleSettings { enabled: false, ..ThrottleSettings::default() };
    let world = World::new(Settings { limits, ..Settings::default() });
    world.register("alice", &[]);
    for _ in 0..50 {
        assert!(matches!(world.try_login("alice", "wrong"), Err(SessionError::InvalidCredentials)));
    }
}

#[test]
fn d44_a_new_address_tells_of_taken_ones_as_seldom_as_registration_does() {
    let world = World::default();
    world.register("alice", &[]);
    world.register("bob", &[]);
    let caller = world.caller(&world.login("alice"));
    let ask = |n: u8| {
        let from = RequestContext { ip: Some([192, 0, 2, n].into()), ..RequestContext::default() };
        let change = ProfileChange { email: Some(email("bob")), name: None };
        let request = ChangeProfile { id: caller.user.id, change, version: None };
        now(world.services.users.change_profile(&caller, &request, &from)).outcome
    };
    for n in 0..5 {
        assert!(matches!(ask(n), Err(UserError::EmailTaken)));
    }
    assert!(matches!(ask(5), Err(UserError::Throttled(_))), "from another address, too");
}

#[test]
fn d44_free_and_taken_addresses_are_told_the_same_however_long_they_take() {
    let settings = Settings { registration: RegistrationMode::Strict, ..Settings::default() };
    let world = World::new(settings);
    world.register("taken", &[]);
    world.hasher.set_takes(&world.clock, Duration::from_millis(400));
    let standing = |name| now(world.services.users.register(request(name), None, &context())).standing.unwrap();
    let (free, taken) = (standing("free"), standing("taken"));
    // With the time for which a strict registration writes.
    assert_eq!(taken.reset + Duration::from_millis(420), free.reset + Duration::from_mins(1));
}

#[test]
fn d50_a_device_that_was_known_by_the_old_password_is_not_by_the_new_one() {
    let world = World::default();
    world.register("alice", &[]);
    let sign_in = world.login("alice");
    let caller = world.caller(&sign_in);
    let request = ChangePassword {
        current: PasswordAttempt::parse(PASSWORD).unwrap(),
        new: new_password("a better lamp on a hill"),
    };
    assert_eq!(world.store.state().devices.len(), 1);
    now(world.services.credentials.change_password(&caller, request, &context())).outcome.unwrap();
    assert!(world.store.state().devices.is_empty());
}
