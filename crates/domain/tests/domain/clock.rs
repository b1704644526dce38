use chrono::{DateTime, Utc};
use proptest::prelude::*;
use std::time::Duration;
use vestibule_domain::Timestamp;

/// What the calendar can name.
fn millis() -> impl Strategy<Value = i64> {
    DateTime::<Utc>::MIN_UTC.timestamp_millis()..=DateTime::<Utc>::MAX_UTC.timestamp_millis()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

proptest! {
    #[test]
    fn is_written_as_the_calendar_writes_it(millis in -70_000_000_000_000_i64..300_000_000_000_000) {
        let expected = at(millis).as_datetime().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        prop_assert_eq!(at(millis).to_string(), expected);
    }

    #[test]
    fn milliseconds_survive_the_round_trip(millis in millis()) {
        prop_assert_eq!(at(millis).as_millis(), millis);
        prop_assert_eq!(at(millis).as_secs(), millis.div_euclid(1_000));
        prop_assert_eq!(Timestamp::from(at(millis).as_datetime()), at(millis));
    }

    #[test]
    fn the_order_is_that_of_the_milliseconds(a in millis(), b in millis()) {
        prop_assert_eq!(at(a).cmp(&at(b)), a.cmp(&b));
    }

    #[test]
    fn the_text_is_rfc_3339_with_milliseconds(millis in 0_i64..253_402_300_800_000) {
        let text = at(millis).to_string();
        prop_assert_eq!(text.len(), "2026-11-23T00:00:00.000Z".len());
        prop_assert!(text.ends_with('Z'));
        prop_assert_eq!(DateTime::parse_from_rfc3339(&text).unwrap().timestamp_millis(), millis);
    }

    #[test]
    fn later_by_a_duration_is_that_duration_since(start in -1_000_000_000_000_i64..1_000_000_000_000, ms in 0_u64..1_000_000_000_000) {
        let duration = Duration::from_millis(ms);
        prop_assert_eq!(at(start).plus(duration).since(at(start)), duration);
        prop_assert_eq!(at(start).plus(duration).minus(duration), at(start));
        prop_assert_eq!(at(start).since(at(start).plus(Duration::from_millis(1))), Duration::ZERO);
    }

    #[test]
    fn arithmetic_saturates_at_whole_milliseconds(start in millis(), secs in any::<u64>(), nanos in 0_u32..1_000_000_000) {
        let duration = Duration::new(secs, nanos);
        for moved in [at(start).plus(duration), at(start).minus(duration)] {
            prop_assert_eq!(Timestamp::from_millis(moved.as_millis()), Some(moved));
        }
        prop_assert!(at(start).plus(duration) >= at(start));
        prop_assert!(at(start).minus(duration) <= at(start));
    }
}

#[test]
fn the_ends_of_the_calendar_are_whole_milliseconds_too() {
    let latest = Timestamp::EPOCH.plus(Duration::MAX);
    let earliest = Timestamp::EPOCH.minus(Duration::MAX);
    assert_eq!(Timestamp::from_millis(latest.as_millis()), Some(latest));
    assert_eq!(Timestamp::from_millis(earliest.as_millis()), Some(earliest));
    assert_eq!(latest.plus(Duration::from_secs(1)), latest);
    assert_eq!(earliest.minus(Duration::from_secs(1)), earliest);
}

#[test]
fn what_the_calendar_cannot_name_is_no_timestamp() {
    assert_eq!(Timestamp::from_millis(i64::MAX), None);
    assert_eq!(Timestamp::from_millis(i64::MIN), None);
}

#[test]
fn what_is_finer_than_a_millisecond_is_cut() {
    let fine = DateTime::from_timestamp_nanos(1_234_567_899);
    assert_eq!(Timestamp::from(fine).as_millis(), 1_234);
}

#[test]
fn what_is_finer_than_a_millisecond_is_cut_off_what_comes_out() {
    let start = Timestamp::from_millis(1_000).unwrap();
    for (micros, later, earlier) in [(999, 1_000, 999), (1_000, 1_001, 999), (1_001, 1_001, 998)] {
        let duration = Duration::from_micros(micros);
        assert_eq!((start.plus(duration).as_millis(), start.minus(duration).as_millis()), (later, earlier), "{micros}");
    }
}
