//! The one place that writes to standard output and standard error; log lines aside.

use std::fmt::Display;
use std::io::{self, Write};

/// One line of what was asked for.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// As it is, without a line break.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// One line of JSON.
pub(crate) fn json(value: &serde_json::Value) -> io::Result<()> {
    line(value)
}

/// One line for the person who typed the command, beside what was asked for.
pub(crate) fn note(text: impl Display) {
    // Nobody is left to tell that nobody reads.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
