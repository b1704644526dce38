//! `/.well-known`.

mod jwks;
mod metadata;
pub(crate) mod revocations;
