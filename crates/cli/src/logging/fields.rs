//! How fields are written.

use crate::config::LogFormat;
use std::fmt::{self, Write as _};
use tracing::field::{Field, Visit};

/// Each field after a comma, or a space.
pub(super) struct Fields<'a> {
    pub(super) format: LogFormat,
    pub(super) line: &'a mut String,
}

impl Fields<'_> {
    /// Numbers and truth values, which look alike in both formats.
    fn plain(&mut self, field: &Field, value: &str) {
        self.name(field);
        self.line.push_str(value);
    }

    fn name(&mut self, field: &Field) {
        match (self.format, field.name()) {
            (LogFormat::Json, name) => {
                self.line.push_str(",\"");
                self.line.push_str(name);
                self.line.push_str("\":");
            }
            (LogFormat::Text, "message") => self.line.push(' '),
            (LogFormat::Text, name) => {
                self.line.push(' ');
                self.line.push_str(name);
                self.line.push('=');
            }
        }
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        match self.format {
            LogFormat::Json => quote(self.line, value),
            LogFormat::Text if field.name() == "message" => self.line.push_str(value),
            LogFormat::Text => {
                let _ = write!(self.line, "{value:?}");
            }
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, itoa::Buffer::new().format(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, itoa::Buffer::new().format(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, if value { "true" } else { "false" });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.name(field);
        match self.format {
            LogFormat::Json => {
                self.line.push('"');
                let _ = write!(Quoted(self.line), "{value:?}");
                self.line.push('"');
            }
            LogFormat::Text => {
                let _ = write!(self.line, "{value:?}");
            }
        }
    }
}

/// Into a JSON string that is open.
struct Quoted<'a>(&'a mut String);

impl fmt::Write for Quoted<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
        if all_bytes(text, is_plain) {
            self.0.push_str(text);
            return Ok(());
        }
        let quoted = serde_json::to_string(text).map_err(|_| fmt::Error)?;
        self.0.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
        Ok(())
    }
}

/// To the end in any case, and without a branch for any byte: so the compiler looks at many at once.
pub(super) fn all_bytes(text: &str, is_good: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(0, |wrong, byte| wrong | u8::from(!is_good(byte))) == 0
}

fn quote(line: &mut String, text: &str) {
    line.push('"');
    let _ = Quoted(line).write_str(text);
    line.push('"');
}
