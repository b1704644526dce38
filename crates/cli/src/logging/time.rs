//! When a line was written: RFC 3339, UTC, to the microsecond.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vestibule_domain::Timestamp;

#[expect(clippy::disallowed_methods, reason = "nothing is decided by the time of a line")]
pub(super) fn push_now(line: &mut String) {
    push(line, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
}

/// The calendar is asked once a second and thread: it takes longer than the rest of a line.
fn push(line: &mut String, since_1970: Duration) {
    thread_local! {
        static SECOND: Cell<(u64, [u8; 20])> = const { Cell::new((u64::MAX, [0; 20])) };
    }
    let (mut second, mut text) = SECOND.get();
    if second != since_1970.as_secs() {
        second = since_1970.as_secs();
        let shown = i64::try_from(second).ok().and_then(|second| Timestamp::from_millis(second.checked_mul(1_000)?));
        let shown = shown.unwrap_or(Timestamp::EPOCH).to_string();
        // With the point, without the milliseconds.
        text = shown.as_bytes().first_chunk().copied().unwrap_or(*b"0000-00-00T00:00:00.");
        SECOND.set((second, text));
    }
    line.push_str(str::from_utf8(&text).unwrap_or_default());
    // Without the formatter, as every line has them.
    let mut micros = since_1970.subsec_micros();
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit += (micros % 10) as u8;
        micros /= 10;
    }
    line.push_str(str::from_utf8(&digits).unwrap_or_default());
    line.push('Z');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_microseconds_whatever_was_told_before() {
        let micros = [0, 1, 1_766_273_999_999_999, 1_766_274_000_000_000, 1_766_274_000_123_400, 951_782_400_000_042];
        let times = micros.map(|micros| {
            let mut line = String::new();
            push(&mut line, Duration::from_micros(micros));
            line
        });
        let expected = [
            "1970-01-01T00:00:00.000000Z",
            "1970-01-01T00:00:00.000001Z",
            "2025-12-20T23:39:59.999999Z",
            "2025-12-20T23:40:00.000000Z",
            "2025-12-20T23:40:00.123400Z",
            "2000-02-29T00:00:00.000042Z",
        ];
        assert_eq!(times, expected);
    }
}
