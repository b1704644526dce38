//! What is wrong with the configuration, told so that it can be put right.

use super::entry::{Entry, Source};
use super::setting::{Secrecy, Setting, Shape};
use std::fmt;

#[derive(Debug)]
pub(crate) struct Fault {
    /// The setting, or what was taken for one.
    pub(crate) key: String,
    pub(crate) source: Option<Source>,
    /// Follows the value, if one may be shown: «is not a duration».
    pub(crate) reason: String,
    value: Option<String>,
    expected: Option<&'static str>,
    example: Option<String>,
}

impl Fault {
    /// About a thing that is not one of the settings.
    pub(crate) fn new(key: impl Into<String>, source: Option<Source>, reason: impl Into<String>) -> Self {
        Self { key: key.into(), source, reason: reason.into(), value: None, expected: None, example: None }
    }

    /// About the value of a setting.
    pub(crate) fn of_value(setting: &'static Setting, entry: Option<&Entry>, reason: impl Into<String>) -> Self {
        let source = entry.map(|entry| &entry.source);
        Self {
            key: setting.key.to_owned(),
            source: source.cloned(),
            reason: reason.into(),
            // A URL that does not parse may still hold a password.
            value: entry.filter(|_| setting.secrecy == Secrecy::Open).map(|entry| entry.written.joined().to_owned()),
            expected: Some(setting.expected),
            example: Some(example(setting, source)),
        }
    }

    #[must_use]
    pub(crate) fn with_example(self, example: impl Into<String>) -> Self {
        Self { example: Some(example.into()), ..self }
    }

    #[must_use]
    pub(crate) fn expecting(self, expected: &'static str) -> Self {
        Self { expected: Some(expected), ..self }
    }
}

/// In the manner in which the value was given.
fn example(setting: &Setting, source: Option<&Source>) -> String {
    match source {
        Some(Source::Variable(_)) => format!("{}={}", setting.variable(), setting.example),
        Some(Source::Flag(flag)) => format!("{flag} {}", setting.example),
        Some(Source::File { .. } | Source::FileNamedIn { .. } | Source::Default) | None => {
            format!("{} = {}", setting.key, as_toml(setting.shape, setting.example))
        }
    }
}

/// A value as TOML; a list is given with commas.
pub(crate) fn as_toml(shape: Shape, text: &str) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    match shape {
        Shape::Text => quoted(text),
        Shape::Bare => text.to_owned(),
        Shape::List => {
            let items: Vec<_> = text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(quoted).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(source) = &self.source {
            write!(f, " ({source})")?;
        }
        f.write_str(":")?;
        if let Some(value) = &self.value {
            write!(f, " {value:?}")?;
        }
        write!(f, " {}", self.reason)?;
        if let Some(expected) = self.expected {
            write!(f, "\n    expected: {expected}")?;
        }
        if let Some(example) = &self.example {
            write!(f, "\n    example:  {example}")?;
        }
        Ok(())
    }
}

/// All of them, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// Whether the value of `key` is not what was written, so that nothing more can be said about it.
    pub(crate) fn concern(&self, key: &str) -> bool {
        self.0.iter().any(|fault| fault.key == key)
    }
}

impl std::error::Error for Faults {}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a fault")?,
            n => write!(f, "the configuration has {n} faults")?,
        }
        self.0.iter().try_for_each(|fault| write!(f, "\n  {}", fault.to_string().replace('\n', "\n  ")))
    }
}
