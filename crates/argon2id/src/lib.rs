//! argon2id (RFC 9106, version 0x13) for processors with AVX2, where it is the fastest that is known to us
//! (`docs/performance.md`).
//!
//! Half of a hash's time is waiting for memory that other programs have pushed out of the cache. Which block is read next
//! depends on the first word of the one that is being computed, so that word is computed first, and the block is on its
//! way while the other 127 are.
//!
//! Not audited: whoever uses it compares it with another implementation at each start.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(not(target_arch = "x86_64"))]
#[path = "elsewhere.rs"]
mod avx2;
mod input;

pub use avx2::{Avx2, Memory};
pub use input::{Error, Input, Parameters};
