//! What the fuzz targets (`fuzz/`) reach of this module, in plain types. No part of its interface.

use super::cost::Cost;
use super::pepper::Peppers;
use super::phc::StoredHash;
use super::{avx2, reference, vectorized};
use vestibule_domain::credential::PasswordHash;

/// A stored hash that would be run.
#[derive(Debug, PartialEq, Eq)]
pub struct RunnableHash {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    /// As it would be stored.
    pub written: String,
    /// All implementations take the parameters: for the check, for the rest of today's cost, and for a stronger hash.
    pub can_be_computed: bool,
}

/// A pepper with the id `2026` is known.
pub fn stored_hash(phc: &str) -> Option<RunnableHash> {
    const PEPPER: &str = "2026:7siyaRKuSEgNVUzlVB2tA9WRn9PVGX7Tk7hWof77e7g=";
    const NEW_TAG_BYTES: usize = 32;
    let stored = StoredHash::parse(&PasswordHash::from_phc(phc.to_owned()), &Peppers::parse([PEPPER]).ok()?).ok()?;
    let Cost { memory_kib, iterations, parallelism } = stored.cost();
    let takes = |cost| is_computable(cost, NEW_TAG_BYTES);
    let rest = stored.cost().remainder(Cost::MINIMUM);
    Some(RunnableHash {
        memory_kib,
        iterations,
        parallelism,
        written: stored.to_phc().as_phc().to_owned(),
        can_be_computed: stored.can_be_computed()
            && rest.is_none_or(takes)
            && takes(stored.cost().raised_to(Cost::MINIMUM)),
    })
}

pub(super) fn is_computable(cost: Cost, tag_bytes: usize) -> bool {
    avx2::takes(cost, tag_bytes) && reference::takes(cost, tag_bytes) && vectorized::takes(cost, tag_bytes)
}
