//! Secrets in a configuration file that everybody on the machine can read.

use crate::config::entry::{Entries, Source};
use crate::config::print::without_password;
use crate::config::setting::{Secrecy, Setting};
use crate::config::table::SETTINGS;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What to tell of each secret. The group may read the file: it is how a service gets one that it does not own.
pub(super) fn of_secrets(entries: &Entries) -> impl Iterator<Item = String> {
    SETTINGS.iter().filter_map(move |setting| {
        let path = file_of_secret(setting, entries)?;
        let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
        (mode & 0o007 != 0).then(|| {
            let (key, path) = (setting.key, path.display());
            format!("{key} is a secret in a file that everybody can use (mode {mode:o}): run `chmod o= {path}`")
        })
    })
}

fn file_of_secret<'a>(setting: &Setting, entries: &'a Entries) -> Option<&'a Path> {
    let entry = entries.get(setting.key)?;
    let is_secret = match setting.secrecy {
        Secrecy::Open => false,
        Secrecy::Url => without_password(entry.written.joined()) != entry.written.joined(),
        Secrecy::Secret => true,
    };
    match &entry.source {
        Source::File { path, .. } if is_secret => Some(path),
        _ => None,
    }
}
