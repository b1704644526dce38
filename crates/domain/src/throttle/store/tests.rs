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
        change(&mut found);
        self.put(&found);
        Ok(())
    }

    async fn purge_buckets(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }
}

/// Counts one more failure, unless there are `most`; what came of it, what is there then, and what was asked.
fn add_one(store: &Contended, guess: Option<u32>, most: u32) -> (Changed, u32, Vec<&'static str>) {
    let mut add = |buckets: &mut [Bucket]| buckets[0].failures += u32::from(buckets[0].failures < most);
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

/// Several, which somebody else changes once, just before some are swapped.
struct Several {
    buckets: Mutex<Vec<Bucket>>,
    meanwhile: Mutex<Option<Vec<u32>>>,
    swapped: Mutex<Vec<Vec<u8>>>,
}

#[async_trait]
impl ThrottleStore for Several {
    async fn buckets(&self, _: &[BucketKey]) -> Result<Vec<Bucket>, StoreError> {
        Ok(self.buckets.lock().unwrap().clone())
    }

    async fn swap_buckets(&self, keys: &[BucketKey], old: &[Bucket], new: &[Bucket]) -> Result<Swap, StoreError> {
        let mut buckets = self.buckets.lock().unwrap();
        if let Some(meanwhile) = self.meanwhile.lock().unwrap().take() {
            *buckets = several(&meanwhile);
        }
        let places: Vec<_> = keys.iter().map(|key| key.as_bytes()[0]).collect();
        let found: Vec<_> = places.iter().map(|place| buckets[usize::from(*place)].clone()).collect();
        self.swapped.lock().unwrap().push(places.clone());
        if found != old {
            return Ok(Swap::Lost(found));
        }
        for (place, new) in places.into_iter().zip(new) {
            buckets[usize::from(place)] = new.clone();
        }
        Ok(Swap::Done)
    }

    async fn change_buckets(&self, _: &[BucketKey], _: &mut ChangeBuckets<'_>) -> Result<(), StoreError> {
        panic!("nobody loses three times")
    }

    async fn purge_buckets(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }
}

fn several(failures: &[u32]) -> Vec<Bucket> {
    failures.iter().flat_map(|failures| bucket(*failures)).collect()
}

/// Adds one to all that have less than ten; which were swapped, and what is there then.
fn add_to_few(is: &[u32], meanwhile: &[u32], guess: Option<&[u32]>) -> (Vec<Vec<u8>>, Vec<u32>) {
    let store =
        Several { buckets: several(is).into(), meanwhile: Some(meanwhile.to_vec()).into(), swapped: Mutex::default() };
    let keys: Vec<_> = (0..is.len()).map(|n| BucketKey::from_bytes([u8::try_from(n).unwrap(); 32])).collect();
    let mut add = |buckets: &mut [Bucket]| {
        for bucket in buckets.iter_mut().filter(|bucket| bucket.failures < 10) {
            bucket.failures += 1;
        }
    };
    {
        let changing = pin!(change_buckets(&store, &keys, guess.map(several), &mut add));
        let polled = changing.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Ok(_))), "nothing is waited for");
    }
    (store.swapped.into_inner().unwrap(), store.buckets.into_inner().unwrap().iter().map(|it| it.failures).collect())
}

#[test]
fn what_is_not_changed_is_not_written() {
    let is = [10, 3, 20, 5];
    assert_eq!(add_to_few(&is, &is, None), (vec![vec![1, 3]], vec![10, 4, 20, 6]));
}

#[test]
fn what_was_lost_is_looked_at_again_in_its_place() {
    let (swaps, is) = add_to_few(&[10, 3, 20, 5], &[11, 3, 20, 7], None);
    assert_eq!((swaps, is), (vec![vec![1, 3], vec![1, 3]], vec![11, 4, 20, 8]));
    let (swaps, is) = add_to_few(&[10, 3, 20, 5], &[10, 30, 20, 5], None);
    assert_eq!((swaps, is), (vec![vec![1, 3], vec![3]], vec![10, 30, 20, 6]));
}

#[test]
fn a_guess_is_put_to_the_test_as_a_whole() {
    let is = [1, 3, 20];
    assert_eq!(add_to_few(&is, &is, Some(&[10, 3, 20])), (vec![vec![0, 1, 2], vec![0, 1]], vec![2, 4, 20]));
    assert_eq!(add_to_few(&is, &is, Some(&is)), (vec![vec![0, 1, 2]], vec![2, 4, 20]));
}
