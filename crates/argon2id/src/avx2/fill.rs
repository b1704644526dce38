//! The order in which blocks are computed, and from which others (RFC 9106, section 3.4).

#![forbid(unsafe_code)]

use super::ARGON2ID;
use super::block::{Block, WORDS};
use super::compression::{Rotations, compress};
use crate::{Error, Parameters};
use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

/// Lanes of four segments each, one after the other.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    lanes: usize,
    pub(super) lane_blocks: usize,
    segment_blocks: usize,
    passes: usize,
}

const SLICES: usize = 4;

impl Layout {
    /// Parameters that were checked.
    pub(super) fn new(Parameters { memory_kib, passes, lanes }: Parameters) -> Self {
        let [memory_kib, passes, lanes] = [memory_kib, passes, lanes].map(|number| number as usize);
        let segment_blocks = memory_kib / (SLICES * lanes);
        Self { lanes, lane_blocks: SLICES * segment_blocks, segment_blocks, passes }
    }

    pub(super) fn blocks(self) -> usize {
        self.lanes * self.lane_blocks
    }
}

/// Computes all blocks but the first two of each lane, which are there.
#[target_feature(enable = "avx2")]
pub(super) fn fill(blocks: &mut [Block], layout: Layout) -> Result<(), Error> {
    let rotations = Rotations::new();
    for pass in 0..layout.passes {
        for slice in 0..SLICES {
            for lane in 0..layout.lanes {
                let segment = Segment { layout, pass, slice, lane };
                match pass {
                    0 => segment.fill::<false>(blocks, rotations)?,
                    _ => segment.fill::<true>(blocks, rotations)?,
                }
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Segment {
    layout: Layout,
    pass: usize,
    slice: usize,
    lane: usize,
}

impl Segment {
    #[target_feature(enable = "avx2")]
    fn fill<const XOR: bool>(self, blocks: &mut [Block], rotations: Rotations) -> Result<(), Error> {
        let Layout { lane_blocks, segment_blocks, .. } = self.layout;
        let first = if self.is_first() { 2 } else { 0 };
        let lane_begin = self.lane * lane_blocks;
        let begin = lane_begin + self.slice * segment_blocks + first;
        let mut previous = if begin == lane_begin { begin + lane_blocks } else { begin } - 1;
        let mut addresses = self.has_addresses().then(|| Addresses::new(self));
        let word = match &mut addresses {
            Some(addresses) => addresses.word(first, rotations),
            None => blocks.get(previous).map_or(0, Block::first_word),
        };
        let mut reference = self.reference(first, word);
        let memory = blocks.as_ptr();
        for (current, next) in (begin..).zip(first + 1..=segment_blocks) {
            let is_last = next == segment_blocks;
            let address = addresses.as_mut().filter(|_| !is_last).map(|addresses| addresses.word(next, rotations));
            let disjoint = blocks.get_disjoint_mut([previous, reference, current]);
            let [before, other, block] = disjoint.map_err(|_| Error::Overlap)?;
            // The next block's place: to store takes the whole line, and from the second pass on it is read first.
            prefetch(memory, current + 1);
            compress::<XOR>(before, other, block, rotations, |word| {
                // After the last one the next segment chooses by its own measure, or nobody does.
                if !is_last {
                    reference = self.reference(next, address.unwrap_or(word));
                    prefetch(memory, reference);
                }
            });
            previous = current;
        }
        Ok(())
    }

    /// It begins with blocks that are there.
    fn is_first(self) -> bool {
        self.pass == 0 && self.slice == 0
    }

    /// Whether the choice of blocks depends on no password.
    fn has_addresses(self) -> bool {
        self.pass == 0 && self.slice < SLICES / 2
    }

    /// Which block is read for the one at `index` of this segment (section 3.4.2).
    #[inline]
    fn reference(self, index: usize, word: u64) -> usize {
        let Layout { lanes, lane_blocks, segment_blocks, .. } = self.layout;
        let [j1, j2]: [u32; 2] = zerocopy::transmute!(word);
        // Nearly all have one, and would wait for a division.
        let lane = if self.is_first() || lanes == 1 { self.lane } else { j2 as usize % lanes };
        let (begin, finished) = match self.pass {
            0 => (0, self.slice * segment_blocks),
            _ if self.slice == SLICES - 1 => (0, lane_blocks - segment_blocks),
            _ => ((self.slice + 1) * segment_blocks, lane_blocks - segment_blocks),
        };
        // |W|. Of its own lane also what this segment has; never the block before.
        let reference_area = if lane == self.lane { finished + index - 1 } else { finished - usize::from(index == 0) };
        let x = (j1 as usize * j1 as usize) >> 32;
        let y = (reference_area * x) >> 32;
        let at = begin + reference_area - 1 - y;
        lane * lane_blocks + if at < lane_blocks { at } else { at - lane_blocks }
    }
}

/// The words that choose in the first half of the first pass (section 3.4.1.2).
struct Addresses {
    input: [u64; WORDS],
    words: Block,
}

impl Addresses {
    /// Of the input: how many blocks of words were made.
    const COUNTER: usize = 6;

    fn new(Segment { layout, pass, slice, lane }: Segment) -> Self {
        let [pass, lane, slice, blocks, passes] =
            [pass, lane, slice, layout.blocks(), layout.passes].map(|number| number as u64);
        let mut input = [0; WORDS];
        input[..Self::COUNTER].copy_from_slice(&[pass, lane, slice, blocks, passes, ARGON2ID.into()]);
        Self { input, words: Block::ZERO }
    }

    /// Asked for in ascending order.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn word(&mut self, index: usize, rotations: Rotations) -> u64 {
        while self.input[Self::COUNTER] <= (index / WORDS) as u64 {
            self.make(rotations);
        }
        self.words.words().get(index % WORDS).copied().unwrap_or_default()
    }

    #[target_feature(enable = "avx2")]
    #[inline(never)]
    fn make(&mut self, rotations: Rotations) {
        self.input[Self::COUNTER] += 1;
        let mut once = Block::ZERO;
        compress::<false>(&Block::ZERO, &Block::from_words(&self.input), &mut once, rotations, |_| ());
        compress::<false>(&Block::ZERO, &once, &mut self.words, rotations, |_| ());
    }
}

/// Tells the processor that a block will be used: a hint, so that it may lie beyond the last one.
#[target_feature(enable = "avx2")]
#[inline]
fn prefetch(memory: *const Block, index: usize) {
    const LINE: usize = 64;
    let block = memory.wrapping_add(index).cast::<i8>();
    for line in 0..size_of::<Block>() / LINE {
        _mm_prefetch::<_MM_HINT_T0>(block.wrapping_add(LINE * line));
    }
}
