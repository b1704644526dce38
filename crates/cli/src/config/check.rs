//! What must hold between settings, and what is allowed but unwise.

mod exposure;

use super::entry::Entries;
use super::fault::{Fault, Faults};
use super::parse::StoreUrl;
use super::setting::find;
use super::table::Values;
use vestibule_domain::token::Algorithm;

/// Adds a fault for each rule that is broken by values that are right in themselves.
pub(super) fn relations(values: &Values, entries: &Entries, faults: &mut Faults) {
    let tokens = &values.tokens;
    let rules = [
        (
            tokens.algorithm == Algorithm::Hs256 && tokens.secret.is_none(),
            ["tokens.secret", "tokens.algorithm"],
            "is required with HS256",
        ),
        (
            matches!(values.store.url, StoreUrl::Postgres(_)) && tokens.master_key.is_none(),
            ["tokens.master_key", "store.url"],
            "is required with PostgreSQL",
        ),
        (
            tokens.refresh_absolute < tokens.refresh_idle,
            ["tokens.refresh_absolute", "tokens.refresh_idle"],
            "is below tokens.refresh_idle",
        ),
        (
            values.http.ops_listen == Some(values.http.listen) && values.http.listen.port() != 0,
            ["http.ops_listen", "http.listen"],
            "is the address of http.listen",
        ),
        (
            values.mail.url.as_ref().is_some_and(|url| url.reveal().starts_with("smtp")) && values.mail.from.is_none(),
            ["mail.from", "mail.url"],
            "is required with a mail server",
        ),
        (
            values.http.hsts && !values.http.public_url.is_https(),
            ["http.hsts", "http.public_url"],
            "needs an http.public_url that is https",
        ),
    ];
    for (broken, keys, reason) in rules {
        // A key that has a fault holds its default: nothing can be said about it.
        let told = keys.iter().any(|key| faults.concern(key));
        if broken
            && !told
            && let Some(setting) = keys.first().and_then(|key| find(key))
        {
            faults.push(Fault::of_value(setting, entries.get(setting.key), reason));
        }
    }
}

/// What to tell the operator of a configuration that is in order.
pub(super) fn warnings(values: &Values, entries: &Entries) -> Vec<String> {
    let public_url = &values.http.public_url;
    let warnings = [
        (
            !public_url.is_https() && !public_url.is_local(),
            "http.public_url is not https: passwords and tokens cross the network in the clear",
        ),
        (!values.limits.enabled, "limits.enabled is false: that is for load tests only"),
        (
            values.tokens.algorithm != Algorithm::Hs256 && values.tokens.secret.is_some(),
            "tokens.secret is set but used with tokens.algorithm = \"HS256\" only",
        ),
    ];
    let unwise = warnings.into_iter().filter(|(applies, _)| *applies).map(|(_, text)| text.to_owned());
    unwise.chain(exposure::of_secrets(entries)).collect()
}
