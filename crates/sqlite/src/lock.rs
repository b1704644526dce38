//! The lock that says «this file is being served».

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Held as long as it lives; the kernel releases it when the process dies, however it dies.
///
/// The lock is on a file of its own beside the database: closing any handle of the database itself would take away
/// the POSIX locks by which SQLite keeps processes apart (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
/// The file stays when it is released: who removed it could remove one that another process has just locked.
#[derive(Debug)]
pub(crate) struct ServeLock {
    _file: File,
}

impl ServeLock {
    /// `None` if another process, or another store of this one, holds it. `database` is canonical, so that all the
    /// names of one file have one lock.
    pub(crate) fn take(database: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path(database))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}
