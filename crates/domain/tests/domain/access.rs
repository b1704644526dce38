use crate::fakes::{World, now};
use std::time::Duration;
use vestibule_domain::Clock;
use vestibule_domain::access::{AccessError, Authority, Denied, Freshness, Permission};

#[test]
fn case_104_without_the_permission_others_do_not_exist() {
    let world = World::default();
    let (alice, bob) = (world.register("alice", &[]), world.register("bob", &["support"]));
    let alice_calls = world.caller(&world.login("alice"));
    assert_eq!(alice_calls.require(Permission::UsersRead, bob.id), Err(Denied::NotFound));
    assert_eq!(alice_calls.require(Permission::UsersRead, alice.id), Err(Denied::Forbidden));
    let bob_calls = world.caller(&world.login("bob"));
    assert_eq!(bob_calls.require(Permission::UsersRead, alice.id), Ok(()));
    assert_eq!(bob_calls.require(Permission::UsersWrite, alice.id), Err(Denied::NotFound));
    assert_eq!(Authority::User(&bob_calls).require(Permission::RolesWrite, bob.id), Err(Denied::Forbidden));
    assert_eq!(Authority::Operator.require(Permission::RolesWrite, bob.id), Ok(()));
}

#[test]
fn a_login_is_recent_for_ten_minutes() {
    let world = World::default();
    world.register("alice", &[]);
    let caller = world.caller(&world.login("alice"));
    world.clock.advance(Duration::from_mins(10));
    assert_eq!(caller.require_recent_login(world.clock.now()), Ok(()));
    world.clock.advance_millis(1);
    assert_eq!(caller.require_recent_login(world.clock.now()), Err(Denied::ReauthenticationRequired));
}

#[test]
fn case_67_a_token_counts_only_for_its_own_subject_and_session() {
    let world = World::default();
    let bob = world.register("bob", &[]);
    world.register("alice", &[]);
    let token = world.login("alice").access_token;
    let forged = format!("{} {}", bob.id, token.reveal().split_once(' ').unwrap().1);
    for freshness in [Freshness::Feed, Freshness::Store] {
        assert!(now(world.services.access.authenticate(token.reveal(), freshness)).is_ok());
        let outcome = now(world.services.access.authenticate(&forged, freshness));
        assert!(matches!(outcome, Err(AccessError::SessionOver)), "{outcome:?}");
    }
}

#[test]
fn case_83_a_session_is_over_at_its_absolute_end() {
    let world = World::default();
    world.register("alice", &[]);
    let token = world.login("alice").access_token;
    let authenticate = || now(world.services.access.authenticate(token.reveal(), Freshness::Store));
    world.clock.advance(Duration::from_hours(30 * 24) - Duration::from_millis(1));
    assert!(authenticate().is_ok());
    world.clock.advance_millis(1);
    assert!(matches!(authenticate(), Err(AccessError::SessionOver)));
}
