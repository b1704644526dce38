//! Sessions: their beginning, their lists and their ends.

use super::Fixture;
use super::fixture::{DAY, opening, somewhere};
use std::time::Duration;
use vestibule_domain::RequestContext;
use vestibule_domain::context::UserAgent;
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::session::service::MAX_SESSIONS;
use vestibule_domain::session::store::Opening;
use vestibule_domain::session::{DeviceToken, EndReason, Session};
use vestibule_domain::store::open_and_commit;

async fn live(fixture: &Fixture, user: UserId) -> Vec<SessionId> {
    let sessions = fixture.store.sessions(user, fixture.now()).await.expect("a list");
    sessions.iter().map(|session| session.id).collect()
}

/// Sessions of one user, each a millisecond after the one before.
async fn several(fixture: &Fixture, user: UserId, count: u32) -> Vec<SessionId> {
    let mut work = fixture.begin().await;
    let mut ids = Vec::new();
    for _ in 0..count {
        fixture.clock.advance(Duration::from_millis(1));
        let session = fixture.session(user);
        work.insert_session(&session, &fixture.token(&session).hash()).await.expect("a session");
        ids.push(session.id);
    }
    work.commit().await.expect("a commit");
    ids
}

pub async fn keeps_every_field(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    fixture.clock.advance(Duration::from_millis(123));
    let at = |millis| fixture.now().plus(Duration::from_millis(millis));
    for ip in ["203.0.113.7", "2001:db8::1", "::ffff:192.0.2.1"] {
        let session = Session {
            last_seen_at: at(1),
            authenticated_at: at(2),
            idle_expires_at: at(3),
            expires_at: at(4),
            ip: Some(ip.parse().expect("an address")),
            user_agent: UserAgent::clean("Mozilla/5.0 (Ω; \"quoted\") \\ 👾"),
            ..fixture.session(alice.id)
        };
        let token = fixture.token(&session);
        let mut work = fixture.begin().await;
        work.insert_session(&session, &token.hash()).await.expect("a session");
        work.commit().await.expect("a commit");
        let principal = fixture.store.principal(session.id).await.expect("an answer").expect("the session");
        assert_eq!((&*principal.session, &*principal.user), (&session, &alice));
        let found = fixture.store.find_refresh(&token.hash()).await.expect("an answer").expect("the token");
        assert_eq!((found.session, found.user, found.ended), (session, alice.clone(), false));
    }
}

pub async fn lists_the_live_ones_newest_first(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let bob = fixture.register("bob@example.com").await;
    let ids = several(fixture, alice.id, 3).await;
    several(fixture, bob.id, 1).await;
    assert_eq!(live(fixture, alice.id).await, [ids[2], ids[1], ids[0]]);
    let mut work = fixture.begin().await;
    assert!(work.end_session(alice.id, ids[1], EndReason::Revoked, fixture.now()).await.expect("an answer"));
    work.commit().await.expect("a commit");
    assert_eq!(live(fixture, alice.id).await, [ids[2], ids[0]]);
    fixture.clock.advance(14 * DAY);
    assert_eq!(live(fixture, alice.id).await, [], "idle for 14 days");
}

pub async fn a_principal_is_gone_once_the_session_ends(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (session, token) = fixture.sign_in(alice.id).await;
    let mut work = fixture.begin().await;
    work.end_session(alice.id, session.id, EndReason::LoggedOut, fixture.now()).await.expect("an answer");
    work.commit().await.expect("a commit");
    assert!(fixture.store.principal(session.id).await.expect("an answer").is_none());
    let found = fixture.store.find_refresh(&token.hash()).await.expect("an answer").expect("the token is remembered");
    assert!(found.ended);
    let nowhere = SessionId::generate(&fixture.clock, &fixture.rng);
    assert!(fixture.store.principal(nowhere).await.expect("an answer").is_none());
}

pub async fn a_session_ends_once_and_only_for_its_user(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let bob = fixture.register("bob@example.com").await;
    let (session, _) = fixture.sign_in(alice.id).await;
    let mut work = fixture.begin().await;
    for (user, ended) in [(bob.id, false), (alice.id, true), (alice.id, false)] {
        let answer = work.end_session(user, session.id, EndReason::Revoked, fixture.now()).await;
        assert_eq!(answer.expect("an answer"), ended);
    }
    work.commit().await.expect("a commit");
}

pub async fn all_but_one_end(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let bob = fixture.register("bob@example.com").await;
    let ids = several(fixture, alice.id, 3).await;
    let others = several(fixture, bob.id, 1).await;
    let end = async |except| {
        let mut work = fixture.begin().await;
        let ended = work.end_sessions(alice.id, except, EndReason::PasswordChanged, fixture.now()).await;
        work.commit().await.expect("a commit");
        let mut ended = ended.expect("the ids");
        ended.sort();
        ended
    };
    assert_eq!(end(Some(ids[1])).await, [ids[0], ids[2]]);
    assert_eq!(live(fixture, alice.id).await, [ids[1]]);
    assert_eq!(end(None).await, [ids[1]]);
    assert_eq!(end(None).await, [], "none is left to end");
    assert_eq!(live(fixture, bob.id).await, others, "another user's go on");
}

pub async fn a_session_is_held_until_it_ends(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let bob = fixture.register("bob@example.com").await;
    let (session, _) = fixture.sign_in(alice.id).await;
    let mut work = fixture.begin().await;
    assert!(work.holds_session(alice.id, session.id).await.expect("an answer"));
    assert!(!work.holds_session(bob.id, session.id).await.expect("an answer"), "another's");
    work.end_session(alice.id, session.id, EndReason::Revoked, fixture.now()).await.expect("an answer");
    assert!(!work.holds_session(alice.id, session.id).await.expect("an answer"));
    work.commit().await.expect("a commit");
}

pub async fn the_oldest_make_room(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let ids = several(fixture, alice.id, 5).await;
    let mut work = fixture.begin().await;
    assert_eq!(work.displace_sessions(alice.id, ids[4], 4, fixture.now()).await.expect("the ids"), [ids[0]]);
    assert_eq!(work.displace_sessions(alice.id, ids[4], 4, fixture.now()).await.expect("the ids"), []);
    // Begun by a process whose clock is behind that of the others.
    assert_eq!(work.displace_sessions(alice.id, ids[1], 3, fixture.now()).await.expect("the ids"), [ids[2]]);
    work.commit().await.expect("a commit");
    assert_eq!(live(fixture, alice.id).await, [ids[4], ids[3], ids[1]]);
}

pub async fn a_login_opens_a_session_and_makes_room_in_one_go(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    several(fixture, fixture.register("bob@example.com").await.id, 3).await;
    let ids = several(fixture, alice.id, 4).await;
    fixture.clock.advance(Duration::from_secs(1));
    let (session, device) = (fixture.session(alice.id), DeviceToken::generate(&fixture.rng));
    let token = fixture.token(&session);
    let context = RequestContext::default();
    let device = device.hash();
    let known = Some((device.clone(), fixture.now().plus(DAY)));
    let first = Opening { keep: 4, device: known, ..opening(&session, &token, &context) };
    let opened = fixture.store.open_session(&first).await.expect("an answer").expect("a session");
    assert_eq!((opened.user.version, opened.displaced), (2, vec![ids[0]]));
    let unknown = fixture.session(alice.id);
    let second = Opening { keep: 4, ..opening(&unknown, &fixture.token(&unknown), &context) };
    let opened = fixture.store.open_session(&second).await.expect("an answer").expect("a session");
    assert_eq!((opened.user.version, opened.displaced), (3, vec![ids[1]]));
    let mut live = live(fixture, alice.id).await;
    live.sort();
    let mut expected = vec![ids[2], ids[3], session.id, unknown.id];
    expected.sort();
    assert_eq!(live, expected);
    let found = fixture.store.find_refresh(&token.hash()).await.expect("an answer").expect("the session");
    assert_eq!((found.session, found.ended), (session, false));
    assert!(fixture.store.knows_device(&alice.email, &device, fixture.now()).await.expect("an answer"));
    assert_eq!(fixture.database.number("SELECT count(*) FROM devices").await, 1, "none comes of nothing");
    assert_eq!(fixture.database.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, 7);
}

/// To the millisecond, whether it expired on an earlier day, expires on this one, or later.
pub async fn what_has_expired_makes_no_room(fixture: &Fixture) {
    for in_one_go in [true, false] {
        let alice = fixture.register(&format!("in-one-go.{in_one_go}@example.com")).await;
        let (hour, millisecond) = (Duration::from_hours(1), Duration::from_millis(1));
        let now = fixture.now().plus(20 * DAY);
        let mut ids = Vec::new();
        let mut work = fixture.begin().await;
        for idle_expires_at in [now.minus(3 * DAY), now.minus(hour), now, now.plus(millisecond), now.plus(5 * DAY)] {
            fixture.clock.advance(millisecond);
            let session = Session { idle_expires_at, ..fixture.session(alice.id) };
            work.insert_session(&session, &fixture.token(&session).hash()).await.expect("a session");
            ids.push(session.id);
        }
        work.commit().await.expect("a commit");
        fixture.clock.advance((20 * DAY).saturating_sub(5 * millisecond));
        assert_eq!(live(fixture, alice.id).await, [ids[4], ids[3]]);
        let (session, context) = (fixture.session(alice.id), RequestContext::default());
        let token = fixture.token(&session);
        let made_room = if in_one_go {
            let opening = Opening { keep: 2, ..opening(&session, &token, &context) };
            fixture.store.open_session(&opening).await.expect("an answer").expect("a session").displaced
        } else {
            let mut work = fixture.begin().await;
            work.insert_session(&session, &token.hash()).await.expect("a session");
            let made_room = work.displace_sessions(alice.id, session.id, 2, now).await.expect("the ids");
            work.commit().await.expect("a commit");
            made_room
        };
        assert_eq!(made_room, [ids[3]], "{in_one_go}");
    }
}

pub async fn a_login_leaves_the_same_in_one_go_and_step_by_step(fixture: &Fixture) {
    let context = somewhere();
    let mut outcomes = Vec::new();
    for in_one_go in [true, false] {
        let world = Fixture::create(fixture.database.kind()).await;
        let alice = world.register_admin("alice@example.com").await;
        several(&world, alice.id, 3).await;
        world.clock.advance(Duration::from_millis(1));
        let session = Session { ip: context.ip, user_agent: context.user_agent.clone(), ..world.session(alice.id) };
        let known = Some((DeviceToken::generate(&world.rng).hash(), world.now().plus(DAY)));
        let mut opening = Opening { keep: 2, device: known, ..opening(&session, &world.token(&session), &context) };
        for (record, n) in [(&mut opening.succeeded, 1), (&mut opening.displaced, 2)] {
            record.at = session.created_at.plus(Duration::from_millis(n));
        }
        opening.succeeded.event.reason = Some("upgraded");
        let opened = if in_one_go {
            world.store.open_session(&opening).await
        } else {
            open_and_commit(world.begin().await, &opening).await
        };
        let mut opened = opened.expect("an answer").expect("a session");
        opened.displaced.sort();
        outcomes.push((opened, world.rows().await));
        world.finish().await;
    }
    assert_eq!(outcomes[0].0.displaced.len(), 2);
    assert_eq!(outcomes[0], outcomes[1]);
}

/// All of a user's sessions and devices, some of which have to make room, and one who is refused.
pub async fn logins_that_come_together_leave_what_each_would_alone(fixture: &Fixture) {
    let context = somewhere();
    let mut outcomes = Vec::new();
    for together in [true, false] {
        let world = Fixture::create(fixture.database.kind()).await;
        let mut sessions = Vec::new();
        for (name, before) in [("alice", 3), ("bob", 1), ("carol", 4), ("dave", 0)] {
            let user = world.register(&format!("{name}@example.com")).await;
            several(&world, user.id, before).await;
            world.clock.advance(Duration::from_millis(1));
            sessions.push(Session { ip: context.ip, user_agent: context.user_agent.clone(), ..world.session(user.id) });
        }
        let mut openings: Vec<_> = sessions.iter().map(|one| opening(one, &world.token(one), &context)).collect();
        for (opening, keep) in openings.iter_mut().zip([2, 3, 4, 1]) {
            opening.keep = keep;
        }
        openings[1].device = Some((DeviceToken::generate(&world.rng).hash(), world.now().plus(DAY)));
        openings[3].epoch = 2;
        let store = &world.store;
        let opened = if together {
            let [alice, bob, carol, dave] = [0, 1, 2, 3].map(|n: usize| store.open_session(&openings[n]));
            let (alice, bob, carol, dave) = tokio::join!(alice, bob, carol, dave);
            [alice, bob, carol, dave]
        } else {
            let mut opened = Vec::new();
            for opening in &openings {
                opened.push(open_and_commit(world.begin().await, opening).await);
            }
            <[_; 4]>::try_from(opened).expect("four")
        };
        let mut opened = opened.map(|opened| opened.expect("an answer"));
        opened.iter_mut().flatten().for_each(|opened| opened.displaced.sort());
        let told = "SELECT count(*) FROM changes WHERE kind = 'session_ended'";
        let mut rows = world.rows().await;
        // Their numbers are in the order in which they were written.
        rows.retain(|(table, _)| table != "changes");
        let (all, ended) =
            (world.database.number("SELECT count(*) FROM changes").await, world.database.number(told).await);
        outcomes.push((opened, rows, all, ended));
        world.finish().await;
    }
    let displaced = outcomes[0].0.each_ref().map(|opened| opened.as_ref().map(|opened| opened.displaced.len()));
    assert_eq!(displaced, [Some(2), Some(0), Some(1), None]);
    assert_eq!(outcomes[0], outcomes[1]);
}

pub async fn a_refused_login_leaves_nothing(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (session, context) = (fixture.session(alice.id), RequestContext::default());
    let opening = Opening { epoch: 2, ..opening(&session, &fixture.token(&session), &context) };
    assert_eq!(fixture.store.open_session(&opening).await.expect("an answer"), None);
    for table in ["sessions", "audit_events", "changes"] {
        assert_eq!(fixture.database.dump(table).await, Vec::<String>::new(), "{table}");
    }
    assert_eq!(fixture.stored(alice.id).await, alice);
}

pub async fn lists_at_most_a_hundred(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let ids = several(fixture, alice.id, MAX_SESSIONS + 1).await;
    let listed = live(fixture, alice.id).await;
    assert_eq!(listed.len(), 100);
    assert_eq!(listed.first(), ids.last());
}
