use crate::fakes::{PASSWORD, World, email, new_password, now};
use std::collections::BTreeSet;
use vestibule_domain::StoreError;
use vestibule_domain::access::{Authority, Denied, RoleName};
use vestibule_domain::audit::{Actor, AuditKind};
use vestibule_domain::session::EndReason;
use vestibule_domain::user::{ChangeProfile, DeleteUser, Name, ProfileChange, Register, UserError};

fn roles(names: &[&str]) -> BTreeSet<RoleName> {
    names.iter().map(|name| RoleName::parse(name).unwrap()).collect()
}

#[test]
fn whoever_registers_is_the_actor_and_so_is_the_operator_who_creates() {
    let world = World::default();
    let request = Register { email: email("bob"), name: Name::parse("Bob").unwrap(), password: new_password(PASSWORD) };
    let bob = now(world.services.users.register(request, None, &world.context)).outcome.unwrap();
    world.register("alice", &["admin"]);
    let actors: Vec<_> = world.store.audited(AuditKind::UserRegistered).iter().map(|event| event.actor).collect();
    assert_eq!(actors, [Actor::User(bob.id), Actor::Operator]);
}

#[test]
fn case_21_a_taken_address_is_taken_in_every_spelling() {
    let world = World::default();
    world.register("alice", &[]);
    let request = Register { email: email("ALICE"), name: Name::parse("A").unwrap(), password: new_password(PASSWORD) };
    let outcome = now(world.services.users.register(request, None, &world.context));
    assert!(matches!(outcome.outcome, Err(UserError::EmailTaken)));
    assert_eq!(world.store.state().users.len(), 1);
}

#[test]
fn case_108_the_last_administrator_can_be_neither_demoted_nor_disabled_nor_deleted() {
    let world = World::default();
    let (alice, bob) = (world.register("alice", &["admin"]), world.register("bob", &["admin"]));
    let users = &world.services.users;
    let caller = world.caller(&world.login("alice"));
    now(users.set_roles(Authority::User(&caller), bob.id, &roles(&["support"]), &world.context)).unwrap();
    let before = world.store.state().audit.len();
    for outcome in [
        now(users.set_roles(Authority::Operator, alice.id, &roles(&[]), &world.context)).map(drop),
        now(users.disable(Authority::User(&caller), alice.id, &world.context)).map(drop),
        now(users.delete(&caller, &DeleteUser { id: alice.id, version: None }, &world.context)),
    ] {
        assert!(matches!(outcome, Err(UserError::LastAdministrator)), "{outcome:?}");
    }
    assert_eq!(world.store.state().audit.len(), before, "what was refused left nothing behind");
    now(users.set_roles(Authority::Operator, alice.id, &roles(&["admin", "support"]), &world.context)).unwrap();
}

#[test]
fn nobody_gets_a_role_that_is_not_configured() {
    let world = World::default();
    let alice = world.register("alice", &[]);
    let request = Register { email: email("bob"), name: Name::parse("Bob").unwrap(), password: new_password(PASSWORD) };
    let (users, unknown) = (&world.services.users, roles(&["user", "emperor"]));
    let created = now(users.create(request, unknown.clone(), &world.context));
    assert!(matches!(created, Err(UserError::UnknownRole(_))), "{created:?}");
    let given = now(users.set_roles(Authority::Operator, alice.id, &unknown, &world.context));
    assert!(matches!(given, Err(UserError::UnknownRole(_))), "{given:?}");
    assert_eq!(world.store.state().users.values().collect::<Vec<_>>(), [&alice]);
}

#[test]
fn j131_a_transaction_that_loses_is_tried_three_times() {
    let world = World::default();
    let alice = world.register("alice", &[]);
    let disable = || now(world.services.users.disable(Authority::Operator, alice.id, &world.context));
    let lose =
        |times: usize| (0..times).for_each(|_| world.store.before_next_transaction(|_| Err(StoreError::Contention)));
    lose(3);
    assert!(matches!(disable(), Err(UserError::Store(StoreError::Contention))));
    lose(2);
    assert!(disable().is_ok());
    assert_eq!(world.store.audited(AuditKind::UserDisabled).len(), 1);
}

#[test]
fn only_a_lost_transaction_is_tried_again() {
    let world = World::default();
    let alice = world.register("alice", &[]);
    let unavailable = |_: &mut _| Err(StoreError::Unavailable { context: "gone", source: None });
    world.store.before_next_transaction(unavailable);
    let outcome = now(world.services.users.disable(Authority::Operator, alice.id, &world.context));
    assert!(matches!(outcome, Err(UserError::Store(StoreError::Unavailable { .. }))));
}

/// What needs a recent login needs one whose session nobody has ended since.
#[test]
fn a_session_that_ends_meanwhile_moves_no_address_and_deletes_nobody() {
    let world = World::default();
    let id = world.register("alice", &[]).id;
    let sign_in = world.login("alice");
    let (caller, session) = (world.caller(&sign_in), sign_in.session.id);
    let end = || {
        world.store.before_next_transaction(move |state| {
            state.sessions.get_mut(&session).unwrap().ended = Some(EndReason::Revoked);
            Ok(())
        });
    };
    let change = |change| {
        let request = ChangeProfile { id, change, version: None };
        now(world.services.users.change_profile(&caller, &request, &world.context)).outcome
    };
    end();
    let moved = change(ProfileChange { email: Some(email("mallory")), name: None });
    assert!(matches!(moved, Err(UserError::Denied(Denied::SessionOver))), "{moved:?}");
    let deleted = now(world.services.users.delete(&caller, &DeleteUser { id, version: None }, &world.context));
    assert!(matches!(deleted, Err(UserError::Denied(Denied::SessionOver))), "{deleted:?}");
    assert_eq!(world.store.state().users[&id].email, email("alice"));
    let renamed = change(ProfileChange { name: Some(Name::parse("A").unwrap()), email: None });
    assert!(renamed.is_ok(), "which takes nothing over");
}

#[test]
fn d44_a_refused_registration_is_in_the_trail_as_an_accepted_one_is() {
    let world = World::default();
    world.register("alice", &[]);
    let request = Register { email: email("alice"), name: Name::parse("A").unwrap(), password: new_password(PASSWORD) };
    let outcome = now(world.services.users.register(request, None, &world.context)).outcome;
    assert!(matches!(outcome, Err(UserError::EmailTaken)));
    let refused = world.store.audited(AuditKind::RegistrationRefused);
    assert_eq!(refused.len(), 1);
    assert_eq!(
        (refused[0].actor, refused[0].subject, refused[0].reason),
        (Actor::Anonymous, None, Some("email_taken"))
    );
}
