//! The master key of a SQLite store, in a file beside the database.

use rustix::fs::{Mode, OFlags};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use vestibule_domain::Rng;
use vestibule_infrastructure::crypto::{MasterKey, SecretError};
use zeroize::Zeroizing;

const FILE_NAME: &str = "master.key";

#[derive(Debug, thiserror::Error)]
pub(crate) enum MasterKeyFileError {
    #[error("{} can be read by others than its owner (mode {mode:o}): run `chmod 600 {}`, and make new keys if somebody may have read it (`vestibule keys rotate --now`)", path.display(), path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("{} does not hold a master key; put the right file back, without which the keys in the database do not open", path.display())]
    Invalid {
        path: PathBuf,
        #[source]
        source: SecretError,
    },
    #[error("{} cannot be read or written", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

pub(crate) fn path_beside(database: &Path) -> PathBuf {
    database.with_file_name(FILE_NAME)
}

/// `None` if there is no file.
pub(crate) fn read(path: &Path) -> Result<Option<MasterKey>, MasterKeyFileError> {
    let failed = |source| MasterKeyFileError::Io { path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // Of the open file: the name may mean another one by now.
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyFileError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(failed)?;
    let key = MasterKey::from_base64(text.trim_end());
    key.map(Some).map_err(|source| MasterKeyFileError::Invalid { path: path.to_owned(), source })
}

/// Makes the file if there is none. Of several processes at once all get the same key.
pub(crate) fn read_or_make(path: &Path, rng: &dyn Rng) -> Result<MasterKey, MasterKeyFileError> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    let failed = |source| MasterKeyFileError::Io { path: path.to_owned(), source };
    make(path, rng).map_err(failed)?;
    read(path)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
}

/// The name appears only with the whole key behind it, and never over another key.
fn make(path: &Path, rng: &dyn Rng) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Another name each time: what a crash leaves behind is in nobody's way.
    let draft = path.with_extension(format!("key.{:016x}", u64::from_ne_bytes(rng.bytes())));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(MasterKey::generate(rng).to_base64().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let folder = rustix::fs::open(folder, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(rustix::fs::fsync(folder)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::thread;
    use vestibule_infrastructure::system::SystemRng;

    #[test]
    fn all_who_start_at_once_get_one_key_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let key = || read_or_make(&path, &SystemRng).unwrap().to_base64().to_string();
        let keys: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(key)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|other| *other == keys[0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn i117_a_file_that_anybody_else_can_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        read_or_make(&path, &SystemRng).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o777] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = read(&path).unwrap_err();
            assert!(matches!(refused, MasterKeyFileError::Exposed { mode: found, .. } if found == mode), "{refused}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(read(&path).unwrap().is_some());
    }

    #[test]
    fn a_file_without_a_key_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let refused = read_or_make(&path, &SystemRng).unwrap_err();
        assert!(matches!(refused, MasterKeyFileError::Invalid { .. }), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}
