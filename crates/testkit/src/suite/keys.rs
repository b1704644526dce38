//! Signing keys.

use super::Fixture;
use super::fixture::{DAY, until_settled};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule_domain::id::KeyId;
use vestibule_domain::token::{Algorithm, SigningKey};

fn key(fixture: &Fixture, generation: i64) -> SigningKey {
    let now = fixture.now();
    SigningKey {
        id: KeyId::generate(&fixture.clock, &fixture.rng),
        algorithm: Algorithm::EdDsa,
        generation,
        public_key: vec![0, 1, 255],
        sealed_private_key: vec![7; 80],
        created_at: now,
        activates_at: now,
        retires_at: None,
        revoked_at: None,
    }
}

async fn add(fixture: &Fixture, key: &SigningKey) -> bool {
    let mut work = fixture.begin().await;
    let added = work.insert_key(key).await.expect("an answer");
    work.commit().await.expect("a commit");
    added
}

async fn stored(fixture: &Fixture) -> Vec<SigningKey> {
    let keys = fixture.store.signing_keys().await.expect("the keys");
    let mut keys: Vec<_> = keys.iter().cloned().collect();
    keys.reverse();
    keys
}

pub async fn keeps_every_field_of_a_key(fixture: &Fixture) {
    let at = |millis| fixture.now().plus(Duration::from_millis(millis));
    let mut keys = Vec::new();
    for (generation, algorithm) in (1..).zip(Algorithm::ALL) {
        let full = SigningKey {
            algorithm,
            activates_at: at(1),
            retires_at: Some(at(2)),
            revoked_at: Some(at(3)),
            ..key(fixture, generation)
        };
        assert!(add(fixture, &full).await);
        keys.push(full);
    }
    assert_eq!(stored(fixture).await, keys);
}

pub async fn a_generation_is_taken_once(fixture: &Fixture) {
    let first = key(fixture, 1);
    assert!(add(fixture, &first).await);
    assert!(!add(fixture, &key(fixture, 1)).await);
    assert_eq!(stored(fixture).await, [first]);
}

pub async fn older_keys_get_an_end_and_never_a_later_one(fixture: &Fixture) {
    let soon = fixture.now().plus(DAY);
    let later = fixture.now().plus(2 * DAY);
    let early = SigningKey { retires_at: Some(fixture.now().plus(Duration::from_mins(1))), ..key(fixture, 1) };
    let late = SigningKey { retires_at: Some(later), ..key(fixture, 2) };
    for key in [&early, &late, &key(fixture, 3), &key(fixture, 4)] {
        assert!(add(fixture, key).await);
    }
    let mut work = fixture.begin().await;
    work.retire_keys_before(4, soon).await.expect("an answer");
    work.commit().await.expect("a commit");
    let ends: Vec<_> = stored(fixture).await.iter().map(|key| key.retires_at).collect();
    assert_eq!(ends, [early.retires_at, Some(soon), Some(soon), None]);
}

pub async fn a_key_is_revoked_once(fixture: &Fixture) {
    let key = key(fixture, 1);
    add(fixture, &key).await;
    fixture.clock.advance(Duration::from_millis(9));
    let mut work = fixture.begin().await;
    assert!(work.revoke_key(key.id, fixture.now()).await.expect("an answer"));
    assert!(!work.revoke_key(key.id, fixture.now().plus(DAY)).await.expect("an answer"));
    let unknown = KeyId::generate(&fixture.clock, &fixture.rng);
    assert!(!work.revoke_key(unknown, fixture.now()).await.expect("an answer"));
    work.commit().await.expect("a commit");
    assert_eq!(stored(fixture).await[0].revoked_at, Some(fixture.now()));
}

pub async fn a_waiting_key_is_activated(fixture: &Fixture) {
    let waiting = SigningKey { activates_at: fixture.now().plus(DAY), ..key(fixture, 1) };
    add(fixture, &waiting).await;
    let mut work = fixture.begin().await;
    work.activate_key(waiting.id, fixture.now()).await.expect("an answer");
    work.commit().await.expect("a commit");
    assert_eq!(stored(fixture).await[0].activates_at, fixture.now());
}

pub async fn one_of_many_processes_adds_the_key(fixture: &Fixture) {
    let (mut processes, turns) = (JoinSet::new(), fixture.turns());
    for _ in 0..8 {
        let (store, key, turns) = (Arc::clone(&fixture.store), key(fixture, 1), Arc::clone(&turns));
        processes.spawn(async move {
            let _turn = turns.acquire().await;
            until_settled(async || {
                let mut work = store.begin().await?;
                let added = work.insert_key(&key).await?;
                work.commit().await.map(|()| added)
            })
            .await
        });
    }
    let added = processes.join_all().await.into_iter().filter(|added| *added).count();
    assert_eq!(added, 1);
    assert_eq!(stored(fixture).await.len(), 1);
}

/// A later version may run beside this one.
pub async fn a_key_of_an_unknown_algorithm_hides_no_other(fixture: &Fixture) {
    let known = key(fixture, 1);
    for key in [&known, &key(fixture, 2)] {
        assert!(add(fixture, key).await);
    }
    let sql = "UPDATE signing_keys SET algorithm = 'ML-DSA-65' WHERE generation = 2";
    assert_eq!(fixture.database.execute(sql).await.expect("an update"), 1);
    assert_eq!(stored(fixture).await, [known]);
    let keys = fixture.store.signing_keys().await.expect("the keys");
    assert_eq!(keys.newest_generation(), 2, "the next key of this version is the third");
}
