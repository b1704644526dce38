//! Attempts that come at the same time.

use super::from;
use crate::fakes::{Begun, PASSWORD, World, begin, begin_or_end, email, now};
use futures_util::future::join_all;
use std::time::Duration;
use vestibule_domain::Settings;
use vestibule_domain::audit::AuditKind;
use vestibule_domain::credential::PasswordAttempt;
use vestibule_domain::session::{Login, SessionError, SignIn};
use vestibule_domain::throttle::{Budget, Limited, ThrottleSettings};

type Outcome = Limited<SignIn, SessionError>;

/// Who tries: their address, their name, and whether they know the password.
type Attempt = (&'static str, &'static str, bool);

async fn attempt(world: &World, (address, name, is_right): Attempt) -> Outcome {
    let password = PasswordAttempt::parse(if is_right { PASSWORD } else { "wrong" }).unwrap();
    let login = Login { email: email(name), password, device_token: None };
    world.services.sessions.login(login, &from(address)).await
}

fn world() -> World {
    let limits = ThrottleSettings { login: Budget::new(6, Duration::from_secs(3)), ..ThrottleSettings::default() };
    let world = World::new(Settings { limits, ..Settings::default() });
    for name in ["ann", "bob", "cat"] {
        world.register(name, &[]);
    }
    world
}

/// What is told of an attempt. Which of several closed buckets it is refused by depends on who was refused just before.
fn told(outcome: &Outcome) -> String {
    match &outcome.outcome {
        Err(SessionError::Throttled(_)) => "refused".to_owned(),
        known => format!("{:?} {:?}", known.as_ref().map(drop), outcome.standing),
    }
}

#[test]
fn they_are_read_at_once_and_written_at_once() {
    let world = world();
    let guesses = [("192.0.2.1", "ann", false), ("192.0.2.1", "bob", true), ("192.0.2.2", "cat", true)];
    world.hasher.set_held(true);
    let begun = begin(join_all(guesses.map(|guess| attempt(&world, guess))));
    assert_eq!(world.store.asked_for_buckets(), ["read 7", "swap 7"], "two addresses, each twice, and three accounts");
    world.hasher.set_held(false);
    begun.finish();
    assert_eq!(world.store.asked_for_buckets(), ["swap 7"], "what was seen last is not asked for again");
    now(attempt(&world, guesses[0]));
    assert_eq!(world.store.asked_for_buckets(), ["read 3", "swap 3", "swap 3"]);
}

/// Three guesses at an account are free, and six at an address.
#[test]
fn d52_they_are_let_in_and_refused_as_if_they_had_come_one_after_another() {
    let crowd = [
        ("192.0.2.1", "ann", false),
        ("192.0.2.2", "ann", true),
        ("192.0.2.1", "ann", false),
        ("192.0.2.1", "ann", true),
        ("192.0.2.1", "ann", true),
        ("192.0.2.2", "bob", false),
        ("192.0.2.1", "bob", false),
        ("192.0.2.1", "cat", true),
        ("192.0.2.1", "cat", false),
        ("192.0.2.1", "bob", true),
        ("192.0.2.1", "nobody", false),
        ("192.0.2.3", "nobody", false),
    ];
    let (together, in_turn) = (world(), world());
    for round in 0..20 {
        together.hasher.set_held(true);
        in_turn.hasher.set_held(true);
        let begun = begin(join_all(crowd.map(|one| attempt(&together, one))));
        let others: Vec<_> = crowd.map(|one| begin_or_end(attempt(&in_turn, one))).into();
        assert_eq!(together.store.stored_buckets(), in_turn.store.stored_buckets(), "charged in round {round}");
        together.hasher.set_held(false);
        in_turn.hasher.set_held(false);
        let outcomes: Vec<_> = begun.finish().iter().map(told).collect();
        let expected: Vec<_> = others.into_iter().map(|other| told(&other.unwrap_or_else(Begun::finish))).collect();
        assert_eq!(outcomes, expected, "round {round}");
        let of = |kind: &str| outcomes.iter().filter(|told| told.starts_with(kind)).count();
        assert!(of("refused") > 2 && of("Ok") > 0 && of("Err") > 0, "{outcomes:?}");
        assert_eq!(together.store.stored_buckets(), in_turn.store.stored_buckets(), "settled in round {round}");
        for world in [&together, &in_turn] {
            world.clock.advance(Duration::from_millis(700 * round));
        }
    }
    let closed = |world: &World| world.store.audited(AuditKind::ThrottleClosed);
    assert_eq!(closed(&together), closed(&in_turn));
}

/// The fault of one bucket is not that of all.
#[test]
fn a_bucket_that_cannot_be_read_is_the_fault_of_those_alone_who_share_it() {
    let world = world();
    now(attempt(&world, ("192.0.2.1", "ann", false)));
    world.store.spoil_buckets();
    let crowd = [("192.0.2.2", "bob", true), ("192.0.2.2", "ann", true), ("192.0.2.2", "cat", true)];
    let outcomes = now(join_all(crowd.map(|one| attempt(&world, one))));
    let failed: Vec<_> =
        outcomes.iter().map(|outcome| matches!(outcome.outcome, Err(SessionError::Store(_)))).collect();
    assert_eq!(failed, [false, true, false], "{outcomes:?}");
}
