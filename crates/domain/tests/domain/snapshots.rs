use crate::fakes::{HandClock, SeededRng, World, now};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::iter;
use std::sync::Arc;
use vestibule_domain::access::Caller;
use vestibule_domain::access::Freshness;
use vestibule_domain::feed::{Change, Follower, Principal, Snapshots};
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::session::Session;
use vestibule_domain::session::{Logout, LogoutScope};
use vestibule_domain::user::User;
use vestibule_domain::{Clock, RequestContext, Settings};

/// Snapshots that the feed vouches for, and principals to remember.
struct Memory {
    snapshots: Snapshots,
    clock: HandClock,
    rng: SeededRng,
    pattern: Caller,
}

impl Memory {
    fn new() -> Self {
        let world = World::default();
        world.register("alice", &[]);
        let pattern = world.caller(&world.login("alice"));
        let memory =
            Self { snapshots: Snapshots::default(), clock: HandClock::default(), rng: SeededRng::default(), pattern };
        now(Follower::default().poll(&*world.store, &memory.clock, &memory.snapshots)).unwrap();
        memory
    }

    fn user(&self) -> UserId {
        UserId::generate(&self.clock, &self.rng)
    }

    fn session_of(&self, user: UserId) -> Arc<Principal> {
        let session =
            Session { id: SessionId::generate(&self.clock, &self.rng), user, ..Session::clone(&self.pattern.session) };
        Arc::new(Principal::new(session, User { id: user, ..User::clone(&self.pattern.user) }))
    }

    fn insert(&self, principal: &Arc<Principal>) {
        self.snapshots.insert(principal, self.snapshots.generation(), self.clock.monotonic());
    }

    fn holds(&self, principal: &Principal) -> bool {
        self.snapshots.get(principal.session.id, self.clock.monotonic()).is_some()
    }
}

#[test]
fn what_was_read_before_a_change_is_not_remembered_after_it() {
    let memory = Memory::new();
    let user = memory.user();
    let principal = memory.session_of(user);
    for change in [
        Change::UserChanged(user),
        Change::UserGone(user),
        Change::SessionEnded { user, session: principal.session.id },
    ] {
        let generation = memory.snapshots.generation();
        memory.snapshots.apply(change);
        memory.snapshots.insert(&principal, generation, memory.clock.monotonic());
        assert!(!memory.holds(&principal), "{change:?}");
    }
    memory.insert(&principal);
    assert!(memory.holds(&principal));
}

#[derive(Debug, Clone)]
enum Step {
    /// Begins to read session `.1` of user `.0`.
    Read(usize, usize),
    /// Remembers what was read longest ago.
    Insert,
    Forget(usize, Option<usize>),
    /// Changes of others.
    Others(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..2_usize, 0..2_usize).prop_map(|(user, session)| Step::Read(user, session)),
        3 => Just(Step::Insert),
        2 => (0..2_usize, option::of(0..2_usize)).prop_map(|(user, session)| Step::Forget(user, session)),
        1 => prop_oneof![0..4_usize, 1_000..1_040_usize].prop_map(Step::Others),
    ]
}

proptest! {
    #[test]
    fn what_was_forgotten_since_it_was_read_is_not_remembered_and_little_else_is_refused(steps in vec(step(), 1..40)) {
        let memory = Memory::new();
        let users = [memory.user(), memory.user()];
        let sessions = users.map(|user| [memory.session_of(user), memory.session_of(user)]);
        let (mut reading, mut forgotten) = (VecDeque::new(), Vec::new());
        for step in steps {
            match step {
                Step::Read(user, session) => {
                    reading.push_back((user, session, memory.snapshots.generation(), forgotten.len()));
                }
                Step::Insert => {
                    let Some((user, session, generation, began)) = reading.pop_front() else { continue };
                    let principal = &sessions[user][session];
                    let held = memory.holds(principal);
                    memory.snapshots.insert(principal, generation, memory.clock.monotonic());
                    let since = &forgotten[began..];
                    let is_theirs = |of: &Option<(usize, Option<usize>)>| {
                        of.is_some_and(|(of, one)| of == user && one.is_none_or(|one| one == session))
                    };
                    let may_be = !since.iter().any(is_theirs) && since.len() <= 1_024;
                    prop_assert_eq!(memory.holds(principal), held || may_be);
                }
                Step::Forget(user, one) => {
                    let id = users[user];
                    memory.snapshots.apply(match one {
                        Some(one) => Change::SessionEnded { user: id, session: sessions[user][one].session.id },
                        None => Change::UserChanged(id),
                    });
                    forgotten.push(Some((user, one)));
                }
                Step::Others(many) => {
                    for n in 0..many {
                        let user = memory.user();
                        let ended = Change::SessionEnded { user, session: memory.session_of(user).session.id };
                        let others = [Change::UserGone(user), ended, Change::ClientsChanged];
                        memory.snapshots.apply(others[n % 3]);
                    }
                    forgotten.extend(iter::repeat_n(None, many));
                }
            }
        }
    }
}

#[test]
fn what_was_read_before_everything_was_forgotten_is_not_remembered() {
    let (memory, world) = (Memory::new(), World::default());
    let principal = memory.session_of(memory.user());
    let generation = memory.snapshots.generation();
    now(Follower::default().poll(&*world.store, &memory.clock, &memory.snapshots)).unwrap();
    memory.snapshots.insert(&principal, generation, memory.clock.monotonic());
    assert!(!memory.holds(&principal));
}

#[test]
fn a_user_is_forgotten_with_all_sessions_and_nobody_else() {
    let memory = Memory::new();
    let (alice, bob) = (memory.user(), memory.user());
    for change in [Change::UserChanged(alice), Change::UserGone(alice)] {
        let sessions = [memory.session_of(alice), memory.session_of(alice), memory.session_of(bob)];
        for session in &sessions {
            memory.insert(session);
        }
        memory.snapshots.apply(change);
        assert_eq!(sessions.each_ref().map(|session| memory.holds(session)), [false, false, true], "{change:?}");
    }
}

#[test]
fn an_ended_session_is_forgotten_alone() {
    let memory = Memory::new();
    let alice = memory.user();
    let sessions = [memory.session_of(alice), memory.session_of(alice)];
    for session in &sessions {
        memory.insert(session);
    }
    memory.snapshots.apply(Change::SessionEnded { user: alice, session: sessions[0].session.id });
    assert_eq!(sessions.each_ref().map(|session| memory.holds(session)), [false, true]);
}

#[test]
fn nothing_is_remembered_for_more_than_a_minute_even_if_the_feed_is_silent() {
    let (memory, world, mut follower) = (Memory::new(), World::default(), Follower::default());
    let mut pass = |millis| {
        memory.clock.advance_millis(millis);
        now(follower.poll(&*world.store, &memory.clock, &memory.snapshots)).unwrap();
    };
    pass(0);
    let principal = memory.session_of(memory.user());
    memory.insert(&principal);
    pass(59_999);
    assert!(memory.holds(&principal));
    pass(1);
    assert!(!memory.holds(&principal));
}

#[test]
fn memory_is_bounded_and_keeps_what_came_last() {
    let memory = Memory::new();
    let all: Vec<_> = (0..5_000).map(|_| memory.session_of(memory.user())).collect();
    for principal in &all {
        memory.insert(principal);
        assert!(memory.holds(principal));
    }
    let held = all.iter().filter(|principal| memory.holds(principal)).count();
    assert!((1_024..=2_048).contains(&held), "{held}");
}

#[test]
fn case_76_a_logout_in_this_process_is_felt_at_once() {
    let world = World::default();
    now(Follower::default().poll(&*world.store, &*world.clock, &world.services.ports.snapshots)).unwrap();
    world.register("alice", &[]);
    let sign_in = world.login("alice");
    let caller = world.caller(&sign_in);
    now(world.services.sessions.logout(Logout::Access(&caller), LogoutScope::Current, &world.context)).unwrap();
    assert!(now(world.services.access.authenticate(sign_in.access_token.reveal(), Freshness::Feed)).is_err());
}

#[test]
fn case_76_a_session_that_ends_while_it_is_read_is_not_remembered() {
    let world = World::default();
    now(Follower::default().poll(&*world.store, &*world.clock, &world.services.ports.snapshots)).unwrap();
    world.register("alice", &[]);
    let sign_in = world.login("alice");
    let (caller, sessions) = (world.caller(&sign_in), world.services.sessions.clone());
    world.store.while_it_is_read(move || {
        now(sessions.logout(Logout::Access(&caller), LogoutScope::Current, &RequestContext::default())).unwrap();
    });
    let authenticate = |freshness| now(world.services.access.authenticate(sign_in.access_token.reveal(), freshness));
    assert!(authenticate(Freshness::Store).is_ok(), "it was read before");
    assert!(authenticate(Freshness::Feed).is_err());
}

#[test]
fn case_107_a_disabled_user_is_out_in_other_processes_with_their_next_poll() {
    let here = World::default();
    let there = World::beside(&here.store, &here.clock, Settings::default());
    let mut follower = Follower::default();
    let mut poll = || now(follower.poll(&*there.store, &*there.clock, &there.services.ports.snapshots)).unwrap();
    let user = here.register("alice", &[]);
    let sign_in = here.login("alice");
    poll();
    let authenticate = || now(there.services.access.authenticate(sign_in.access_token.reveal(), Freshness::Feed));
    assert_eq!(authenticate().unwrap().user.id, user.id);
    now(here.services.users.disable(vestibule_domain::access::Authority::Operator, user.id, &here.context)).unwrap();
    assert!(authenticate().is_ok(), "remembered: this is what the next assertion is about");
    poll();
    assert!(authenticate().is_err());
}

#[test]
fn how_users_are_shown_is_written_once_and_is_not_for_logs() {
    let world = World::default();
    world.register("alice", &[]);
    let caller = world.caller(&world.login("alice"));
    let shown = caller.shown(|user| user.email.as_written().into()).to_owned();
    assert_eq!(caller.clone().shown(|_| "written again".into()), shown);
    assert!(!format!("{caller:?}").contains(&shown), "{caller:?}");
}
