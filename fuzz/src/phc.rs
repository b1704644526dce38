//! A stored hash that is run is affordable, can be computed, and is written back as what was read.

use vestibule_infrastructure::crypto::fuzzing::stored_hash;

/// Whether it is taken.
pub fn check(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let Some(hash) = stored_hash(text) else { return false };
    assert!(text.starts_with("$argon2id$"), "{text}");
    assert!(hash.memory_kib <= 262_144 && hash.iterations <= 10 && hash.parallelism <= 16, "{hash:?}");
    assert!(hash.memory_kib >= 8 && hash.iterations >= 1 && hash.parallelism >= 1, "{hash:?}");
    // In base64: 8 bytes and 16.
    let mut parts = hash.written.rsplit('$').map(str::len);
    assert!(parts.next() >= Some(22) && parts.next() >= Some(11), "{hash:?}");
    assert!(hash.can_be_computed, "{hash:?}");
    assert_eq!(stored_hash(&hash.written).as_ref(), Some(&hash));
    true
}
