//! The adapters of a fleet: PostgreSQL, password hashing, lists of breached passwords, token signing, and the
//! machine's clock and randomness.

#![forbid(unsafe_code)]

pub mod breach;
pub mod crypto;
pub mod postgres;
pub mod system;
