//! Tables whose keys are nearly as good as hashes: digests, and ids that end in what was drawn at random.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Keys end in eight bytes that nobody can choose, or whoever could would make the table slow.
pub type UniformMap<K, V> = HashMap<K, V, BuildHasherDefault<LastBytes>>;

/// The last eight bytes that it is given. Turned, because of those of a UUID two bits are always the same (RFC 9562, section
/// 4.1): not among the lowest, by which a table finds the place of a key, nor the highest, by which it tells neighbours
/// apart.
#[derive(Debug, Default)]
pub struct LastBytes(u64);

impl Hasher for LastBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*last).rotate_left(32);
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
    use std::collections::HashSet;
    use std::hash::Hash;
    use uuid::Uuid;

    fn hash(key: impl Hash) -> u64 {
        let mut hasher = LastBytes::default();
        key.hash(&mut hasher);
        hasher.finish()
    }

    /// Spread over all values that the lowest and the highest bits can have, as a table uses them.
    #[test]
    fn ids_are_hashed_to_all_places_of_a_table() {
        // Any odd factor will do to stand for what is random beside the variant.
        let ends = (0..10_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 2 | 1 << 63);
        let ids = ends.map(|end| SessionId::from(Uuid::from_u64_pair(0, end)));
        let hashes: Vec<_> = ids.map(hash).collect();
        assert_eq!(hashes.iter().map(|hash| hash & 0x3ff).collect::<HashSet<_>>().len(), 1 << 10);
        assert_eq!(hashes.iter().map(|hash| hash >> 57).collect::<HashSet<_>>().len(), 1 << 7);
    }

    #[test]
    fn another_digest_has_another_hash() {
        let digests = (0..=u8::MAX).flat_map(|n| {
            (24..32).map(move |at| {
                let mut digest = [0_u8; 32];
                digest[at] = n;
                digest
            })
        });
        let different: HashSet<_> = digests.clone().collect();
        assert_eq!(digests.map(hash).collect::<HashSet<_>>().len(), different.len());
    }
}
