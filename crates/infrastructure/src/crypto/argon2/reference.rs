//! The crate `argon2` of `RustCrypto`, which everything else is compared with.

use super::cost::Cost;
use argon2::{Algorithm, Argon2, AssociatedData, Block, Params, ParamsBuilder, Version};
use vestibule_argon2id::Input;
use zeroize::Zeroize;

/// Memory of the reference, kept from hash to hash.
pub(super) struct ReferenceMemory {
    most_kib: u32,
    /// Empty until the first hash.
    blocks: Vec<Block>,
}

impl ReferenceMemory {
    pub(super) fn new(most_kib: u32) -> Self {
        Self { most_kib, blocks: Vec::new() }
    }

    pub(super) fn hash(&mut self, cost: Cost, input: Input<'_>, tag: &mut [u8]) -> Result<(), argon2::Error> {
        let params = params(cost, input, tag.len())?;
        let argon2 = Argon2::new_with_secret(input.secret, Algorithm::Argon2id, Version::V0x13, params)?;
        if self.blocks.is_empty() {
            self.blocks = allocate(self.most_kib);
        }
        argon2.hash_password_into_with_memory(input.password, input.salt, tag, &mut self.blocks)
    }

    pub(super) fn wipe(&mut self) {
        self.blocks.iter_mut().for_each(Zeroize::zeroize);
    }

    pub(super) fn release(&mut self) {
        self.blocks = Vec::new();
    }

    pub(super) fn size_kib(&self) -> usize {
        self.blocks.len()
    }

    /// Of the first 16 bytes of a block.
    #[cfg(test)]
    pub(super) fn complement(&self, block: usize) -> [u8; 16] {
        let bytes = self.blocks[block].as_ref().iter().flat_map(|word| word.to_le_bytes());
        let mut complement = [0; 16];
        complement.iter_mut().zip(bytes).for_each(|(complement, byte)| *complement = !byte);
        complement
    }
}

/// Address space for more than 32 MiB, of which only what is needed is ever touched: up to that size glibc keeps for
/// itself what is freed once the program has freed as much before (mallopt(3), `M_MMAP_THRESHOLD`).
fn allocate(kib: u32) -> Vec<Block> {
    const ALWAYS_MAPPED: usize = 33 * 1024;
    let needed = usize::try_from(kib).unwrap_or(usize::MAX);
    let mut blocks = Vec::with_capacity(needed.max(ALWAYS_MAPPED));
    blocks.resize(needed, Block::new());
    blocks
}

fn params(cost: Cost, input: Input<'_>, tag_bytes: usize) -> Result<Params, argon2::Error> {
    ParamsBuilder::new()
        .m_cost(cost.memory_kib)
        .t_cost(cost.iterations)
        .p_cost(cost.parallelism)
        .output_len(tag_bytes)
        .data(AssociatedData::new(input.associated_data)?)
        .build()
}

#[cfg(feature = "fuzzing")]
pub(super) fn takes(cost: Cost, tag_bytes: usize) -> bool {
    params(cost, Input::new(&[], &[]), tag_bytes).is_ok()
}
