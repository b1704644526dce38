//! Stored hashes: `$argon2id$v=19$m=19456,t=2,p=1$salt$tag` (the PHC string format), with `,keyid=…` after the other
//! parameters if a pepper is in it.

use super::arena::{Arena, ComputationError};
use super::cost::Cost;
use super::pepper::{PepperId, Peppers};
use super::recipe::Recipe;
use argon2::{ARGON2ID_IDENT, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use vestibule_domain::credential::PasswordHash;
use zeroize::Zeroizing;

/// In bytes; RFC 9106, section 3.1.
pub(super) const SALT_BYTES: usize = 16;
pub(super) const TAG_BYTES: usize = 32;

/// A hash that may be run: argon2id, version 1.3, with parameters that no attack hides in and a pepper that is known.
pub(super) struct StoredHash {
    recipe: Recipe,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

/// Why a stored hash is not run. Says nothing of what it contains but the id of its pepper.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnusableHash {
    #[error("it is not a PHC string")]
    NotPhc,
    #[error("it is not argon2id, version 19, with m, t and p, and at most a keyid")]
    Algorithm,
    #[error("its salt is shorter than 8 bytes or its tag shorter than 16")]
    TooShort,
    #[error("it would cost more than m=262144, t=10, p=16")]
    TooCostly,
    #[error("passwords.peppers has none with the id {0}")]
    UnknownPepper(PepperId),
}

impl StoredHash {
    const LEAST_TAG_BYTES: usize = 16;

    pub(super) fn parse(hash: &PasswordHash, peppers: &Peppers) -> Result<Self, UnusableHash> {
        let phc = argon2::PasswordHash::new(hash.as_phc()).map_err(|_| UnusableHash::NotPhc)?;
        if phc.algorithm != ARGON2ID_IDENT || phc.version != Some(Version::V0x13.into()) {
            return Err(UnusableHash::Algorithm);
        }
        let params = Params::try_from(&phc).map_err(|_| UnusableHash::Algorithm)?;
        if !params.data().is_empty() {
            return Err(UnusableHash::Algorithm);
        }
        let pepper_id = phc.params.get_str("keyid").map(|id| pepper_id(id, params.keyid())).transpose()?;
        let cost = Cost { memory_kib: params.m_cost(), iterations: params.t_cost(), parallelism: params.p_cost() };
        if Cost::MAXIMUM.is_below(cost) {
            return Err(UnusableHash::TooCostly);
        }
        let (salt, tag) = phc.salt.zip(phc.hash).ok_or(UnusableHash::NotPhc)?;
        if salt.len() < argon2::MIN_SALT_LEN || tag.len() < Self::LEAST_TAG_BYTES {
            return Err(UnusableHash::TooShort);
        }
        let known = |id| peppers.find(&id).ok_or(UnusableHash::UnknownPepper(id));
        let recipe = Recipe { cost, pepper: pepper_id.map(known).transpose()? };
        Ok(Self { recipe, salt: salt.to_vec(), tag: tag.as_bytes().to_vec() })
    }

    pub(super) fn compute(
        arena: &mut Arena,
        recipe: Recipe,
        password: &[u8],
        salt: [u8; SALT_BYTES],
    ) -> Result<Self, ComputationError> {
        let mut tag = vec![0; TAG_BYTES];
        recipe.hash(arena, password, &salt, &mut tag)?;
        Ok(Self { recipe, salt: salt.to_vec(), tag })
    }

    pub(super) fn matches(&self, arena: &mut Arena, password: &[u8]) -> Result<bool, ComputationError> {
        let mut tag = Zeroizing::new(vec![0; self.tag.len()]);
        self.recipe.hash(arena, password, &self.salt, &mut tag)?;
        Ok(verify_slices_are_equal(&tag, &self.tag).is_ok())
    }

    pub(super) fn cost(&self) -> Cost {
        self.recipe.cost
    }

    #[cfg(feature = "fuzzing")]
    pub(super) fn can_be_computed(&self) -> bool {
        super::fuzzing::is_computable(self.cost(), self.tag.len())
    }

    /// Whether a hash made today would be stronger in anything, or have another pepper.
    pub(super) fn is_weaker_than(&self, current: &Recipe) -> bool {
        let is_short = self.salt.len() < SALT_BYTES || self.tag.len() < TAG_BYTES;
        is_short || self.cost().is_below(current.cost) || !self.recipe.has_the_pepper_of(current)
    }

    pub(super) fn to_phc(&self) -> PasswordHash {
        let Cost { memory_kib, iterations, parallelism } = self.cost();
        let pepper = self.recipe.pepper.as_ref();
        let keyid = pepper.map(|pepper| format!(",keyid={}", STANDARD_NO_PAD.encode(pepper.id().as_bytes())));
        let keyid = keyid.unwrap_or_default();
        let (salt, tag) = (STANDARD_NO_PAD.encode(&self.salt), STANDARD_NO_PAD.encode(&self.tag));
        PasswordHash::from_phc(format!(
            "$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}{keyid}${salt}${tag}"
        ))
    }
}

/// Written in the one way that it is written here: no second name, no bits that do not count.
fn pepper_id(written: &str, decoded: &[u8]) -> Result<PepperId, UnusableHash> {
    let is_canonical = STANDARD_NO_PAD.encode(decoded) == written;
    PepperId::parse(decoded).filter(|_| is_canonical).ok_or(UnusableHash::Algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::argon2::choice::Implementation;

    /// From the test suite of the reference implementation.
    const REFERENCE: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    /// `2026` in base64 is `MjAyNg`.
    const PEPPER: &str = "2026:7siyaRKuSEgNVUzlVB2tA9WRn9PVGX7Tk7hWof77e7g=";

    fn parse(phc: &str) -> Result<StoredHash, UnusableHash> {
        StoredHash::parse(&PasswordHash::from_phc(phc.to_owned()), &Peppers::parse([PEPPER]).unwrap())
    }

    #[test]
    fn a_hash_of_the_reference_implementation_verifies_and_is_written_back_the_same() {
        let stored = parse(REFERENCE).unwrap();
        assert_eq!(stored.to_phc().as_phc(), REFERENCE);
        let mut arena = Arena::new(Implementation::Reference, Cost::MINIMUM.memory_kib);
        assert!(stored.matches(&mut arena, b"password").unwrap());
        assert!(!stored.matches(&mut arena, b"passwore").unwrap());
    }

    const TODAYS: Recipe = Recipe { cost: Cost::MINIMUM, pepper: None };

    #[test]
    fn what_is_computed_parses_and_matches() {
        let mut arena = Arena::new(Implementation::Reference, Cost::MINIMUM.memory_kib);
        let made = StoredHash::compute(&mut arena, TODAYS, b"password", [7; SALT_BYTES]).unwrap();
        let phc = made.to_phc();
        assert!(phc.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$"), "{}", phc.as_phc());
        let stored = parse(phc.as_phc()).unwrap();
        assert!(stored.matches(&mut arena, b"password").unwrap());
        assert!(!stored.is_weaker_than(&TODAYS));
    }

    #[test]
    fn case_39_hostile_and_malformed_hashes_are_not_run() {
        let with = |from: &str, to: &str| parse(&REFERENCE.replace(from, to)).err();
        assert_eq!(with("m=65536", "m=4194304"), Some(UnusableHash::TooCostly));
        assert_eq!(with("m=65536", "m=262145"), Some(UnusableHash::TooCostly));
        assert_eq!(with("t=2", "t=11"), Some(UnusableHash::TooCostly));
        assert_eq!(with("p=1", "p=17"), Some(UnusableHash::TooCostly));
        assert_eq!(with("argon2id", "argon2i"), Some(UnusableHash::Algorithm));
        assert_eq!(with("argon2id", "argon2d"), Some(UnusableHash::Algorithm));
        assert_eq!(with("v=19", "v=16"), Some(UnusableHash::Algorithm));
        assert_eq!(with("$v=19", ""), Some(UnusableHash::Algorithm));
        assert_eq!(with("p=1", "p=1,data=AAAA"), Some(UnusableHash::Algorithm));
        assert_eq!(with("p=1", "p=0"), Some(UnusableHash::Algorithm));
        assert_eq!(with("m=65536", "m=4294967296"), Some(UnusableHash::Algorithm));
        assert_eq!(with("m=65536", "m=-1"), Some(UnusableHash::Algorithm));
        assert_eq!(
            with("CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "CTFhFdXPJO1aFaM"),
            Some(UnusableHash::TooShort)
        );
        assert_eq!(with("$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ""), Some(UnusableHash::NotPhc));
        for garbage in ["", "$", "$argon2id$", "plain text", "$2b$12$abcdefghijklmnopqrstuv", "\0", "$argon2id$v=19$$$"]
        {
            assert!(parse(garbage).is_err(), "{garbage:?}");
        }
    }

    #[test]
    fn r1_the_pepper_that_a_hash_names_is_the_secret_of_argon2() {
        let mut arena = Arena::new(Implementation::Reference, Cost::MINIMUM.memory_kib);
        let peppered = Recipe { pepper: Peppers::parse([PEPPER]).unwrap().current(), ..TODAYS };
        let made = StoredHash::compute(&mut arena, peppered.clone(), b"password", [7; SALT_BYTES]).unwrap();
        let phc = made.to_phc();
        assert!(phc.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1,keyid=MjAyNg$"), "{}", phc.as_phc());
        let stored = parse(phc.as_phc()).unwrap();
        assert!(stored.matches(&mut arena, b"password").unwrap());
        assert!(!stored.matches(&mut arena, b"passwore").unwrap());
        assert!(!stored.is_weaker_than(&peppered));
        let without = parse(&phc.as_phc().replace(",keyid=MjAyNg", "")).unwrap();
        assert!(!without.matches(&mut arena, b"password").unwrap());
        assert!(without.is_weaker_than(&peppered));
    }

    #[test]
    fn case_39_a_key_id_is_written_in_one_way_and_names_a_pepper_that_is_known() {
        let with = |parameters: &str| parse(&REFERENCE.replace("p=1", &format!("p=1,{parameters}"))).err();
        assert_eq!(with("keyid=MjAyNg"), None);
        let unknown = UnusableHash::UnknownPepper(PepperId::parse(b"2027").unwrap());
        assert_eq!(unknown.to_string(), "passwords.peppers has none with the id 2027");
        assert_eq!(with("keyid=MjAyNw"), Some(unknown));
        for hostile in [
            "keyid=",
            "keyid=MjAyNh",              // bits that do not count
            "keyid=MjAyNg==",            // padding
            "keyid=AAAA",                // control characters
            "keyid=QUJD",                // ABC
            "keyid=YWJjZGVmZ2hp",        // nine
            "keyid=MjAyNw,keyid=MjAyNg", // two
            "keyid=MjAyNg,data=AAAA",
            "keyID=MjAyNg",
            "key=MjAyNg",
        ] {
            assert!(matches!(with(hostile), Some(UnusableHash::Algorithm | UnusableHash::NotPhc)), "{hostile}");
        }
    }

    #[test]
    fn the_costliest_allowed_hash_is_accepted() {
        assert!(parse(&REFERENCE.replace("m=65536,t=2,p=1", "m=262144,t=10,p=16")).is_ok());
    }
}
