//! When keys end, to the millisecond, and who is told of it.

use crate::fakes::{World, now};
use std::time::Duration;
use vestibule_domain::feed::Change;
use vestibule_domain::token::{Algorithm, RotationTiming, SigningKey};
use vestibule_domain::{Clock, Settings};

fn process(algorithm: Algorithm) -> World {
    World::new(Settings { algorithm, ..Settings::default() })
}

fn ensure(world: &World) {
    now(world.services.keys.ensure()).unwrap();
}

fn keys(world: &World) -> Vec<SigningKey> {
    world.store.state().keys.clone()
}

/// The life of an access token, the difference between two clocks, and the life of a cached key set.
const LAST_USE: Duration = Duration::from_secs(10 * 60 + 30 + 5 * 60);

#[test]
fn case_74_a_key_ends_when_whoever_cached_it_last_has_seen_its_last_token() {
    for (timing, published) in
        [(RotationTiming::Now, Duration::ZERO), (RotationTiming::Published, Duration::from_mins(10))]
    {
        let world = process(Algorithm::EdDsa);
        ensure(&world);
        world.clock.advance(Duration::from_hours(1));
        now(world.services.keys.rotate(timing)).unwrap();
        let [old, new] = &keys(&world)[..] else { panic!("not two keys") };
        assert_eq!(new.activates_at, world.clock.now().plus(published), "{timing:?}");
        assert_eq!(old.retires_at, Some(new.activates_at.plus(LAST_USE)), "{timing:?}");
    }
}

/// By a key of another algorithm, which does not follow it.
#[test]
fn case_74_a_key_that_was_ended_is_followed_before_it_signs_what_outlives_it() {
    let world = process(Algorithm::EdDsa);
    ensure(&world);
    let other =
        World::beside(&world.store, &world.clock, Settings { algorithm: Algorithm::Es256, ..Settings::default() });
    ensure(&other);
    // What is left is 10 minutes of a token, 30 seconds between two clocks, and two minutes for the next looks.
    world.clock.advance(LAST_USE.saturating_sub(Duration::from_secs(10 * 60 + 30 + 2 * 60)));
    ensure(&world);
    assert_eq!(keys(&world).len(), 2);
    world.clock.advance_millis(1);
    ensure(&world);
    assert_eq!(keys(&world).len(), 3);
}

#[test]
fn whatever_becomes_of_a_key_others_are_told_of() {
    let world = process(Algorithm::EdDsa);
    let told = |act: &dyn Fn()| {
        let before = world.store.state().changes.len();
        act();
        world.store.state().changes[before..].to_vec()
    };
    assert_eq!(told(&|| ensure(&world)), [Change::KeysChanged], "the first key");
    assert_eq!(told(&|| ensure(&world)), [], "nothing happened");
    assert_eq!(told(&|| now(world.services.keys.rotate(RotationTiming::Published)).unwrap()), [Change::KeysChanged]);
    let waiting = keys(&world)[1].id;
    assert_eq!(told(&|| now(world.services.keys.revoke(waiting)).unwrap())[0], Change::KeysChanged);
    let settings = Settings { algorithm: Algorithm::Hs256, ..Settings::default() };
    let symmetric = World::beside(&world.store, &world.clock, settings);
    world.store.state().keys.iter_mut().for_each(|key| key.retires_at = None);
    assert_eq!(told(&|| ensure(&symmetric)), [Change::KeysChanged], "all of them end");
}
