//! The rules by themselves, through a throttle that keeps them in memory.

use proptest::prelude::*;
use std::net::IpAddr;
use std::time::Duration;
use vestibule_domain::Timestamp;
use vestibule_domain::throttle::{Bucket, BucketKey, Budget, Lockout, Network, Rule, Spread, Tried};

const START: Timestamp = Timestamp::EPOCH;

fn at(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(1_000_000 + seconds))
}

/// Charges the bucket if it admits the attempt, which then runs.
fn begin(rule: &Rule, bucket: &mut Bucket, now: Timestamp) -> Result<(), Duration> {
    let refused = rule.refuses(bucket, now).map_or(Ok(()), Err);
    if refused.is_ok() {
        rule.charge(bucket, now);
    }
    refused
}

/// Fails if it is admitted.
fn attempt(rule: &Rule, bucket: &mut Bucket, now: Timestamp) -> Result<(), Duration> {
    let begun = begin(rule, bucket, now);
    if begun.is_ok() {
        rule.fail(bucket, now, now);
    }
    begun
}

proptest! {
    #[test]
    fn a_budget_never_admits_more_than_its_burst_and_what_has_filled_since(
        burst in 1..20_u32,
        refill in 1..10_u64,
        pauses in prop::collection::vec(0..30_u64, 1..200),
    ) {
        let rule = Rule::Failures(Budget::new(burst, Duration::from_secs(refill)));
        let mut bucket = Bucket::default();
        let (mut admitted, mut now) = (0, 0);
        for pause in pauses {
            now += pause / 10;
            match attempt(&rule, &mut bucket, at(now)) {
                Ok(()) => admitted += 1,
                Err(wait) => {
                    prop_assert!(rule.refuses(&bucket, at(now).plus(wait)).is_none(), "{wait:?} is long enough");
                    let sooner = wait.saturating_sub(Duration::from_millis(1));
                    prop_assert!(rule.refuses(&bucket, at(now).plus(sooner)).is_some(), "{wait:?} is not too long");
                }
            }
            prop_assert!(admitted <= u64::from(burst) + now / refill, "{admitted} within {now} s");
        }
    }

    #[test]
    fn what_is_given_back_can_be_spent_again(burst in 1..20_u32, rights in 1..50_usize) {
        let rule = Rule::Failures(Budget::new(burst, Duration::from_mins(1)));
        let mut bucket = Bucket::default();
        for _ in 0..rights {
            prop_assert_eq!(begin(&rule, &mut bucket, at(0)), Ok(()));
            rule.succeed(&mut bucket, at(0), at(0));
        }
        for _ in 0..burst {
            prop_assert_eq!(attempt(&rule, &mut bucket, at(0)), Ok(()));
        }
        prop_assert!(attempt(&rule, &mut bucket, at(0)).is_err());
    }

    /// However long they take, in whatever order they end, and whatever is given back meanwhile.
    #[test]
    fn of_attempts_that_run_no_more_are_let_in_than_of_those_that_failed(
        burst in 1..12_u32,
        refill in 1..6_u64,
        steps in prop::collection::vec((0..5_usize, 0..3_u64, any::<prop::sample::Index>()), 1..300),
    ) {
        let rule = Rule::Failures(Budget::new(burst, Duration::from_secs(refill)));
        let (mut bucket, mut now) = (Bucket::default(), 0);
        let (mut running, mut guesses): (Vec<u64>, Vec<u64>) = Default::default();
        for (step, pause, which) in steps {
            now += pause;
            if step < 2 {
                running.extend(begin(&rule, &mut bucket, at(now)).is_ok().then_some(now));
            } else if !running.is_empty() {
                let began = running.swap_remove(which.index(running.len()));
                match step {
                    2 => rule.succeed(&mut bucket, at(began), at(now)),
                    3 => rule.withdraw(&mut bucket, at(began), at(now)),
                    _ => {
                        rule.fail(&mut bucket, at(began), at(now));
                        guesses.push(began);
                    }
                }
            }
            let mut begun = [guesses.as_slice(), &running].concat();
            begun.sort_unstable();
            for (n, first) in begun.iter().enumerate() {
                for (m, last) in begun.iter().enumerate().skip(n) {
                    prop_assert!((m - n + 1) as u64 <= u64::from(burst) + (last - first) / refill, "{begun:?}");
                }
            }
        }
    }

    /// Nor does a budget of attempts that are given back when nothing came of them.
    #[test]
    fn what_time_has_filled_is_not_given_back_once_more(
        burst in 1..12_u32,
        refill in 1..6_u64,
        steps in prop::collection::vec((any::<bool>(), 0..3_u64, any::<prop::sample::Index>()), 1..300),
    ) {
        let rule = Rule::Attempts(Budget::new(burst, Duration::from_secs(refill)));
        let (mut bucket, mut now, mut kept) = (Bucket::default(), 0, Vec::new());
        for (begins, pause, which) in steps {
            now += pause;
            if begins {
                kept.extend(begin(&rule, &mut bucket, at(now)).is_ok().then_some(now));
            } else if !kept.is_empty() {
                rule.withdraw(&mut bucket, at(kept.remove(which.index(kept.len()))), at(now));
            }
            for (n, first) in kept.iter().enumerate() {
                for (m, last) in kept.iter().enumerate().skip(n) {
                    prop_assert!((m - n + 1) as u64 <= u64::from(burst) + (last - first) / refill, "{kept:?}");
                }
            }
        }
    }

    #[test]
    fn whoever_is_right_pays_nothing_however_long_it_takes(
        burst in 1..12_u32,
        lasts in prop::collection::vec(0..9_u64, 1..12),
    ) {
        let rule = Rule::Failures(Budget::new(burst, Duration::from_secs(1)));
        let mut bucket = Bucket::default();
        for lasts in lasts {
            for _ in 0..burst {
                prop_assert_eq!(begin(&rule, &mut bucket, at(0)), Ok(()));
            }
            prop_assert!(begin(&rule, &mut bucket, at(0)).is_err());
            for _ in 0..burst {
                rule.succeed(&mut bucket, at(0), at(lasts));
            }
        }
    }

    #[test]
    fn the_accounts_tried_come_back_from_a_row(
        tried in prop::collection::vec((any::<u64>(), 0..1_000_000_000_u64, any::<u32>(), any::<bool>()), 0..20),
    ) {
        let tried = tried.into_iter().map(|(account, at, running, has_failed)| {
            Tried { account, at: START.plus(Duration::from_millis(at)), running, has_failed }
        });
        let bucket = Bucket { tried: tried.collect(), ..Bucket::default() };
        let bytes = bucket.tried_bytes();
        prop_assert_eq!(bytes.len(), bucket.tried.len() * 24);
        prop_assert_eq!(Bucket::tried_from_bytes(&bytes), Some(bucket.tried));
        prop_assert_eq!(Bucket::tried_from_bytes(&[bytes.as_slice(), &[0]].concat()), None);
    }
}

#[test]
fn attempts_are_not_given_back_to_whoever_succeeds() {
    let rule = Rule::Attempts(Budget::new(1, Duration::from_mins(1)));
    let mut bucket = Bucket::default();
    attempt(&rule, &mut bucket, at(0)).unwrap();
    rule.succeed(&mut bucket, at(0), at(0));
    assert_eq!(attempt(&rule, &mut bucket, at(0)), Err(Duration::from_mins(1)));
    rule.withdraw(&mut bucket, at(0), at(0));
    assert_eq!(attempt(&rule, &mut bucket, at(0)), Ok(()));
}

#[test]
fn failures_in_a_row_make_the_next_one_wait_ever_longer_and_at_last_a_day() {
    let rule = Rule::InARow(Lockout { free: 3, most: 100 });
    let mut bucket = Bucket::default();
    let (mut now, mut waits) = (at(0), Vec::new());
    for _ in 0..100 {
        attempt(&rule, &mut bucket, now).unwrap();
        let wait = rule.refuses(&bucket, now).unwrap_or_default();
        waits.push(wait.as_secs());
        now = now.plus(wait);
    }
    let mut expected = vec![0, 0, 1, 3, 5];
    expected.resize(99, 10);
    expected.push(24 * 60 * 60);
    assert_eq!(waits, expected);
    // Never for good, and then everything is forgotten.
    for _ in 0..3 {
        attempt(&rule, &mut bucket, now).unwrap();
    }
    assert_eq!(attempt(&rule, &mut bucket, now), Err(Duration::from_secs(1)));
    rule.succeed(&mut bucket, now, now);
    assert_eq!(bucket, Bucket::default());
}

#[test]
fn failures_are_forgotten_after_a_day_without_any() {
    let rule = Rule::InARow(Lockout { free: 3, most: 100 });
    let mut bucket = Bucket::default();
    for _ in 0..3 {
        attempt(&rule, &mut bucket, at(0)).unwrap();
    }
    let later = at(24 * 60 * 60);
    for _ in 0..3 {
        attempt(&rule, &mut bucket, later).unwrap();
    }
    assert!(attempt(&rule, &mut bucket, later).is_err());
}

fn account(n: u8) -> Rule {
    Rule::Accounts(Spread { most: 15 }, BucketKey::from_bytes([n; 32]))
}

#[test]
fn who_fails_at_fifteen_accounts_in_an_hour_is_out_for_an_hour() {
    let mut bucket = Bucket::default();
    for n in 0..15 {
        for _ in 0..3 {
            if n < 14 || bucket.tried.len() < 15 {
                attempt(&account(n), &mut bucket, at(60 * u64::from(n))).unwrap();
            }
        }
    }
    let last = at(60 * 14);
    assert_eq!(attempt(&account(3), &mut bucket, last), Err(Duration::from_hours(1)));
    assert_eq!(attempt(&account(99), &mut bucket, last.plus(Duration::from_hours(1))), Ok(()));
}

#[test]
fn accounts_that_were_opened_or_tried_long_ago_do_not_count() {
    let mut office = Bucket::default();
    for n in 0..200 {
        begin(&account(n), &mut office, at(0)).unwrap();
        account(n).succeed(&mut office, at(0), at(0));
    }
    let mut slow = Bucket::default();
    for n in 0..200 {
        attempt(&account(n), &mut slow, at(300 * u64::from(n))).unwrap();
    }
    assert!(slow.tried.len() < 15);
}

#[test]
fn the_fifteenth_account_opens_again_if_it_was_right() {
    let mut bucket = Bucket::default();
    for n in 0..15 {
        begin(&account(n), &mut bucket, at(0)).unwrap();
        if n < 14 {
            account(n).fail(&mut bucket, at(0), at(0));
        }
    }
    account(14).succeed(&mut bucket, at(0), at(0));
    assert_eq!(attempt(&account(20), &mut bucket, at(0)), Ok(()));
    assert!(attempt(&account(21), &mut bucket, at(0)).is_err());
}

#[test]
fn d49_an_attempt_that_comes_to_nothing_hides_no_earlier_failure() {
    let mut bucket = Bucket::default();
    for n in 0..14 {
        attempt(&account(n), &mut bucket, at(0)).unwrap();
    }
    for n in 0..14 {
        begin(&account(n), &mut bucket, at(1)).unwrap();
        account(n).withdraw(&mut bucket, at(1), at(1));
    }
    // Nor one that still runs.
    begin(&account(14), &mut bucket, at(2)).unwrap();
    let mut twice = bucket.clone();
    account(14).charge(&mut twice, at(2));
    account(14).withdraw(&mut twice, at(2), at(2));
    for mut bucket in [bucket, twice] {
        assert!(begin(&account(15), &mut bucket, at(2)).is_err());
        account(14).withdraw(&mut bucket, at(3), at(3));
        assert_eq!(begin(&account(15), &mut bucket, at(3)), Ok(()));
    }
}

#[test]
fn what_was_never_settled_counts_as_failed_when_it_cannot_run_any_more() {
    let told = |rule: &Rule, bucket: &Bucket| [0, 9, 10].map(|now| rule.refuses(bucket, at(now)).unwrap().as_secs());
    let budget = Rule::Failures(Budget::new(5, Duration::from_mins(12)));
    let (mut one, mut many) = (Bucket::default(), Bucket::default());
    for n in 0..15 {
        assert_eq!(begin(&budget, &mut one, at(0)).is_ok(), n < 5, "{n}");
        begin(&account(n), &mut many, at(0)).unwrap();
    }
    assert_eq!(told(&budget, &one), [2, 2, 12 * 60 - 10]);
    assert_eq!(told(&account(20), &many), [2, 2, 60 * 60 - 10]);
    let lockout = Rule::InARow(Lockout { free: 3, most: 3 });
    let mut bucket = Bucket::default();
    for _ in 0..3 {
        begin(&lockout, &mut bucket, at(0)).unwrap();
    }
    assert_eq!(told(&lockout, &bucket), [2, 2, 24 * 60 * 60 - 10]);
}

#[test]
fn d55_one_network_has_one_spelling() {
    let of = |text: &str| Network::of(text.parse::<IpAddr>().unwrap());
    assert_eq!(of("2001:db8:1:2::1"), of("2001:0DB8:0001:0002:ffff:ffff:ffff:ffff"));
    assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    for spelling in ["::ffff:192.0.2.1", "64:ff9b::192.0.2.1"] {
        assert_eq!(of(spelling), of("192.0.2.1"));
    }
    assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
}

#[test]
fn j134_what_a_clock_wrote_that_was_a_year_ahead_closes_nothing_now() {
    let year = Duration::from_hours(365 * 24);
    let budget = Rule::Failures(Budget::new(10, Duration::from_secs(3)));
    let rules = [budget, Rule::InARow(Lockout { free: 3, most: 100 }), account(1)];
    for rule in rules {
        let mut bucket = Bucket::default();
        while attempt(&rule, &mut bucket, at(0).plus(year)).is_ok() && bucket.failures < 100 && bucket.tried.len() < 15
        {
            if let Rule::Accounts(..) = rule {
                for n in 2..16 {
                    account(n).charge(&mut bucket, at(0).plus(year));
                }
            }
        }
        assert_eq!(attempt(&rule, &mut bucket, at(0)), Ok(()), "{rule:?}");
    }
}
