//! Tables whose keys are as good as hashes: digests, and ids that end in what was drawn at random.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Keys must end in eight bytes that nobody else can choose, or whoever chooses them makes the table slow.
pub type UniformMap<K, V> = HashMap<K, V, BuildHasherDefault<LastBytes>>;

/// The last eight bytes that it is given.
#[derive(Debug, Default)]
pub struct LastBytes(u64);

impl Hasher for LastBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*last);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use std::hash::Hash;
    use uuid::Uuid;

    fn hash(key: impl Hash) -> u64 {
        let mut hasher = LastBytes::default();
        key.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn a_key_is_hashed_to_what_it_ends_in() {
        let (random, end) =
            ([9, 9, 9, 9, 9, 9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8], u64::from_le_bytes([1, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(hash(SessionId::from(Uuid::from_bytes(random))), end);
        assert_eq!(hash([[0; 16], random].concat().first_chunk::<32>()), end);
    }
}
