use crate::fakes::{PASSWORD, World, new_password, now};
use std::collections::BTreeSet;
use std::time::Duration;
use vestibule_domain::access::Authority;
use vestibule_domain::credential::{ChangePassword, PasswordAttempt};
use vestibule_domain::feed::Change;
use vestibule_domain::id::SessionId;
use vestibule_domain::session::{Logout, LogoutScope, SignIn};
use vestibule_domain::user::{ChangeProfile, DeleteUser, Name, ProfileChange};

/// Alice with three sessions, of which the first acts, and Bob, an administrator, with one.
fn signed_in() -> (World, [SignIn; 3], SignIn) {
    let world = World::default();
    world.register("alice", &[]);
    world.register("bob", &["admin"]);
    let alices = [(); 3].map(|()| {
        // Ids of one millisecond are in no order.
        world.clock.advance_millis(1);
        world.login("alice")
    });
    let bobs = world.login("bob");
    (world, alices, bobs)
}

/// What `act` tells of ended sessions, in the order in which they began; and that it names their user.
fn told(world: &World, alice: &SignIn, act: impl FnOnce()) -> Vec<SessionId> {
    let before = world.store.state().changes.len();
    act();
    let mut ended: Vec<_> =
        world.store.state().changes[before..].iter().filter_map(|change| change.session()).collect();
    assert!(world.store.state().changes[before..].iter().all(|change| change.user() == Some(alice.user.id)));
    ended.sort();
    ended
}

#[test]
fn case_76_each_session_that_a_logout_ends_is_told_of_by_its_id() {
    for (scope, ends) in [(LogoutScope::Current, 0..1), (LogoutScope::Others, 1..3), (LogoutScope::All, 0..3)] {
        let (world, alices, _) = signed_in();
        let caller = world.caller(&alices[0]);
        let ended = told(&world, &alices[0], || {
            now(world.services.sessions.logout(Logout::Access(&caller), scope, &world.context)).unwrap();
        });
        assert_eq!(ended, alices.each_ref().map(|sign_in| sign_in.session.id)[ends], "{scope:?}");
    }
}

#[test]
fn case_85_each_session_that_a_new_password_ends_is_told_of_by_its_id() {
    let (world, alices, _) = signed_in();
    let [here, second, third] = alices.each_ref().map(|sign_in| sign_in.session.id);
    let caller = world.caller(&alices[0]);
    let request = || ChangePassword {
        current: PasswordAttempt::parse(PASSWORD).unwrap(),
        new: new_password("another lamp, another hill"),
    };
    let change =
        || now(world.services.credentials.change_password(&caller, request(), &world.context)).outcome.unwrap();
    assert_eq!(told(&world, &alices[0], change), [second, third]);
    let by_operator = || {
        let set = world.services.credentials.set_password(alices[0].user.id, new_password(PASSWORD), &world.context);
        now(set).unwrap();
    };
    assert_eq!(told(&world, &alices[0], by_operator), [here]);
}

#[test]
fn each_session_that_a_disabling_ends_is_told_of_by_its_id() {
    let (world, alices, bobs) = signed_in();
    let bob = world.caller(&bobs);
    let disable = || {
        now(world.services.users.disable(Authority::User(&bob), alices[0].user.id, &world.context)).unwrap();
    };
    assert_eq!(told(&world, &alices[0], disable), alices.each_ref().map(|sign_in| sign_in.session.id));
    assert_eq!(told(&world, &alices[0], disable), [], "a second time none is left");
}

/// Other processes may answer from memory with the record, its roles and its status.
#[test]
fn whatever_changes_a_record_is_told_of() {
    let (world, alices, bobs) = signed_in();
    let (alice, bob) = (world.caller(&alices[0]), world.caller(&bobs));
    let (id, by_bob, context) = (alice.user.id, Authority::User(&bob), &world.context);
    let users = &world.services.users;
    let rename = || {
        let change = ProfileChange { name: Some(Name::parse("A").unwrap()), email: None };
        let request = ChangeProfile { id, change, version: None };
        now(users.change_profile(&alice, &request, context)).outcome.unwrap();
    };
    let acts: [(&str, &dyn Fn()); 6] = [
        ("a new name", &rename),
        ("other roles", &|| drop(now(users.set_roles(by_bob, id, &BTreeSet::new(), context)).unwrap())),
        ("a login", &|| drop(world.login("alice"))),
        ("a new password", &|| {
            now(world.services.credentials.set_password(id, new_password(PASSWORD), context)).unwrap();
        }),
        ("a disabling", &|| drop(now(users.disable(by_bob, id, context)).unwrap())),
        ("an enabling", &|| drop(now(users.enable(by_bob, id, context)).unwrap())),
    ];
    for (what, act) in acts {
        let before = world.store.state().changes.len();
        act();
        assert!(world.store.state().changes[before..].contains(&Change::UserChanged(id)), "{what}");
    }
}

#[test]
fn a_user_who_is_deleted_is_told_of_alone() {
    let (world, alices, bobs) = signed_in();
    let (bob, id) = (world.caller(&bobs), alices[0].user.id);
    let delete = || {
        let request = DeleteUser { id, version: None };
        now(world.services.users.delete(&bob, &request, &world.context)).unwrap();
    };
    assert_eq!(told(&world, &alices[0], delete), []);
    assert_eq!(world.store.state().changes.last(), Some(&Change::UserGone(id)));
}

#[test]
fn case_86_a_session_that_makes_room_is_told_of_by_its_id() {
    let (world, alices, _) = signed_in();
    let login = || {
        world.clock.advance_millis(1);
        world.login("alice");
    };
    (3..100).for_each(|_| assert_eq!(told(&world, &alices[0], login), []));
    assert_eq!(told(&world, &alices[0], login), [alices[0].session.id]);
}

#[test]
fn case_77_a_session_that_ends_for_reuse_is_told_of_by_its_id() {
    let (world, [alice, ..], _) = signed_in();
    let refresh = || {
        let token = alice.refresh_token.clone();
        now(world.services.sessions.refresh(Some(token), &world.context)).outcome
    };
    refresh().unwrap();
    world.clock.advance(Duration::from_secs(11));
    assert_eq!(told(&world, &alice, || assert!(refresh().is_err())), [alice.session.id]);
}
