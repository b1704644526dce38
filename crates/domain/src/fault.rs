//! What is wrong with a value that a client sent.

use std::borrow::Cow;

/// A stable code to switch on and a sentence that says what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub code: &'static str,
    pub detail: Cow<'static, str>,
}

impl Fault {
    pub const fn new(code: &'static str, detail: &'static str) -> Self {
        Self { code, detail: Cow::Borrowed(detail) }
    }

    pub const fn owned(code: &'static str, detail: String) -> Self {
        Self { code, detail: Cow::Owned(detail) }
    }

    pub fn too_short(least: usize) -> Self {
        if least == 1 {
            return Self::new("too_short", "must not be empty");
        }
        Self::owned("too_short", format!("must have at least {least} characters"))
    }

    pub fn too_long(most: usize) -> Self {
        Self::owned("too_long", format!("must have at most {most} characters"))
    }
}
