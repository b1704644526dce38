//! Passwords as people type them.

use super::{BreachKey, BreachedPasswords, blocklist};
use crate::fault::Fault;
use crate::user::{Email, Name};
use std::fmt;
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

const MAX_CHARS: usize = 256;
const MAX_BYTES: usize = 1024;
/// From this length on a password needs no mix of characters (NIST SP 800-63B-4, section 3.1.1.2).
const PASSPHRASE_CHARS: usize = 15;

/// What somebody claims the password to be: bounded and in NFC, so that `é` is the same on every keyboard
/// (RFC 8265). Spaces count, wherever they stand.
pub struct PasswordAttempt(Zeroizing<String>);

impl PasswordAttempt {
    /// 1 to 256 characters and at most 1,024 bytes of UTF-8, after NFC; no U+0000.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        // NFC makes no text more than three times shorter; what is longer than that is not worth the work
        // (CVE-2013-1443).
        if text.len() > MAX_BYTES * 3 {
            return Err(Fault::too_long(MAX_CHARS));
        }
        // With all the room that NFC can need: a string that grows leaves copies of itself behind.
        let mut normal = Zeroizing::new(String::with_capacity(text.len() * 3));
        normal.extend(text.nfc());
        if normal.is_empty() {
            return Err(Fault::too_short(1));
        }
        if normal.contains('\0') {
            return Err(Fault::new("invalid_character", "must not contain U+0000"));
        }
        if normal.len() > MAX_BYTES || normal.chars().nth(MAX_CHARS).is_some() {
            return Err(Fault::owned(
                "too_long",
                format!("must have at most {MAX_CHARS} characters and {MAX_BYTES} bytes"),
            ));
        }
        Ok(Self(normal))
    }

    pub fn breach_key(&self) -> BreachKey {
        BreachKey::of(&self.0)
    }

    /// For a [`PasswordHasher`](super::PasswordHasher) alone.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for PasswordAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordAttempt[redacted]")
    }
}

/// Whose password it is to be, as far as known: what a guesser tries first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Owner<'a> {
    pub email: Option<&'a Email>,
    pub name: Option<&'a Name>,
}

/// A password that the policy accepts.
#[derive(Debug)]
pub struct NewPassword(PasswordAttempt);

/// What an operator decides about passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordSettings {
    /// In characters, 8 to 64. Under 15 characters all four classes (upper, lower, digit, other) are needed, from
    /// 15 on none.
    pub min_length: usize,
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self { min_length: 8 }
    }
}

/// What a new password must be like.
#[derive(Debug, Clone)]
pub struct PasswordPolicy {
    pub settings: PasswordSettings,
    pub breached: Arc<dyn BreachedPasswords>,
}

impl NewPassword {
    /// Refuses with `weak_password` what a guesser would come to early, and with `breached_password` what is known
    /// from a breach as it stands.
    pub fn parse(text: &str, policy: &PasswordPolicy, owner: Owner<'_>) -> Result<Self, Fault> {
        let attempt = PasswordAttempt::parse(text)?;
        let length = attempt.0.chars().count();
        let min_length = policy.settings.min_length;
        if length < min_length {
            return Err(Fault::too_short(min_length));
        }
        if length < PASSPHRASE_CHARS {
            let missing = missing_classes(&attempt.0);
            if !missing.is_empty() {
                let missing = missing.join(", ");
                return Err(Fault::owned(
                    "weak_password",
                    format!("must have {PASSPHRASE_CHARS} characters, or also: {missing}"),
                ));
            }
        }
        if blocklist::is_guessable(&attempt.0, owner, &*policy.breached) {
            return Err(Fault::new(
                "weak_password",
                "must not be a common password, nor be made of the address, the name or the name of this service",
            ));
        }
        if policy.breached.contains(attempt.breach_key()) {
            return Err(Fault::new(
                "breached_password",
                "must not be known from a breach, as this one is: choose another, also wherever else it is in use",
            ));
        }
        Ok(Self(attempt))
    }

    /// For a [`PasswordHasher`](super::PasswordHasher) alone.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn missing_classes(text: &str) -> Vec<&'static str> {
    let is_other = |c: char| !c.is_uppercase() && !c.is_lowercase() && !c.is_numeric();
    let mut missing = Vec::new();
    if !text.chars().any(char::is_uppercase) {
        missing.push("an upper-case letter");
    }
    if !text.chars().any(char::is_lowercase) {
        missing.push("a lower-case letter");
    }
    if !text.chars().any(char::is_numeric) {
        missing.push("a digit");
    }
    if !text.chars().any(is_other) {
        missing.push("another character");
    }
    missing
}
