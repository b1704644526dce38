use crate::fakes::{World, no_ones_token, now};
use vestibule_domain::access::Authority;
use vestibule_domain::audit::AuditKind;
use vestibule_domain::session::{Logout, LogoutScope, RefreshToken, SessionError, SignIn};

fn refresh(world: &World, token: &RefreshToken) -> Result<SignIn, SessionError> {
    now(world.services.sessions.refresh(Some(token.clone()), &world.context)).outcome
}

fn logout(world: &World, token: &RefreshToken, scope: LogoutScope) {
    now(world.services.sessions.logout(Logout::Refresh(token.clone()), scope, &world.context)).unwrap();
}

/// Which of the sign-ins are still alive.
fn alive<const N: usize>(world: &World, sign_ins: [&SignIn; N]) -> [bool; N] {
    sign_ins.map(|sign_in| world.store.state().sessions[&sign_in.session.id].ended.is_none())
}

/// Two sessions of Alice and one of Bob.
fn three_sessions() -> (World, [SignIn; 3]) {
    let world = World::default();
    for name in ["alice", "bob"] {
        world.register(name, &[]);
    }
    let sign_ins = ["alice", "alice", "bob"].map(|name| world.login(name));
    (world, sign_ins)
}

#[test]
fn each_scope_ends_what_it_says_by_either_token() {
    for (scope, expected) in [
        (LogoutScope::Current, [false, true, true]),
        (LogoutScope::Others, [true, false, true]),
        (LogoutScope::All, [false, false, true]),
    ] {
        let (world, sign_ins) = three_sessions();
        let caller = world.caller(&sign_ins[0]);
        now(world.services.sessions.logout(Logout::Access(&caller), scope, &world.context)).unwrap();
        assert_eq!(alive(&world, sign_ins.each_ref()), expected, "{scope:?}");

        let (world, sign_ins) = three_sessions();
        logout(&world, &sign_ins[0].refresh_token, scope);
        assert_eq!(alive(&world, sign_ins.each_ref()), expected, "{scope:?}");
    }
}

#[test]
fn case_80_a_second_time_changes_nothing() {
    let world = World::default();
    world.register("alice", &[]);
    let sign_in = world.login("alice");
    for _ in 0..2 {
        logout(&world, &sign_in.refresh_token, LogoutScope::Current);
    }
    assert_eq!(world.store.audited(AuditKind::SessionEnded).len(), 1);
    logout(&world, &no_ones_token(), LogoutScope::All);
}

#[test]
fn case_80_nothing_refreshes_after_a_logout_however_old_its_token() {
    for refreshed in 0..4 {
        let world = World::default();
        world.register("alice", &[]);
        let first = world.login("alice");
        let mut newest = first.refresh_token.clone();
        for _ in 0..refreshed {
            newest = refresh(&world, &newest).unwrap().refresh_token;
        }
        logout(&world, &first.refresh_token, LogoutScope::Current);
        assert_eq!(alive(&world, [&first]), [false], "{refreshed} refreshes went before");
        assert!(matches!(refresh(&world, &newest), Err(SessionError::InvalidRefreshToken)));
    }
}

/// Whoever finds an old one cannot log its owner out everywhere.
#[test]
fn case_80_a_token_of_a_session_that_is_over_ends_no_other() {
    let (world, [first, second, _]) = three_sessions();
    logout(&world, &first.refresh_token, LogoutScope::Current);
    for scope in [LogoutScope::Others, LogoutScope::All] {
        logout(&world, &first.refresh_token, scope);
        assert_eq!(alive(&world, [&first, &second]), [false, true], "{scope:?}");
    }
}

#[test]
fn a_token_that_was_replaced_long_ago_ends_no_other_session() {
    let world = World::default();
    world.register("alice", &[]);
    let (first, other) = (world.login("alice"), world.login("alice"));
    let second = refresh(&world, &first.refresh_token).unwrap();
    refresh(&world, &second.refresh_token).unwrap();
    logout(&world, &first.refresh_token, LogoutScope::All);
    assert_eq!(alive(&world, [&first, &other]), [false, true]);
}

#[test]
fn case_86_anothers_session_does_not_exist() {
    let (world, [alices, _, bobs]) = three_sessions();
    let caller = world.caller(&alices);
    let end = |user, session| now(world.services.sessions.end(Authority::User(&caller), user, session, &world.context));
    assert!(end(bobs.user.id, bobs.session.id).is_err());
    assert!(matches!(end(alices.user.id, bobs.session.id), Err(SessionError::NotFound)));
    assert_eq!(alive(&world, [&alices, &bobs]), [true, true]);
    assert!(end(alices.user.id, alices.session.id).is_ok());
}
