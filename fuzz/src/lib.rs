//! What must hold of every parser that reads what strangers send, whatever they send. Each module is a target: its
//! `check` takes any bytes, panics if a property is broken, and tells whether the parser took them.
//!
//! Two drivers share the targets: `tests/replay.rs` runs what lies in `corpus/` and a bounded number of seeded
//! mutations of it (`make test`), and libFuzzer searches for as long as it is given (`make fuzz`).

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a property that does not hold is a failed test")]

pub mod body;
pub mod claims;
pub mod cursor;
pub mod email;
pub mod forwarded;
pub mod if_match;
pub mod json;
pub mod password;
pub mod phc;
pub mod query;
pub mod token;

mod grammar;
mod headers;
mod issuer;

/// A target's name, which is also that of its folder in `corpus/`, and its check.
pub type Target = (&'static str, fn(&[u8]) -> bool);

pub const TARGETS: [Target; 11] = [
    ("body", body::check),
    ("claims", claims::check),
    ("cursor", cursor::check),
    ("email", email::check),
    ("forwarded", forwarded::check),
    ("if_match", if_match::check),
    ("json", json::check),
    ("password", password::check),
    ("phc", phc::check),
    ("query", query::check),
    ("token", token::check),
];
