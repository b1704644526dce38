//! Tokens whose signature was right, so that each is checked once.
//!
//! A token is found by the SHA-256 of all its bytes: another spelling of it, were it one bit, is another token and is
//! checked as one. No token can be read out of what is kept, nor guessed at by timing the look-up. Only what verified
//! is kept, so nobody without a key fills it. See docs/decisions/0015-signatures-checked-once.md.

use super::claims::Proof;
use aws_lc_rs::digest::{self, SHA256};
use std::sync::{Mutex, MutexGuard, PoisonError};
use vestibule_domain::Timestamp;
use vestibule_domain::id::KeyId;
use vestibule_domain::uniform::UniformMap;

/// Each with its own lock, which is held for less than a microsecond but when room is made.
const SHARDS: usize = 16;
/// Of each shard; 7/8 of a power of two, which is what a table of that size takes. All shards together have room for
/// 7,168 tokens in 1.1 MiB.
const CAPACITY: usize = 448;

/// Whose signature it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signer {
    /// The configured secret, which is never taken back while the process lives.
    Secret,
    Key(KeyId),
}

#[derive(Clone, Copy)]
pub(super) struct Verified {
    pub(super) signer: Signer,
    pub(super) proof: Proof,
}

/// SHA-256 of a token as it was sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// `None` never comes of SHA-256; then nothing is remembered.
    pub(super) fn of(token: &str) -> Option<Self> {
        digest::digest(&SHA256, token.as_bytes()).as_ref().try_into().ok().map(Self)
    }

    fn shard(self) -> usize {
        self.0.first().map_or(0, |byte| usize::from(*byte) % SHARDS)
    }
}

/// Belongs to one set of keys, and is dropped with it.
#[derive(Default)]
pub(super) struct VerifiedTokens([Mutex<UniformMap<TokenDigest, Verified>>; SHARDS]);

impl VerifiedTokens {
    pub(super) fn get(&self, token: TokenDigest) -> Option<Verified> {
        self.shard(token)?.get(&token).copied()
    }

    pub(super) fn insert(&self, token: TokenDigest, verified: Verified, now: Timestamp) {
        let Some(mut shard) = self.shard(token) else { return };
        if shard.len() >= CAPACITY {
            shard.retain(|_, verified| !verified.proof.is_over(now));
        }
        if shard.len() >= CAPACITY {
            // Any eighth will do: what is in use comes back with its next request, at the price of one signature.
            let mut n = 0;
            shard.retain(|_, _| {
                n += 1;
                n % 8 != 0
            });
        }
        shard.insert(token, verified);
    }

    pub(super) fn forget(&self, token: TokenDigest) {
        if let Some(mut shard) = self.shard(token) {
            shard.remove(&token);
        }
    }

    pub(super) fn forget_expired(&self, now: Timestamp) {
        for shard in &self.0 {
            lock(shard).retain(|_, verified| !verified.proof.is_over(now));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|shard| lock(shard).len()).sum()
    }

    fn shard(&self, token: TokenDigest) -> Option<MutexGuard<'_, UniformMap<TokenDigest, Verified>>> {
        self.0.get(token.shard()).map(lock)
    }
}

fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
