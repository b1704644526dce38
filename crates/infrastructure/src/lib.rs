//! The adapters of a fleet: PostgreSQL, password hashing, token signing, and the machine's clock and randomness.

pub mod crypto;
pub mod postgres;
pub mod system;
