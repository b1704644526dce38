//! What is done with what clients send.

use criterion::Criterion;
use std::hint::black_box;
use std::sync::Arc;
use vestibule_domain::credential::{
    BreachKey, BreachedPasswords, NewPassword, Owner, PasswordAttempt, PasswordPolicy, PasswordSettings,
};
use vestibule_domain::id::UserId;
use vestibule_domain::session::RefreshToken;
use vestibule_domain::throttle::KeyedHash;
use vestibule_domain::user::{Email, Name};
use vestibule_infrastructure::breach::KnownPasswords;
use vestibule_infrastructure::crypto::{HmacKeyedHash, MasterKey};
use vestibule_infrastructure::system::{SystemClock, SystemRng};

const PASSWORD: &str = "Tr0ub4dor&3-horse";

pub(crate) fn parsers(c: &mut Criterion) {
    let (email, name) = (Email::parse("Ada.Lovelace@Example.com"), Name::parse("Ada Lovelace"));
    let (email, name) = (email.expect("an address"), name.expect("a name"));
    c.bench_function("email/parse", |b| b.iter(|| Email::parse(black_box("Ada.Lovelace@Example.com"))));
    c.bench_function("password/attempt", |b| b.iter(|| PasswordAttempt::parse(black_box(PASSWORD))));
    let known = Arc::new(KnownPasswords::shipped().expect("the filter in the binary"));
    c.bench_function("password/breached", |b| b.iter(|| known.contains(BreachKey::of(black_box(PASSWORD)))));
    let policy = PasswordPolicy { settings: PasswordSettings::default(), breached: known };
    let owner = || Owner { email: Some(&email), name: Some(&name) };
    c.bench_function("password/policy", |b| b.iter(|| NewPassword::parse(black_box(PASSWORD), &policy, owner())));
    let token = RefreshToken::generate(uuid::Uuid::nil().into(), &SystemRng).reveal();
    c.bench_function("refresh/parse", |b| b.iter(|| RefreshToken::parse(black_box(&token))));
    let clock = SystemClock::new();
    c.bench_function("user/id", |b| b.iter(|| UserId::generate(&clock, &SystemRng)));
    let keyed_hash = HmacKeyedHash::derive(&MasterKey::generate(&SystemRng)).expect("a key");
    c.bench_function("throttle/key", |b| b.iter(|| keyed_hash.digest("login", black_box(&[127, 0, 0, 1]))));
}
