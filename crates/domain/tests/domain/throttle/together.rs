//! Attempts that come at the same time.

use super::from;
use crate::fakes::{Begun, PASSWORD, World, begin, begin_or_end, email, now};
use futures_util::future::{join, join_all};
use std::sync::atomic::Ordering;
use std::time::Duration;
use vestibule_domain::Settings;
use vestibule_domain::audit::AuditKind;
use vestibule_domain::credential::PasswordAttempt;
use vestibule_domain::session::{Login, SessionError, SignIn};
use vestibule_domain::throttle::{Budget, Limited, Lockout, ThrottleSettings};

type Outcome = Limited<SignIn, SessionError>;

/// Who tries: their address, their name, and whether they know the password.
type Attempt = (&'static str, &'static str, bool);

async fn attempt(world: &World, (address, name, is_right): Attempt) -> Outcome {
    let password = PasswordAttempt::parse(if is_right { PASSWORD } else { "wrong" }).unwrap();
    let login = Login { email: email(name), password, device_token: None };
    world.services.sessions.login(login, &from(address)).await
}

/// Three guesses at an account are free, five close it; six at an address are free.
fn world() -> World {
    let world = beside(&World::default());
    for name in ["ann", "bob", "cat"] {
        world.register(name, &[]);
    }
    world
}

/// Another process on the same store.
fn beside(other: &World) -> World {
    let (login, account) = (Budget::new(6, Duration::from_secs(3)), Lockout { free: 3, most: 5 });
    let limits = ThrottleSettings { login, account, ..ThrottleSettings::default() };
    World::beside(&other.store, &other.clock, Settings { limits, ..Settings::default() })
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

/// Else it would show in the time of the answer who has been there before.
#[test]
fn who_begins_asks_also_beside_one_who_is_through() {
    let world = world();
    world.hasher.set_held(true);
    let running = begin(attempt(&world, ("192.0.2.1", "ann", false)));
    assert_eq!(world.store.asked_for_buckets(), ["read 3", "swap 3"]);
    world.hasher.set_held(false);
    now(join(running, attempt(&world, ("192.0.2.1", "ann", false))));
    assert_eq!(world.store.asked_for_buckets(), ["read 3", "swap 3", "swap 3"]);
}

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
        let is_overloaded = round % 5 == 4;
        together.hasher.set_held(true);
        in_turn.hasher.set_held(true);
        let begun = begin(join_all(crowd.map(|one| attempt(&together, one))));
        let others: Vec<_> = crowd.map(|one| begin_or_end(attempt(&in_turn, one))).into();
        assert_eq!(together.store.stored_buckets(), in_turn.store.stored_buckets(), "charged in round {round}");
        for world in [&together, &in_turn] {
            world.hasher.set_overloaded(is_overloaded);
            world.hasher.set_held(false);
        }
        let outcomes: Vec<_> = begun.finish().iter().map(told).collect();
        let expected: Vec<_> = others.into_iter().map(|other| told(&other.unwrap_or_else(Begun::finish))).collect();
        assert_eq!(outcomes, expected, "round {round}");
        let of = |kind: &str| outcomes.iter().filter(|told| told.starts_with(kind)).count();
        assert!(of("refused") > 2 && of("Err") > 0 && (of("Ok") > 0) != is_overloaded, "{outcomes:?}");
        assert_eq!(together.store.stored_buckets(), in_turn.store.stored_buckets(), "settled in round {round}");
        for world in [&together, &in_turn] {
            world.hasher.set_overloaded(false);
            world.clock.advance(Duration::from_millis(700 * round));
        }
    }
    for world in [together, in_turn] {
        let closed = world.store.audited(AuditKind::ThrottleClosed);
        let closed: Vec<_> = closed.iter().map(|it| (it.reason, it.subject.is_some())).collect();
        assert_eq!(closed, [(Some("account"), false), (Some("account"), true)], "each once");
    }
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

#[test]
fn a_group_that_stood_in_somebodys_way_goes_one_by_one() {
    let (disturbed, other) = (world(), world());
    let crowd = [("192.0.2.2", "bob", true), ("192.0.2.2", "ann", false), ("192.0.2.2", "cat", true)];
    disturbed.store.throttles_contend.store(true, Ordering::SeqCst);
    for world in [&disturbed, &other] {
        world.hasher.set_held(true);
        drop(begin(join_all(crowd.map(|one| attempt(world, one)))));
    }
    assert_eq!(disturbed.store.stored_buckets(), other.store.stored_buckets(), "each is charged once");
    let swaps = disturbed.store.asked_for_buckets().into_iter().filter(|asked| asked.starts_with("swap"));
    assert_eq!(swaps.collect::<Vec<_>>(), ["swap 5", "swap 3", "swap 3", "swap 3"]);
}

/// What others have closed is closed here too, also for whoever comes together with one whose attempt cannot be
/// counted; and memory goes on where the store has stopped.
#[test]
fn d56_a_store_that_takes_nothing_says_what_is_closed_to_each_who_comes_at_once() {
    let (there, unlucky) = (world(), ("192.0.2.1", "ann", true));
    let here = beside(&there);
    now(attempt(&here, unlucky));
    for address in ["192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.14", "192.0.2.15"] {
        for name in ["ann", "cat"].into_iter().filter(|name| *name == "ann" || address != "192.0.2.15") {
            now(attempt(&there, (address, name, false)));
        }
        there.clock.advance(Duration::from_secs(10));
    }
    here.store.throttles_are_read_only.store(true, Ordering::SeqCst);
    let both = || now(join_all([unlucky, ("192.0.2.2", "bob", true)].map(|one| attempt(&here, one))));
    let wait = |outcome: &Outcome| match outcome.outcome {
        Err(SessionError::Throttled(throttled)) => throttled.retry_after,
        _ => Duration::ZERO,
    };
    let day = Duration::from_hours(23);
    here.store.asked_for_buckets();
    let [ann, bob] = &both()[..] else { panic!("there are two") };
    assert!(wait(ann) > day && matches!(bob.outcome, Err(SessionError::Store(_))), "{ann:?} {bob:?}");
    assert_eq!(here.store.asked_for_buckets(), ["read 6", "swap 3"]);
    here.clock.advance(Duration::from_secs(2));
    let [ann, bob] = &both()[..] else { panic!("there are two") };
    assert!(wait(ann) > day && bob.outcome.is_ok(), "{ann:?} {bob:?}");
    let cats = [false, true].map(|is_right| now(attempt(&here, ("192.0.2.1", "cat", is_right))));
    assert_eq!(cats.map(|cat| wait(&cat) > day), [false, true], "the fifth was the last");
    here.store.throttles_fail.store(true, Ordering::SeqCst);
    here.clock.advance(Duration::from_secs(2));
    assert!(wait(&now(attempt(&here, unlucky))) > day, "by what was read last");
}

#[test]
fn d56_memory_knows_who_was_refused_while_the_store_was_there() {
    let there = world();
    for address in ["192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.14", "192.0.2.15"] {
        now(attempt(&there, (address, "ann", false)));
        there.clock.advance(Duration::from_secs(10));
    }
    let here = beside(&there);
    let is_refused = || {
        here.clock.advance(Duration::from_secs(2));
        matches!(now(attempt(&here, ("192.0.2.1", "ann", true))).outcome, Err(SessionError::Throttled(_)))
    };
    assert!(is_refused());
    here.store.throttles_fail.store(true, Ordering::SeqCst);
    assert!(!is_refused(), "nobody is told anything in the first second");
    assert!(is_refused());
}
