//! The memory that hashes are computed in.

use argon2::{Argon2, Block};
use zeroize::Zeroize;

/// One for each thread, kept: taking tens of megabytes from the allocator for each hash costs up to a fifth of its
/// time, and glibc keeps several times as much for ever.
pub(super) struct Arena {
    /// Empty until the first hash.
    blocks: Vec<Block>,
    size: usize,
    written_kib: u64,
    is_clean: bool,
}

impl Arena {
    pub(super) fn new(size_kib: u32) -> Self {
        Self { blocks: Vec::new(), size: size_kib.try_into().unwrap_or(usize::MAX), written_kib: 0, is_clean: true }
    }

    /// A hash that needs more than the arena gets memory of its own for as long as it takes.
    pub(super) fn hash(
        &mut self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: &[u8],
        tag: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let needed = argon2.params().block_count();
        self.written_kib += u64::from(argon2.params().m_cost()) * u64::from(argon2.params().t_cost());
        if needed > self.size {
            let mut blocks = vec![Block::new(); needed];
            let outcome = argon2.hash_password_into_with_memory(password, salt, tag, &mut blocks);
            blocks.zeroize();
            return outcome;
        }
        self.blocks.resize(self.size, Block::new());
        self.is_clean = false;
        argon2.hash_password_into_with_memory(password, salt, tag, &mut self.blocks)
    }

    /// What the last hash left behind is derived from a password.
    pub(super) fn wipe(&mut self) {
        if !self.is_clean {
            self.blocks.iter_mut().for_each(Zeroize::zeroize);
            self.is_clean = true;
        }
    }

    /// Written by all hashes so far: their work.
    pub(super) fn written_kib(&self) -> u64 {
        self.written_kib
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.wipe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::{Algorithm, AssociatedData, ParamsBuilder, Version};

    /// RFC 9106, section 5.3.
    #[test]
    fn the_test_vector_of_the_specification_comes_out_of_a_used_arena() {
        let params = ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .output_len(32)
            .data(AssociatedData::new(&[4; 12]).unwrap())
            .build()
            .unwrap();
        let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let expected = [
            0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e,
            0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
        ];
        for size_kib in [16, 32, 64] {
            let mut arena = Arena::new(size_kib);
            for _ in 0..2 {
                let mut tag = [0; 32];
                arena.hash(&argon2, &[1; 32], &[2; 16], &mut tag).unwrap();
                assert_eq!(tag, expected, "in {size_kib} KiB");
            }
        }
    }

    #[test]
    fn nothing_is_left_after_wiping() {
        let mut arena = Arena::new(32);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, argon2::Params::new(32, 1, 1, None).unwrap());
        arena.hash(&argon2, b"password", b"somesalt", &mut [0; 32]).unwrap();
        let is_zero = |arena: &Arena| arena.blocks.iter().all(|block| block.as_ref().iter().all(|word| *word == 0));
        assert!(!is_zero(&arena));
        arena.wipe();
        assert!(is_zero(&arena));
    }
}
