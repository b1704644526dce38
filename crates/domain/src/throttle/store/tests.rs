use super::*;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// One bucket, which somebody else changes just before it is swapped, so many times; and what it was asked.
struct Contended {
    failures: Mutex<u32>,
    others: Mutex<u32>,
    asked: Mutex<Vec<&'static str>>,
}

impl Contended {
    fn new(failures: u32, others: u32) -> Self {
        Self { failures: failures.into(), others: others.into(), asked: Mutex::default() }
    }

    fn ask(&self, what: &'static str) -> Vec<Bucket> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        bucket(*self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, buckets: &[Bucket]) {
        *self.failures.lock().unwrap_or_else(PoisonError::into_inner) = buckets[0].failures;
    }
}

fn bucket(failures: u32) -> Vec<Bucket> {
    vec![Bucket { failures, ..Bucket::default() }]
}

#[async_trait]
impl ThrottleStore for Contended {
    async fn buckets(&self, _: &[BucketKey]) -> Result<Vec<Bucket>, StoreError> {
        Ok(self.ask("buckets"))
    }

    async fn swap_buckets(&self, _: &[BucketKey], old: &[Bucket], new: &[Bucket]) -> Result<Swap, StoreError> {
        let mut found = self.ask("swap");
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if *others > 0 {
            *others -= 1;
            found[0].failures += 100;
            self.put(&found);
        }
        if found != old {
            return Ok(Swap::Lost(found));
        }
        self.put(new);
        Ok(Swap::Done)
    }

    async fn change_buckets(&self, _: &[BucketKey], change: &mut ChangeBuckets<'_>) -> Result<(), StoreError> {
        let mut found = self.ask("hold");
        if change(&mut found) {
            self.put(&found);
        }
        Ok(())
    }

    async fn purge_buckets(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }
}

/// Counts one more failure, unless there are `most`; what came of it, what is there then, and what was asked.
fn add_one(store: &Contended, guess: Option<u32>, most: u32) -> (Changed, u32, Vec<&'static str>) {
    let mut add = |buckets: &mut [Bucket]| {
        let is_let_in = buckets[0].failures < most;
        buckets[0].failures += u32::from(is_let_in);
        is_let_in
    };
    let keys = [BucketKey::from_bytes([1; 32])];
    let changing = pin!(change_buckets(store, &keys, guess.map(bucket), &mut add));
    let Poll::Ready(changed) = changing.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("nothing is waited for")
    };
    let changed = changed.expect("an answer");
    let (is, mut asked) =
        (store.ask("")[0].failures, store.asked.lock().unwrap_or_else(PoisonError::into_inner).clone());
    asked.pop();
    (changed, is, asked)
}

fn to(failures: u32) -> Changed {
    Changed::To(bucket(failures))
}

fn not(failures: u32) -> Changed {
    Changed::Not(bucket(failures))
}

#[test]
fn who_is_alone_looks_and_swaps_and_who_knows_what_is_there_swaps() {
    assert_eq!(add_one(&Contended::new(7, 0), None, 99), (to(8), 8, vec!["buckets", "swap"]));
    assert_eq!(add_one(&Contended::new(7, 0), Some(7), 99), (to(8), 8, vec!["swap"]));
}

#[test]
fn who_loses_goes_on_with_what_was_found_and_at_last_holds_it() {
    assert_eq!(add_one(&Contended::new(7, 0), Some(3), 99), (to(8), 8, vec!["swap", "swap"]));
    let (swaps, holds) = (["buckets", "swap", "swap", "swap"], ["buckets", "swap", "swap", "swap", "hold"]);
    assert_eq!(add_one(&Contended::new(7, 2), None, 999), (to(208), 208, swaps.to_vec()));
    assert_eq!(add_one(&Contended::new(7, 9), None, 999), (to(308), 308, holds.to_vec()));
    assert_eq!(add_one(&Contended::new(7, 9), None, 300), (not(307), 307, holds.to_vec()));
}

#[test]
fn who_is_refused_takes_hold_of_nothing() {
    assert_eq!(add_one(&Contended::new(9, 0), None, 9), (not(9), 9, vec!["buckets"]));
    assert_eq!(add_one(&Contended::new(7, 1), None, 9), (not(107), 107, vec!["buckets", "swap"]));
}

/// Else a charge would stay that a process has forgotten, and somebody be refused whom the store would let in.
#[test]
fn nothing_is_left_undone_on_the_strength_of_a_guess() {
    assert_eq!(add_one(&Contended::new(7, 0), Some(9), 9), (to(8), 8, vec!["buckets", "swap"]));
    assert_eq!(add_one(&Contended::new(9, 0), Some(9), 9), (not(9), 9, vec!["buckets"]));
}
