//! A password is bounded, in NFC, and no rule for new ones takes what a login would not.

use std::sync::{Arc, LazyLock};
use unicode_normalization::is_nfc;
use vestibule_domain::credential::{
    BreachKey, BreachedPasswords, NewPassword, Owner, PasswordAttempt, PasswordPolicy, PasswordSettings,
};

/// The default, by which no password is breached.
pub(crate) static POLICY: LazyLock<PasswordPolicy> =
    LazyLock::new(|| PasswordPolicy { settings: PasswordSettings::default(), breached: Arc::new(NothingIsBreached) });

#[derive(Debug)]
struct NothingIsBreached;

impl BreachedPasswords for NothingIsBreached {
    fn contains(&self, _: BreachKey) -> bool {
        false
    }

    fn is_common(&self, _: BreachKey) -> bool {
        false
    }
}

/// Whether it is taken.
pub fn check(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let new = NewPassword::parse(text, &POLICY, Owner::default());
    let Ok(attempt) = PasswordAttempt::parse(text) else {
        assert!(new.is_err(), "nobody could log in with it");
        return false;
    };
    let normal = std::str::from_utf8(attempt.as_bytes()).expect("UTF-8");
    assert!(is_nfc(normal) && !normal.contains('\0'));
    assert!(normal.len() <= 1024 && (1..=256).contains(&normal.chars().count()));
    let again = PasswordAttempt::parse(normal).expect("a password in NFC is the same password");
    assert_eq!(again.as_bytes(), attempt.as_bytes());
    if let Ok(new) = new {
        assert_eq!(new.as_bytes(), attempt.as_bytes());
        assert!(normal.chars().count() >= 8);
    }
    true
}
