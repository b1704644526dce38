//! Access tokens (RFC 9068) and the keys that sign them.

mod codec;
mod key;
pub mod service;
pub mod store;

pub use codec::{AccessClaims, AccessToken, SigningError, TokenCodec, TokenFault, VerifiedToken};
pub use key::{Algorithm, Jwk, JwkParameters, KeyError, KeyGenerator, KeySet, KeyState, SigningKey};
pub use service::{KeyService, KeyServiceError, KeySettings, RotationTiming};
