//! Who did what to whom, as it is written down.

use crate::fakes::{Audited, PASSWORD, World, new_password, now};
use std::collections::BTreeSet;
use vestibule_domain::access::{Authority, Caller};
use vestibule_domain::audit::{Actor, AuditKind};
use vestibule_domain::credential::{ChangePassword, PasswordAttempt};
use vestibule_domain::id::ClientId;
use vestibule_domain::session::{Logout, LogoutScope, SignIn};
use vestibule_domain::user::{ChangeProfile, DeleteUser, Name, ProfileChange, User};

/// Alice with two sessions, and Bob, an administrator.
fn signed_in() -> (World, [SignIn; 2], SignIn) {
    let world = World::default();
    world.register("alice", &[]);
    world.register("bob", &["admin"]);
    let alices = [(); 2].map(|()| world.login("alice"));
    let bobs = world.login("bob");
    (world, alices, bobs)
}

/// What `act` leaves behind.
fn written(world: &World, act: impl FnOnce(&World)) -> Vec<Audited> {
    let before = world.store.state().audit.len();
    act(world);
    world.store.state().audit[before..].to_vec()
}

fn event(kind: AuditKind, actor: Actor, subject: &User) -> Audited {
    Audited { kind, actor, subject: Some(subject.id), session: None, key: None, client: None, reason: None }
}

/// What an administrator or an operator can do to Alice, and what is written down of each.
fn administer(world: &World, authority: Authority<'_>, actor: Actor, alices: &[SignIn; 2]) {
    let (users, sessions, context) = (&world.services.users, &world.services.sessions, &world.context);
    let [first, second] = alices.each_ref().map(|sign_in| sign_in.session.id);
    let alice = &alices[0].user;
    let expected = |kind| [event(kind, actor, alice)];

    let ended = written(world, |_| now(sessions.end(authority, alice.id, first, context)).unwrap());
    let revoked = |kind| Audited { reason: Some("revoked"), ..event(kind, actor, alice) };
    assert_eq!(ended, [Audited { session: Some(first), ..revoked(AuditKind::SessionEnded) }]);
    let ended = written(world, |_| now(sessions.end_all(authority, alice.id, context)).unwrap());
    assert_eq!(ended, [revoked(AuditKind::SessionsEnded)]);
    let again = written(world, |_| {
        assert!(now(sessions.end(authority, alice.id, second, context)).is_err());
        now(sessions.end_all(authority, alice.id, context)).unwrap();
    });
    assert_eq!(again, [], "nothing was left to end");

    let disabled = written(world, |_| drop(now(users.disable(authority, alice.id, context)).unwrap()));
    assert_eq!(disabled, expected(AuditKind::UserDisabled));
    let enabled = written(world, |_| drop(now(users.enable(authority, alice.id, context)).unwrap()));
    assert_eq!(enabled, expected(AuditKind::UserEnabled));
    let unlocked = written(world, |_| drop(now(users.unlock(authority, alice.id, context)).unwrap()));
    assert_eq!(unlocked, expected(AuditKind::UserUnlocked));
    let roles = BTreeSet::new();
    let given = written(world, |_| drop(now(users.set_roles(authority, alice.id, &roles, context)).unwrap()));
    assert_eq!(given, expected(AuditKind::RolesChanged));
}

fn rename(world: &World, caller: &Caller, user: &User) {
    let change = ProfileChange { name: Some(Name::parse("A").unwrap()), email: None };
    let request = ChangeProfile { id: user.id, change, version: None };
    now(world.services.users.change_profile(caller, &request, &world.context)).outcome.unwrap();
}

#[test]
fn what_an_administrator_does_to_others_is_written_down_as_theirs() {
    let (world, alices, bobs) = signed_in();
    let (bob, alice) = (world.caller(&bobs), &alices[0].user);
    let by_bob = Actor::User(bob.user.id);
    administer(&world, Authority::User(&bob), by_bob, &alices);
    let renamed = written(&world, |world| rename(world, &bob, alice));
    assert_eq!(renamed, [event(AuditKind::ProfileChanged, by_bob, alice)]);
    let delete = DeleteUser { id: alice.id, version: None };
    let deleted = written(&world, |world| now(world.services.users.delete(&bob, &delete, &world.context)).unwrap());
    assert_eq!(deleted, [event(AuditKind::UserDeleted, by_bob, alice)]);
}

#[test]
fn what_an_operator_does_is_written_down_as_theirs() {
    let (world, alices, _) = signed_in();
    administer(&world, Authority::Operator, Actor::Operator, &alices);
    let set = written(&world, |world| {
        let password = new_password("another lamp, another hill");
        now(world.services.credentials.set_password(alices[0].user.id, password, &world.context)).unwrap();
    });
    assert_eq!(set, [event(AuditKind::PasswordChanged, Actor::Operator, &alices[0].user)]);
}

#[test]
fn what_users_do_to_themselves_is_written_down_with_the_session_that_did_it() {
    let (world, [sign_in, _], _) = signed_in();
    let caller = world.caller(&sign_in);
    let (alice, session) = (&sign_in.user, Some(sign_in.session.id));
    let by_alice = |kind| Audited { session, ..event(kind, Actor::User(alice.id), alice) };
    let change = |current| {
        let current = PasswordAttempt::parse(current).unwrap();
        let request = ChangePassword { current, new: new_password("another lamp, another hill") };
        now(world.services.credentials.change_password(&caller, request, &world.context)).outcome
    };
    let failed = written(&world, |_| assert!(change("wrong").is_err()));
    let wrong_password = Some("wrong_password");
    assert_eq!(failed, [Audited { reason: wrong_password, ..by_alice(AuditKind::PasswordChangeFailed) }]);
    let changed = written(&world, |_| change(PASSWORD).unwrap());
    assert_eq!(changed, [by_alice(AuditKind::PasswordChanged)]);
    let log_out = |scope| now(world.services.sessions.logout(Logout::Access(&caller), scope, &world.context)).unwrap();
    let logged_out = |kind| Audited { reason: Some("logged_out"), ..by_alice(kind) };
    world.try_login("alice", "another lamp, another hill").unwrap();
    let others = written(&world, |_| log_out(LogoutScope::Others));
    assert_eq!(others, [logged_out(AuditKind::SessionsEnded)]);
    let this = written(&world, |_| log_out(LogoutScope::Current));
    assert_eq!(this, [logged_out(AuditKind::SessionEnded)]);
}

#[test]
fn a_login_is_written_down_with_its_session_and_a_failed_one_with_its_account() {
    let (world, [sign_in, _], _) = signed_in();
    let alice = &sign_in.user;
    let mut opened = None;
    let succeeded = written(&world, |world| opened = Some(world.login("alice").session.id));
    assert_eq!(
        succeeded,
        [Audited { session: opened, ..event(AuditKind::LoginSucceeded, Actor::User(alice.id), alice) }]
    );
    let failed = written(&world, |world| assert!(world.try_login("alice", "wrong").is_err()));
    let reason = Some("wrong_password");
    assert_eq!(failed, [Audited { reason, ..event(AuditKind::LoginFailed, Actor::Anonymous, alice) }]);
}

#[test]
fn what_a_client_revokes_is_written_down_with_the_client() {
    let (world, [sign_in, _], _) = signed_in();
    let client = ClientId::generate(&*world.services.ports.clock, &*world.services.ports.rng);
    let revoked = written(&world, |world| {
        let token = sign_in.access_token.reveal();
        now(world.services.sessions.revoke(token, client, &world.context)).unwrap();
    });
    let by_client = event(AuditKind::SessionEnded, Actor::Client, &sign_in.user);
    let session = Some(sign_in.session.id);
    assert_eq!(revoked, [Audited { session, client: Some(client), reason: Some("revoked"), ..by_client }]);
}
