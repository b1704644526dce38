//! Tokens whose signature was right, so that each is checked once.
//!
//! A token is found by a keyed hash of all its bytes: another spelling of it, were it one bit, is another token and is
//! checked as one. No token can be read out of what is kept, nor guessed at by timing the look-up. Only what verified
//! is kept, so nobody without a key fills it. See docs/decisions/0015-signatures-checked-once.md.

use super::claims::Proof;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use std::sync::{Mutex, MutexGuard, PoisonError};
use vestibule_domain::Timestamp;
use vestibule_domain::id::KeyId;
use vestibule_domain::uniform::UniformMap;
use zeroize::Zeroizing;

/// Each with its own lock, which is held for less than a microsecond but when room is made.
const SHARDS: usize = 16;
/// Of each shard; 7/8 of a power of two, which is what a table of that size takes. All shards together have room for
/// 7,168 tokens in a megabyte.
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

/// The GMAC of a token as it was sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenTag([u8; 16]);

impl TokenTag {
    fn shard(self) -> usize {
        self.0.first().map_or(0, |byte| usize::from(*byte) % SHARDS)
    }
}

/// Belongs to one set of keys, and is dropped with it.
pub(super) struct VerifiedTokens {
    /// Drawn for this table alone, and never told.
    key: Option<LessSafeKey>,
    shards: [Mutex<UniformMap<TokenTag, Verified>>; SHARDS],
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let key = rand::fill(key.as_mut_slice()).and_then(|()| UnboundKey::new(&AES_256_GCM, key.as_slice()));
        Self { key: key.ok().map(LessSafeKey::new), shards: Default::default() }
    }
}

impl VerifiedTokens {
    /// GMAC (NIST SP 800-38D). Two tokens have the same with a chance of 2⁻¹¹⁸ at most, whoever chose them, as long as
    /// nobody outside sees a tag; so the nonce may be the same each time. `None` if there was no randomness for a key:
    /// then nothing is remembered.
    pub(super) fn tag(&self, token: &str) -> Option<TokenTag> {
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let tag = self.key.as_ref()?.seal_in_place_separate_tag(nonce, Aad::from(token), &mut []).ok()?;
        tag.as_ref().try_into().ok().map(TokenTag)
    }

    pub(super) fn get(&self, tag: TokenTag) -> Option<Verified> {
        self.shard(tag)?.get(&tag).copied()
    }

    pub(super) fn insert(&self, tag: TokenTag, verified: Verified, now: Timestamp) {
        let Some(mut shard) = self.shard(tag) else { return };
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
        shard.insert(tag, verified);
    }

    pub(super) fn forget(&self, tag: TokenTag) {
        if let Some(mut shard) = self.shard(tag) {
            shard.remove(&tag);
        }
    }

    pub(super) fn forget_expired(&self, now: Timestamp) {
        for shard in &self.shards {
            lock(shard).retain(|_, verified| !verified.proof.is_over(now));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    fn shard(&self, tag: TokenTag) -> Option<MutexGuard<'_, UniformMap<TokenTag, Verified>>> {
        self.shards.get(tag.shard()).map(lock)
    }
}

fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
