//! Time as an argument.

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Timelike, Utc};
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

/// A point in time in UTC, whole milliseconds: what both stores and the API can hold without loss.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    pub const EPOCH: Self = Self(DateTime::UNIX_EPOCH);

    /// `None` outside the years that the calendar can name (±262,000).
    pub fn from_millis(millis: i64) -> Option<Self> {
        DateTime::from_timestamp_millis(millis).map(Self)
    }

    /// Milliseconds since 1970.
    pub fn as_millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// Whole seconds since 1970, rounded down: the `NumericDate` of RFC 7519.
    pub fn as_secs(self) -> i64 {
        self.0.timestamp()
    }

    pub fn as_datetime(self) -> DateTime<Utc> {
        self.0
    }

    /// Stays at the calendar's end rather than overflow.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let moved = TimeDelta::from_std(duration).ok().and_then(|delta| self.0.checked_add_signed(delta));
        Self::from(moved.unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    /// Stays at the calendar's start rather than overflow.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let moved = TimeDelta::from_std(duration).ok().and_then(|delta| self.0.checked_sub_signed(delta));
        Self::from(moved.unwrap_or(DateTime::<Utc>::MIN_UTC))
    }

    /// How long ago `earlier` was; zero if it is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        (self.0 - earlier.0).to_std().unwrap_or_default()
    }
}

impl From<DateTime<Utc>> for Timestamp {
    /// Cuts what is finer than a millisecond.
    fn from(time: DateTime<Utc>) -> Self {
        Self::from_millis(time.timestamp_millis()).unwrap_or(Self(time))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, milliseconds, `Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.digits() {
            Some(text) => f.write_str(str::from_utf8(&text).map_err(|_| fmt::Error)?),
            None => f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true)),
        }
    }
}

impl Timestamp {
    /// As RFC 3339 has it; `None` outside of the years 0 to 9999. By hand, because it stands three times in every
    /// user that is shown, and the calendar's own way takes ten times as long.
    fn digits(&self) -> Option<[u8; 24]> {
        let year = u32::try_from(self.0.year()).ok().filter(|year| *year <= 9_999)?;
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let parts = [
            (3, year),
            (6, self.0.month()),
            (9, self.0.day()),
            (12, self.0.hour()),
            (15, self.0.minute()),
            (18, self.0.second()),
            (22, self.0.timestamp_subsec_millis()),
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
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
