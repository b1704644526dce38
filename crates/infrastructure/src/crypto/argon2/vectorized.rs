//! The crate `argon2-rust`, which computes with the widest instructions that the processor turns out to have.
//!
//! It is young and has not been audited: it is used only where it gives what the reference gives (`choice.rs`).

use super::cost::Cost;
use super::input::Input;
use argon2_rust::params::{Memory, TagLen};
use argon2_rust::{Algorithm, Argon2, Backend, Error, Hasher, Params, Version, detected_backend};

/// The instructions that it uses here; `None` if they are those that the reference uses as well.
pub(super) fn instructions() -> Option<&'static str> {
    match detected_backend() {
        Backend::Scalar => None,
        backend => Some(backend.name()),
    }
}

/// Mapped from the system by itself, in huge pages where the system allows them, and wiped after each hash.
#[derive(Default)]
pub(super) struct VectorizedMemory {
    /// None until the first hash.
    hasher: Option<Hasher>,
}

impl VectorizedMemory {
    pub(super) fn hash(&mut self, cost: Cost, input: Input<'_>, tag: &mut [u8]) -> Result<(), Error> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(cost, tag.len())?);
        let hasher = self.hasher.get_or_insert_with(|| argon2.hasher());
        hasher.set_argon2(argon2);
        hasher.hash_into_with_ad(input.password, input.salt, input.secret, input.associated_data, tag)
    }

    pub(super) fn release(&mut self) {
        self.hasher = None;
    }

    pub(super) fn size_kib(&self) -> usize {
        self.hasher.as_ref().map_or(0, Hasher::reserved_blocks)
    }
}

/// Lanes are computed one after the other.
fn params(cost: Cost, tag_bytes: usize) -> Result<Params, Error> {
    Params::builder()
        .memory(Memory::kib(cost.memory_kib.into()))
        .passes(cost.iterations)
        .lanes(cost.parallelism)
        .threads(1)
        .tag_len(TagLen::bytes(u64::try_from(tag_bytes).unwrap_or(u64::MAX)))
        .build()
}

#[cfg(feature = "fuzzing")]
pub(super) fn takes(cost: Cost, tag_bytes: usize) -> bool {
    params(cost, tag_bytes).is_ok()
}
