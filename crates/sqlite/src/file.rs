//! The database file: who may read it, and under which name it is known.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;

/// Makes the file if there is none, and its directories, all for the owner only. Returns the one name that all relative
/// names and symbolic links stand for.
pub(crate) fn prepare(path: &Path) -> io::Result<PathBuf> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    create(path)?;
    fs::canonicalize(path)
}

/// Takes the file from everybody but its owner, and what SQLite keeps beside it, which it makes with the permissions of
/// the file. To be called once SQLite has found it to be a database: any other file is none of our business.
pub(crate) fn take_from_others(canonical: &Path) -> io::Result<()> {
    restrict(canonical)?;
    for suffix in ["-wal", "-shm"] {
        match restrict(&beside(canonical, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// What Linux could not flush it takes for clean (fsync(2), EIO): from then on it can be read, but is not on the disk,
/// and no flush brings it there. If a process left its WAL like that, all that is appended to it would be lost with it.
/// To be called while nobody else can write.
pub(crate) fn write_wal_again(canonical: &Path) -> io::Result<()> {
    let wal = match OpenOptions::new().read(true).write(true).open(beside(canonical, "-wal")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let (mut bytes, mut at) = ([0; 4096], 0);
    while let read @ 1.. = wal.read_at(&mut bytes, at)? {
        wal.write_all_at(bytes.get(..read).unwrap_or_default(), at)?;
        at += read as u64;
    }
    wal.sync_all()
}

fn beside(canonical: &Path, suffix: &str) -> PathBuf {
    let mut name = canonical.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}

/// An existing file is never opened here: closing it would take away SQLite's own locks on it.
fn create(path: &Path) -> io::Result<()> {
    match new_private(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Fails if there is anything by that name.
pub(crate) fn new_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn restrict(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others could read the database: now only its owner can");
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Held while a store is opened. Of two processes that meet a new file, one must switch it to WAL before the other
/// looks: SQLite does not wait for that switch but fails.
#[derive(Debug)]
pub(crate) struct OpenLock {
    _directory: File,
}

impl OpenLock {
    /// Waits for another process that is opening a store in the same directory, which takes milliseconds. On a thread
    /// of its own, because whoever holds the lock may need this one to let go of it.
    pub(crate) async fn wait(database: &Path) -> io::Result<Self> {
        let directory = File::open(database.parent().unwrap_or(Path::new("/")))?;
        let (locked, waiting) = oneshot::channel();
        std::thread::spawn(move || locked.send(directory.lock().map(|()| Self { _directory: directory })));
        waiting.await.map_err(io::Error::other)?
    }
}
