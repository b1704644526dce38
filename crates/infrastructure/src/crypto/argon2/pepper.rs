//! Secrets that go into hashes and do not lie beside them.

use crate::crypto::secrets::{SecretError, random_bytes};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// With the first one new hashes are made; all of them check the hashes that name them.
#[derive(Debug, Clone, Default)]
pub struct Peppers {
    known: Vec<Arc<Pepper>>,
    /// New hashes are made without any all the same.
    withheld: bool,
}

/// K of argon2 (RFC 9106, section 3.1).
pub(super) struct Pepper {
    id: PepperId,
    secret: Zeroizing<Vec<u8>>,
}

/// What hashes name it by: 1 to 8 of `a-z`, `0-9` and `-`. As many bytes fit `keyid` (the PHC string format), and none
/// of them does harm in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PepperId(String);

/// What is wrong with a list of peppers. Says nothing of the secrets.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeppersError {
    #[error("has no pepper")]
    Empty,
    #[error("has an item, number {place}, that {fault}")]
    Item { place: usize, fault: PepperError },
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PepperError {
    #[error("has no id with a colon before its secret")]
    NoId,
    #[error("has an id that is not 1 to 8 of a-z, 0-9 and -")]
    Id,
    #[error("has the id of an earlier one")]
    Taken,
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl Peppers {
    pub const NONE: Self = Self { known: Vec::new(), withheld: false };
    /// An item before all others that keeps them out of new hashes: replicas come to know a pepper before any uses it,
    /// and hashes lose theirs one after the other.
    const WITHHELD: &str = "none";

    /// From `ID:BASE64` each, of at least 32 random bytes, and perhaps `none` before them.
    pub fn parse<'a>(items: impl IntoIterator<Item = &'a str>) -> Result<Self, PeppersError> {
        let mut peppers = Self::NONE;
        for (item, place) in items.into_iter().zip(1..) {
            if (item, place) == (Self::WITHHELD, 1) {
                peppers.withheld = true;
            } else {
                peppers.add(item).map_err(|fault| PeppersError::Item { place, fault })?;
            }
        }
        if peppers.known.is_empty() { Err(PeppersError::Empty) } else { Ok(peppers) }
    }

    /// Of all that are known.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|pepper| pepper.id.0.as_str())
    }

    /// Of the one in new hashes.
    pub fn current_id(&self) -> Option<&str> {
        self.ids().next().filter(|_| !self.withheld)
    }

    fn add(&mut self, item: &str) -> Result<(), PepperError> {
        let (id, secret) = item.split_once(':').ok_or(PepperError::NoId)?;
        let id = PepperId::parse(id.as_bytes()).ok_or(PepperError::Id)?;
        if self.find(&id).is_some() {
            return Err(PepperError::Taken);
        }
        self.known.push(Arc::new(Pepper { id, secret: random_bytes(secret)? }));
        Ok(())
    }

    pub(super) fn current(&self) -> Option<Arc<Pepper>> {
        self.known.first().filter(|_| !self.withheld).cloned()
    }

    pub(super) fn find(&self, id: &PepperId) -> Option<Arc<Pepper>> {
        self.known.iter().find(|pepper| pepper.id == *id).cloned()
    }
}

impl Pepper {
    pub(super) fn id(&self) -> &PepperId {
        &self.id
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.secret
    }
}

impl PepperId {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let is_id = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        let fits = (1..=argon2::Params::MAX_KEYID_LEN).contains(&bytes.len()) && bytes.iter().all(is_id);
        fits.then(|| String::from_utf8(bytes.to_vec()).ok()).flatten().map(Self)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for PepperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper[{}, redacted]", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "7siyaRKuSEgNVUzlVB2tA9WRn9PVGX7Tk7hWof77e7g=";
    const OTHER: &str = "aUItKWRTiCMJm4vtqRH2nVeBXK4BDxNkI3YUTv6jMYg=";

    fn fault(items: &[&str]) -> PepperError {
        match Peppers::parse(items.iter().copied()).unwrap_err() {
            PeppersError::Item { place, fault } if place == items.len() => fault,
            error => panic!("{error}"),
        }
    }

    #[test]
    fn r1_the_first_makes_hashes_and_all_are_found_by_their_ids() {
        let items = [format!("2026-2:{ONE}"), format!("2026-1:{OTHER}")];
        let peppers = Peppers::parse(items.iter().map(String::as_str)).unwrap();
        assert_eq!(peppers.current().unwrap().id().as_bytes(), b"2026-2");
        assert_eq!(peppers.current_id(), Some("2026-2"));
        assert!(peppers.ids().eq(["2026-2", "2026-1"]));
        let found = |id: &[u8]| peppers.find(&PepperId::parse(id).unwrap()).map(|pepper| pepper.as_bytes()[0]);
        assert_eq!((found(b"2026-2"), found(b"2026-1"), found(b"2026-3")), (Some(0xee), Some(0x69), None));
    }

    #[test]
    fn r1_behind_none_a_pepper_is_known_and_not_used() {
        let peppers = Peppers::parse(["none", &format!("2026:{ONE}")]).unwrap();
        assert!(peppers.current().is_none() && peppers.current_id().is_none());
        assert!(peppers.find(&PepperId::parse(b"2026").unwrap()).is_some());
        assert_eq!(Peppers::parse(["none"]).unwrap_err(), PeppersError::Empty);
        assert_eq!(fault(&[&format!("2026:{ONE}"), "none"]), PepperError::NoId);
    }

    #[test]
    fn r1_a_pepper_has_an_id_of_its_own_and_32_random_bytes() {
        assert_eq!(Peppers::parse([]).unwrap_err(), PeppersError::Empty);
        assert_eq!(fault(&[ONE]), PepperError::NoId);
        for id in ["", "nine-long", "UPPER", "a_b", "a b", " a", "\u{e9}", "a\n"] {
            assert_eq!(fault(&[&format!("{id}:{ONE}")]), PepperError::Id, "{id:?}");
        }
        assert_eq!(fault(&[&format!("a:{ONE}"), &format!("a:{OTHER}")]), PepperError::Taken);
        assert_eq!(fault(&["a:!"]), PepperError::Secret(SecretError::NotBase64));
        assert!(matches!(fault(&["a:c2hvcnQ="]), PepperError::Secret(SecretError::Length { found: 5, .. })));
        let words = "a:Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZSBhbmQgc28gb24=";
        assert_eq!(fault(&[words]), PepperError::Secret(SecretError::Guessable));
    }

    #[test]
    fn debug_shows_no_pepper() {
        let peppers = Peppers::parse([format!("2026:{ONE}").as_str()]).unwrap();
        assert_eq!(format!("{peppers:?}"), "Peppers { known: [Pepper[2026, redacted]], withheld: false }");
    }
}
