use crate::fakes::{PASSWORD, World, email, new_password, now};
use std::net::Ipv4Addr;
use std::time::Duration;
use vestibule_domain::audit::AuditKind;
use vestibule_domain::user::{Email, IdempotencyKey, Name, Register, RegistrationMode, User, UserError};
use vestibule_domain::{RequestContext, Settings};

fn request(name: &str, password: &str) -> Register {
    Register { email: email(name), name: Name::parse(name).unwrap(), password: new_password(password) }
}

fn register(world: &World, key: &str, name: &str, password: &str) -> Result<User, UserError> {
    let key = IdempotencyKey::parse(key).unwrap();
    now(world.services.users.register(request(name, password), Some(&key), &world.context)).outcome
}

#[test]
fn j124_the_same_again_gives_the_first_answer_and_one_user() {
    let world = World::default();
    let first = register(&world, "one", "alice", PASSWORD).unwrap();
    world.clock.advance(Duration::from_hours(23));
    assert_eq!(register(&world, "\"one\"", "alice", PASSWORD).unwrap(), first);
    assert_eq!(world.store.state().users.len(), 1);
    assert_eq!(world.store.audited(AuditKind::UserRegistered).len(), 1);
    // Whatever has become of the user.
    world.store.state().users.clear();
    assert_eq!(register(&world, "one", "alice", PASSWORD).unwrap(), first);
    assert!(world.store.state().users.is_empty());
}

#[test]
fn j124_another_registration_under_the_key_is_refused() {
    let world = World::default();
    register(&world, "one", "alice", PASSWORD).unwrap();
    for (name, password) in [("bob", PASSWORD), ("alice", "another lamp, another hill")] {
        assert!(matches!(register(&world, "one", name, password), Err(UserError::IdempotencyKeyReused)), "{name}");
    }
    assert_eq!(world.store.state().users.len(), 1);
    assert!(register(&world, "two", "bob", PASSWORD).is_ok());
}

#[test]
fn j124_no_field_of_a_registration_runs_into_the_next() {
    let world = World::default();
    let register = |email: &str, name: &str, password: &str| {
        let (email, name) = (Email::parse(email).unwrap(), Name::parse(name).unwrap());
        let (request, key) =
            (Register { email, name, password: new_password(password) }, IdempotencyKey::parse("one").unwrap());
        now(world.services.users.register(request, Some(&key), &world.context)).outcome
    };
    register("ada@example.com", "mary", PASSWORD).unwrap();
    let all_one = format!("y{PASSWORD}");
    for (email, name, password) in [
        ("ada@example.comm", "ary", PASSWORD),
        ("ada@example.co", "mmary", PASSWORD),
        ("ada@example.com", "mar", &all_one),
    ] {
        let again = register(email, name, password);
        assert!(matches!(again, Err(UserError::IdempotencyKeyReused)), "{email} {name}: {again:?}");
    }
}

#[test]
fn j124_a_taken_address_stays_the_answer() {
    let world = World::default();
    world.register("alice", &[]);
    assert!(matches!(register(&world, "one", "alice", PASSWORD), Err(UserError::EmailTaken)));
    world.store.state().users.clear();
    assert!(matches!(register(&world, "one", "alice", PASSWORD), Err(UserError::EmailTaken)));
    assert!(register(&world, "two", "alice", PASSWORD).is_ok());
}

/// The answer to the right password is that of the first time, and to every other another one.
#[test]
fn j124_a_key_is_no_way_to_try_passwords() {
    for mode in [RegistrationMode::Open, RegistrationMode::Strict] {
        let world = World::new(Settings { registration: mode, ..Settings::default() });
        register(&world, "one", "alice", PASSWORD).unwrap();
        let guesses = (0..1000_u16).map(|n| {
            let context = RequestContext { ip: Some(Ipv4Addr::from(u32::from(n)).into()), ..RequestContext::default() };
            let (key, guess) = (IdempotencyKey::parse("one").unwrap(), format!("another lamp, another hill {n}"));
            world.clock.advance(Duration::from_mins(1));
            now(world.services.users.register(request("alice", &guess), Some(&key), &context)).outcome
        });
        let answered = guesses.filter(|outcome| matches!(outcome, Err(UserError::IdempotencyKeyReused))).count();
        // 19 at first, then 3 an hour: no more in the day of the key than failures close an account.
        assert_eq!(answered, 19 + 1000 / 20, "{mode:?}");
        assert!(register(&world, "two", "bob", PASSWORD).is_ok(), "another key is another budget");
    }
}

#[test]
fn j124_strict_registration_tells_nothing_by_the_budget_of_a_key() {
    let settings = || Settings { registration: RegistrationMode::Strict, ..Settings::default() };
    let (taken, free) = (World::new(settings()), World::new(settings()));
    taken.register("alice", &[]);
    let again = |world: &World| {
        let key = IdempotencyKey::parse("one").unwrap();
        let limited = now(world.services.users.register(request("alice", PASSWORD), Some(&key), &world.context));
        (limited.standing, matches!(limited.outcome, Err(UserError::Throttled(_))))
    };
    for n in 0..30 {
        let (a, b) = (again(&taken), again(&free));
        assert_eq!((a, a.1), (b, n >= 20), "{n}");
    }
}

#[test]
fn j124_a_key_is_forgotten_after_a_day() {
    let world = World::default();
    register(&world, "one", "alice", PASSWORD).unwrap();
    world.clock.advance(Duration::from_hours(24) + Duration::from_millis(1));
    assert!(matches!(register(&world, "one", "alice", PASSWORD), Err(UserError::EmailTaken)));
    assert!(matches!(register(&world, "one", "bob", PASSWORD), Err(UserError::IdempotencyKeyReused)));
}

#[test]
fn a_key_is_short_printable_text() {
    let longest = "k".repeat(255);
    for good in ["a", "8e03978e-40d5-43dd-bc93-6894a57f9324", "\"quoted\"", &longest] {
        assert!(IdempotencyKey::parse(good).is_ok(), "{good}");
    }
    let too_long = "k".repeat(256);
    for bad in ["", "\"\"", "two words", "back\\slash", "qu\"ote", "\"open", "é", "\u{7f}", &too_long] {
        assert!(IdempotencyKey::parse(bad).is_err(), "{bad}");
    }
}
