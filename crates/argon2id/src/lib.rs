//! argon2id (RFC 9106, version 0x13) for processors with AVX2 (docs/decisions/0031).
//!
//! A third of a hash's time is waiting for memory. Which block is read next depends on the first word of the one that
//! is being computed, so that word is computed first; the block that it chooses, and the place of the next one, are on
//! their way while the other 127 are.
//!
//! Not audited: whoever uses it compares it with another implementation at each start.

#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
mod avx2;
#[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64")))]
#[path = "avx2/other.rs"]
mod avx2;
mod input;

pub use avx2::{Avx2, Memory};
pub use input::{Error, Input, Parameters};
