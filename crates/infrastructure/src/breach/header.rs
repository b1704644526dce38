//! The file of a filter: a header of 68 bytes, and two bytes for each slot. Numbers are little-endian.
//!
//! ```text
//!  0  8  «VESTBRCH»
//!  8  4  version of the format: 1
//! 12  4  length of a segment
//! 16  4  number of segments, less two
//! 20  8  seed
//! 28  8  number of keys
//! 36 32  SHA-256 of all other bytes, in their order
//! 68     slots
//! ```

use super::fuse::Shape;
use aws_lc_rs::digest;
use std::io;

pub(super) const MAGIC: &[u8; 8] = b"VESTBRCH";
const VERSION: u32 = 1;
const CHECKED: usize = 36;
pub(super) const LENGTH: usize = CHECKED + 32;

/// What is wrong with a file; follows its name.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    #[error("cannot be read")]
    Io(#[from] io::Error),
    #[error("is not a filter: `vestibule breach build` makes one")]
    Foreign,
    #[error("is a filter of format {0}, and this version reads format {VERSION}: build it again")]
    Version(u32),
    #[error("has {actual} bytes instead of {expected}: it was not copied whole")]
    Size { actual: u64, expected: u64 },
    #[error("does not fit its checksum: it was damaged")]
    Checksum,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) shape: Shape,
    pub(super) keys: u64,
}

pub(super) type Checksum = [u8; 32];

impl Header {
    pub(super) fn parse(bytes: &[u8; LENGTH]) -> Result<(Self, Checksum), FilterError> {
        let mut rest = bytes.as_slice();
        if &take::<8>(&mut rest) != MAGIC {
            return Err(FilterError::Foreign);
        }
        let version = u32::from_le_bytes(take(&mut rest));
        if version != VERSION {
            return Err(FilterError::Version(version));
        }
        let shape = Shape {
            segment_length: u32::from_le_bytes(take(&mut rest)),
            segments: u32::from_le_bytes(take(&mut rest)),
            seed: u64::from_le_bytes(take(&mut rest)),
        };
        let keys = u64::from_le_bytes(take(&mut rest));
        let shape = shape.checked().ok_or(FilterError::Checksum)?;
        Ok((Self { shape, keys }, take(&mut rest)))
    }

    /// All but the checksum.
    pub(super) fn checked_bytes(&self) -> Vec<u8> {
        let Self { shape, keys } = self;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(shape.segment_length.to_le_bytes());
        bytes.extend(shape.segments.to_le_bytes());
        bytes.extend(shape.seed.to_le_bytes());
        bytes.extend(keys.to_le_bytes());
        bytes
    }

    /// How large a file with this header is, in bytes.
    pub(super) fn file_size(&self) -> u64 {
        LENGTH as u64 + 2 * self.shape.slots()
    }

    /// Begins a checksum; the slots follow.
    pub(super) fn checksum(&self) -> digest::Context {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.checked_bytes());
        context
    }
}

/// The next bytes; zeros after the end, where none of the callers looks.
fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let Some((taken, after)) = rest.split_first_chunk() else { return [0; N] };
    *rest = after;
    *taken
}
