mod filter;
mod lists;
mod shipped;

use super::{FilterFile, FilterImage};
use std::path::PathBuf;
use vestibule_domain::credential::BreachKey;

/// Different for different numbers, and even: `SplitMix64`.
fn key(n: u64) -> BreachKey {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let mut digest = [0; 20];
    digest[..8].copy_from_slice(&(z ^ (z >> 31)).to_be_bytes());
    BreachKey::from_sha1(digest)
}

fn keys(count: u64) -> Vec<BreachKey> {
    (0..count).map(key).collect()
}

fn bytes(image: &FilterImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_to(&mut bytes).unwrap();
    bytes
}

/// A file of its own, gone with the value.
struct Written {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

fn written(bytes: &[u8]) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("filter");
    std::fs::write(&path, bytes).unwrap();
    Written { path, _folder: folder }
}

fn opened(count: u64) -> FilterFile {
    // Open files outlive their names.
    let filter = FilterFile::open(&written(&bytes(&FilterImage::build(keys(count)).unwrap())).path).unwrap();
    filter.verify().unwrap();
    filter
}
