//! Our own implementation, for processors with AVX2 (docs/decisions/0031).

use super::cost::Cost;
use vestibule_argon2id::{Avx2, Error, Input, Memory, Parameters};

/// Mapped from the system, in huge pages where it allows them.
pub(super) struct Avx2Memory {
    avx2: Avx2,
    most_kib: u32,
    /// None until the first hash.
    memory: Option<Memory>,
}

impl Avx2Memory {
    pub(super) fn new(avx2: Avx2, most_kib: u32) -> Self {
        Self { avx2, most_kib, memory: None }
    }

    pub(super) fn hash(&mut self, cost: Cost, input: Input<'_>, tag: &mut [u8]) -> Result<(), Error> {
        let parameters = parameters(cost);
        // Before memory is taken.
        parameters.check(input, tag.len())?;
        let memory = match &mut self.memory {
            Some(memory) => memory,
            None => self.memory.insert(Memory::map(self.avx2, self.most_kib)?),
        };
        memory.hash(parameters, input, tag)
    }

    pub(super) fn wipe(&mut self) {
        if let Some(memory) = &mut self.memory {
            memory.wipe();
        }
    }

    pub(super) fn release(&mut self) {
        self.memory = None;
    }

    pub(super) fn size_kib(&self) -> usize {
        self.memory.as_ref().map_or(0, Memory::size_kib)
    }
}

fn parameters(Cost { memory_kib, iterations, parallelism }: Cost) -> Parameters {
    Parameters { memory_kib, passes: iterations, lanes: parallelism }
}

#[cfg(feature = "fuzzing")]
pub(super) fn takes(cost: Cost, tag_bytes: usize) -> bool {
    parameters(cost).check(Input::new(&[], &[0; 8]), tag_bytes).is_ok()
}
