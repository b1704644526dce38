//! Asking a filter: one in memory, or one that stays in its file.

use super::header::{Checksum, FilterError, Header, LENGTH, MAGIC};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use vestibule_domain::credential::BreachKey;

/// A large filter. A look-up reads six bytes at three places, which the system keeps in memory as far as it has some
/// to spare: microseconds then, and a disk's time otherwise.
#[derive(Debug)]
pub struct FilterFile {
    file: File,
    path: PathBuf,
    header: Header,
    checksum: Checksum,
}

impl FilterFile {
    /// Looks at the header and the size, which takes no time; [`FilterFile::verify`] reads all of it. The file may be
    /// replaced by another one (`mv`) while it is open, but not written to.
    pub fn open(path: &Path) -> Result<Self, FilterError> {
        let file = File::open(path)?;
        let actual = file.metadata()?.len();
        let mut bytes = [0; LENGTH];
        if file.read_at(&mut bytes, 0)? < LENGTH && bytes.starts_with(MAGIC) {
            return Err(FilterError::Size { actual, expected: LENGTH as u64 });
        }
        let (header, checksum) = Header::parse(&bytes)?;
        let expected = header.file_size();
        if actual != expected {
            return Err(FilterError::Size { actual, expected });
        }
        Ok(Self { file, path: path.to_owned(), header, checksum })
    }

    /// How many passwords it knows.
    pub fn keys(&self) -> u64 {
        self.header.keys
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads everything once: a second for each gigabyte, or what the disk takes.
    pub fn verify(&self) -> Result<(), FilterError> {
        let mut checksum = self.header.checksum();
        let (mut at, mut buffer) = (LENGTH as u64, vec![0; 256 * 1024]);
        loop {
            let read = self.file.read_at(&mut buffer, at)?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            checksum.update(bytes);
            at += read as u64;
        }
        if checksum.finish().as_ref() == self.checksum { Ok(()) } else { Err(FilterError::Checksum) }
    }

    pub(super) fn contains(&self, key: BreachKey) -> io::Result<bool> {
        find(&self.header, key, |at| {
            let mut slot = [0; 2];
            self.file.read_exact_at(&mut slot, at)?;
            Ok(slot)
        })
    }
}

/// A filter that is part of the binary.
#[derive(Debug)]
pub(super) struct FilterBytes {
    bytes: &'static [u8],
    header: Header,
}

impl FilterBytes {
    /// Its checksum is for tests: to compute it would bring megabytes into memory that most processes never ask for.
    pub(super) fn open(bytes: &'static [u8]) -> Result<Self, FilterError> {
        let start = bytes.first_chunk().ok_or(FilterError::Foreign)?;
        let (header, _) = Header::parse(start)?;
        let (actual, expected) = (bytes.len() as u64, header.file_size());
        if actual != expected {
            return Err(FilterError::Size { actual, expected });
        }
        Ok(Self { bytes, header })
    }

    pub(super) fn keys(&self) -> u64 {
        self.header.keys
    }

    pub(super) fn contains(&self, key: BreachKey) -> bool {
        let slot = |at| {
            let slot = usize::try_from(at).ok().and_then(|at| self.bytes.get(at..)?.first_chunk().copied());
            slot.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
        };
        // Its size was right, so every slot is there.
        find(&self.header, key, slot).unwrap_or(false)
    }
}

/// `read` gives the two bytes at a place of the file.
fn find(header: &Header, key: BreachKey, read: impl Fn(u64) -> io::Result<[u8; 2]>) -> io::Result<bool> {
    let place = header.shape.place(key);
    let mut rest = place.fingerprint();
    for slot in header.shape.slots_of(place) {
        rest ^= u16::from_le_bytes(read(LENGTH as u64 + 2 * slot)?);
    }
    Ok(rest == 0)
}
