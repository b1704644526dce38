//! E-mail addresses.

use crate::fault::Fault;
use std::fmt;
use validator::ValidateEmail;

/// An address as its owner wrote it, and the one form that decides whether two addresses are the same.
///
/// The canonical form has an ASCII local part (RFC 5321 dot-string; quoted strings and comments are refused) in
/// lower case and the domain as lower-case A-labels (UTS 46, non-transitional). It is computed here once, never by
/// a database, whose ideas of lower case differ.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    written: String,
    canonical: String,
}

impl Email {
    /// RFC 5321, section 4.5.3.1: 64 for the local part and, with the angle brackets taken off a path, 254 in all.
    const MAX_LOCAL: usize = 64;
    const MAX_TOTAL: usize = 254;

    pub fn parse(written: &str) -> Result<Self, Fault> {
        let email = Self::canonicalised(written)?;
        if !email.canonical.validate_email() {
            return Err(Fault::new("invalid_email", "must be an address like name@example.com"));
        }
        Ok(email)
    }

    /// Of a row, whose address [`Self::parse`] took when it was written. Everything is checked again but what the
    /// validator's regular expressions say, which take four times as long as the rest, for each user that is read.
    pub fn from_store(written: &str) -> Result<Self, Fault> {
        Self::canonicalised(written)
    }

    fn canonicalised(written: &str) -> Result<Self, Fault> {
        // The canonical form can be shorter: UTS 46 drops some characters, as the soft hyphen.
        if written.chars().nth(Self::MAX_TOTAL).is_some() {
            return Err(too_long());
        }
        if written.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Fault::new("invalid_email", "must not contain spaces, line breaks or control characters"));
        }
        let (local, domain) =
            written.rsplit_once('@').ok_or(Fault::new("invalid_email", "must be an address like name@example.com"))?;
        if !is_dot_string(local) {
            return Err(Fault::new(
                "invalid_email",
                "the part before the @ must be ASCII letters, digits and !#$%&'*+/=?^_`{|}~- with single dots between",
            ));
        }
        let domain =
            a_labels(domain).ok_or(Fault::new("invalid_email", "the part after the @ must be a domain name"))?;
        let canonical = format!("{}@{domain}", local.to_ascii_lowercase());
        if local.len() > Self::MAX_LOCAL || canonical.len() > Self::MAX_TOTAL {
            return Err(too_long());
        }
        Ok(Self { written: written.to_owned(), canonical })
    }

    /// What two spellings of one address have in common.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// As the owner wrote it: for display.
    pub fn as_written(&self) -> &str {
        &self.written
    }

    pub(crate) fn canonical_local_part(&self) -> &str {
        self.canonical.split_once('@').map_or("", |(local, _)| local)
    }
}

impl fmt::Debug for Email {
    /// Personal data: not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email[redacted]")
    }
}

fn too_long() -> Fault {
    Fault::new("too_long", "must have at most 64 characters before the @ and 254 in all")
}

fn is_dot_string(local: &str) -> bool {
    let is_atext = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&c);
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

/// UTS 46 would also fold full-width letters, the Kelvin sign or a long s to plain ASCII. A domain that only *looks*
/// international is refused instead, so that nobody takes over an ASCII account by a look-alike spelling
/// (CVE-2019-19844).
fn a_labels(domain: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii_strict(domain).ok()?;
    let same_count = domain.split('.').count() == ascii.split('.').count();
    let honest = domain.split('.').zip(ascii.split('.')).all(|(from, to)| from.is_ascii() || to.starts_with("xn--"));
    (same_count && honest && !ascii.ends_with('.')).then_some(ascii)
}
