//! A KiB of memory (RFC 9106, sections 3.2 and 3.5).

#![forbid(unsafe_code)]

use std::arch::x86_64::__m256i;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Words of 64 bits in a block.
pub(super) const WORDS: usize = 128;

/// Four words, lowest first.
pub(super) type Vector = __m256i;

/// A matrix of eight rows, each of sixteen words.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub(super) struct Block(pub(super) [[Vector; 4]; 8]);

impl Block {
    pub(super) const ZERO: Self = zerocopy::transmute!([0_u64; WORDS]);

    pub(super) fn from_words(words: &[u64; WORDS]) -> Self {
        zerocopy::transmute!(*words)
    }

    pub(super) fn words(&self) -> &[u64; WORDS] {
        zerocopy::transmute_ref!(self)
    }

    pub(super) fn first_word(&self) -> u64 {
        self.words()[0]
    }

    pub(super) fn xor(&self, other: &Self) -> Self {
        let mut words = *self.words();
        words.iter_mut().zip(other.words()).for_each(|(word, other)| *word ^= other);
        Self::from_words(&words)
    }
}
