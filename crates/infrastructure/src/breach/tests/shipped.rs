use super::super::known::COMMON;
use super::super::{FilterFile, KnownPasswords};
use super::key;
use std::sync::Arc;
use vestibule_domain::credential::{
    BreachKey, BreachedPasswords, NewPassword, Owner, PasswordPolicy, PasswordSettings,
};

fn policy() -> PasswordPolicy {
    let breached = Arc::new(KnownPasswords::shipped().unwrap());
    PasswordPolicy { settings: PasswordSettings::default(), breached }
}

fn refusal(text: &str) -> Option<&'static str> {
    NewPassword::parse(text, &policy(), Owner::default()).err().map(|fault| fault.code)
}

/// How many of so many are refused.
fn refused(passwords: impl Iterator<Item = String>) -> usize {
    let policy = policy();
    passwords.filter(|text| NewPassword::parse(text, &policy, Owner::default()).is_err()).count()
}

/// Even numbers below `bound`, the same each time.
fn draws() -> impl FnMut(usize) -> usize {
    let mut n = 1_000_000_000;
    move |bound| {
        n += 1;
        usize::try_from(key(n).as_u64() % bound as u64).unwrap()
    }
}

#[test]
fn it_is_what_common_md_says() {
    let known = KnownPasswords::shipped().unwrap();
    assert_eq!(known.common_keys(), 739_612);
    assert!(COMMON.len() < 2 * 1024 * 1024);
}

/// Which no start looks at.
#[test]
fn its_checksum_is_right() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), COMMON).unwrap();
    FilterFile::open(file.path()).unwrap().verify().unwrap();
}

#[test]
fn case_38_known_passwords_are_refused() {
    for (text, code) in [
        ("Password1!", "weak_password"),
        ("P@ssw0rd", "weak_password"),
        ("Passw0rd!", "weak_password"),
        ("!!Dragon11", "weak_password"),
        ("Monkey12345678!", "weak_password"),
        ("passwordpassword", "weak_password"),
        ("Iloveyouiloveyou#7", "weak_password"),
        ("CorrectHorseBatteryStaple", "weak_password"),
        ("correcthorsebatterystaple", "breached_password"),
        ("londonbigandbad", "breached_password"),
        ("1234567890qwertyuiop", "weak_password"),
        ("password123456789", "weak_password"),
        ("qwertyuiopasdfgh", "breached_password"),
        ("123456789012345", "breached_password"),
        ("Dio1.23456", "breached_password"),
    ] {
        assert_eq!(refusal(text), Some(code), "{text}");
    }
}

#[test]
fn one_in_65536_unknown_passwords_is_taken_for_a_known_one() {
    let known = KnownPasswords::shipped().unwrap();
    let wrong = (0..1_000_000).filter(|n| known.contains(key(*n))).count();
    // 15.3 are expected.
    assert!((5..=30).contains(&wrong), "{wrong} of 1,000,000");
}

/// As managers of passwords make them. One refusal in 10,000 would be noticed by nobody: the next one is taken.
#[test]
fn generated_passwords_are_refused_once_in_ten_thousand_at_most() {
    const ASCII: &[u8] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!#$%&*+-.:=?@_~";
    let mut draw = draws();
    let mut of = |alphabet: &[u8], length| -> String {
        (0..length).map(|_| char::from(alphabet[draw(alphabet.len())])).collect()
    };
    let dense: Vec<_> = (0..20_000).map(|n| format!("{}aB3-", of(ASCII, 8 + n % 12))).collect();
    let groups: Vec<_> = (0..20_000)
        .map(|_| [6, 6, 6].map(|length| of(b"abcdefghijkmnopqrstuvwxyz0123456789", length)).join("-"))
        .collect();
    let hexadecimal: Vec<_> = (0..20_000).map(|_| of(b"0123456789abcdef", 32)).collect();
    let wrong = refused(dense.into_iter().chain(groups).chain(hexadecimal));
    assert!(wrong <= 6, "{wrong} of 60,000");
}

#[test]
fn passphrases_of_four_words_are_refused_once_in_ten_thousand_at_most() {
    const WORDS: [&str; 64] = [
        "anchor", "apple", "autumn", "badge", "basket", "beach", "bridge", "butter", "candle", "castle", "cherry",
        "circle", "cotton", "dance", "desert", "dragon", "eagle", "engine", "falcon", "father", "flower", "forest",
        "garden", "ginger", "guitar", "hammer", "harbor", "honey", "hunter", "island", "jungle", "kitchen", "ladder",
        "lemon", "letter", "little", "magic", "master", "mirror", "monkey", "mother", "mountain", "nature", "ocean",
        "orange", "pepper", "piano", "planet", "purple", "rabbit", "river", "rocket", "secret", "shadow", "silver",
        "spider", "summer", "sunshine", "tiger", "turtle", "velvet", "winter", "wizard", "yellow",
    ];
    let mut draw = draws();
    let mut phrase = |n: usize| {
        let separator = [" ", "-", ".", ""][n % 4];
        [(); 4].map(|()| WORDS[draw(WORDS.len())]).join(separator)
    };
    let phrases: Vec<_> = (0..40_000).map(&mut phrase).collect();
    let wrong = refused(phrases.into_iter());
    assert!(wrong <= 4, "{wrong} of 40,000");
    assert_eq!(refusal("correct horse battery staple"), None);
    assert_eq!(refusal("a lantern on the ninth stair"), None);
}

#[test]
fn a_key_is_not_shown() {
    assert_eq!(format!("{:?}", BreachKey::of("password")), "BreachKey[redacted]");
}
