//! H: authorization and cross-origin.

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::json;
use tokio::task::JoinSet;
use vestibule_domain::RequestContext;
use vestibule_domain::access::{Authority, RoleName};
use vestibule_domain::id::UserId;
use vestibule_domain::user::store::UserReads;
use vestibule_testkit::app::{ALICE, Client, PASSWORD, Response, Scene, Setup, TestApp};
use vestibule_testkit::{StoreKind, scenes};

scenes!(
    h104_another_user_answers_like_none,
    h105_what_a_client_may_not_set_is_refused,
    h106_a_demoted_administrator_is_out_at_once,
    h107_the_deleted_inherit_nothing,
    h108_two_administrators_cannot_demote_each_other,
    h109_administrators_choose_no_passwords,
    h110_without_origins_there_is_no_cors;
    with_setup: h110_only_listed_origins_may_read,
);

/// Everything but what names the request.
fn gist(response: &Response) -> (u16, String, Option<String>, Vec<String>) {
    let names = response.headers.keys().map(ToString::to_string).collect();
    (response.status, response.code().to_owned(), response.json["detail"].as_str().map(str::to_owned), names)
}

async fn h104_another_user_answers_like_none(Scene { alice, admin, .. }: &Scene) {
    const NOBODY: &str = "01890000-0000-7000-8000-000000000000";
    let calls = [
        (Method::GET, "", None),
        (Method::PATCH, "", Some(json!({"name": "Owned"}))),
        (Method::DELETE, "", None),
        (Method::PUT, "/password", Some(json!({"current_password": PASSWORD, "new_password": "entirely new words"}))),
        (Method::GET, "/sessions", None),
        (Method::DELETE, "/sessions", None),
        (Method::POST, "/disable", None),
        (Method::POST, "/enable", None),
        (Method::PUT, "/roles", Some(json!({"roles": []}))),
    ];
    for (method, suffix, body) in calls {
        let call = async |id: &str| {
            let request = alice.request(method.clone(), &format!("/users/{id}{suffix}"));
            if let Some(body) = body.clone() { request.json(body).await } else { request.await }
        };
        let (other, nobody) = (call(admin.id()).await, call(NOBODY).await);
        assert_eq!(gist(&other), gist(&nobody), "{method} {suffix}");
        assert_eq!(other.status, 404, "{method} {suffix}");
    }
}

/// CVE-2026-27946: an address could be said to be verified by whoever changed it.
async fn h105_what_a_client_may_not_set_is_refused(Scene { app, anonymous, alice, .. }: &Scene) {
    let before = app.database().dump("users").await;
    for field in
        ["role", "roles", "is_admin", "id", "email_verified", "password_hash", "status", "__proto__", "version"]
    {
        let body = json!({"email": "bob@example.com", "password": PASSWORD, "name": "Bob", field: "admin"});
        let pointer = format!("/{field}");
        assert_eq!(anonymous.post("/users", body).await.faults(), [(&*pointer, "unknown_field")]);
        assert_eq!(alice.patch("/users/me", json!({field: "admin"})).await.faults(), [(&*pointer, "unknown_field")]);
    }
    assert_eq!(app.database().dump("users").await, before);
}

async fn h106_a_demoted_administrator_is_out_at_once(Scene { app, anonymous, alice, admin }: &Scene) {
    app.register("second@example.com", "Second", &["admin"]).await;
    let second = anonymous.log_in("second@example.com", PASSWORD).await;
    let replica = app.replica().await;
    assert_eq!(second.at(&replica).get("/users").await.status, 200);
    let roles = format!("/users/{}/roles", second.id());
    assert_eq!(admin.put(&roles, json!({"roles": []})).await.status, 200);
    for client in [second.at(&replica), second.clone()] {
        assert_eq!(client.get("/users").await.status, 403);
        assert_eq!(client.post(&format!("/users/{}/disable", alice.id()), json!({})).await.status, 404);
        assert_eq!(client.get(&format!("/users/{}", alice.id())).await.status, 404);
    }
    replica.stop().await;
}

/// GHSA-2vg6-77g8-24mp.
async fn h107_the_deleted_inherit_nothing(Scene { app, anonymous, alice, admin }: &Scene) {
    let roles = format!("/users/{}/roles", alice.id());
    assert_eq!(admin.put(&roles, json!({"roles": ["support"]})).await.status, 200);
    assert_eq!(admin.delete(&format!("/users/{}", alice.id())).await.status, 204);
    assert_eq!(alice.get("/users/me").await.code(), "invalid_token");
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.code(), "invalid_refresh_token");
    let body = json!({"email": ALICE, "password": PASSWORD, "name": "Another Alice"});
    let registered = anonymous.post("/users", body).await;
    assert_eq!((registered.status, &registered.json["roles"]), (201, &json!(["user"])));
    assert_ne!(registered.json["id"], alice.id());
    assert_eq!(alice.get("/users/me").await.code(), "invalid_token");
    let again = anonymous.log_in(ALICE, PASSWORD).await;
    assert_eq!(again.get("/users/me/sessions").await.json["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(app.database().number("SELECT count(*) FROM devices").await, 2, "the admin's and the new Alice's");
}

async fn reinstate(app: &TestApp, id: &str) {
    let (id, context) = (UserId::parse(id).expect("an id"), RequestContext::default());
    let users = &app.services.users;
    users.set_roles(Authority::Operator, id, &[RoleName::admin()].into(), &context).await.expect("the role again");
    users.enable(Authority::Operator, id, &context).await.expect("enabled again");
}

async fn h108_two_administrators_cannot_demote_each_other(Scene { app, anonymous, admin, .. }: &Scene) {
    app.register("second@example.com", "Second", &["admin"]).await;
    let second = anonymous.log_in("second@example.com", PASSWORD).await;
    let replica = app.replica().await;
    let ways: [fn(&Client, &str) -> vestibule_testkit::app::Request; 2] = [
        |by, whom| by.put(&format!("/users/{whom}/roles"), json!({"roles": []})),
        |by, whom| by.post(&format!("/users/{whom}/disable"), json!({})),
    ];
    // Disabling ends the sessions that the next round would need, so it comes last.
    for way in [ways[0], ways[0], ways[0], ways[0], ways[1]] {
        let (admin_there, second_here) = (admin.at(&replica), second.clone());
        let (first, other) = (way(&admin_there, second.id()), way(&second_here, admin.id()));
        let mut both = JoinSet::new();
        both.spawn(async move { first.await });
        both.spawn(async move { other.await });
        let statuses: Vec<_> = both.join_all().await.iter().map(|response| response.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(app.store.has_administrator().await.expect("an answer"));
        for client in [admin, &second] {
            reinstate(app, client.id()).await;
        }
    }
    replica.stop().await;
}

async fn h109_administrators_choose_no_passwords(Scene { anonymous, alice, admin, .. }: &Scene) {
    let path = format!("/users/{}", alice.id());
    let chosen = admin.patch(&path, json!({"password": "chosen by the admin"})).await;
    assert_eq!(chosen.faults(), [("/password", "unknown_field")]);
    let body = json!({"current_password": PASSWORD, "new_password": "chosen by the admin"});
    assert!(matches!(admin.put(&format!("{path}/password"), body).await.status, 403 | 404));
    let seen = admin.get(&path).await;
    for word in ["password", "hash", "argon2"] {
        assert!(!seen.text.contains(word), "{seen}");
    }
    assert_eq!(alice.get("/users").await.code(), "forbidden");
    anonymous.log_in(ALICE, PASSWORD).await;
}

/// A preflight, then the request itself; the headers that let a browser's script read it.
async fn cors(client: &Client, origin: &str) -> Vec<String> {
    let preflight = client
        .request(Method::OPTIONS, "/login")
        .header("origin", origin.to_owned())
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,authorization")
        .await;
    let answer = client.get("/health/live").header("origin", origin.to_owned()).await;
    let allowed = |response: &Response| response.header("access-control-allow-origin").map(str::to_owned);
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    [allowed(&preflight), allowed(&answer)].into_iter().flatten().collect()
}

const STRANGERS: [&str; 7] = [
    "https://evil.example",
    "null",
    "https://app.example.evil.example",
    "https://evilapp.example",
    "http://app.example",
    "https://app.example:8443",
    "https://APP.example",
];

async fn h110_without_origins_there_is_no_cors(Scene { anonymous, .. }: &Scene) {
    for origin in STRANGERS.into_iter().chain(["https://app.example"]) {
        assert_eq!(cors(anonymous, origin).await, Vec::<String>::new(), "{origin}");
    }
}

async fn h110_only_listed_origins_may_read(store: StoreKind) {
    let mut setup = Setup::default();
    setup.http.cors_origins = vec![HeaderValue::from_static("https://app.example")];
    let scene = TestApp::start(store, setup).await;
    assert_eq!(cors(&scene.anonymous, "https://app.example").await, ["https://app.example"; 2]);
    for origin in STRANGERS {
        assert_eq!(cors(&scene.anonymous, origin).await, Vec::<String>::new(), "{origin}");
    }
    let answer = scene.anonymous.get("/health/live").header("origin", "https://evil.example").await;
    assert!(answer.header("vary").is_some_and(|vary| vary.to_lowercase().contains("origin")), "{answer}");
    scene.app.finish().await;
}
