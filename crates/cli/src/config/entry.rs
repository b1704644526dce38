//! Values as they were written, and where.

use super::parse::Written;
use super::setting::Host;
use super::table::SETTINGS;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    File {
        path: PathBuf,
        line: usize,
    },
    /// A line of the file that names another one, in which the value is.
    FileNamedIn {
        path: PathBuf,
        line: usize,
    },
    Variable(String),
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } | Self::FileNamedIn { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) written: Written,
    pub(crate) source: Source,
}

/// What is in use for each key: a later `set` beats an earlier one.
#[derive(Debug)]
pub(crate) struct Entries {
    host: Host,
    by_key: BTreeMap<String, Entry>,
}

impl Entries {
    pub(super) fn defaults(host: Host) -> Self {
        let entry = |text: &str| Entry { written: Written::from_text(text), source: Source::Default };
        let by_key = SETTINGS
            .iter()
            .filter_map(|setting| Some((setting.key.to_owned(), entry(&setting.default(host)?))))
            .collect();
        Self { host, by_key }
    }

    pub(super) fn host(&self) -> Host {
        self.host
    }

    pub(super) fn set(&mut self, key: &str, written: Written, source: Source) {
        self.by_key.insert(key.to_owned(), Entry { written, source });
    }

    pub(super) fn forget(&mut self, key: &str) {
        self.by_key.remove(key);
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.by_key.get(key)
    }

    pub(crate) fn is_default(&self, key: &str) -> bool {
        self.get(key).is_none_or(|entry| entry.source == Source::Default)
    }

    /// The entries of an open section: their keys without it.
    pub(crate) fn under(&self, section: &str) -> impl Iterator<Item = (&str, &Entry)> {
        let named = move |(key, entry)| Some((str::strip_prefix(key, section)?.strip_prefix('.')?, entry));
        self.by_key.iter().map(|(key, entry)| (key.as_str(), entry)).filter_map(named)
    }
}
