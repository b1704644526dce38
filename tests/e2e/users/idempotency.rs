//! `Idempotency-Key` on `POST /users` (case 124): a registration whose answer was lost can be sent again.

use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule_domain::user::RegistrationMode;
use vestibule_testkit::app::{ALICE, Client, PASSWORD, Request, Scene, Setup, TestApp};
use vestibule_testkit::{StoreKind, scenes};

scenes!(
    j124_the_first_answer_again,
    j124_another_body_is_refused,
    j124_a_taken_address_stays_the_answer,
    j124_of_32_at_once_one_registers_and_all_get_its_answer,
    a_malformed_key_is_refused;
    with_setup: j124_strict_registration_answers_alike,
);

fn body(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "name": "Bob"})
}

fn register(client: &Client, key: &'static str, email: &str) -> Request {
    client.post("/users", body(email)).header("idempotency-key", key)
}

async fn users(app: &TestApp, email: &str) -> usize {
    let sql = format!("SELECT email_canonical FROM users WHERE email_canonical = '{email}'");
    app.database().column(&sql).await.len()
}

async fn j124_the_first_answer_again(Scene { app, anonymous, admin, .. }: &Scene) {
    let first = register(anonymous, "one", "bob@example.com").await;
    assert_eq!(first.status, 201, "{first}");
    let path = format!("/users/{}", first.json["id"].as_str().expect("an id"));
    app.clock().advance(Duration::from_mins(5));
    assert_eq!(admin.patch(&path, json!({"name": "Robert"})).await.status, 200);
    let again = register(anonymous, "\"one\"", "bob@example.com").await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    for header in ["etag", "location", "content-type", "cache-control"] {
        assert_eq!(again.header(header), first.header(header), "{header}");
    }
    assert_eq!(users(app, "bob@example.com").await, 1);
    assert_eq!(app.trail(first.json["id"].as_str().expect("an id")).await, ["user.registered", "user.profile_changed"]);
}

async fn j124_another_body_is_refused(Scene { app, anonymous, .. }: &Scene) {
    assert_eq!(register(anonymous, "one", "bob@example.com").await.status, 201);
    let others = [
        body("carol@example.com"),
        json!({"email": "bob@example.com", "password": "another staple for the battery", "name": "Bob"}),
        json!({"email": "bob@example.com", "password": PASSWORD, "name": "Robert"}),
    ];
    for other in others {
        let refused = anonymous.post("/users", other).header("idempotency-key", "one").await;
        assert_eq!((refused.status, refused.code()), (422, "idempotency_key_reused"), "{refused}");
    }
    assert_eq!(users(app, "carol@example.com").await, 0);
    app.clock().advance(Duration::from_hours(25));
    assert_eq!(register(anonymous, "one", "carol@example.com").await.status, 201);
}

async fn j124_a_taken_address_stays_the_answer(Scene { anonymous, alice, .. }: &Scene) {
    assert_eq!(register(anonymous, "one", ALICE).await.status, 409);
    assert_eq!(alice.delete("/users/me").await.status, 204);
    assert_eq!(register(anonymous, "one", ALICE).await.status, 409);
    assert_eq!(register(anonymous, "two", ALICE).await.status, 201);
}

async fn j124_of_32_at_once_one_registers_and_all_get_its_answer(Scene { app, anonymous, .. }: &Scene) {
    let mut tries = JoinSet::new();
    for _ in 0..32 {
        let request = register(anonymous, "one", "bob@example.com");
        tries.spawn(request.into_future());
    }
    let answers = tries.join_all().await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.json), (201, &answers[0].json), "{answer}");
    }
    assert_eq!(users(app, "bob@example.com").await, 1);
}

async fn a_malformed_key_is_refused(Scene { app, anonymous, .. }: &Scene) {
    for key in ["", "two words", "qu\"ote", "\"open"] {
        let refused = register(anonymous, key, "bob@example.com").await;
        assert_eq!((refused.status, refused.code()), (400, "malformed_request"), "{key}");
    }
    let twice = register(anonymous, "one", "bob@example.com").header("idempotency-key", "one").await;
    assert_eq!((twice.status, twice.code()), (400, "malformed_request"));
    assert_eq!(users(app, "bob@example.com").await, 0);
}

async fn j124_strict_registration_answers_alike(store: StoreKind) {
    let mut setup = Setup::default();
    setup.domain.registration = RegistrationMode::Strict;
    let scene = TestApp::start(store, setup).await;
    for email in ["bob@example.com", ALICE] {
        let key = if email == ALICE { "taken" } else { "free" };
        for _ in 0..2 {
            assert_eq!(register(&scene.anonymous, key, email).await.status, 202);
        }
        assert_eq!(register(&scene.anonymous, key, "carol@example.com").await.code(), "idempotency_key_reused");
    }
    scene.app.finish().await;
}
