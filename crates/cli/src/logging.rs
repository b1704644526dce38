//! Log lines on standard error.

use crate::config::LogFormat;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::panic;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt};

/// Once, at the start.
pub(crate) fn start(format: LogFormat, filter: Targets) {
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => fmt::layer().with_ansi(false).with_writer(|| Escaped(io::stderr())).boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(|| Escaped(io::stderr()))
            .boxed(),
    };
    // A second subscriber is a defect of no consequence: the first one goes on.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(lines.with_filter(filter)));
    panic::set_hook(Box::new(|panic| {
        // Only where: the message may quote what a client sent.
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, thread = std::thread::current().name(), "panic");
    }));
}

/// Escapes control characters, so that nothing that a client sends can begin a line of its own or steer the terminal
/// of whoever reads the log (CWE-117, CVE-2025-58160). The escapes are valid inside JSON texts.
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    /// Gets one whole line at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(&escape(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn escape(line: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(line);
    let (body, end) = text.strip_suffix('\n').map_or((&*text, ""), |body| (body, "\n"));
    let mut escaped = String::with_capacity(line.len());
    for c in body.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            // Writing to a `String` cannot fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    (escaped + end).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_without_controls() {
        let line = "GET /a\r\n\u{1b}[31mroot\u{9b}2J\u{7f}\u{2028} é\n".as_bytes();
        assert_eq!(
            String::from_utf8(escape(line)).unwrap(),
            "GET /a\\u000d\\u000a\\u001b[31mroot\\u009b2J\\u007f\\u2028 é\n"
        );
    }

    #[test]
    fn escapes_keep_json_what_it_is() {
        let json = serde_json::json!({ "path": "a\u{9b}\u{7f}b" }).to_string();
        let escaped = String::from_utf8(escape(json.as_bytes())).unwrap();
        assert!(escaped.is_ascii());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap()["path"], "a\u{9b}\u{7f}b");
    }
}
