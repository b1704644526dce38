use super::from;
use crate::fakes::{PASSWORD, World, email, now};
use std::sync::atomic::Ordering;
use std::time::Duration;
use vestibule_domain::StoreError;
use vestibule_domain::access::Authority;
use vestibule_domain::audit::AuditKind;
use vestibule_domain::credential::PasswordAttempt;
use vestibule_domain::session::{DeviceToken, Login, SessionError, SignIn};
use vestibule_domain::throttle::{Limited, Standing};

type Outcome = Limited<SignIn, SessionError>;

fn login(world: &World, address: &str, name: &str, password: &str, device: Option<&DeviceToken>) -> Outcome {
    let device_token = device.map(|token| DeviceToken::from_bytes(*token.as_bytes()));
    let password = PasswordAttempt::parse(password).unwrap();
    now(world.services.sessions.login(Login { email: email(name), password, device_token }, &from(address)))
}

fn guess(world: &World, address: &str, name: &str) -> Outcome {
    login(world, address, name, "wrong", None)
}

/// How long to wait, if it is for that.
fn wait(outcome: &Outcome) -> Option<Duration> {
    match &outcome.outcome {
        Err(SessionError::Throttled(throttled)) => Some(throttled.retry_after),
        _ => None,
    }
}

fn world() -> World {
    let world = World::default();
    world.register("alice", &[]);
    world
}

#[test]
fn d42_known_and_unknown_accounts_wait_alike() {
    let (known, unknown) = (world(), world());
    for n in 0..20 {
        let (a, b) = (guess(&known, "192.0.2.1", "alice"), guess(&unknown, "192.0.2.1", "nobody"));
        assert_eq!((wait(&a), a.standing), (wait(&b), b.standing), "attempt {n}");
        known.clock.advance(Duration::from_secs(n));
        unknown.clock.advance(Duration::from_secs(n));
    }
}

#[test]
fn d47_who_hammers_a_closed_account_costs_the_store_nothing() {
    let world = world();
    for _ in 0..4 {
        guess(&world, "192.0.2.1", "alice");
    }
    world.store.asked_for_buckets();
    assert!(wait(&guess(&world, "192.0.2.2", "alice")).is_some());
    assert!(world.store.asked_for_buckets().is_empty());
    world.clock.advance(Duration::from_secs(1));
    guess(&world, "192.0.2.2", "alice");
    assert!(!world.store.asked_for_buckets().is_empty());
}

#[test]
fn d47_who_waits_costs_no_hash() {
    let world = world();
    let waiting = (0..500).filter(|n| wait(&guess(&world, "192.0.2.1", &format!("user{n}"))).is_some()).count();
    assert_eq!((world.hasher.verified(), waiting), (10, 490));
}

#[test]
fn d48_one_account_is_closed_to_strangers_whoever_they_are() {
    let world = world();
    for n in 0..5_000 {
        let outcome = guess(&world, &format!("2001:db8:{:x}:{:x}::1", n / 256, n % 256), "alice");
        // As patient as the account wants them to be, but no more.
        world.clock.advance(wait(&outcome).unwrap_or_default().min(Duration::from_secs(10)));
    }
    assert_eq!(world.hasher.verified(), 100);
    let closed = world.store.audited(AuditKind::ThrottleClosed);
    assert_eq!(closed.iter().map(|event| event.reason).collect::<Vec<_>>(), [Some("account")]);
}

#[test]
fn d49_one_network_tries_few_accounts() {
    let world = world();
    for n in 0..200 {
        let outcome = guess(&world, &format!("2001:db8::{n:x}"), &format!("user{n}"));
        world.clock.advance(wait(&outcome).unwrap_or_default().min(Duration::from_secs(3)));
    }
    assert_eq!(world.hasher.verified(), 15);
    let closed = world.store.audited(AuditKind::ThrottleClosed);
    assert_eq!(closed.iter().map(|event| event.reason).collect::<Vec<_>>(), [Some("accounts")]);
}

#[test]
fn d50_a_known_device_is_let_in_whatever_strangers_do() {
    let world = world();
    let device = login(&world, "192.0.2.1", "alice", PASSWORD, None).outcome.unwrap().device_token.unwrap();
    while wait(&guess(&world, "192.0.2.1", "alice")).is_none() {}
    assert!(wait(&login(&world, "192.0.2.1", "alice", PASSWORD, None)).is_some(), "a stranger waits");
    assert!(login(&world, "192.0.2.1", "alice", PASSWORD, Some(&device)).outcome.is_ok());
    // It knows one account, and has a budget of its own.
    let policy = |name| login(&world, "192.0.2.1", name, "wrong", Some(&device)).standing.unwrap().policy;
    assert_eq!((policy("bob"), policy("alice")), ("login", "device"));
    let waits = (0..5).map(|_| wait(&login(&world, "192.0.2.1", "alice", "wrong", Some(&device))).is_some());
    assert_eq!(waits.collect::<Vec<_>>(), [false, false, false, false, true]);
}

#[test]
fn d50_many_known_devices_are_not_as_many_budgets() {
    let world = world();
    let known: Vec<_> = (0..20)
        .map(|_| login(&world, "192.0.2.1", "alice", PASSWORD, None).outcome.unwrap().device_token.unwrap())
        .collect();
    let before = world.hasher.verified();
    let refused: Vec<_> = known
        .iter()
        .flat_map(|device| [device; 3])
        .map(|device| login(&world, "192.0.2.1", "alice", "wrong", Some(device)))
        .filter(|outcome| wait(outcome).is_some())
        .collect();
    assert_eq!((world.hasher.verified() - before, refused.len()), (20, 40));
    assert!(refused.iter().all(|outcome| outcome.standing.unwrap().policy == "devices"));
    // One device alone closes nobody out but itself.
    world.clock.advance(Duration::from_hours(1));
    while wait(&login(&world, "192.0.2.1", "alice", "wrong", known.first())).is_none() {}
    assert!(login(&world, "192.0.2.1", "alice", PASSWORD, known.last()).outcome.is_ok());
}

#[test]
fn d48_an_operator_opens_the_account_again() {
    let world = world();
    let alice = world.store.state().users.values().next().unwrap().id;
    for n in 0..101 {
        let outcome = guess(&world, &format!("192.0.2.{n}"), "alice");
        world.clock.advance(wait(&outcome).unwrap_or_default().min(Duration::from_secs(10)));
        world.clock.advance(Duration::from_secs(10));
    }
    assert!(wait(&login(&world, "198.51.100.1", "alice", PASSWORD, None)).is_some_and(|wait| wait.as_secs() > 3600));
    world.store.throttles_contend.store(true, Ordering::SeqCst);
    now(world.services.users.unlock(Authority::Operator, alice, &world.context)).unwrap();
    // Others may believe for a second what they were told before, and longer if the store is lost then.
    lose_the_store(&world);
    assert!(login(&world, "198.51.100.1", "alice", PASSWORD, None).outcome.is_ok());
    assert_eq!(world.store.audited(AuditKind::UserUnlocked).len(), 1);
}

#[test]
fn d51_spelling_opens_no_other_budget() {
    let world = world();
    for (n, name) in ["alice", "ALICE", "Alice", "aLICE"].into_iter().enumerate() {
        assert_eq!(wait(&guess(&world, &format!("192.0.2.{n}"), name)).is_some(), n == 3, "{name}");
    }
}

#[test]
fn d55_a_network_is_one_however_its_addresses_are_written() {
    let world = world();
    let spellings = ["2001:db8::1", "2001:DB8:0:0:ffff::", "2001:0db8::ffff"];
    for n in 0..12 {
        let outcome = guess(&world, spellings[n % 3], &format!("user{n}"));
        assert_eq!(wait(&outcome).is_some(), n >= 10, "{n}");
    }
    assert!(wait(&guess(&world, "2001:db8:0:1::1", "other")).is_none());
}

#[test]
fn what_is_right_is_given_back() {
    let world = world();
    for _ in 0..50 {
        let outcome = login(&world, "192.0.2.1", "alice", PASSWORD, None);
        let full = Standing {
            policy: "login",
            quota: 10,
            window: Duration::from_secs(30),
            remaining: 10,
            reset: Duration::ZERO,
        };
        assert_eq!((outcome.outcome.is_ok(), outcome.standing), (true, Some(full)));
    }
    // And wipes out what was wrong before, of this account alone.
    for _ in 0..2 {
        guess(&world, "192.0.2.1", "alice");
    }
    assert!(login(&world, "192.0.2.1", "alice", PASSWORD, None).outcome.is_ok());
    for remaining in [7, 6] {
        assert_eq!(guess(&world, "192.0.2.1", "alice").standing.unwrap().remaining, remaining);
    }
}

#[test]
fn j119_what_is_nobodys_fault_is_not_charged() {
    let world = world();
    world.hasher.set_overloaded(true);
    for _ in 0..50 {
        assert!(matches!(guess(&world, "192.0.2.1", "alice").outcome, Err(SessionError::Hashing(_))));
    }
    world.hasher.set_overloaded(false);
    assert_eq!(guess(&world, "192.0.2.1", "alice").standing.unwrap().remaining, 9);
}

/// CVE-2026-35597: the failure was rolled back with the login.
#[test]
fn d53_the_charge_outlives_what_fails_after_it() {
    let world = world();
    for _ in 0..3 {
        // The guess was wrong, whether or not the trail can be written.
        world.store.before_next_transaction(|_| Err(StoreError::Unavailable { context: "trail", source: None }));
        assert!(matches!(guess(&world, "192.0.2.1", "alice").outcome, Err(SessionError::Unrecorded(_))));
    }
    assert!(wait(&guess(&world, "192.0.2.9", "alice")).is_some());
}

/// For long enough.
fn lose_the_store(world: &World) {
    world.store.throttles_fail.store(true, Ordering::SeqCst);
    wait_until_it_is_lost(world);
}

fn wait_until_it_is_lost(world: &World) {
    let outcome = guess(world, "192.0.2.200", "nobody").outcome;
    assert!(matches!(outcome, Err(SessionError::Store(_))), "uncounted, so unanswered");
    world.clock.advance(Duration::from_secs(1));
}

#[test]
fn d56_losing_the_store_gives_nobody_a_second_budget() {
    let world = world();
    for n in 0..20 {
        if n == 5 {
            lose_the_store(&world);
        }
        assert_eq!(wait(&guess(&world, "192.0.2.1", &format!("user{n}"))).is_some(), n >= 10, "{n}");
    }
}

/// Whoever is refused by what can be read there would have memory forget what it has counted since.
#[test]
fn d56_a_store_that_takes_nothing_gives_nobody_a_second_budget_though_it_answers() {
    let world = world();
    for n in 0..6 {
        world.clock.advance(Duration::from_secs(10));
        guess(&world, &format!("192.0.2.{}", 100 + n), "closed");
    }
    world.store.throttles_are_read_only.store(true, Ordering::SeqCst);
    wait_until_it_is_lost(&world);
    let before = world.hasher.verified();
    for n in 0..40 {
        assert_eq!(wait(&guess(&world, "192.0.2.1", &format!("user{n}"))).is_some(), n >= 10, "{n}");
        if n == 5 {
            assert!(wait(&guess(&world, "192.0.2.1", "closed")).is_some());
        }
    }
    assert_eq!(world.hasher.verified() - before, 10);
}

/// Whoever can overload it now and then gets no budget in memory by that.
#[test]
fn each_outage_of_the_store_begins_with_a_second_in_which_nobody_is_let_in() {
    let world = world();
    lose_the_store(&world);
    assert!(login(&world, "192.0.2.2", "alice", PASSWORD, None).outcome.is_ok());
    world.store.throttles_fail.store(false, Ordering::SeqCst);
    assert!(login(&world, "192.0.2.2", "alice", PASSWORD, None).outcome.is_ok());
    lose_the_store(&world);
}

#[test]
fn d56_without_the_store_attempts_are_counted_in_memory() {
    let world = world();
    lose_the_store(&world);
    let waiting = (0..50).filter(|n| wait(&guess(&world, "192.0.2.1", &format!("user{n}"))).is_some()).count();
    assert_eq!((world.hasher.verified(), waiting), (10, 40));
    // Nobody else is locked out, and the address comes in again.
    assert!(login(&world, "192.0.2.2", "alice", PASSWORD, None).outcome.is_ok());
    world.clock.advance(Duration::from_secs(3));
    assert!(login(&world, "192.0.2.1", "alice", PASSWORD, None).outcome.is_ok());
}
