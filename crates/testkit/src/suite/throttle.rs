//! Buckets.

use super::Fixture;
use super::fixture::{MILLISECOND, until_settled};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule_domain::throttle::store::Swap;
use vestibule_domain::throttle::{Bucket, BucketKey, Tried};
use vestibule_domain::{Store, StoreError, Timestamp};

fn key(n: u8) -> BucketKey {
    BucketKey::from_bytes([n; 32])
}

async fn stored(fixture: &Fixture, keys: &[BucketKey]) -> Vec<Bucket> {
    let mut held = Vec::new();
    let mut look = |buckets: &mut [Bucket]| held = buckets.to_vec();
    fixture.store.change_buckets(keys, &mut look).await.expect("an answer");
    assert_eq!(fixture.store.buckets(keys).await.expect("an answer"), held);
    held
}

async fn put(fixture: &Fixture, keys: &[BucketKey], new: &[Bucket]) {
    let mut put = |buckets: &mut [Bucket]| buckets.clone_from_slice(new);
    fixture.store.change_buckets(keys, &mut put).await.expect("an answer");
}

/// Something else in every field for every `n`.
fn full(fixture: &Fixture, n: u32) -> Bucket {
    let at = |hours: u32| fixture.now().plus(Duration::from_hours(u64::from(n * 10 + hours)));
    Bucket {
        full_at: at(1),
        failures: u32::MAX - n,
        closed_until: at(2),
        tried: (0..n).map(|account| tried(account, at(3).plus(MILLISECOND * account))).collect(),
        running: u32::MAX - 2 * n,
        running_until: at(4),
        is_reported: n.is_multiple_of(2),
        expires_at: at(5),
    }
}

fn tried(account: u32, at: Timestamp) -> Tried {
    Tried {
        account: u64::MAX - u64::from(account),
        at,
        running: u32::MAX - account,
        has_failed: account.is_multiple_of(2),
    }
}

async fn rows(fixture: &Fixture) -> i64 {
    fixture.database.number("SELECT count(*) FROM throttles").await
}

pub async fn a_new_bucket_is_as_good_as_none(fixture: &Fixture) {
    let keys = [key(1), key(2)];
    assert_eq!(stored(fixture, &keys).await, [Bucket::default(), Bucket::default()]);
    put(fixture, &keys, &[Bucket::default(), Bucket::default()]).await;
    assert_eq!(rows(fixture).await, 0, "whoever has tried nothing is not remembered");
}

pub async fn buckets_keep_every_field(fixture: &Fixture) {
    let keys: Vec<_> = (1..=4).map(key).collect();
    let first: Vec<_> = (1..=4).map(|n| full(fixture, n)).collect();
    put(fixture, &keys, &first).await;
    assert_eq!(stored(fixture, &keys).await, first);

    let past = Bucket { full_at: fixture.now().minus(Duration::from_hours(1_000_000)), ..Bucket::default() };
    put(fixture, &[key(2), key(4), key(5)], &[past.clone(), full(fixture, 6), full(fixture, 7)]).await;
    let [one, _, three, _] = &first[..] else { panic!("there are four") };
    let all: Vec<_> = (1..=6).map(key).collect();
    let expected = [one.clone(), past, three.clone(), full(fixture, 6), full(fixture, 7), Bucket::default()];
    assert_eq!(stored(fixture, &all).await, expected, "each where it belongs, old and new ones together");
}

/// Else whoever is refused among others leaves a row.
pub async fn what_is_held_and_not_changed_is_not_written(fixture: &Fixture) {
    let second = full(fixture, 2);
    let mut change = |buckets: &mut [Bucket]| buckets[1] = second.clone();
    fixture.store.change_buckets(&[key(1), key(2), key(3)], &mut change).await.expect("an answer");
    assert_eq!(rows(fixture).await, 1);
    assert_eq!(stored(fixture, &[key(1), key(2)]).await, [Bucket::default(), second]);
}

/// As many as a group of attempts has.
pub async fn many_buckets_are_swapped_at_once(fixture: &Fixture) {
    let keys: Vec<_> = (1..=96).map(key).collect();
    let half: Vec<_> = keys.iter().copied().step_by(2).collect();
    put(fixture, &half, &(1..=48).map(|n| full(fixture, n)).collect::<Vec<_>>()).await;
    let old = stored(fixture, &keys).await;
    let new: Vec<_> = (101..=196).map(|n| full(fixture, n)).collect();
    let mut other = old.clone();
    other[95].failures += 1;
    let swap = async |old: &[Bucket]| fixture.store.swap_buckets(&keys, old, &new).await.expect("an answer");
    assert_eq!(swap(&other).await, Swap::Lost(old.clone()));
    assert_eq!(swap(&old).await, Swap::Done);
    assert_eq!(stored(fixture, &keys).await, new);
}

async fn add_one(store: &dyn Store, keys: &[BucketKey]) -> Result<(), StoreError> {
    let mut add = |buckets: &mut [Bucket]| {
        for bucket in buckets {
            bucket.failures += 1;
        }
    };
    store.change_buckets(keys, &mut add).await
}

async fn swap_one_more(store: &dyn Store, keys: &[BucketKey]) -> Result<(), StoreError> {
    let mut old = store.buckets(keys).await?;
    loop {
        let mut new = old.clone();
        for bucket in &mut new {
            bucket.failures += 1;
        }
        match store.swap_buckets(keys, &old, &new).await? {
            Swap::Done => return Ok(()),
            Swap::Lost(found) => old = found,
        }
    }
}

pub async fn buckets_are_swapped_if_all_are_as_they_were(fixture: &Fixture) {
    let keys = [key(1), key(2), key(3)];
    let swap =
        async |old: &[Bucket], new: &[Bucket]| fixture.store.swap_buckets(&keys, old, new).await.expect("an answer");
    let (none, [a, b, c]) = (Bucket::default(), [1, 2, 3].map(|n| full(fixture, n)));
    let three_new = vec![none.clone(); 3];
    put(fixture, &keys[1..2], std::slice::from_ref(&b)).await;
    assert_eq!(swap(&three_new, &[a.clone(), a.clone(), a.clone()]).await, Swap::Lost(stored(fixture, &keys).await));
    assert_eq!(stored(fixture, &keys).await, [none.clone(), b.clone(), none.clone()], "all or nothing");
    assert_eq!(rows(fixture).await, 1, "who loses is not remembered");

    // Some are there, others are not; one that is there may be as good as new.
    assert_eq!(swap(&[none.clone(), b.clone(), none.clone()], &[a.clone(), none.clone(), c.clone()]).await, Swap::Done);
    assert_eq!(stored(fixture, &keys).await, [a.clone(), none.clone(), c.clone()]);
    assert_eq!(swap(&[a.clone(), none.clone(), c.clone()], &[b.clone(), c.clone(), a.clone()]).await, Swap::Done);
    let now = [b, c, a];
    assert_eq!(stored(fixture, &keys).await, now);

    // Each field of each bucket counts.
    let others: [fn(&mut Bucket); 8] = [
        |bucket| bucket.full_at = bucket.full_at.plus(MILLISECOND),
        |bucket| bucket.failures -= 1,
        |bucket| bucket.closed_until = bucket.closed_until.plus(MILLISECOND),
        |bucket| bucket.tried.truncate(bucket.tried.len() - 1),
        |bucket| bucket.running -= 1,
        |bucket| bucket.running_until = bucket.running_until.plus(MILLISECOND),
        |bucket| bucket.is_reported = !bucket.is_reported,
        |bucket| bucket.expires_at = bucket.expires_at.plus(MILLISECOND),
    ];
    for (n, other) in others.iter().enumerate() {
        for at in 0..now.len() {
            let mut old = now.clone();
            other(&mut old[at]);
            assert_eq!(swap(&old, &three_new).await, Swap::Lost(now.to_vec()), "field {n}");
        }
    }
    assert_eq!(stored(fixture, &keys).await, now);
}

/// Half of the clients hold the buckets while they count; the others swap, and look again whenever they have lost.
pub async fn of_simultaneous_changes_none_is_lost(fixture: &Fixture) {
    let handles = [Arc::clone(&fixture.store), fixture.database.open().await];
    let choices = [vec![key(1), key(2)], vec![key(2), key(3)], vec![key(1), key(2), key(3)], vec![key(1), key(3)]];
    let (mut clients, turns) = (JoinSet::new(), [fixture.turns(), fixture.turns()]);
    for n in 0..64 {
        let (store, turns) = (Arc::clone(&handles[n % 2]), Arc::clone(&turns[n % 2]));
        let keys = choices[n / 2 % 4].clone();
        clients.spawn(async move {
            let _turn = turns.acquire().await;
            if n / 8 % 2 == 0 {
                until_settled(async || add_one(&*store, &keys).await).await;
            } else {
                until_settled(async || swap_one_more(&*store, &keys).await).await;
            }
        });
    }
    clients.join_all().await;
    let failures: Vec<_> = stored(fixture, &choices[2]).await.iter().map(|bucket| bucket.failures).collect();
    assert_eq!(failures, [48, 48, 48]);
}

pub async fn expired_buckets_are_purged_in_portions(fixture: &Fixture) {
    let keys: Vec<_> = (1..=5).map(key).collect();
    let expiring = |seconds| Bucket {
        failures: 1,
        expires_at: fixture.now().plus(Duration::from_secs(seconds)),
        ..Bucket::default()
    };
    let buckets = [3, 2, 5, 1, 4].map(expiring);
    put(fixture, &keys, &buckets).await;
    let before = fixture.now().plus(Duration::from_secs(4));
    let purge = async || fixture.store.purge_buckets(before, 2).await.expect("a count");
    assert_eq!(purge().await, 2);
    let [third, _, fifth, _, fourth] = buckets;
    let (none, new) = (Bucket::default(), Bucket::default());
    let left = [third, none.clone(), fifth.clone(), new.clone(), fourth.clone()];
    assert_eq!(stored(fixture, &keys).await, left, "the oldest first");
    assert_eq!((purge().await, purge().await), (1, 0));
    let left = [none.clone(), none, fifth, new, fourth];
    assert_eq!(stored(fixture, &keys).await, left, "what expires at that very time or later stays");
    assert_eq!(rows(fixture).await, 2);
}
