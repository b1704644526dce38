//! Secrets from files, as containers mount them.

use super::entry::{Entries, Source};
use super::fault::{Fault, Faults};
use super::parse::Written;
use super::setting::Setting;
use std::path::Path;
use zeroize::Zeroizing;

/// Without the line break that editors and `echo` put at the end. Who may read the file is not looked at:
/// orchestrators mount secrets readable for all inside the container.
pub(super) fn read(setting: &'static Setting, path: &Path, source: Source, entries: &mut Entries, faults: &mut Faults) {
    match std::fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => entries.set(setting.key, Written::from_text(without_line_break(&text)), source),
        Err(error) => {
            let reason = format!("{} cannot be read: {error}", path.display());
            faults.push(Fault::new(setting.key, Some(source), reason));
        }
    }
}

/// One trailing LF or CRLF less.
pub(crate) fn without_line_break(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
}
