//! What this process knows of breached passwords.

use super::file::{FilterBytes, FilterFile};
use super::header::FilterError;
use vestibule_domain::credential::{BreachKey, BreachedPasswords};

/// `common.md` beside it tells what is in it, and `scripts/breach-filter` makes it.
pub(super) static COMMON: &[u8] = include_bytes!("common.filter");

/// The filter in the binary, and perhaps a larger one beside it. Dressed-up passwords are looked for in the one in the
/// binary alone: among a billion breached passwords nearly every short word is one.
#[derive(Debug)]
pub struct KnownPasswords {
    common: FilterBytes,
    more: Option<FilterFile>,
}

impl KnownPasswords {
    /// # Errors
    /// Only if the binary was built with a broken file.
    pub fn shipped() -> Result<Self, FilterError> {
        Ok(Self { common: FilterBytes::open(COMMON)?, more: None })
    }

    #[must_use]
    pub fn and(self, more: FilterFile) -> Self {
        Self { more: Some(more), ..self }
    }

    /// In the binary.
    pub fn common_keys(&self) -> u64 {
        self.common.keys()
    }
}

impl BreachedPasswords for KnownPasswords {
    /// A file that cannot be read knows nothing until it can: all other rules hold, and nobody is locked out by a bad
    /// disk.
    fn contains(&self, key: BreachKey) -> bool {
        self.common.contains(key)
            || self.more.as_ref().is_some_and(|more| {
                more.contains(key).unwrap_or_else(|error| {
                    let path = more.path().display();
                    tracing::error!(%path, %error, "passwords.breach_filter cannot be read: it is passed over");
                    false
                })
            })
    }

    fn is_common(&self, key: BreachKey) -> bool {
        self.common.contains(key)
    }
}
