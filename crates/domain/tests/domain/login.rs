use crate::fakes::{PASSWORD, World, email, new_password, now};
use std::sync::Arc;
use std::time::Duration;
use vestibule_domain::access::Denied;
use vestibule_domain::audit::{Actor, AuditKind};
use vestibule_domain::credential::{ChangePassword, CredentialError, PasswordAttempt, PasswordHash};
use vestibule_domain::feed::{Follower, Principal};
use vestibule_domain::id::UserId;
use vestibule_domain::session::service::MAX_SESSIONS;
use vestibule_domain::session::{DeviceToken, EndReason, Login, SessionError};
use vestibule_domain::user::Status;
use vestibule_domain::{Clock, Timestamp};

fn reasons(world: &World) -> Vec<Option<&'static str>> {
    world.store.audited(AuditKind::LoginFailed).iter().map(|event| event.reason).collect()
}

#[test]
fn case_42_every_failure_is_one_answer_one_verification_and_one_event() {
    let world = World::default();
    for name in ["alice", "carol", "dave"] {
        world.register(name, &[]);
    }
    for user in world.store.state().users.values_mut() {
        user.status = if user.name.as_str() == "carol" { Status::Disabled } else { Status::Active };
    }
    let dave = world.store.state().users.values().find(|user| user.name.as_str() == "dave").unwrap().id;
    world.store.state().passwords.remove(&dave);
    for (name, password) in
        [("nobody", PASSWORD), ("alice", "wrong"), ("carol", PASSWORD), ("carol", "wrong"), ("dave", PASSWORD)]
    {
        let before = world.hasher.verified();
        assert!(matches!(world.try_login(name, password), Err(SessionError::InvalidCredentials)), "{name}");
        assert_eq!(world.hasher.verified(), before + 1, "{name}");
    }
    assert_eq!(
        reasons(&world),
        ["unknown_account", "wrong_password", "disabled", "wrong_password", "no_password"].map(Some)
    );
    assert!(world.store.audited(AuditKind::LoginFailed).iter().all(|event| event.actor == Actor::Anonymous));
    assert!(world.store.state().sessions.is_empty());
}

#[test]
fn case_41_a_login_loses_to_whatever_happened_while_its_password_was_hashed() {
    for (name, meanwhile) in [
        ("disabled", (|user| user.status = Status::Disabled) as fn(&mut vestibule_domain::user::User)),
        ("disabled and enabled again, or given another password", |user| user.epoch += 1),
    ] {
        let world = World::default();
        let id = world.register("alice", &[]).id;
        world.store.before_next_transaction(move |state| {
            meanwhile(state.users.get_mut(&id).unwrap());
            Ok(())
        });
        assert!(matches!(world.try_login("alice", PASSWORD), Err(SessionError::InvalidCredentials)), "{name}");
        assert_eq!(reasons(&world), [Some("changed_meanwhile")]);
        assert!(world.store.state().sessions.is_empty(), "{name}");
    }
}

#[test]
fn case_107_a_login_loses_to_the_deletion_of_its_user() {
    let world = World::default();
    let id = world.register("alice", &[]).id;
    world.store.before_next_transaction(move |state| {
        state.users.remove(&id);
        Ok(())
    });
    assert!(matches!(world.try_login("alice", PASSWORD), Err(SessionError::InvalidCredentials)));
    assert!(world.store.state().sessions.is_empty());
}

#[test]
fn a_login_takes_the_roles_of_the_moment_in_which_it_is_recorded() {
    let world = World::default();
    let id = world.register("alice", &["support"]).id;
    world.store.before_next_transaction(move |state| {
        state.users.get_mut(&id).unwrap().roles.clear();
        Ok(())
    });
    assert!(world.login("alice").user.roles.is_empty());
}

#[test]
fn case_39_an_old_hash_is_upgraded_by_a_login_and_by_no_failure() {
    let world = World::default();
    let id = world.register("alice", &[]).id;
    let stored = || world.store.state().passwords[&id].as_phc().to_owned();
    let old = format!("old:{PASSWORD}");
    world.store.state().passwords.insert(id, PasswordHash::from_phc(old.clone()));
    assert!(world.try_login("alice", "wrong").is_err());
    assert_eq!(stored(), old);
    world.login("alice");
    assert_eq!(stored(), format!("new:{PASSWORD}"));
}

#[test]
fn an_upgrade_never_undoes_a_change_of_password() {
    let world = World::default();
    let id = world.register("alice", &[]).id;
    world.store.state().passwords.insert(id, PasswordHash::from_phc(format!("old:{PASSWORD}")));
    world.store.before_next_transaction(move |state| {
        state.users.get_mut(&id).unwrap().epoch += 1;
        state.passwords.insert(id, PasswordHash::from_phc("new:chosen meanwhile".to_owned()));
        Ok(())
    });
    assert!(world.try_login("alice", PASSWORD).is_err());
    assert_eq!(world.store.state().passwords[&id].as_phc(), "new:chosen meanwhile");
}

#[test]
fn case_86_a_user_has_at_most_a_hundred_live_sessions() {
    let world = World::default();
    world.register("alice", &[]);
    let mut sign_ins = Vec::new();
    for _ in 0..105 {
        world.clock.advance_millis(1);
        sign_ins.push(world.login("alice"));
    }
    let state = world.store.state();
    let live = |sign_in: &&vestibule_domain::session::SignIn| state.sessions[&sign_in.session.id].ended.is_none();
    assert_eq!(sign_ins.iter().filter(live).count(), 100);
    assert!(sign_ins.iter().skip(5).all(|sign_in| live(&sign_in)));
    drop(state);
    let told = world.store.audited(AuditKind::SessionsEnded);
    assert_eq!(told.iter().map(|event| event.reason).collect::<Vec<_>>(), [Some("displaced"); 5]);
}

/// The others learn it from the feed.
#[test]
fn this_process_forgets_at_once_which_session_a_login_displaces() {
    let world = World::default();
    world.register("alice", &[]);
    let first = world.login("alice");
    for _ in 1..MAX_SESSIONS {
        world.clock.advance_millis(1);
        world.login("alice");
    }
    let snapshots = &world.services.ports.snapshots;
    now(Follower::default().poll(&*world.store, &*world.clock, snapshots)).unwrap();
    let (id, principal) = (first.session.id, Arc::new(Principal::new(first.session, first.user)));
    snapshots.insert(&principal, snapshots.generation(), world.clock.monotonic());
    assert!(snapshots.get(id, world.clock.monotonic()).is_some());
    world.clock.advance_millis(1);
    world.login("alice");
    assert!(snapshots.get(id, world.clock.monotonic()).is_none());
}

fn findings(world: &World) -> usize {
    world.store.audited(AuditKind::PasswordFoundBreached).len()
}

fn mark(world: &World, id: UserId) -> Option<Timestamp> {
    world.store.state().breached.get(&id).copied()
}

#[test]
fn case_38_a_login_marks_a_breached_password_and_tells_of_it_once() {
    let world = World::default();
    let id = world.register("alice", &[]).id;
    world.login("alice");
    assert_eq!((mark(&world, id), findings(&world)), (None, 0));
    world.breached.add(PASSWORD);
    let marked_at = world.clock.now();
    world.login("alice");
    world.clock.advance_millis(1);
    let asked = world.breached.asked();
    world.login("alice");
    assert_eq!(world.breached.asked(), asked, "what is marked need not be looked up");
    assert_eq!(mark(&world, id), Some(marked_at));
    assert_eq!(findings(&world), 1);
}

#[test]
fn case_38_only_the_right_password_is_looked_up() {
    let world = World::default();
    world.register("alice", &[]);
    let asked = world.breached.asked();
    assert!(world.try_login("alice", "wrong").is_err());
    assert!(world.try_login("nobody", PASSWORD).is_err());
    assert_eq!(world.breached.asked(), asked);
}

#[test]
fn case_38_of_two_logins_that_find_a_breached_password_one_tells() {
    let world = World::default();
    let id = world.register("alice", &[]).id;
    world.breached.add(PASSWORD);
    world.store.before_next_transaction(move |state| {
        state.breached.insert(id, Timestamp::EPOCH);
        Ok(())
    });
    world.login("alice");
    assert_eq!(findings(&world), 0);
}

#[test]
fn case_38_a_mark_outlasts_another_hash_but_not_another_password() {
    let world = World::default();
    let id = world.register("alice", &[]).id;
    world.breached.add(PASSWORD);
    world.login("alice");
    world.store.state().passwords.insert(id, PasswordHash::from_phc(format!("old:{PASSWORD}")));
    let here = world.login("alice");
    assert!(mark(&world, id).is_some(), "it is the same password");
    change(&world, &world.caller(&here), PASSWORD).unwrap();
    assert_eq!(mark(&world, id), None);
}

fn change(world: &World, caller: &vestibule_domain::access::Caller, current: &str) -> Result<(), CredentialError> {
    let request = ChangePassword {
        current: PasswordAttempt::parse(current).unwrap(),
        new: new_password("another lamp, another hill"),
    };
    now(world.services.credentials.change_password(caller, request, &world.context)).outcome
}

#[test]
fn case_85_a_new_password_ends_every_other_session() {
    let world = World::default();
    world.register("alice", &[]);
    let (here, there) = (world.login("alice"), world.login("alice"));
    change(&world, &world.caller(&here), PASSWORD).unwrap();
    let state = world.store.state();
    assert!(state.sessions[&here.session.id].ended.is_none());
    assert!(state.sessions[&there.session.id].ended.is_some());
}

#[test]
fn case_40_a_change_without_the_current_password_changes_nothing() {
    let world = World::default();
    let id = world.register("alice", &[]).id;
    let caller = world.caller(&world.login("alice"));
    assert!(matches!(change(&world, &caller, "wrong"), Err(CredentialError::WrongPassword)));
    world.store.state().passwords.remove(&id);
    assert!(matches!(change(&world, &caller, PASSWORD), Err(CredentialError::WrongPassword)));
    assert_eq!(world.store.audited(AuditKind::PasswordChangeFailed).len(), 2);
    assert_eq!(world.store.state().users[&id].epoch, 1);
}

#[test]
fn a_change_whose_session_ends_meanwhile_changes_nothing() {
    let world = World::default();
    let id = world.register("alice", &[]).id;
    let sign_in = world.login("alice");
    let (caller, session) = (world.caller(&sign_in), sign_in.session.id);
    // As by «end all» from another device while the passwords were hashed; or by another change, which is in a new
    // epoch.
    for epochs in [0, 1] {
        world.store.before_next_transaction(move |state| {
            state.sessions.get_mut(&session).unwrap().ended = Some(EndReason::Revoked);
            state.users.get_mut(&id).unwrap().epoch += epochs;
            Ok(())
        });
        let refused = change(&world, &caller, PASSWORD);
        assert!(matches!(refused, Err(CredentialError::Denied(Denied::SessionOver))), "{refused:?}");
        assert_eq!(world.store.state().passwords[&id].as_phc(), format!("new:{PASSWORD}"));
    }
    assert_eq!(world.store.state().users[&id].epoch, 2, "only what the other one did");
}

#[test]
fn of_two_changes_at_once_one_wins() {
    let world = World::default();
    let id = world.register("alice", &[]).id;
    let caller = world.caller(&world.login("alice"));
    world.store.before_next_transaction(move |state| {
        state.users.get_mut(&id).unwrap().epoch += 1;
        Ok(())
    });
    assert!(matches!(change(&world, &caller, PASSWORD), Err(CredentialError::WrongPassword)));
    assert_eq!(world.store.state().passwords[&id].as_phc(), format!("new:{PASSWORD}"));
}

#[test]
fn the_word_of_an_operator_holds_though_another_changed_the_password_meanwhile() {
    let world = World::default();
    let id = world.register("alice", &[]).id;
    world.store.before_next_transaction(move |state| {
        state.users.get_mut(&id).unwrap().epoch += 1;
        Ok(())
    });
    now(world.services.credentials.set_password(id, new_password("another lamp, another hill"), &world.context))
        .unwrap();
    assert!(world.try_login("alice", "another lamp, another hill").is_ok());
}

#[test]
fn a_device_is_known_for_180_days() {
    let world = World::default();
    world.register("alice", &[]);
    let device = world.login("alice").device_token.unwrap();
    let login = || {
        let (email, password) = (email("alice"), PasswordAttempt::parse(PASSWORD).unwrap());
        let device_token = Some(DeviceToken::from_bytes(*device.as_bytes()));
        now(world.services.sessions.login(Login { email, password, device_token }, &world.context)).outcome.unwrap()
    };
    world.clock.advance(Duration::from_hours(180 * 24) - Duration::from_millis(1));
    assert!(login().device_token.is_none());
    world.clock.advance_millis(1);
    assert!(login().device_token.is_some(), "a new one");
}
