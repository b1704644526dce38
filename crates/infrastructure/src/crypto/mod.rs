//! Password hashing, signatures, and the sealing of what the store must not be able to read.
//!
//! The primitives are those of `argon2`, `argon2-rust`, `aws-lc-rs` and `jsonwebtoken`, and one is home-made: argon2id for
//! AVX2 (docs/decisions/0031). This module says which are used, with which parameters, and refuses everything else.

mod aead;
mod argon2;
mod jws;
mod keyed_hash;
mod keys;
mod sealer;
mod secrets;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use argon2::fuzzing;
pub use argon2::{
    Argon2Error, Argon2Hasher, Argon2Settings, ComputationError, Hashing, PepperError, Peppers, PeppersError,
};
pub use argon2::{
    Choice as Argon2Choice, Cost as Argon2Cost, Implementation as Argon2Implementation, Trial as Argon2Trial,
    suggest as suggest_cost,
};
pub use jws::{JwsCodec, JwsSettings};
pub use keyed_hash::HmacKeyedHash;
pub use keys::KeyForge;
pub use sealer::AeadSealer;
pub use secrets::{HmacSecret, MasterKey, SecretError};
