//! F: sessions and refresh.

use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule_domain::audit::{AuditEvent, AuditKind, AuditRecord};
use vestibule_domain::id::{AuditEventId, SessionId};
use vestibule_domain::session::store::SessionReads;
use vestibule_domain::session::{RefreshToken, Session};
use vestibule_domain::{Clock, RequestContext, Store};
use vestibule_testkit::app::{ALICE, Client, PASSWORD, Response, Scene, UNKNOWN_TOKEN};
use vestibule_testkit::counting::Reach;
use vestibule_testkit::scenes;

scenes!(
    f77_reuse_after_the_grace_ends_the_session,
    f77_a_damaged_token_ends_no_session,
    f77_any_secret_of_the_family_ends_the_session,
    f77_the_id_of_a_session_is_not_enough_to_end_it,
    f78_parallel_refreshes_on_two_replicas_make_one_child,
    f79_a_lost_answer_is_given_again,
    f79_a_grandparent_ends_the_session_within_the_grace_too,
    f80_refresh_against_logout,
    f81_a_failed_rotation_leaves_the_parent,
    f82_another_process_knows_what_was_rotated,
    f83_idle_and_absolute_expiry,
    f84_session_ids_of_clients_are_ignored,
    f85_a_change_of_password_ends_other_sessions,
    f86_a_user_has_a_hundred_sessions_at_most,
);

const DAY: Duration = Duration::from_hours(24);
const MILLISECOND: Duration = Duration::from_millis(1);

fn refresh_token(response: &Response) -> &str {
    response.json["refresh_token"].as_str().unwrap_or_else(|| panic!("no token in {response}"))
}

async fn is_over(client: &Client) -> bool {
    client.get("/users/me").await.status == 401
}

async fn f77_reuse_after_the_grace_ends_the_session(Scene { app, anonymous, alice, .. }: &Scene) {
    let child = anonymous.refresh(alice.refresh_token()).await;
    app.clock().advance(Duration::from_millis(10_001));
    let reused = anonymous.refresh(alice.refresh_token()).await;
    let unknown = anonymous.refresh(UNKNOWN_TOKEN).await;
    assert!(RefreshToken::parse(UNKNOWN_TOKEN).is_ok(), "it is asked for in the store");
    assert_eq!(reused.to_string(), unknown.to_string(), "the answer does not tell");
    assert_eq!(anonymous.refresh(refresh_token(&child)).await.code(), "invalid_refresh_token");
    assert!(is_over(&alice.holding(&child)).await);
    let trail = app.trail(alice.id()).await;
    assert_eq!(trail.iter().filter(|event| event.starts_with("refresh_token.reused")).count(), 1, "{trail:?}");
}

/// In each of its parts, or cut off.
async fn f77_a_damaged_token_ends_no_session(Scene { anonymous, alice, .. }: &Scene) {
    let token = alice.refresh_token();
    let damaged = [10, 30, 60, 95].map(|at| {
        let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    });
    for damaged in damaged.iter().map(String::as_str).chain([&token[..50]]) {
        assert_eq!(anonymous.refresh(damaged).await.code(), "invalid_refresh_token");
        assert_eq!(anonymous.post("/logout", json!({"refresh_token": damaged})).await.status, 204);
    }
    assert_eq!(anonymous.refresh(token).await.status, 200);
}

/// No token is remembered that was replaced: whoever knows the family has had one.
async fn f77_any_secret_of_the_family_ends_the_session(Scene { app, anonymous, alice, .. }: &Scene) {
    let held = RefreshToken::parse(alice.refresh_token()).expect("a token");
    let of_the_family = held.child(app.rng());
    assert_eq!(anonymous.refresh(&of_the_family.reveal()).await.code(), "invalid_refresh_token");
    assert!(is_over(alice).await);
    let trail = app.trail(alice.id()).await;
    assert_eq!(trail.iter().filter(|event| event.starts_with("refresh_token.reused")).count(), 1, "{trail:?}");
}

async fn f77_the_id_of_a_session_is_not_enough_to_end_it(Scene { anonymous, alice, .. }: &Scene) {
    let held = RefreshToken::parse(alice.refresh_token()).expect("a token");
    let stranger = RefreshToken::new(held.hash().session, [7; 16], *held.secret()).reveal();
    assert_eq!(anonymous.refresh(&stranger).await.code(), "invalid_refresh_token");
    assert_eq!(anonymous.post("/logout", json!({"refresh_token": *stranger})).await.status, 204);
    assert!(!is_over(alice).await);
}

/// CVE-2026-1035, GHSA-392p-2q2v-4372: of two at once both got a token.
async fn f78_parallel_refreshes_on_two_replicas_make_one_child(Scene { app, anonymous, alice, .. }: &Scene) {
    let replica = app.replica().await;
    let clients = [anonymous.clone(), replica.anonymous()];
    let mut parent = alice.refresh_token().to_owned();
    for _ in 0..3 {
        let mut refreshes = JoinSet::new();
        for n in 0..32 {
            let (client, parent) = (clients[n % 2].clone(), parent.clone());
            refreshes.spawn(async move { client.refresh(&parent).await });
        }
        let answers = refreshes.join_all().await;
        let mut children: Vec<_> = answers.iter().map(refresh_token).collect();
        children.sort_unstable();
        children.dedup();
        assert_eq!(children.len(), 1, "never two live children");
        parent = String::from(children[0]);
    }
    assert_eq!(anonymous.refresh(&parent).await.status, 200, "the session survives");
    replica.stop().await;
}

async fn f79_a_lost_answer_is_given_again(Scene { app, anonymous, alice, .. }: &Scene) {
    let child = anonymous.refresh(alice.refresh_token()).await;
    app.clock().advance(Duration::from_secs(10));
    let again = anonymous.refresh(alice.refresh_token()).await;
    assert_eq!(refresh_token(&again), refresh_token(&child));
    assert_eq!(anonymous.holding(&again).get("/users/me").await.status, 200);
    assert_eq!(anonymous.refresh(refresh_token(&child)).await.status, 200);
}

async fn f79_a_grandparent_ends_the_session_within_the_grace_too(Scene { anonymous, alice, .. }: &Scene) {
    let child = anonymous.refresh(alice.refresh_token()).await;
    let grandchild = anonymous.refresh(refresh_token(&child)).await;
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.code(), "invalid_refresh_token");
    assert_eq!(anonymous.refresh(refresh_token(&grandchild)).await.code(), "invalid_refresh_token");
}

/// GHSA-392p-2q2v-4372.
async fn f80_refresh_against_logout(Scene { anonymous, .. }: &Scene) {
    for _ in 0..6 {
        let session = anonymous.log_in(ALICE, PASSWORD).await;
        let (refreshed, ended) =
            tokio::join!(anonymous.refresh(session.refresh_token()), session.post("/logout", json!({})).try_send());
        assert_eq!(ended.map(|response| response.status), Some(204));
        assert!(matches!(refreshed.status, 200 | 401));
        if refreshed.status == 200 {
            assert_eq!(anonymous.refresh(refresh_token(&refreshed)).await.code(), "invalid_refresh_token");
            assert!(is_over(&anonymous.holding(&refreshed)).await);
        }
        assert_eq!(anonymous.refresh(session.refresh_token()).await.code(), "invalid_refresh_token");
        assert_eq!(session.post("/logout", json!({})).await.status, 204);
    }
}

async fn f81_a_failed_rotation_leaves_the_parent(Scene { app, anonymous, alice, .. }: &Scene) {
    app.store.set_reach(Reach::Nothing);
    let failed = anonymous.refresh(alice.refresh_token()).await;
    assert_eq!((failed.status, failed.code()), (503, "unavailable"), "trouble of the store is no verdict");
    assert_eq!(anonymous.try_log_in(ALICE, PASSWORD).await.code(), "unavailable");
    app.store.set_reach(Reach::Everything);
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.status, 200);
}

/// CVE-2026-9802: a restart forgot which tokens had been replaced.
async fn f82_another_process_knows_what_was_rotated(Scene { app, anonymous, alice, .. }: &Scene) {
    let child = anonymous.refresh(alice.refresh_token()).await;
    let grandchild = anonymous.refresh(refresh_token(&child)).await;
    assert_eq!(grandchild.status, 200);
    // It starts only now, and has no memory but the store.
    let replica = app.replica().await;
    assert_eq!(replica.anonymous().refresh(alice.refresh_token()).await.code(), "invalid_refresh_token");
    assert_eq!(replica.anonymous().refresh(refresh_token(&grandchild)).await.code(), "invalid_refresh_token");
    replica.stop().await;
}

async fn f83_idle_and_absolute_expiry(Scene { app, anonymous, alice, admin }: &Scene) {
    app.clock().advance((14 * DAY).saturating_sub(MILLISECOND));
    let mut sliding = anonymous.refresh(alice.refresh_token()).await;
    assert_eq!(sliding.json["refresh_expires_in"], 14 * 24 * 3_600);
    app.clock().advance(MILLISECOND);
    assert_eq!(anonymous.refresh(admin.refresh_token()).await.code(), "invalid_refresh_token", "idle for 14 days");
    app.clock().advance(13 * DAY);
    sliding = anonymous.refresh(refresh_token(&sliding)).await;
    assert_eq!(sliding.json["refresh_expires_in"], 3 * 24 * 3_600, "30 days in all");
    app.clock().advance((3 * DAY).saturating_sub(MILLISECOND));
    let last = anonymous.refresh(refresh_token(&sliding)).await;
    let holder = anonymous.holding(&last);
    assert_eq!(holder.get("/users/me").await.status, 200);
    app.clock().advance(MILLISECOND);
    assert_eq!(anonymous.refresh(refresh_token(&last)).await.code(), "invalid_refresh_token");
    assert!(is_over(&holder).await, "no access token outlives its session");
}

async fn f84_session_ids_of_clients_are_ignored(Scene { app, anonymous, alice, .. }: &Scene) {
    let body = json!({"email": ALICE, "password": PASSWORD, "session_id": alice.session_id()});
    assert_eq!(anonymous.post("/login", body).await.faults(), [("/session_id", "unknown_field")]);
    let request = anonymous.post("/login", json!({"email": ALICE, "password": PASSWORD}));
    let response = request.header("cookie", format!("session_id={}", alice.session_id())).await;
    assert_ne!(response.json["session_id"], alice.session_id());
    assert_eq!(response.header("set-cookie"), None);
    assert_eq!(app.database().number("SELECT count(*) FROM sessions").await, 3);
}

async fn f85_a_change_of_password_ends_other_sessions(Scene { anonymous, alice, .. }: &Scene) {
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    let body = json!({"current_password": PASSWORD, "new_password": "an entirely new passphrase"});
    assert_eq!(alice.put("/users/me/password", body).await.status, 204);
    assert!(is_over(&other).await);
    assert_eq!(anonymous.refresh(other.refresh_token()).await.status, 401);
    assert!(!is_over(alice).await);
}

async fn f86_a_user_has_a_hundred_sessions_at_most(Scene { app, anonymous, alice, admin }: &Scene) {
    // A hundred logins would hash a hundred passwords; the rows are what counts.
    let id = SessionId::parse(alice.session_id()).expect("an id");
    let principal = app.store.principal(id).await.expect("an answer").expect("the session");
    let context = RequestContext::default();
    let mut work = app.store.begin().await.expect("a unit of work");
    for _ in 0..99 {
        app.clock().advance(MILLISECOND);
        let id = SessionId::generate(app.clock(), app.rng());
        let session = Session { id, created_at: app.clock().now(), ..(*principal.session).clone() };
        work.insert_session(&session, &RefreshToken::generate(session.id, app.rng()).hash()).await.expect("a session");
        let event = AuditEvent::of(AuditKind::LoginSucceeded, session.user, &context).in_session(session.id);
        let id = AuditEventId::generate(app.clock(), app.rng());
        work.append_audit(&AuditRecord { id, at: session.created_at, event }).await.expect("an event");
    }
    work.commit().await.expect("a commit");
    app.clock().advance(MILLISECOND);
    assert!(!is_over(alice).await);
    let newest = anonymous.log_in(ALICE, PASSWORD).await;
    assert!(is_over(alice).await, "the oldest made room");
    assert_eq!(newest.get("/users/me/sessions").await.json["data"].as_array().map(Vec::len), Some(100));
    assert!(!is_over(admin).await);
}
