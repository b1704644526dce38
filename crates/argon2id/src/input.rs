//! What is hashed, and how (RFC 9106, section 3.1).

/// The cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// At least eight times the lanes. In KiB.
    pub memory_kib: u32,
    /// At least 1.
    pub passes: u32,
    /// At least 1, at most 2²⁴ − 1. Computed one after the other.
    pub lanes: u32,
}

/// Each of at most 2³² − 1 bytes.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    pub password: &'a [u8],
    /// At least 8 bytes.
    pub salt: &'a [u8],
    pub secret: &'a [u8],
    pub associated_data: &'a [u8],
}

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("argon2 takes 1 to 16,777,215 lanes, not {0}")]
    Lanes(u32),
    #[error("argon2 takes at least 8 KiB of memory for each lane, not {0} in all")]
    Memory(u32),
    #[error("argon2 takes at least one pass")]
    Passes,
    #[error("argon2 takes a salt of at least 8 bytes, not of {0}")]
    Salt(usize),
    #[error("argon2 makes tags of at least 4 bytes, not of {0}")]
    Tag(usize),
    #[error("argon2 takes inputs and makes tags of at most 4,294,967,295 bytes")]
    Length,
    #[error("{needed} KiB are needed for a hash, and {mapped} were taken")]
    Small { needed: usize, mapped: usize },
    #[error("the system gives no memory to hash in: {0}")]
    Unmapped(#[source] std::io::Error),
    #[error("a block would have been computed from itself, or from none")]
    Overlap,
}

impl<'a> Input<'a> {
    /// With neither a secret nor associated data.
    pub fn new(password: &'a [u8], salt: &'a [u8]) -> Self {
        Self { password, salt, secret: &[], associated_data: &[] }
    }
}

impl Parameters {
    const MAX_LANES: u32 = (1 << 24) - 1;
    const MIN_SALT_BYTES: usize = 8;
    const MIN_TAG_BYTES: usize = 4;

    /// What RFC 9106, section 3.1, asks for, and a salt as long as the C reference asks for. But for the lengths that are too
    /// long, which are found as they are hashed.
    pub fn check(self, input: Input<'_>, tag_bytes: usize) -> Result<(), Error> {
        if self.lanes == 0 || self.lanes > Self::MAX_LANES {
            return Err(Error::Lanes(self.lanes));
        }
        if self.memory_kib / 8 < self.lanes {
            return Err(Error::Memory(self.memory_kib));
        }
        if self.passes == 0 {
            return Err(Error::Passes);
        }
        if input.salt.len() < Self::MIN_SALT_BYTES {
            return Err(Error::Salt(input.salt.len()));
        }
        if tag_bytes < Self::MIN_TAG_BYTES {
            return Err(Error::Tag(tag_bytes));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Parameters = Parameters { memory_kib: 8, passes: 1, lanes: 1 };

    #[test]
    fn each_bound_is_named() {
        let check = |parameters: Parameters, salt_bytes, tag_bytes| {
            parameters.check(Input::new(b"", &[0; 8][..salt_bytes]), tag_bytes).map_err(|error| error.to_string())
        };
        let most = Parameters { memory_kib: u32::MAX, passes: u32::MAX, lanes: (1 << 24) - 1 };
        for parameters in [LEAST, most] {
            assert_eq!(check(parameters, 8, 4), Ok(()));
        }
        for (parameters, salt_bytes, tag_bytes, fault) in [
            (Parameters { lanes: 0, ..LEAST }, 8, 4, "lanes, not 0"),
            (Parameters { lanes: 1 << 24, ..most }, 8, 4, "lanes, not 16777216"),
            (Parameters { memory_kib: 7, ..LEAST }, 8, 4, "not 7 in all"),
            (Parameters { memory_kib: 15, lanes: 2, ..LEAST }, 8, 4, "not 15 in all"),
            (Parameters { passes: 0, ..LEAST }, 8, 4, "at least one pass"),
            (LEAST, 7, 4, "not of 7"),
            (LEAST, 8, 3, "not of 3"),
        ] {
            let error = check(parameters, salt_bytes, tag_bytes).unwrap_err();
            assert!(error.ends_with(fault), "{error}");
        }
    }
}
