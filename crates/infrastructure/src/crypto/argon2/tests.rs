use super::*;
use crate::breach::KnownPasswords;
use crate::system::SystemRng;
use std::io;
use std::sync::Mutex;
use vestibule_domain::credential::{Owner, PasswordPolicy, PasswordSettings};

const OLDER: &str = "2025:aUItKWRTiCMJm4vtqRH2nVeBXK4BDxNkI3YUTv6jMYg=";
const NEWER: &str = "2026:7siyaRKuSEgNVUzlVB2tA9WRn9PVGX7Tk7hWof77e7g=";

const QUICKEST: Argon2Settings = Argon2Settings {
    hashing: Hashing::Fastest,
    cost: Cost::MINIMUM,
    peppers: Peppers::NONE,
    threads: 1,
    queue_wait: Duration::from_mins(10),
};

fn hasher() -> Argon2Hasher {
    Argon2Hasher::start(QUICKEST, Arc::new(SystemRng)).unwrap()
}

fn new_password(text: &str) -> NewPassword {
    let breached = Arc::new(KnownPasswords::shipped().unwrap());
    let policy = PasswordPolicy { settings: PasswordSettings::default(), breached };
    NewPassword::parse(text, &policy, Owner::default()).unwrap()
}

fn attempt(text: &str) -> PasswordAttempt {
    PasswordAttempt::parse(text).unwrap()
}

async fn is_right(hasher: &Argon2Hasher, text: &str, hash: &PasswordHash) -> bool {
    matches!(hasher.verify(attempt(text), Some(hash), None).await.unwrap(), Verdict::Match { .. })
}

#[tokio::test]
async fn a_password_verifies_against_its_own_hash_alone_and_no_salt_is_used_twice() {
    let hasher = hasher();
    let (one, two) = (
        hasher.hash(new_password("nine tailed foxes sing"), None).await.unwrap(),
        hasher.hash(new_password("nine tailed foxes sing"), None).await.unwrap(),
    );
    assert_ne!(one, two);
    assert!(is_right(&hasher, "nine tailed foxes sing", &one).await);
    assert!(!is_right(&hasher, "nine tailed foxes sink", &one).await);
}

/// Okta, October 2024: bcrypt saw 72 bytes. ASVS 6.2.8.
#[tokio::test]
async fn case_36_the_last_character_of_the_longest_password_counts() {
    let hasher = hasher();
    let emoji = "🦊🐻".repeat(32);
    let digits: String = (0..255).map(|n| char::from(b'0' + n % 10)).collect();
    let exactly_73_bytes = "correct horse battery staple ".repeat(3).chars().take(72).collect::<String>();
    for stem in [exactly_73_bytes, digits, emoji] {
        let hash = hasher.hash(new_password(&format!("{stem}x")), None).await.unwrap();
        assert!(is_right(&hasher, &format!("{stem}x"), &hash).await, "{stem}x");
        assert!(!is_right(&hasher, &format!("{stem}y"), &hash).await, "{stem}y");
    }
}

/// ASVS 6.2.8, RFC 8265.
#[tokio::test]
async fn case_37_spaces_count_and_both_spellings_of_an_accent_are_one() {
    let hasher = hasher();
    let hash = hasher.hash(new_password(" caf\u{e9} on the corner "), None).await.unwrap();
    assert!(is_right(&hasher, " cafe\u{301} on the corner ", &hash).await);
    assert!(!is_right(&hasher, "caf\u{e9} on the corner", &hash).await);
}

#[tokio::test]
async fn case_39_a_hostile_or_malformed_stored_hash_is_a_mismatch_like_any_other() {
    let hasher = hasher();
    let hostile = "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    for phc in [hostile, "", "not a hash", "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"] {
        let hash = PasswordHash::from_phc(phc.to_owned());
        let verdict = hasher.verify(attempt("password"), Some(&hash), None).await.unwrap();
        assert!(matches!(verdict, Verdict::Mismatch), "{phc}");
    }
}

/// The alert must reach the log, and the hash must not.
#[test]
fn case_39_a_hostile_stored_hash_raises_an_alert_without_the_hash() {
    let log = alert("$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y", &Peppers::NONE);
    assert!(log.contains("it would cost more"), "{log}");
}

#[test]
fn r1_an_unknown_pepper_raises_an_alert_with_its_id_and_no_pepper() {
    let phc = "$argon2id$v=19$m=19456,t=2,p=1,keyid=MjAyNw$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y";
    let log = alert(phc, &Peppers::parse([OLDER]).unwrap());
    assert!(log.contains("passwords.peppers has none with the id 2027"), "{log}");
    assert!(!log.contains("aUItKWRT"), "{log}");
}

/// What is logged about a hash that is not run.
fn alert(phc: &str, peppers: &Peppers) -> String {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&log);
    let subscriber = tracing_subscriber::fmt().with_writer(move || Log(Arc::clone(&writer))).with_ansi(false).finish();
    let hash = PasswordHash::from_phc(phc.to_owned());
    let usable = tracing::subscriber::with_default(subscriber, || usable(&hash, peppers));
    assert!(usable.is_none());
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert!(log.contains("ERROR") && log.contains("ALERT"), "{log}");
    assert!(!log.contains("c29tZXNhbHQ") && !log.contains("CTFh"), "{log}");
    log
}

struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Before any of its own hashes has told how long one takes.
#[tokio::test]
async fn r10_the_first_passwords_already_have_to_find_a_thread_in_time() {
    let settings = Argon2Settings { queue_wait: Duration::ZERO, ..QUICKEST };
    let hasher = Argon2Hasher::start(settings, Arc::new(SystemRng)).unwrap();
    let hash = || hasher.hash(new_password("nine tailed foxes sing"), None);
    let (first, second) = tokio::join!(hash(), hash());
    assert!(first.is_ok());
    assert!(matches!(second, Err(HashingError::Overloaded { retry_after }) if !retry_after.is_zero()), "{second:?}");
}

#[tokio::test]
async fn several_lanes_are_computed_and_recognised_again() {
    let settings = Argon2Settings { cost: Cost { parallelism: 4, ..Cost::MINIMUM }, threads: 2, ..QUICKEST };
    let hasher = Argon2Hasher::start(settings, Arc::new(SystemRng)).unwrap();
    let hash = hasher.hash(new_password("nine tailed foxes sing"), None).await.unwrap();
    assert!(hash.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=4$"));
    assert!(is_right(&hasher, "nine tailed foxes sing", &hash).await);
}

#[test]
fn r1_settings_outside_the_bounds_are_refused_with_the_bound() {
    let start = |settings| Argon2Hasher::start(settings, Arc::new(SystemRng)).unwrap_err().to_string();
    let refusal = |cost| start(Argon2Settings { cost, ..QUICKEST });
    let cheap = refusal(Cost { memory_kib: 19_455, ..Cost::MINIMUM });
    assert_eq!(cheap, "`passwords.memory_kib` is 19455, which is too cheap to guess against: the minimum is 19456");
    assert!(refusal(Cost { iterations: 1, ..Cost::MINIMUM }).ends_with("the minimum is 2"));
    assert!(refusal(Cost { parallelism: 0, ..Cost::MINIMUM }).ends_with("the minimum is 1"));
    assert!(refusal(Cost { memory_kib: 262_145, ..Cost::MINIMUM }).ends_with("the maximum is 262144"));
    assert!(refusal(Cost { iterations: 11, ..Cost::MINIMUM }).ends_with("the maximum is 10"));
    assert!(refusal(Cost { parallelism: 17, ..Cost::MINIMUM }).ends_with("the maximum is 16"));
    assert!(start(Argon2Settings { threads: 0, ..QUICKEST }).ends_with("the minimum is 1"));
}

#[tokio::test]
async fn what_one_implementation_hashed_the_other_recognises() {
    let reference = Argon2Settings { hashing: Hashing::Reference, ..QUICKEST };
    let (fastest, reference) = (hasher(), Argon2Hasher::start(reference, Arc::new(SystemRng)).unwrap());
    for (one, other) in [(&fastest, &reference), (&reference, &fastest)] {
        let hash = one.hash(new_password("nine tailed foxes sing"), None).await.unwrap();
        assert!(is_right(other, "nine tailed foxes sing", &hash).await);
        assert!(!is_right(other, "nine tailed foxes sink", &hash).await);
    }
}

/// The fastest and the reference: each checks what the other has made.
#[tokio::test]
async fn r1_a_hash_verifies_with_its_pepper_alone_and_is_replaced_when_that_is_an_older_one() {
    let with = |hashing, items: &[&str]| {
        let peppers = Peppers::parse(items.iter().copied()).unwrap_or_default();
        Argon2Hasher::start(Argon2Settings { hashing, peppers, ..QUICKEST }, Arc::new(SystemRng)).unwrap()
    };
    let (fastest, reference) = (Hashing::Fastest, Hashing::Reference);
    for (one, other) in [(fastest, reference), (reference, fastest)] {
        let hash = with(one, &[OLDER]).hash(new_password("nine tailed foxes sing"), None).await.unwrap();
        assert!(is_right(&with(other, &[OLDER]), "nine tailed foxes sing", &hash).await);
        assert!(!is_right(&with(other, &[OLDER]), "nine tailed foxes sink", &hash).await);
        let stolen = PasswordHash::from_phc(hash.as_phc().replace(",keyid=MjAyNQ", ""));
        assert_ne!(stolen, hash);
        let same_id = NEWER.replace("2026:", "2025:");
        for (peppers, hash) in [(&[][..], &hash), (&[NEWER], &hash), (&[&same_id], &hash), (&[], &stolen)] {
            assert!(!is_right(&with(other, peppers), "nine tailed foxes sing", hash).await, "{peppers:?}");
        }
        let rotated = with(other, &[NEWER, OLDER]);
        let verdict = rotated.verify(attempt("nine tailed foxes sing"), Some(&hash), None).await.unwrap();
        let Verdict::Match { upgraded: Some(upgraded) } = verdict else { panic!("no upgrade: {verdict:?}") };
        assert!(upgraded.as_phc().contains(",keyid=MjAyNg$"), "{}", upgraded.as_phc());
        assert!(is_right(&with(one, &[NEWER]), "nine tailed foxes sing", &upgraded).await);
    }
}
