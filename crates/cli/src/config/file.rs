//! Settings from the TOML file.

use super::entry::{Entries, Source};
use super::fault::{Fault, Faults};
use super::nearest::suggestion;
use super::parse::Written;
use super::roles;
use super::secret_file;
use super::setting::{find, find_secret};
use super::table::{SECTIONS, SETTINGS};
use std::io;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

/// Read from the working directory unless another is named; need not exist then.
const DEFAULT_PATH: &str = "vestibule.toml";

pub(super) fn read(chosen: Option<&Path>, entries: &mut Entries, faults: &mut Faults) {
    let path = chosen.unwrap_or(Path::new(DEFAULT_PATH));
    match std::fs::read_to_string(path) {
        Ok(text) => Reader { path: path.to_owned(), text: Zeroizing::new(text), entries, faults }.read(),
        Err(error) if error.kind() == io::ErrorKind::NotFound && chosen.is_none() => {}
        Err(error) => faults.push(Fault::new(path.display().to_string(), None, format!("cannot be read: {error}"))),
    }
}

struct Reader<'a> {
    path: PathBuf,
    text: Zeroizing<String>,
    entries: &'a mut Entries,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    fn read(mut self) {
        let text = std::mem::take(&mut self.text);
        let line_of = |offset: usize| text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
        let (document, errors) = DeTable::parse_recoverable(&text);
        for error in errors {
            let line = line_of(error.span().map_or(0, |span| span.start));
            // Only the message: the error's own text quotes the line, which may hold a secret.
            self.fault(self.path.display().to_string(), line, error.message().to_owned());
        }
        for (section, content) in document.get_ref() {
            let line = line_of(section.span().start);
            match content.get_ref() {
                DeValue::Table(table) if is_section(section.get_ref()) => {
                    for (name, value) in table {
                        let key = format!("{}.{}", section.get_ref(), name.get_ref());
                        self.setting(&key, value, line_of(name.span().start));
                    }
                }
                _ => {
                    let near = suggestion(section.get_ref(), sections());
                    self.fault(section.get_ref().to_string(), line, format!("is not a section{near}"));
                }
            }
        }
    }

    fn setting(&mut self, key: &str, value: &Spanned<DeValue<'_>>, line: usize) {
        let Some(written) = written(value.get_ref()) else {
            let found = value.get_ref().type_str();
            return self.fault(
                key.to_owned(),
                line,
                format!("must be a text, a number, a truth value or a list of texts, not {found}"),
            );
        };
        let path = self.path.clone();
        if find(key).is_some() || roles::is_key(key) {
            self.entries.set(key, written, Source::File { path, line });
        } else if let Some(secret) = key.strip_suffix("_file").and_then(find_secret) {
            let source = Source::FileNamedIn { path, line };
            secret_file::read(secret, Path::new(written.joined()), source, self.entries, self.faults);
        } else {
            let near = suggestion(key, SETTINGS.iter().map(|setting| setting.key));
            self.fault(key.to_owned(), line, format!("is not a setting{near}"));
        }
    }

    fn fault(&mut self, key: String, line: usize, reason: String) {
        self.faults.push(Fault::new(key, Some(Source::File { path: self.path.clone(), line }), reason));
    }
}

fn sections() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|(section, _)| *section).chain([roles::SECTION])
}

fn is_section(name: &str) -> bool {
    sections().any(|section| section == name)
}

fn written(value: &DeValue<'_>) -> Option<Written> {
    match value {
        DeValue::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| item.get_ref().as_str()).collect();
            Some(Written::from_items(&items?))
        }
        scalar => Some(Written::from_text(&match scalar {
            DeValue::String(text) => text.to_string(),
            // TOML lets digits be grouped.
            DeValue::Integer(number) => number.to_string(),
            DeValue::Boolean(truth) => truth.to_string(),
            _ => return None,
        })),
    }
}
