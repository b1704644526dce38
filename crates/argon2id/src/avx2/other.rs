//! On processors that never have AVX2.

use crate::{Error, Input, Parameters};

/// There is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Avx2 {}

impl Avx2 {
    pub fn detect() -> Option<Self> {
        None
    }
}

pub struct Memory(Avx2);

impl Memory {
    pub fn map(avx2: Avx2, _kib: u32) -> Result<Self, Error> {
        Ok(Self(avx2))
    }

    pub fn hash(&mut self, _parameters: Parameters, _input: Input<'_>, _tag: &mut [u8]) -> Result<(), Error> {
        match self.0 {}
    }

    pub fn wipe(&mut self) {
        match self.0 {}
    }

    pub fn size_kib(&self) -> usize {
        match self.0 {}
    }
}
