//! What a user is called.

use crate::fault::Fault;
use std::fmt;
use std::ops::RangeInclusive;

/// 1 to 200 characters, kept exactly as written. Without control characters, which can forge log lines and mail
/// headers, without the controls that reorder text, which can forge what a reader sees, and with something to see.
#[derive(Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    const MAX_CHARS: usize = 200;

    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.trim().is_empty() {
            return Err(Fault::too_short(1));
        }
        if text.chars().all(shows_nothing) {
            return Err(Fault::new("invalid_name", "must have a character that can be seen"));
        }
        if text.chars().nth(Self::MAX_CHARS).is_some() {
            return Err(Fault::too_long(Self::MAX_CHARS));
        }
        if text.chars().any(|c| c.is_control() || reorders_text(c)) {
            return Err(Fault::new(
                "invalid_name",
                "must not contain line breaks, control characters or controls of the writing direction",
            ));
        }
        if text.trim().len() != text.len() {
            return Err(Fault::new("invalid_name", "must not begin or end with a space"));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For look-ups that ignore case. Folded here, because the databases disagree outside ASCII.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Debug for Name {
    /// Personal data: not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name[redacted]")
    }
}

/// The line and paragraph separators, and the bidirectional controls that let text show in another order than it is
/// stored (UAX 9; CVE-2021-42574).
fn reorders_text(c: char) -> bool {
    matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Spaces, what readers are to pass over where they cannot show it (`Default_Ignorable_Code_Point` of Unicode 17, of
/// the basic plane), and the empty pattern of Braille.
fn shows_nothing(c: char) -> bool {
    const IGNORABLE: [RangeInclusive<char>; 15] = [
        '\u{AD}'..='\u{AD}',
        '\u{34F}'..='\u{34F}',
        '\u{61C}'..='\u{61C}',
        '\u{115F}'..='\u{1160}',
        '\u{17B4}'..='\u{17B5}',
        '\u{180B}'..='\u{180F}',
        '\u{200B}'..='\u{200F}',
        '\u{2060}'..='\u{2065}',
        '\u{206A}'..='\u{206F}',
        '\u{2800}'..='\u{2800}',
        '\u{3164}'..='\u{3164}',
        '\u{FE00}'..='\u{FE0F}',
        '\u{FEFF}'..='\u{FEFF}',
        '\u{FFA0}'..='\u{FFA0}',
        '\u{FFF0}'..='\u{FFF8}',
    ];
    c.is_whitespace() || IGNORABLE.iter().any(|range| range.contains(&c))
}
