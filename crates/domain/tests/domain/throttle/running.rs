//! Attempts that are under way, and what others are told meanwhile.

use super::from;
use crate::fakes::{Begun, PASSWORD, World, begin, email, new_password, now};
use std::time::Duration;
use vestibule_domain::audit::AuditKind;
use vestibule_domain::credential::PasswordAttempt;
use vestibule_domain::session::{Login, SessionError, SignIn};
use vestibule_domain::throttle::{Budget, Limited, ThrottleSettings};
use vestibule_domain::user::{Name, Register, User, UserError};
use vestibule_domain::{RequestContext, Settings};

const SOON: Duration = Duration::from_secs(2);
const ACCOUNTS: u32 = 15;

fn context() -> RequestContext {
    from("192.0.2.1")
}

fn name(n: u32) -> String {
    format!("user{n}")
}

/// Twenty users behind one address that may try as often as it likes, but not everybody.
fn office() -> World {
    let limits = ThrottleSettings { login: Budget::new(100, Duration::from_secs(3)), ..ThrottleSettings::default() };
    let world = World::new(Settings { limits, ..Settings::default() });
    for n in 0..20 {
        world.register(&name(n), &[]);
    }
    world
}

async fn log_in(world: &World, n: u32, password: &str) -> Limited<SignIn, SessionError> {
    let password = PasswordAttempt::parse(password).unwrap();
    let login = Login { email: email(&name(n)), password, device_token: None };
    world.services.sessions.login(login, &context()).await
}

async fn register(world: &World, name: &str) -> Limited<User, UserError> {
    let request = Register { email: email(name), name: Name::parse(name).unwrap(), password: new_password(PASSWORD) };
    world.services.users.register(request, None, &context()).await
}

/// For how long the next one of the office is refused.
fn wait(world: &World) -> Option<Duration> {
    match now(log_in(world, ACCOUNTS, PASSWORD)).outcome {
        Err(SessionError::Throttled(throttled)) => Some(throttled.retry_after),
        outcome => outcome.map(|_| None).unwrap(),
    }
}

/// Fifteen of them at once.
fn morning<'a>(world: &'a World, password: &'a str) -> Vec<Begun<'a, Limited<SignIn, SessionError>>> {
    world.hasher.set_held(true);
    let begun = (0..ACCOUNTS).map(|n| begin(log_in(world, n, password))).collect();
    assert_eq!(wait(world), Some(SOON));
    world.hasher.set_held(false);
    begun
}

fn closings(world: &World) -> usize {
    world.store.audited(AuditKind::ThrottleClosed).len()
}

#[test]
fn d52_an_office_that_comes_to_work_at_once_waits_for_seconds() {
    let world = office();
    for begun in morning(&world, PASSWORD) {
        assert!(begun.finish().outcome.is_ok());
    }
    assert_eq!((wait(&world), closings(&world)), (None, 0), "it opens with the last of them, and nobody was alarmed");
}

#[test]
fn d52_one_of_them_is_enough_to_let_the_next_one_in() {
    let world = office();
    let mut begun = morning(&world, PASSWORD);
    assert!(begun.pop().unwrap().finish().outcome.is_ok());
    assert_eq!(wait(&world), None);
}

#[test]
fn d52_when_all_have_failed_the_wait_is_told_as_it_is() {
    let world = office();
    for begun in morning(&world, "wrong") {
        assert_eq!(closings(&world), 0);
        assert!(matches!(begun.finish().outcome, Err(SessionError::InvalidCredentials)));
    }
    assert_eq!((wait(&world), closings(&world)), (Some(Duration::from_hours(1)), 1));
}

#[test]
fn d52_clients_that_hang_up_get_nothing_for_free() {
    let world = office();
    drop(morning(&world, "wrong"));
    for second in 1..10 {
        world.clock.advance(Duration::from_secs(1));
        assert_eq!((wait(&world), closings(&world)), (Some(SOON), 0), "after {second} s");
    }
    world.clock.advance(Duration::from_secs(1));
    let left = Duration::from_hours(1).checked_sub(Duration::from_secs(10));
    assert_eq!((wait(&world), closings(&world)), (left, 1));
    world.clock.advance(Duration::from_secs(1));
    assert!(wait(&world).is_some());
    assert_eq!(closings(&world), 1, "told once");
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(wait(&world), None);
}

#[test]
fn d44_registrations_at_once_keep_others_waiting_for_seconds() {
    let world = World::default();
    world.hasher.set_held(true);
    let begun: Vec<_> = ["a", "b", "c", "d", "e"].map(|name| begin(register(&world, name))).into();
    let refused = now(register(&world, "f"));
    assert!(matches!(refused.outcome, Err(UserError::Throttled(throttled)) if throttled.retry_after == SOON));
    let standing = refused.standing.unwrap();
    assert_eq!((standing.policy, standing.remaining, standing.reset), ("taken", 0, SOON));
    world.hasher.set_held(false);
    assert!(begun.into_iter().all(|begun| begun.finish().outcome.is_ok()));
    assert!(now(register(&world, "f")).outcome.is_ok());
}

#[test]
fn d48_the_last_failure_closes_the_account_when_it_is_one() {
    let world = office();
    let user = now(world.services.sessions.login(
        Login { email: email("user0"), password: PasswordAttempt::parse(PASSWORD).unwrap(), device_token: None },
        &world.context,
    ));
    let user = user.outcome.unwrap().user.id;
    for (n, subject) in [(0, Some(user)), (99, None)] {
        let before = closings(&world);
        for _ in 0..99 {
            assert!(matches!(now(log_in(&world, n, "wrong")).outcome, Err(SessionError::InvalidCredentials)));
            world.clock.advance(Duration::from_secs(10));
        }
        world.hasher.set_held(true);
        let last = begin(log_in(&world, n, "wrong"));
        let told = || now(log_in(&world, n, PASSWORD)).standing.map(|standing| (standing.policy, standing.reset));
        assert_eq!(told(), Some(("account", SOON)));
        world.hasher.set_held(false);
        assert_eq!(closings(&world), before);
        last.finish();
        assert_eq!(told(), Some(("account", Duration::from_hours(24))));
        let closed = world.store.audited(AuditKind::ThrottleClosed);
        let last = closed.last().map(|event| (event.reason, event.subject));
        assert_eq!((closed.len(), last), (before + 1, Some((Some("account"), subject))));
    }
}
