//! Time as an argument.

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

/// Where services read the time. Tests move it by hand.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Calendar time, for what is stored or signed.
    fn now(&self) -> Timestamp;
    /// Time since some fixed start, never set back: for deadlines and ages.
    fn monotonic(&self) -> Duration;
    /// Completes once `lasts` has gone by since this call, which is real time also where the rest is moved by hand.
    fn timer(&self, lasts: Duration) -> Timer;
}

pub type Timer = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A point in time in UTC, whole milliseconds since 1970: what both stores and the API can hold without loss.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const EPOCH: Self = Self(0);
    /// What the calendar can name: the years ±262,000.
    const MIN: Self = Self(DateTime::<Utc>::MIN_UTC.timestamp_millis());
    const MAX: Self = Self(DateTime::<Utc>::MAX_UTC.timestamp_millis());

    /// `None` outside the years that the calendar can name (±262,000).
    pub fn from_millis(millis: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&millis).then_some(Self(millis))
    }

    /// Milliseconds since 1970.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down: the `NumericDate` of RFC 7519.
    pub fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    pub fn as_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// Stays at the calendar's end rather than overflow.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis)).min(Self::MAX)
    }

    /// Stays at the calendar's start rather than overflow.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis)).max(Self::MIN)
    }

    /// How long ago `earlier` was; zero if it is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or_default())
    }
}

impl From<DateTime<Utc>> for Timestamp {
    /// Cuts what is finer than a millisecond.
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_millis())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, milliseconds, `Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.as_datetime();
        match digits(time) {
            Some(text) => f.write_str(str::from_utf8(&text).map_err(|_| fmt::Error)?),
            None => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
        }
    }
}

/// As RFC 3339 has it; `None` outside of the years 0 to 9999. By hand, because it stands three times in every user that
/// is shown, and the calendar's own way takes ten times as long.
fn digits(time: DateTime<Utc>) -> Option<[u8; 24]> {
    let year = u32::try_from(time.year()).ok().filter(|year| *year <= 9_999)?;
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let parts = [
        (3, year),
        (6, time.month()),
        (9, time.day()),
        (12, time.hour()),
        (15, time.minute()),
        (18, time.second()),
        (22, time.timestamp_subsec_millis()),
    ];
    for (end, mut number) in parts {
        for digit in text.iter_mut().take(end + 1).rev() {
            if number == 0 {
                break;
            }
            *digit += u8::try_from(number % 10).ok()?;
            number /= 10;
        }
    }
    Some(text)
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
