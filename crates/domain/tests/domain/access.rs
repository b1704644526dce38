use crate::fakes::{World, now};
use std::time::Duration;
use vestibule_domain::access::{
    AccessError, Authority, Denied, Freshness, Introspection, Permission, RoleCatalog, RoleName,
};
use vestibule_domain::id::UserId;
use vestibule_domain::session::{EndReason, RefreshToken, SessionError};
use vestibule_domain::user::{ChangeProfile, DeleteUser, Name, ProfileChange, Status, UserError};
use vestibule_domain::{Clock, Settings};

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
    let clock = world.clock.clone();
    world.store.while_it_is_read(move || clock.advance_millis(1));
    assert!(matches!(authenticate(), Err(AccessError::SessionOver)));
    assert!(matches!(authenticate(), Err(AccessError::SessionOver)));
}

fn of_users<T>(outcome: Result<T, UserError>) -> Option<Denied> {
    match outcome {
        Ok(_) => None,
        Err(UserError::Denied(denied)) => Some(denied),
        Err(error) => panic!("{error}"),
    }
}

fn of_sessions<T>(outcome: Result<T, SessionError>) -> Option<Denied> {
    match outcome {
        Ok(_) => None,
        Err(SessionError::Denied(denied)) => Some(denied),
        Err(error) => panic!("{error}"),
    }
}

/// Each act on another user, which permission it needs, and whether somebody with just this one is denied it.
fn acts(roles: RoleCatalog, role: &str) -> Vec<(&'static str, Permission, Option<Denied>)> {
    let world = World::new(Settings { roles, ..Settings::default() });
    let alice = world.register("alice", &[]).id;
    world.register("bob", &[role]);
    let (session, bob) = (world.login("alice").session.id, world.caller(&world.login("bob")));
    let (users, sessions, context) = (&world.services.users, &world.services.sessions, &world.context);
    let by = Authority::User(&bob);
    let change = ProfileChange { name: Some(Name::parse("A").unwrap()), email: None };
    let change = ChangeProfile { id: alice, change, version: None };
    let delete = DeleteUser { id: alice, version: None };
    vec![
        ("get", Permission::UsersRead, of_users(now(users.get(&bob, alice)))),
        ("list sessions", Permission::UsersRead, of_sessions(now(sessions.list(by, alice)))),
        ("end one", Permission::UsersWrite, of_sessions(now(sessions.end(by, alice, session, context)))),
        ("end all", Permission::UsersWrite, of_sessions(now(sessions.end_all(by, alice, context)))),
        ("rename", Permission::UsersWrite, of_users(now(users.change_profile(&bob, &change, context)).outcome)),
        ("disable", Permission::UsersWrite, of_users(now(users.disable(by, alice, context)))),
        ("enable", Permission::UsersWrite, of_users(now(users.enable(by, alice, context)))),
        ("unlock", Permission::UsersWrite, of_users(now(users.unlock(by, alice, context)))),
        ("set roles", Permission::RolesWrite, of_users(now(users.set_roles(by, alice, &[].into(), context)))),
        ("delete", Permission::UsersWrite, of_users(now(users.delete(&bob, &delete, context)))),
    ]
}

#[test]
fn case_104_each_act_on_another_needs_its_own_permission_and_no_other_will_do() {
    let roles = ["auditor", "granter", "reader", "writer"];
    let names = roles.map(|role| RoleName::parse(role).unwrap());
    let catalog = RoleCatalog::new(names.into_iter().zip(Permission::ALL.map(|one| [one].into())));
    for (role, held) in roles.into_iter().zip(Permission::ALL) {
        for (act, needed, denied) in acts(catalog.clone(), role) {
            assert_eq!(denied, (held != needed).then_some(Denied::NotFound), "{act} with {}", held.as_str());
        }
    }
}

#[test]
fn case_104_nobody_has_no_sessions() {
    let world = World::default();
    world.register("root", &["admin"]);
    let root = world.caller(&world.login("root"));
    let nobody = UserId::generate(&*world.clock, &*world.services.ports.rng);
    let sessions = &world.services.sessions;
    for authority in [Authority::User(&root), Authority::Operator] {
        assert_eq!(of_sessions(now(sessions.list(authority, nobody))), Some(Denied::NotFound));
        assert_eq!(of_sessions(now(sessions.end_all(authority, nobody, &world.context))), Some(Denied::NotFound));
    }
}

#[test]
fn a_refresh_token_is_good_while_it_is_the_newest_of_a_live_session() {
    let world = World::default();
    let id = world.register("alice", &[]).id;
    let sign_in = world.login("alice");
    let session = sign_in.session.id;
    let is_good = |token: &RefreshToken| {
        let found = now(world.services.access.introspect(&token.reveal())).unwrap();
        found.is_some_and(|found| matches!(found, Introspection::Refresh(found) if found.id == session))
    };
    let first = &sign_in.refresh_token;
    assert!(is_good(first));
    world.store.state().users.get_mut(&id).unwrap().status = Status::Disabled;
    assert!(!is_good(first));
    world.store.state().users.get_mut(&id).unwrap().status = Status::Active;
    world.store.state().sessions.get_mut(&session).unwrap().ended = Some(EndReason::LoggedOut);
    assert!(!is_good(first));
    world.store.state().sessions.get_mut(&session).unwrap().ended = None;
    let presented = Some(first.clone());
    let second = now(world.services.sessions.refresh(presented, &world.context)).outcome.unwrap().refresh_token;
    assert_eq!([first, &second].map(is_good), [false, true]);
    world.clock.advance(Duration::from_hours(14 * 24) - Duration::from_millis(1));
    assert!(is_good(&second));
    world.clock.advance_millis(1);
    assert!(!is_good(&second));
}

#[test]
fn an_access_token_is_good_until_it_expires() {
    let world = World::default();
    world.register("alice", &[]);
    let token = world.login("alice").access_token;
    let introspect = || now(world.services.access.introspect(token.reveal())).unwrap();
    world.clock.advance(Duration::from_mins(10) - Duration::from_millis(1));
    let Some(Introspection::Access { username, .. }) = introspect() else { panic!("it is no more good") };
    assert_eq!(username.as_deref(), Some("alice@example.org"));
    world.clock.advance_millis(1);
    assert!(introspect().is_none());
}
