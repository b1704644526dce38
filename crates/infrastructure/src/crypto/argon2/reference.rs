//! The crate `argon2` of `RustCrypto`, which everything else is compared with.

use super::cost::Cost;
use super::input::Input;
use argon2::{Algorithm, Argon2, AssociatedData, Block, Params, ParamsBuilder, Version};
use zeroize::Zeroize;

/// Memory of the reference, kept from hash to hash.
#[derive(Default)]
pub(super) struct ReferenceMemory {
    /// Empty until the first hash.
    blocks: Vec<Block>,
    is_clean: bool,
}

impl ReferenceMemory {
    pub(super) fn hash(&mut self, cost: Cost, input: Input<'_>, tag: &mut [u8]) -> Result<(), argon2::Error> {
        let params = params(cost, input, tag.len())?;
        let argon2 = Argon2::new_with_secret(input.secret, Algorithm::Argon2id, Version::V0x13, params)?;
        let needed = argon2.params().block_count();
        if self.blocks.len() < needed {
            self.release();
            self.blocks = allocate(needed);
        }
        self.is_clean = false;
        argon2.hash_password_into_with_memory(input.password, input.salt, tag, &mut self.blocks)
    }

    /// What the last hash left behind is derived from a password.
    pub(super) fn wipe(&mut self) {
        if !self.is_clean {
            self.blocks.iter_mut().for_each(Zeroize::zeroize);
            self.is_clean = true;
        }
    }

    pub(super) fn release(&mut self) {
        self.wipe();
        self.blocks = Vec::new();
    }

    pub(super) fn size_kib(&self) -> usize {
        self.blocks.len()
    }

    #[cfg(test)]
    pub(super) fn is_zero(&self) -> bool {
        self.blocks.iter().all(|block| block.as_ref().iter().all(|word| *word == 0))
    }
}

impl Drop for ReferenceMemory {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Address space for more than 32 MiB, of which only what is needed is ever touched: up to that size glibc keeps for
/// itself what is freed once the program has freed as much before (mallopt(3), `M_MMAP_THRESHOLD`).
fn allocate(needed: usize) -> Vec<Block> {
    const ALWAYS_MAPPED: usize = 33 * 1024;
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
