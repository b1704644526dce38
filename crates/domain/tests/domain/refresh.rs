use crate::fakes::{World, begin, no_ones_token, now};
use std::sync::atomic::Ordering;
use std::time::Duration;
use vestibule_domain::audit::AuditKind;
use vestibule_domain::session::{EndReason, RefreshToken, SealedToken, SessionError, SessionSettings, SignIn};
use vestibule_domain::user::Status;
use vestibule_domain::{Clock, Settings};

/// Alice, signed in.
fn signed_in() -> (World, SignIn) {
    let world = World::default();
    world.register("alice", &[]);
    let sign_in = world.login("alice");
    (world, sign_in)
}

fn refresh(world: &World, token: &RefreshToken) -> Result<SignIn, SessionError> {
    now(world.services.sessions.refresh(Some(token.clone()), &world.context)).outcome
}

fn is_refused(outcome: &Result<SignIn, SessionError>) -> bool {
    matches!(outcome, Err(SessionError::InvalidRefreshToken))
}

fn ended(world: &World, sign_in: &SignIn) -> Option<EndReason> {
    world.store.state().sessions[&sign_in.session.id].ended
}

#[test]
fn each_use_gives_a_new_token_of_the_same_session() {
    let (world, first) = signed_in();
    let second = refresh(&world, &first.refresh_token).unwrap();
    assert_ne!(second.refresh_token.hash(), first.refresh_token.hash());
    assert_eq!(second.session.id, first.session.id);
    assert!(refresh(&world, &second.refresh_token).is_ok());
}

#[test]
fn case_79_the_parent_gets_the_same_child_within_the_grace() {
    let (world, first) = signed_in();
    let child = refresh(&world, &first.refresh_token).unwrap().refresh_token.hash();
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(refresh(&world, &first.refresh_token).unwrap().refresh_token.hash(), child);
    assert_eq!(ended(&world, &first), None);
}

#[test]
fn case_77_the_parent_ends_the_session_after_the_grace() {
    let (world, first) = signed_in();
    let second = refresh(&world, &first.refresh_token).unwrap();
    world.clock.advance(Duration::from_millis(10_001));
    assert!(is_refused(&refresh(&world, &first.refresh_token)));
    assert_eq!(ended(&world, &first), Some(EndReason::RefreshTokenReused));
    assert!(is_refused(&refresh(&world, &second.refresh_token)));
    assert_eq!(world.store.audited(AuditKind::RefreshTokenReused).len(), 1);
}

#[test]
fn case_79_the_grandparent_ends_the_session_even_within_the_grace() {
    let (world, first) = signed_in();
    let second = refresh(&world, &first.refresh_token).unwrap();
    refresh(&world, &second.refresh_token).unwrap();
    assert!(is_refused(&refresh(&world, &first.refresh_token)));
    assert_eq!(ended(&world, &first), Some(EndReason::RefreshTokenReused));
}

#[test]
fn case_83_idle_and_absolute_ends_hold_however_often_it_is_refreshed() {
    let (world, first) = signed_in();
    let day = Duration::from_hours(24);
    let mut token = first.refresh_token;
    for _ in 0..29 {
        world.clock.advance(day);
        token = refresh(&world, &token).unwrap().refresh_token;
    }
    world.clock.advance(day);
    assert!(is_refused(&refresh(&world, &token)));

    let (world, first) = signed_in();
    world.clock.advance(14 * day);
    assert!(is_refused(&refresh(&world, &first.refresh_token)));
}

#[test]
fn the_answer_never_promises_more_than_the_session_has() {
    let (world, first) = signed_in();
    assert_eq!(first.refresh_ttl, Duration::from_hours(14 * 24));
    world.clock.advance(Duration::from_hours(13 * 24));
    let second = refresh(&world, &first.refresh_token).unwrap();
    world.clock.advance(Duration::from_hours(13 * 24));
    let third = refresh(&world, &second.refresh_token).unwrap();
    assert_eq!(third.refresh_ttl, Duration::from_hours(4 * 24));
}

/// Whoever checks tokens offline asks by it for a recent login.
#[test]
fn a_refresh_proves_no_login() {
    let (world, first) = signed_in();
    let login = world.codec.last_signed();
    assert_eq!(login.authenticated_at, world.clock.now());
    world.clock.advance(Duration::from_mins(10));
    refresh(&world, &first.refresh_token).unwrap();
    let refreshed = world.codec.last_signed();
    assert_eq!(refreshed.authenticated_at, login.authenticated_at);
    assert_eq!(refreshed.issued_at, world.clock.now());
    assert_eq!(refreshed.expires_at, world.clock.now().plus(Duration::from_mins(10)));
}

#[test]
fn a_child_that_does_not_open_is_refused_as_everything_else_is() {
    let (world, first) = signed_in();
    refresh(&world, &first.refresh_token).unwrap();
    for stored in world.store.state().sessions.values_mut() {
        stored.parent.as_mut().unwrap().2 = SealedToken::from_bytes(vec![0; 64]);
    }
    assert!(is_refused(&refresh(&world, &first.refresh_token)));
}

#[test]
fn a_session_that_is_not_refreshed_lasts_no_longer_than_one_that_is() {
    let sessions = SessionSettings { refresh_idle: Duration::from_hours(60 * 24), ..SessionSettings::default() };
    let world = World::new(Settings { sessions, ..Settings::default() });
    world.register("alice", &[]);
    let session = world.login("alice").session;
    assert_eq!(session.expires_at, world.clock.now().plus(Duration::from_hours(30 * 24)));
    assert_eq!(session.idle_expires_at, session.expires_at);
}

#[test]
fn every_refusal_is_one_answer_and_its_reason_is_in_the_trail() {
    let (world, first) = signed_in();
    let reasons = || -> Vec<_> {
        world.store.audited(AuditKind::RefreshFailed).iter().map(|event| event.reason.unwrap()).collect()
    };
    assert!(is_refused(&refresh(&world, &no_ones_token())));
    assert_eq!(reasons(), Vec::<&str>::new(), "anyone can make up tokens, and the trail is there to stay");
    world.clock.advance(Duration::from_hours(14 * 24));
    assert!(is_refused(&refresh(&world, &first.refresh_token)));
    assert_eq!(reasons(), ["expired"]);

    let second = world.login("alice");
    world.store.state().users.get_mut(&second.user.id).unwrap().status = Status::Disabled;
    assert!(is_refused(&refresh(&world, &second.refresh_token)));
    world.store.state().sessions.get_mut(&second.session.id).unwrap().ended = Some(EndReason::UserDisabled);
    assert!(is_refused(&refresh(&world, &second.refresh_token)));
    assert_eq!(reasons()[1..], ["disabled", "session_over"]);
}

#[test]
fn a_process_that_cannot_sign_consumes_no_token() {
    let (world, first) = signed_in();
    world.codec.set_ready(false);
    assert!(matches!(refresh(&world, &first.refresh_token), Err(SessionError::Signing(_))));
    world.codec.set_ready(true);
    world.clock.advance(Duration::from_mins(1));
    assert!(refresh(&world, &first.refresh_token).is_ok(), "the outage was longer than the grace");
}

#[test]
fn case_106_a_refresh_takes_the_roles_of_the_moment() {
    let world = World::default();
    let id = world.register("alice", &["admin"]).id;
    let first = world.login("alice");
    world.store.state().users.get_mut(&id).unwrap().roles.clear();
    assert!(refresh(&world, &first.refresh_token).unwrap().user.roles.is_empty());
}

#[test]
fn f79_who_was_not_told_of_its_own_refresh_is_no_thief() {
    let sessions = SessionSettings { refresh_grace: Duration::ZERO, ..SessionSettings::default() };
    let world = World::new(Settings { sessions, ..Settings::default() });
    world.register("alice", &[]);
    let alice = world.login("alice");
    world.store.refreshes_wait.store(true, Ordering::SeqCst);
    let token = alice.refresh_token.clone();
    let waits = begin(world.services.sessions.refresh(Some(token), &world.context));
    world.clock.advance(Duration::from_millis(2));
    world.store.refreshes_wait.store(false, Ordering::SeqCst);
    world.store.loses_answers.store(true, Ordering::SeqCst);
    let told = waits.finish().outcome.expect("it was replaced");
    assert_eq!(ended(&world, &alice), None);
    world.store.loses_answers.store(false, Ordering::SeqCst);
    assert!(refresh(&world, &told.refresh_token).is_ok());
}

#[test]
fn f79_the_grace_begins_when_the_token_is_replaced_however_long_it_waited() {
    let (world, alice) = signed_in();
    world.store.refreshes_wait.store(true, Ordering::SeqCst);
    let foreign = no_ones_token();
    let first = begin(world.services.sessions.refresh(Some(foreign), &world.context));
    let token = alice.refresh_token.clone();
    let waits = begin(world.services.sessions.refresh(Some(token), &world.context));
    world.clock.advance(Duration::from_millis(900));
    world.store.refreshes_wait.store(false, Ordering::SeqCst);
    drop((first.finish(), waits.finish()));
    world.clock.advance(Duration::from_secs(10));
    assert!(refresh(&world, &alice.refresh_token).is_ok());
    assert_eq!(ended(&world, &alice), None);
}

#[test]
fn a_session_that_somebody_holds_is_waited_for_alone() {
    let (world, alice) = signed_in();
    world.store.sessions_are_held.store(true, Ordering::SeqCst);
    let child = refresh(&world, &alice.refresh_token).unwrap();
    assert!(refresh(&world, &child.refresh_token).is_ok());
    assert_eq!(ended(&world, &alice), None);
}

/// As many are in memory as wait for the store. A token and its hash have three parts each.
#[test]
fn a_refresh_under_way_takes_little_memory() {
    let world = World::default();
    let bytes = size_of_val(&world.services.sessions.refresh(None, &world.context));
    assert!(bytes <= 3072, "{bytes}");
}
