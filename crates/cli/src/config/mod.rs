//! The configuration: from a file, the environment and flags to checked values.
//!
//! A flag beats a variable, a variable beats the file, the file beats the default.

mod check;
mod entry;
pub(crate) mod environment;
mod fault;
mod file;
mod nearest;
mod parse;
pub(crate) mod print;
pub(crate) mod reference;
mod roles;
mod secret;
pub(crate) mod secret_file;
mod setting;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use fault::Faults;
pub(crate) use parse::{LogFormat, StoreUrl, duration};
pub(crate) use setting::Host;
#[cfg(test)]
pub(crate) use table::SETTINGS;
pub(crate) use table::Values;

use entry::{Entries, Source};
use parse::Written;
use std::ffi::OsString;
use std::ops::Deref;
use std::path::PathBuf;
use vestibule_domain::access::RoleCatalog;
use vestibule_infrastructure::crypto::{HmacSecret, MasterKey, Peppers};

/// Where settings come from.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// Must exist if it is named.
    pub(crate) file: Option<PathBuf>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Whether `DATABASE_URL` counts.
    pub(crate) with_database_url: bool,
    /// The key, the flag and its value.
    pub(crate) flags: Vec<(&'static str, &'static str, String)>,
    pub(crate) host: Host,
}

/// What signs and seals, and what goes into hashes.
#[derive(Debug)]
pub(crate) struct Secrets {
    pub(crate) hmac: Option<HmacSecret>,
    pub(crate) master_key: Option<MasterKey>,
    pub(crate) peppers: Peppers,
}

/// Checked settings.
#[derive(Debug)]
pub(crate) struct Config {
    values: Values,
    pub(crate) roles: RoleCatalog,
    /// Each is a sentence for the operator.
    pub(crate) warnings: Vec<String>,
    entries: Entries,
}

impl Deref for Config {
    type Target = Values;

    fn deref(&self) -> &Values {
        &self.values
    }
}

impl Config {
    /// All faults at once.
    pub(crate) fn load(inputs: &Inputs) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut entries = Entries::defaults(inputs.host);
        file::read(inputs.file.as_deref(), &mut entries, &mut faults);
        environment::read(&inputs.environment, inputs.with_database_url, &mut entries, &mut faults);
        for (key, flag, value) in &inputs.flags {
            entries.set(key, Written::from_text(value), Source::Flag(flag));
        }
        let values = Values::read(&entries, &mut faults);
        let roles = roles::read(&entries, &mut faults);
        let Some(values) = values else {
            return Err(faults);
        };
        check::relations(&values, &entries, &mut faults);
        if faults.is_empty() {
            Ok(Self { warnings: check::warnings(&values, &entries), values, roles, entries })
        } else {
            Err(faults)
        }
    }

    /// Hands the secrets over: they are kept in one place only.
    pub(crate) fn take_secrets(&mut self) -> Secrets {
        for key in ["tokens.secret", "tokens.master_key", "passwords.peppers"] {
            self.entries.forget(key);
        }
        let Values { tokens, passwords, .. } = &mut self.values;
        let peppers = std::mem::take(&mut passwords.peppers);
        Secrets { hmac: tokens.secret.take(), master_key: tokens.master_key.take(), peppers }
    }

    /// Says under which address the service is reached, unless that has been set.
    pub(crate) fn suggest_public_url(&mut self, url: &str) {
        if self.entries.is_default("http.public_url")
            && let Ok(origin) = parse::origin(url)
        {
            self.values.http.public_url = origin;
        }
    }

    /// `iss` of access tokens.
    pub(crate) fn issuer(&self) -> String {
        self.tokens.issuer.clone().unwrap_or_else(|| self.http.public_url.as_str().to_owned())
    }

    /// Whether nobody has set it.
    pub(crate) fn is_default(&self, key: &str) -> bool {
        self.entries.is_default(key)
    }
}
