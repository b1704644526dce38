//! The crate `argon2-rust`, which computes with the widest instructions that the processor turns out to have.
//!
//! It is young and has not been audited: it is used only where it gives what the reference gives (`choice.rs`).

use super::cost::Cost;
use argon2_rust::params::{Memory, TagLen};
use argon2_rust::{Algorithm, Argon2, Backend, Error, Hasher, Params, Version, detected_backend};
use vestibule_argon2id::Input;

/// The instructions that it uses here; `None` if with those another implementation is faster, or as fast.
pub(super) fn instructions() -> Option<&'static str> {
    match detected_backend() {
        Backend::Avx2 | Backend::Scalar => None,
        backend => Some(backend.name()),
    }
}

/// For hashes that nobody needs: the shortest that the crate takes.
const LEAST_TAG_BYTES: usize = 4;
const LEAST_SALT: &[u8] = &[0; 8];

/// Mapped from the system by itself, in huge pages where the system allows them.
pub(super) struct VectorizedMemory {
    most_kib: u32,
    /// None until the first hash.
    hasher: Option<Hasher>,
}

impl VectorizedMemory {
    pub(super) fn new(most_kib: u32) -> Self {
        Self { most_kib, hasher: None }
    }

    pub(super) fn hash(&mut self, cost: Cost, input: Input<'_>, tag: &mut [u8]) -> Result<(), Error> {
        let argon2 = argon2(cost, tag.len())?;
        let hasher = match &mut self.hasher {
            Some(hasher) => hasher,
            None => self.hasher.insert(hasher(self.most_kib)?),
        };
        hasher.set_argon2(argon2);
        hasher.hash_into_with_ad(input.password, input.salt, input.secret, input.associated_data, tag)
    }

    /// The crate lets nobody at its memory. It would wipe all of it after each hash, which takes a tenth as long, or
    /// never; so a hash of nothing is computed over it, in one pass.
    pub(super) fn wipe(&mut self) {
        let (cost, nothing) = (Cost::one_pass(self.most_kib), Input::new(&[], LEAST_SALT));
        if self.hasher.is_some() && self.hash(cost, nothing, &mut [0; LEAST_TAG_BYTES]).is_err() {
            self.release();
        }
    }

    pub(super) fn release(&mut self) {
        self.hasher = None;
    }

    pub(super) fn size_kib(&self) -> usize {
        self.hasher.as_ref().map_or(0, Hasher::reserved_blocks)
    }
}

/// With all of its memory: else it would grow hash by hash, by unmapping and mapping anew.
fn hasher(kib: u32) -> Result<Hasher, Error> {
    let mut hasher = argon2(Cost::one_pass(kib), LEAST_TAG_BYTES)?.hasher();
    hasher.reserve()?;
    Ok(hasher)
}

/// Lanes are computed one after the other.
fn argon2(cost: Cost, tag_bytes: usize) -> Result<Argon2, Error> {
    let params = Params::builder()
        .memory(Memory::kib(cost.memory_kib.into()))
        .passes(cost.iterations)
        .lanes(cost.parallelism)
        .threads(1)
        .tag_len(TagLen::bytes(u64::try_from(tag_bytes).unwrap_or(u64::MAX)))
        .build()?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(feature = "fuzzing")]
pub(super) fn takes(cost: Cost, tag_bytes: usize) -> bool {
    argon2(cost, tag_bytes).is_ok()
}
