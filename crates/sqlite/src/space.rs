//! Room on the disk.

use std::io;
use std::path::{Path, PathBuf};

/// About what the WAL takes until SQLite moves it into the file (1,000 pages of 4 KiB): with less, the next writes may
/// fail.
pub(crate) const RESERVE_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SpaceError {
    #[error("the disk of {} is full: less than {reserve} bytes are free; make room on it", path.display())]
    Short { path: PathBuf, reserve: u64 },
    #[error("the disk of {} does not tell how full it is", path.display())]
    Unknown { path: PathBuf, source: io::Error },
}

/// Fails while there is less than `reserve` on the disk that has `path`.
pub(crate) fn check(path: &Path, reserve: u64) -> Result<(), SpaceError> {
    let disk = rustix::fs::statvfs(path)
        .map_err(|error| SpaceError::Unknown { path: path.to_owned(), source: error.into() })?;
    // What others than root may use.
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= reserve { Ok(()) } else { Err(SpaceError::Short { path: path.to_owned(), reserve }) }
}
