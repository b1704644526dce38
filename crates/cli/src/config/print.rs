//! What is in use and where it comes from, as a TOML document.

use super::Config;
use super::entry::Source;
use super::fault::as_toml;
use super::setting::{Fallback, Secrecy, Setting, Shape};
use super::table::SETTINGS;

const REDACTED: &str = "[redacted]";

impl Config {
    /// One line for each setting; secrets are left out.
    pub(crate) fn lines(&self) -> Vec<String> {
        let settings = SETTINGS.iter().map(|setting| self.line(setting));
        let roles = self.entries.under("roles").map(|(role, entry)| {
            let permissions = as_toml(Shape::List, entry.written.joined());
            line(&format!("roles.{role}"), &permissions, &entry.source)
        });
        settings.chain(roles).collect()
    }

    fn line(&self, setting: &Setting) -> String {
        match (self.entries.get(setting.key), &setting.default) {
            (Some(entry), _) => {
                let shown = match setting.secrecy {
                    Secrecy::Open => entry.written.joined().to_owned(),
                    Secrecy::Url => without_password(entry.written.joined()),
                    Secrecy::Secret => REDACTED.to_owned(),
                };
                line(setting.key, &as_toml(setting.shape, &shown), &entry.source)
            }
            (None, Fallback::Unset(meaning)) => format!("# {} is not set: {meaning}", setting.key),
            (None, _) => format!("# {} is not set", setting.key),
        }
    }
}

fn line(key: &str, value: &str, source: &Source) -> String {
    format!("{key} = {value}  # {source}")
}

/// The password can also stand in the query (`?password=`), which libpq and SQLx both read.
pub(super) fn without_password(url: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
    let address = match address.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (credentials, host))) => match credentials.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:{REDACTED}@{host}"),
            None => address.to_owned(),
        },
        None => address.to_owned(),
    };
    let hide = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if name.to_lowercase().contains("password") => format!("{name}={REDACTED}"),
        _ => parameter.to_owned(),
    };
    match query {
        None => address,
        Some(query) => format!("{address}?{}", query.split('&').map(hide).collect::<Vec<_>>().join("&")),
    }
}
