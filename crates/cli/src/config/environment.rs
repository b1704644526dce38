//! Settings from environment variables.

use super::entry::{Entries, Source};
use super::fault::{Fault, Faults};
use super::nearest::suggestion;
use super::parse::Written;
use super::roles;
use super::secret_file;
use super::setting::{Secrecy, Setting, find, find_secret};
use super::table::SETTINGS;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

const PREFIX: &str = "VESTIBULE_";
const FILE_SUFFIX: &str = "_FILE";
/// Set by platforms that provide a database, and read by other tools.
pub(crate) const DATABASE_URL: &str = "DATABASE_URL";
/// Read by the command line itself.
pub(crate) const CONFIG: &str = "VESTIBULE_CONFIG";
pub(crate) const PASSWORD_FILE: &str = "VESTIBULE_PASSWORD_FILE";

/// What a variable is for.
enum Meaning {
    Value(String),
    /// The file holds the value.
    File(&'static Setting),
    /// Read elsewhere, or not ours.
    Nothing,
}

/// `with_database_url` tells whether `DATABASE_URL` counts.
pub(super) fn read(
    variables: &[(OsString, OsString)],
    with_database_url: bool,
    entries: &mut Entries,
    faults: &mut Faults,
) {
    // In order of name `DATABASE_URL` comes first, so that the service's own variable beats it.
    let variables: BTreeMap<&str, &OsString> =
        variables.iter().filter_map(|(name, value)| Some((name.to_str()?, value))).collect();
    for (name, value) in &variables {
        if with_database_url || !name.starts_with(DATABASE_URL) {
            let source = Source::Variable((*name).to_owned());
            match read_one(name, value, &source, &variables, entries, faults) {
                Ok(()) => {}
                Err(reason) => faults.push(Fault::new(*name, Some(source), reason)),
            }
        }
    }
}

/// An error is why the variable itself is at fault.
fn read_one(
    name: &str,
    value: &OsString,
    source: &Source,
    variables: &BTreeMap<&str, &OsString>,
    entries: &mut Entries,
    faults: &mut Faults,
) -> Result<(), String> {
    let meaning = meaning(name)?;
    let text = || value.to_str().ok_or("is not UTF-8");
    match meaning {
        Meaning::Nothing => {}
        Meaning::Value(key) => entries.set(&key, Written::from_text(text()?), source.clone()),
        Meaning::File(setting) => match name.strip_suffix(FILE_SUFFIX) {
            Some(direct) if variables.contains_key(direct) => {
                return Err(format!("is given beside {direct}: keep one of them"));
            }
            _ => secret_file::read(setting, Path::new(value), source.clone(), entries, faults),
        },
    }
    Ok(())
}

fn meaning(name: &str) -> Result<Meaning, String> {
    if name == DATABASE_URL {
        return Ok(Meaning::Value("store.url".to_owned()));
    }
    if name.strip_suffix(FILE_SUFFIX) == Some(DATABASE_URL) {
        return Ok(find_secret("store.url").map_or(Meaning::Nothing, Meaning::File));
    }
    let Some(rest) = name.strip_prefix(PREFIX).filter(|_| name != CONFIG && name != PASSWORD_FILE) else {
        return Ok(Meaning::Nothing);
    };
    let key = rest.to_lowercase().replacen("__", ".", 1);
    let is_upper_case = rest == rest.to_uppercase();
    if is_upper_case && (find(&key).is_some() || roles::is_key(&key)) {
        return Ok(Meaning::Value(key));
    }
    let of_file = key.strip_suffix("_file").and_then(find_secret).filter(|_| is_upper_case);
    of_file.map(Meaning::File).ok_or_else(|| {
        let known: Vec<_> = SETTINGS.iter().map(Setting::variable).collect();
        let near = suggestion(name, known.iter().map(String::as_str).chain([CONFIG, PASSWORD_FILE]));
        format!("is not a setting{near}")
    })
}

impl Setting {
    pub(crate) fn may_come_from_file(&self) -> bool {
        self.secrecy != Secrecy::Open
    }
}
