//! `GET /.well-known/revocations`.

use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule_domain::feed::Change;
use vestibule_domain::feed::store::FeedUpkeep;
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::{Clock, Store};
use vestibule_testkit::app::{ALICE, Client, PASSWORD, Scene, Setup, TestApp};
use vestibule_testkit::counting::Reach;
use vestibule_testkit::{StoreKind, scenes};

scenes!(
    tells_which_session_is_over,
    tells_who_is_gone,
    tells_each_session_that_ends_with_others,
    tells_nothing_of_what_changes_otherwise,
    begins_with_what_could_still_be_taken_for_good,
    a_cursor_is_good_on_every_replica,
    an_old_cursor_goes_on_with_what_is_kept,
    a_lower_number_that_commits_later_is_told,
    whoever_keeps_up_costs_no_look_at_the_store,
    whoever_does_not_costs_two_however_much_has_changed,
    faults_are_told_at_once;
    with_setup: nobody_waits_behind_the_many_readers_of_another_network,
);

pub(crate) const REVOCATIONS: &str = "/.well-known/revocations";

/// What is told after `cursor`, and the next one.
pub(crate) async fn page(client: &Client, cursor: &str) -> (Vec<Value>, String) {
    let response = client.get(&format!("{REVOCATIONS}?after={cursor}")).await;
    assert_eq!(response.status, 200, "{response}");
    read(&response.json)
}

pub(crate) fn read(page: &Value) -> (Vec<Value>, String) {
    let next = page["next_cursor"].as_str().expect("a cursor").to_owned();
    (page["data"].as_array().expect("a list").clone(), next)
}

/// Where somebody begins who has read everything until now.
pub(crate) async fn end(client: &Client) -> String {
    read(&client.get(REVOCATIONS).await.json).1
}

fn sids(data: &[Value]) -> Vec<&str> {
    data.iter().map(|ended| ended["sid"].as_str().expect("a session")).collect()
}

async fn tells_which_session_is_over(Scene { app, anonymous, alice, .. }: &Scene) {
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    app.store.caught_up().await;
    let response = anonymous.get(REVOCATIONS).await;
    assert_transcript!(response, @r#"
    200
    cache-control: no-store
    content-type: application/json

    {
      "data": [
        {
          "at": "2026-01-01T00:00:00.000Z",
          "sid": "019b76da-a800-7b6d-a429-59491d435338",
          "sub": "019b76da-a800-78d6-8a16-e9e9a8532b0c"
        }
      ],
      "next_cursor": "AAAAAAAAAAQ"
    }
    "#);
    assert_eq!(sids(&read(&response.json).0), [alice.session_id()]);
    let (again, _) = page(anonymous, &read(&response.json).1).await;
    assert_eq!(again, Vec::<Value>::new());
}

async fn tells_who_is_gone(Scene { app, anonymous, alice, .. }: &Scene) {
    let begin = end(anonymous).await;
    assert_eq!(alice.delete("/users/me").await.status, 204);
    app.store.caught_up().await;
    assert_eq!(page(anonymous, &begin).await.0, [json!({"sub": alice.id(), "at": "2026-01-01T00:00:00.000Z"})]);
}

async fn tells_each_session_that_ends_with_others(Scene { app, anonymous, alice, admin, .. }: &Scene) {
    let (second, third) = (anonymous.log_in(ALICE, PASSWORD).await, anonymous.log_in(ALICE, PASSWORD).await);
    let mut cursor = end(anonymous).await;
    let mut told = async || {
        app.store.caught_up().await;
        let (data, next) = page(anonymous, &cursor).await;
        cursor = next;
        let mut sids: Vec<_> = sids(&data).into_iter().map(str::to_owned).collect();
        sids.sort();
        sids
    };
    assert_eq!(third.delete("/users/me/sessions").await.status, 204);
    let mut expected = [alice.session_id(), second.session_id()];
    expected.sort_unstable();
    assert_eq!(told().await, expected);
    let fourth = anonymous.log_in(ALICE, PASSWORD).await;
    let body = json!({"current_password": PASSWORD, "new_password": "an entirely new passphrase"});
    assert_eq!(fourth.put("/users/me/password", body).await.status, 204);
    assert_eq!(told().await, [third.session_id()], "the one that changed it goes on");
    assert_eq!(admin.post(&format!("/users/{}/disable", alice.id()), json!({})).await.status, 200);
    assert_eq!(told().await, [fourth.session_id()]);
}

async fn tells_nothing_of_what_changes_otherwise(Scene { app, anonymous, alice, admin, .. }: &Scene) {
    let begin = end(anonymous).await;
    assert_eq!(alice.patch("/users/me", json!({"name": "Alicia"})).await.status, 200);
    let path = format!("/users/{}/roles", alice.id());
    assert_eq!(admin.put(&path, json!({"roles": ["support"]})).await.status, 200);
    anonymous.log_in(ALICE, PASSWORD).await;
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.status, 200);
    app.create_client("shop").await;
    app.store.caught_up().await;
    let (data, next) = page(anonymous, &begin).await;
    assert_eq!(data, Vec::<Value>::new());
    assert_ne!(next, begin, "though it has been read");
}

async fn begins_with_what_could_still_be_taken_for_good(Scene { app, anonymous, alice, admin }: &Scene) {
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    app.clock().advance(Duration::from_mins(1));
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    assert_eq!(other.post("/logout", json!({})).await.status, 204);
    app.store.caught_up().await;
    let told = async || sids(&read(&anonymous.get(REVOCATIONS).await.json).0).join(" ");
    assert_eq!(told().await, format!("{} {}", alice.session_id(), other.session_id()));
    app.clock().advance(Duration::from_secs(601));
    assert_eq!(told().await, other.session_id(), "ten minutes, and half of one for each clock");
    app.clock().advance(Duration::from_mins(1));
    assert_eq!(told().await, "");
    assert_eq!(admin.get("/users/me").await.code(), "invalid_token", "nobody takes such a token for good");
}

async fn a_cursor_is_good_on_every_replica(Scene { app, anonymous, alice, admin }: &Scene) {
    let replica = app.replica().await;
    let there = anonymous.at(&replica);
    let (begin, begin_there) = (end(anonymous).await, end(&there).await);
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    assert_eq!(admin.post("/logout", json!({})).await.status, 204);
    app.store.caught_up().await;
    replica.store.caught_up().await;
    let here = page(anonymous, &begin_there).await;
    assert_eq!(sids(&here.0), [alice.session_id(), admin.session_id()]);
    assert_eq!(page(&there, &begin).await.0, here.0);
    assert_eq!(page(&there, &here.1).await.0, Vec::<Value>::new());
    replica.stop().await;
}

async fn an_old_cursor_goes_on_with_what_is_kept(Scene { app, anonymous, .. }: &Scene) {
    let begin = end(anonymous).await;
    anonymous.log_in(ALICE, PASSWORD).await;
    app.clock().advance(Duration::from_hours(25));
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    let before = app.clock().now().minus(Duration::from_hours(24));
    assert!(app.store.purge_changes(before, 1_000).await.expect("a count") > 0);
    assert_eq!(other.post("/logout", json!({})).await.status, 204);
    // A process that has just been started remembers nothing.
    let replica = app.replica().await;
    replica.store.caught_up().await;
    assert_eq!(sids(&page(&anonymous.at(&replica), &begin).await.0), [other.session_id()]);
    replica.stop().await;
}

/// Two transactions on PostgreSQL: the one that took the lower number commits last. On SQLite there is only one at a
/// time. One that took a number and came to nothing holds nobody up.
async fn a_lower_number_that_commits_later_is_told(Scene { app, anonymous, alice, .. }: &Scene) {
    if app.database().kind() == StoreKind::Sqlite {
        return;
    }
    let replica = app.replica().await;
    let mut cursors = [end(anonymous).await, end(anonymous).await];
    let clients = [anonymous.clone(), anonymous.at(&replica)];
    let mut told = async || {
        let mut told = Vec::new();
        for (client, cursor) in clients.iter().zip(&mut cursors) {
            let (data, next) = page(client, cursor).await;
            *cursor = next;
            told.push(sids(&data).join(" "));
        }
        told
    };
    let early = begin_end(app).await;
    drop(begin_end(app).await);
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    app.store.caught_up().await;
    replica.store.caught_up().await;
    assert_eq!(told().await, [alice.session_id(), alice.session_id()], "what took a higher number does not wait");
    let (work, session) = early;
    work.commit().await.expect("a commit");
    // The followers find it as a number that was missing; nothing else tells when.
    let mut late = told().await;
    let began = std::time::Instant::now();
    while late.iter().any(String::is_empty) {
        assert!(began.elapsed() < Duration::from_secs(10), "lost: {late:?}");
        for (late, more) in late.iter_mut().zip(told().await) {
            late.push_str(&more);
        }
    }
    assert_eq!(late, [session.to_string(), session.to_string()]);
    replica.stop().await;
}

/// A transaction that has taken a number and is still open.
async fn begin_end(app: &TestApp) -> (Box<dyn vestibule_domain::UnitOfWork>, SessionId) {
    let (clock, rng) = (app.clock(), app.rng());
    let (user, session) = (UserId::generate(clock, rng), SessionId::generate(clock, rng));
    let mut work = app.store.begin().await.expect("a transaction");
    work.append_changes(&[Change::SessionEnded { user, session }], clock.now()).await.expect("a change");
    (work, session)
}

async fn whoever_keeps_up_costs_no_look_at_the_store(Scene { app, anonymous, alice, .. }: &Scene) {
    app.store.caught_up().await;
    let begin = end(anonymous).await;
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    app.store.caught_up().await;
    // The clock stands still, so that what was read from the feed goes on counting as fresh.
    app.store.set_reach(Reach::Nothing);
    let (data, next) = page(anonymous, &begin).await;
    assert_eq!(sids(&data), [alice.session_id()]);
    assert_eq!(page(anonymous, &next).await.0, Vec::<Value>::new());
    app.clock().advance(Duration::from_secs(1));
    let cut_off = anonymous.get(&format!("{REVOCATIONS}?after={next}")).await;
    assert_eq!((cut_off.status, cut_off.code()), (503, "unavailable"));
    app.store.set_reach(Reach::Everything);
    assert_eq!(page(anonymous, &next).await.0, Vec::<Value>::new());
}

async fn whoever_does_not_costs_two_however_much_has_changed(Scene { app, anonymous, alice, .. }: &Scene) {
    let begin = end(anonymous).await;
    for _ in 0..11 {
        let sql = "INSERT INTO changes (kind, at) SELECT 'keys_changed', at FROM changes";
        app.database().execute(sql).await.expect("twice as many");
    }
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    // More than is kept in memory.
    app.store.set_reach(Reach::NoFeed);
    app.clock().advance(Duration::from_secs(1));
    for (query, looks) in
        [(format!("?after={begin}"), [("ends", 1)].as_slice()), (String::new(), &[("ends", 1), ("first_change", 1)])]
    {
        let before = app.store.calls();
        let told = read(&anonymous.get(&format!("{REVOCATIONS}{query}")).await.json).0;
        assert_eq!(sids(&told), [alice.session_id()]);
        let calls = app.store.calls().into_iter();
        let spent = calls.map(|(call, n)| (call, n - before.get(call).copied().unwrap_or_default()));
        assert_eq!(spent.filter(|(_, n)| *n > 0).collect::<Vec<_>>(), looks);
    }
    app.store.set_reach(Reach::Everything);
}

async fn nobody_waits_behind_the_many_readers_of_another_network(store: StoreKind) {
    let mut setup = Setup::default();
    setup.http.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    let scene = TestApp::start(store, setup).await;
    let Scene { app, anonymous, .. } = &scene;
    for _ in 0..3 {
        begin_end(app).await.0.commit().await.expect("a commit");
    }
    // So that all have to ask the store.
    app.store.caught_up().await;
    app.store.set_reach(Reach::NoFeed);
    app.clock().advance(Duration::from_secs(1));
    let ask = |address: &str, cursor: &str| {
        let request = anonymous.get(&format!("{REVOCATIONS}?after={cursor}")).header("x-forwarded-for", address);
        async { request.await.status }
    };
    app.store.hold_ends(Some(1));
    let mut many = JoinSet::new();
    for _ in 0..200 {
        many.spawn(ask("192.0.2.1", "AAAAAAAAAAE"));
    }
    app.store.holds_somebody().await;
    assert_eq!(ask("192.0.2.2", "AAAAAAAAAAI").await, 200);
    app.store.hold_ends(None);
    assert!(many.join_all().await.contains(&200));
    app.store.set_reach(Reach::Everything);
    scene.app.finish().await;
}

async fn faults_are_told_at_once(Scene { anonymous, admin, .. }: &Scene) {
    let response = anonymous.get(&format!("{REVOCATIONS}?after=x&wait=31&since=2026")).await;
    let faults = [("/after", "invalid_cursor"), ("/wait", "out_of_range"), ("/since", "unknown_field")];
    assert_eq!((response.status, response.faults()), (422, faults.to_vec()));
    let begin = end(anonymous).await;
    assert_eq!(anonymous.get(&format!("{REVOCATIONS}?after={begin}&after={begin}")).await.code(), "malformed_request");
    assert_eq!(anonymous.request(Method::POST, REVOCATIONS).await.code(), "method_not_allowed");
    // A page of users has cursors of another kind.
    let other = admin.get(&format!("/users?cursor={begin}")).await;
    assert_eq!(other.faults(), [("/cursor", "invalid_cursor")]);
    let forged = "f_________8";
    assert_eq!(page(anonymous, forged).await.0, Vec::<Value>::new(), "as after a failover, it begins anew");
}
