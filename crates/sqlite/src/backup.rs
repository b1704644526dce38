//! Copies of the whole store, made while it is in use.

use crate::connection;
use crate::file;
use crate::open::SqliteStore;
use sqlx::{ConnectOptions, Connection};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{} exists already: a backup overwrites nothing; name another file", path.display())]
    Exists { path: PathBuf },
    #[error("{} cannot be written", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the store could not be copied")]
    Copy(#[from] sqlx::Error),
}

impl SqliteStore {
    /// Writes a copy as of now to the new file `to`, which only its owner can read; nobody is kept from writing
    /// meanwhile. The copy is complete and on disk when it gets its name. It holds every secret that the store holds.
    pub async fn backup(&self, to: &Path) -> Result<(), BackupError> {
        // SQLite would take a relative name that begins with `file:` for a URI.
        let to = &std::path::absolute(to).map_err(|source| failed(to, source))?;
        if to.try_exists().map_err(|source| failed(to, source))? {
            return Err(BackupError::Exists { path: to.clone() });
        }
        let draft = draft_of(to).ok_or_else(|| failed(to, ErrorKind::InvalidFilename.into()))?;
        let file = file::new_private(draft.as_ref()).map_err(|source| unstarted(to, draft.as_ref(), source))?;
        let copied = self.copy(&draft).await.and_then(|()| publish(&file, draft.as_ref(), to));
        let removed = fs::remove_file(&draft).map_err(|source| failed(draft.as_ref(), source));
        copied.and(removed)
    }

    /// On a connection of its own: a large copy would keep a reader from everybody else for seconds.
    async fn copy(&self, draft: &str) -> Result<(), BackupError> {
        let mut connection = connection::options(self.path()).connect().await?;
        let copied = sqlx::query("VACUUM INTO ?1").bind(draft).execute(&mut connection).await;
        connection.close().await?;
        copied?;
        Ok(())
    }
}

/// A link, unlike a rename, fails when the name was taken meanwhile.
fn publish(file: &File, draft: &Path, to: &Path) -> Result<(), BackupError> {
    file.sync_all().map_err(|source| failed(draft, source))?;
    fs::hard_link(draft, to).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => BackupError::Exists { path: to.to_owned() },
        _ => failed(to, source),
    })?;
    let directory = to.parent().unwrap_or(Path::new("/"));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(|source| failed(directory, source))
}

/// `None` if the name is not UTF-8, which SQLite needs, or names no file.
fn draft_of(to: &Path) -> Option<String> {
    to.file_name()?;
    Some(format!("{}.part", to.to_str()?))
}

/// Told about the name that was given, unless the other one is in the way.
fn unstarted(to: &Path, draft: &Path, source: io::Error) -> BackupError {
    match source.kind() {
        ErrorKind::AlreadyExists => BackupError::Exists { path: draft.to_owned() },
        _ => failed(to, source),
    }
}

fn failed(path: &Path, source: io::Error) -> BackupError {
    BackupError::File { path: path.to_owned(), source }
}
