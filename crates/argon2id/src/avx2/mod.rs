//! The computation (RFC 9106, section 3.2).

mod block;
mod compression;
mod digest;
mod fill;
mod mapping;

use crate::{Error, Input, Parameters};
use block::Block;
use digest::{first_digest, variable_length_hash};
use fill::Layout;
use mapping::Mapping;
use std::arch::is_x86_feature_detected;
use zerocopy::IntoBytes;

/// That this processor has AVX2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx2(());

impl Avx2 {
    pub fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }
}

#[expect(unsafe_code, reason = "docs/decisions/0031")]
fn fill(_: Avx2, blocks: &mut [Block], layout: Layout) -> Result<(), Error> {
    // SAFETY: there is a value of this type only where the processor was found to have AVX2, which is all that the
    // function asks for.
    unsafe { fill::fill(blocks, layout) }
}

const ARGON2ID: u32 = 2;

/// Mapped from the system, in huge pages where it allows them, and unmapped when it is dropped.
///
/// A hash leaves in it what is derived from the password, until [`wipe`](Self::wipe), another hash or the end of the
/// mapping; and on the stack, up to 16 KiB deep.
pub struct Memory {
    avx2: Avx2,
    mapping: Mapping,
}

impl Memory {
    /// Resident once it is used. Fails if the system refuses it.
    pub fn map(avx2: Avx2, kib: u32) -> Result<Self, Error> {
        Ok(Self { avx2, mapping: Mapping::new(kib).map_err(Error::Unmapped)? })
    }

    /// Fails for parameters, an input or a tag that argon2 does not take, or for which this memory is too small. The tag
    /// may have been written in part then.
    pub fn hash(&mut self, parameters: Parameters, input: Input<'_>, tag: &mut [u8]) -> Result<(), Error> {
        parameters.check(input, tag.len())?;
        let layout = Layout::new(parameters);
        let small = Error::Small { needed: layout.blocks(), mapped: self.mapping.len() };
        let blocks = self.mapping.blocks().get_mut(..layout.blocks()).ok_or(small)?;
        begin(blocks, layout, parameters, input, tag.len())?;
        fill(self.avx2, blocks, layout)?;
        finish(blocks, layout, tag)
    }

    /// Overwrites what hashes have left in it. The compiler leaves that out for no memory that the system has given.
    pub fn wipe(&mut self) {
        self.mapping.blocks().fill(Block::ZERO);
    }

    pub fn size_kib(&self) -> usize {
        self.mapping.len()
    }
}

/// The first two blocks of each lane.
fn begin(
    blocks: &mut [Block],
    layout: Layout,
    parameters: Parameters,
    input: Input<'_>,
    tag_bytes: usize,
) -> Result<(), Error> {
    let first = first_digest(parameters, input, tag_bytes)?;
    for (lane, blocks) in (0_u32..).zip(blocks.chunks_exact_mut(layout.lane_blocks)) {
        for (number, block) in (0_u32..2).zip(blocks) {
            let parts = [&first[..], &number.to_le_bytes(), &lane.to_le_bytes()];
            variable_length_hash(&parts, block.as_mut_bytes())?;
        }
    }
    Ok(())
}

fn finish(blocks: &[Block], layout: Layout, tag: &mut [u8]) -> Result<(), Error> {
    let lanes = blocks.chunks_exact(layout.lane_blocks);
    let last = lanes.filter_map(<[Block]>::last).fold(Block::ZERO, |sum, last| sum.xor(last));
    variable_length_hash(&[last.as_bytes()], tag)
}

#[cfg(test)]
mod tests;
