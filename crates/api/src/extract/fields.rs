//! From members of a JSON object, or parameters of a query, to domain types: all faults at once.

use super::json::{Json, Members};
use crate::error::ApiError;
use crate::problem::FieldError;
use vestibule_domain::access::Caller;
use vestibule_domain::credential::PasswordPolicy;
use vestibule_domain::fault::Fault;

/// More would only make the answer larger than the request.
const MAX_FAULTS: usize = 100;

/// A request body. Take every field, whatever becomes of the others, so that all faults are found; `None` is for a
/// fault that was noted.
pub(crate) trait ReadJson: Sized {
    fn read(fields: &mut Fields<'_>) -> Option<Self>;
}

/// The parameters of a query, like [`ReadJson`].
pub(crate) trait ReadQuery: Sized {
    fn read(parameters: &mut Parameters<'_>) -> Option<Self>;
}

/// Parameters are read like fields; their pointers are `/` and their name.
pub(crate) type Parameters<'a> = Fields<'a>;

/// What a client sent, each field to be taken once. What is left at the end is unknown, which is a fault as well.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    members: Members,
    policy: &'a PasswordPolicy,
    caller: Option<Caller>,
    faults: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(members: Members, policy: &'a PasswordPolicy) -> Self {
        Self { members, policy, caller: None, faults: Vec::new() }
    }

    pub(super) fn sent_by(self, caller: Option<Caller>) -> Self {
        Self { caller, ..self }
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// `validation_failed` with every fault that was noted and every field that was not taken.
    pub(super) fn read<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, ApiError> {
        let value = read(&mut self);
        for name in std::mem::take(&mut self.members).into_keys() {
            self.note(pointer(&name), Fault::new("unknown_field", "is not known here"));
        }
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(ApiError::validation(self.faults)),
        }
    }

    /// The rule for new passwords.
    pub(crate) fn policy(&self) -> &'a PasswordPolicy {
        self.policy
    }

    /// Whoever sent this, if the handler has demanded to know before it takes the body.
    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    /// A string that must be there.
    pub(crate) fn required<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let value = self.take(name)?;
        self.string(pointer(name), &value, parse)
    }

    /// A string that may be absent, but not `null`. `None` if it is absent or at fault: with a fault noted nobody
    /// sees what was read.
    pub(crate) fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let value = self.members.remove(name)?;
        self.string(pointer(name), &value, parse)
    }

    /// One of a few words, or absent.
    pub(crate) fn optional_enum<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Option<T> {
        self.optional(name, |text| {
            words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
                let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
                Fault::owned("invalid_value", format!("must be {}", words.join(" or ")))
            })
        })
    }

    /// A list of strings that must be there, of at most `most`.
    pub(crate) fn required_list<T>(
        &mut self,
        name: &str,
        most: usize,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<Vec<T>> {
        let value = self.take(name)?;
        let Json::Array(items) = value else {
            self.note(pointer(name), wrong_type("a list of strings"));
            return None;
        };
        if items.len() > most {
            self.note(pointer(name), Fault::owned("too_long", format!("must have at most {most} entries")));
            return None;
        }
        let parsed: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.string(format!("{}/{index}", pointer(name)), item, &parse))
            .collect();
        parsed.into_iter().collect()
    }

    fn take(&mut self, name: &str) -> Option<Json> {
        let value = self.members.remove(name);
        if value.is_none() {
            self.note(pointer(name), Fault::new("required", "must be there"));
        }
        value
    }

    fn string<T>(&mut self, pointer: String, value: &Json, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let parsed = match value {
            // PostgreSQL cannot hold it, SQLite can: refused here, the same on both.
            Json::String(text) if text.contains('\0') => {
                Err(Fault::new("invalid_character", "must not contain U+0000"))
            }
            Json::String(text) => parse(text),
            _ => Err(wrong_type("a string")),
        };
        parsed.map_err(|fault| self.note(pointer, fault)).ok()
    }

    fn note(&mut self, pointer: String, fault: Fault) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(FieldError { pointer, code: fault.code, detail: fault.detail });
        }
    }
}

/// RFC 6901, section 3.
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn wrong_type(expected: &str) -> Fault {
    Fault::owned("invalid_type", format!("must be {expected}"))
}
