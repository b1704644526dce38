//! From what was written to a value. Each parser says what is wrong; what would be right stands in the table.

use super::secret::Secret;
use ipnet::IpNet;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tracing_subscriber::filter::{LevelFilter, Targets};
use vestibule_domain::throttle::Budget;
use vestibule_domain::token::Algorithm;
use vestibule_domain::user::RegistrationMode;
use vestibule_infrastructure::crypto::{Hashing, HmacSecret, MasterKey, Peppers};

/// A value, or why there is none: a phrase that follows the value, as in «is not a number».
pub(crate) type Parsed<T> = Result<T, String>;

/// A text, or a list of texts, which variables and flags write with commas.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    text: Secret,
    is_list: bool,
}

impl Written {
    pub(crate) fn from_text(text: &str) -> Self {
        Self { text: Secret::new(text.to_owned()), is_list: false }
    }

    pub(crate) fn from_items(items: &[&str]) -> Self {
        Self { text: Secret::new(items.join(",")), is_list: true }
    }

    /// The text; of a list the items with commas.
    pub(crate) fn joined(&self) -> &str {
        self.text.reveal()
    }

    fn items(&self) -> impl Iterator<Item = &str> {
        self.joined().split(',').map(str::trim).filter(|item| !item.is_empty())
    }
}

pub(super) fn one<T>(parse: impl Fn(&str) -> Parsed<T>) -> impl Fn(Option<&Written>) -> Parsed<T> {
    move |written| match written {
        Some(written) if written.is_list => Err("must not be a list".to_owned()),
        Some(written) => parse(written.joined()),
        None => Err("is required".to_owned()),
    }
}

pub(super) fn optional<T>(parse: impl Fn(&str) -> Parsed<T>) -> impl Fn(Option<&Written>) -> Parsed<Option<T>> {
    let parse = one(parse);
    move |written| written.map(|written| parse(Some(written))).transpose()
}

pub(super) fn many<T>(parse: impl Fn(&str) -> Parsed<T>) -> impl Fn(Option<&Written>) -> Parsed<Vec<T>> {
    move |written| {
        let items = written.into_iter().flat_map(Written::items);
        items.map(|item| parse(item).map_err(|reason| format!("has an item {item:?} that {reason}"))).collect()
    }
}

pub(super) fn text(text: &str) -> Parsed<String> {
    if text.trim().is_empty() { Err("is empty".to_owned()) } else { Ok(text.to_owned()) }
}

pub(super) fn truth(text: &str) -> Parsed<bool> {
    text.parse().map_err(|_| "is neither true nor false".to_owned())
}

pub(super) fn number<T: FromStr + PartialOrd + Display + Copy>(least: T, most: T) -> impl Fn(&str) -> Parsed<T> {
    move |text| {
        let number: T = text.parse().map_err(|_| "is not a whole number in this range".to_owned())?;
        if number < least {
            Err(format!("is below {least}"))
        } else if number > most {
            Err(format!("is above {most}"))
        } else {
            Ok(number)
        }
    }
}

/// A whole number and one of the units `ms`, `s`, `m`, `h`, `d`.
pub(crate) fn duration(least: Duration, most: Duration) -> impl Fn(&str) -> Parsed<Duration> {
    move |text| {
        let duration = parse_duration(text).ok_or("is not a duration")?;
        if duration < least {
            Err("is too short".to_owned())
        } else if duration > most {
            Err("is too long".to_owned())
        } else {
            Ok(duration)
        }
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let seconds_each = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    number.checked_mul(seconds_each).map(Duration::from_secs)
}

/// So many at once, and so many more in a time: `10+20/1m`.
pub(super) fn budget(text: &str) -> Parsed<Budget> {
    let parts = || {
        let (burst, rate) = text.split_once('+')?;
        let (count, time) = rate.split_once('/')?;
        Some((burst.parse::<u32>().ok()?, count.parse::<u32>().ok()?, parse_duration(time)?))
    };
    let (burst, count, time) = parts().ok_or("is not of this form")?;
    if !(1..=1_000_000).contains(&burst) || !(1..=1_000_000).contains(&count) {
        return Err("has a number below 1 or above 1000000".to_owned());
    }
    let refill = time / count;
    if refill < Duration::from_millis(1) || time > Duration::from_hours(24) {
        return Err("allows more than one each millisecond, or has a time above 24h".to_owned());
    }
    Ok(Budget { burst, refill })
}

pub(super) fn address(text: &str) -> Parsed<SocketAddr> {
    text.parse().map_err(|_| "is not an IP address with a port".to_owned())
}

/// An address, or `off`.
pub(super) fn address_or_off(text: &str) -> Parsed<Option<SocketAddr>> {
    if text == "off" { Ok(None) } else { address(text).map(Some) }
}

/// A range, or an address for the range of one.
pub(super) fn network(text: &str) -> Parsed<IpNet> {
    let range = text.parse::<IpNet>().map(|range| range.trunc());
    range.or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| "is not a range in CIDR notation".to_owned())
}

pub(super) fn header(text: &str) -> Parsed<http::HeaderName> {
    text.parse().map_err(|_| "is not the name of a header".to_owned())
}

/// Scheme, host and port as a browser writes them in `Origin` (RFC 6454, section 6.1), so that comparing bytes is
/// comparing origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(String);

impl Origin {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// Whether it never leaves the machine.
    pub(crate) fn is_local(&self) -> bool {
        let authority = self.0.split_once("://").map_or("", |(_, authority)| authority);
        ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .any(|host| authority.strip_prefix(host).is_some_and(|port| port.is_empty() || port.starts_with(':')))
    }
}

pub(super) fn origin(text: &str) -> Parsed<Origin> {
    let (scheme, authority) = text.split_once("://").ok_or("has no scheme")?;
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return Err("begins with neither http:// nor https://".to_owned()),
    };
    if authority.contains(['/', '?', '#']) {
        return Err("has something behind the host and port".to_owned());
    }
    if authority.contains('*') {
        return Err("has a wildcard, which would admit everybody".to_owned());
    }
    let parsed: http::uri::Authority = authority.parse().map_err(|_| "has no valid host".to_owned())?;
    if parsed.host().is_empty() || authority.contains('@') || authority.ends_with(':') {
        return Err("has no valid host".to_owned());
    }
    if authority.chars().any(|c| c.is_ascii_uppercase()) {
        return Err("has upper-case letters, which browsers do not send".to_owned());
    }
    if authority.ends_with(default_port) {
        return Err("names the default port, which browsers leave out".to_owned());
    }
    Ok(Origin(text.to_owned()))
}

#[derive(Debug, Clone)]
pub(crate) enum StoreUrl {
    Sqlite(PathBuf),
    Postgres(Secret),
}

pub(super) fn store_url(text: &str) -> Parsed<StoreUrl> {
    let (scheme, rest) = text.split_once(':').ok_or("is not a URL")?;
    match scheme {
        "sqlite" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() || path.contains(['?', '#', '\0']) || path == ":memory:" {
                return Err("names no file".to_owned());
            }
            Ok(StoreUrl::Sqlite(PathBuf::from(path)))
        }
        "postgres" | "postgresql" if rest.starts_with("//") => Ok(StoreUrl::Postgres(Secret::new(text.to_owned()))),
        _ => Err("names no database that is known here".to_owned()),
    }
}

pub(super) fn mail_url(text: &str) -> Parsed<Secret> {
    let known =
        ["file://", "smtp://", "smtps://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    if known {
        Ok(Secret::new(text.to_owned()))
    } else {
        Err("begins with none of file://, smtp:// and smtps://".to_owned())
    }
}

pub(super) fn mail_address(text: &str) -> Parsed<vestibule_domain::user::Email> {
    vestibule_domain::user::Email::parse(text).map_err(|fault| fault.detail.into_owned())
}

pub(super) fn algorithm(text: &str) -> Parsed<Algorithm> {
    Algorithm::parse(text).ok_or_else(|| "is not an algorithm that is known here".to_owned())
}

pub(super) fn hmac_secret(text: &str) -> Parsed<HmacSecret> {
    HmacSecret::from_base64(text).map_err(|error| error.to_string())
}

pub(super) fn master_key(text: &str) -> Parsed<MasterKey> {
    MasterKey::from_base64(text).map_err(|error| error.to_string())
}

pub(super) fn peppers(written: Option<&Written>) -> Parsed<Peppers> {
    let Some(written) = written else { return Ok(Peppers::NONE) };
    Peppers::parse(written.items()).map_err(|error| error.to_string())
}

pub(super) fn file(text: &str) -> Parsed<PathBuf> {
    if text.is_empty() || text.contains('\0') { Err("is not a path".to_owned()) } else { Ok(text.into()) }
}

pub(super) fn hashing(text: &str) -> Parsed<Hashing> {
    match text {
        "fastest" => Ok(Hashing::Fastest),
        "reference" => Ok(Hashing::Reference),
        _ => Err("is neither fastest nor reference".to_owned()),
    }
}

pub(super) fn registration_mode(text: &str) -> Parsed<RegistrationMode> {
    match text {
        "open" => Ok(RegistrationMode::Open),
        "strict" => Ok(RegistrationMode::Strict),
        "closed" => Ok(RegistrationMode::Closed),
        _ => Err("is not a mode of registration".to_owned()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

pub(super) fn log_format(text: &str) -> Parsed<LogFormat> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("is neither text nor json".to_owned()),
    }
}

/// A level, or several `target=level` beside it. What is neither is refused: the library would take a mistyped level
/// for the name of a target.
pub(super) fn log_filter(text: &str) -> Parsed<Targets> {
    let is_level = |level: &str| !level.is_empty() && level.parse::<LevelFilter>().is_ok();
    let is_directive = |part: &str| is_level(part.rsplit_once('=').map_or(part, |(_, level)| level));
    let parsed = text.parse::<Targets>().ok().filter(|_| text.split(',').all(is_directive));
    parsed.ok_or_else(|| "is not a level".to_owned())
}
