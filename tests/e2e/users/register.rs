//! `POST /users`.

use serde_json::json;
use vestibule_domain::Settings;
use vestibule_domain::user::RegistrationMode;
use vestibule_testkit::app::{ALICE, PASSWORD, Response, Scene, Setup, TestApp};
use vestibule_testkit::{StoreKind, scenes};

scenes!(
    creates_a_user, a_taken_address_is_a_conflict, names_all_faults_at_once, nothing_is_three_faults;
    with_setup: closed_registration_is_forbidden, strict_registration_never_tells,
);

async fn creates_a_user(Scene { app, anonymous, .. }: &Scene) {
    let body = json!({"email": "Bob@Bücher.example", "password": PASSWORD, "name": "Bob Bücher"});
    let response = anonymous.post("/users", body).await;
    assert_transcript!(response, @r#"
    201
    cache-control: no-store
    content-type: application/json
    etag: "1"
    location: /users/019b76da-a800-7d36-bb05-00f07e69c7dd

    {
      "created_at": "2026-01-01T00:00:00.000Z",
      "email": "Bob@Bücher.example",
      "email_verified": false,
      "id": "019b76da-a800-7d36-bb05-00f07e69c7dd",
      "last_login_at": null,
      "name": "Bob Bücher",
      "roles": [
        "user"
      ],
      "status": "active",
      "updated_at": "2026-01-01T00:00:00.000Z"
    }
    "#);
    let bob = anonymous.log_in("bob@xn--bcher-kva.example", PASSWORD).await;
    assert_eq!(response.header("location"), Some(&*format!("/users/{}", bob.id())));
    let read = bob.get("/users/me").await;
    assert_eq!(read.json["name"], "Bob Bücher");
    assert_eq!(app.trail(bob.id()).await, ["login.succeeded", "user.registered"]);
}

async fn a_taken_address_is_a_conflict(Scene { app, anonymous, .. }: &Scene) {
    let before = app.database().dump("users").await;
    let register = |email| anonymous.post("/users", json!({"email": email, "password": PASSWORD, "name": "Mallory"}));
    let taken = register("ALICE@Example.COM").await;
    assert_transcript!(taken, @r#"
    409
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "email_taken",
      "detail": "An address has at most one account. Log in with it, or use another address.",
      "instance": "/users",
      "request_id": "[request_id]",
      "status": 409,
      "title": "The address belongs to another account",
      "type": "https://auth.example/problems/email_taken"
    }
    "#);
    assert_eq!(register(ALICE).await.to_string(), taken.to_string());
    assert_eq!(app.database().dump("users").await, before);
}

async fn names_all_faults_at_once(Scene { anonymous, .. }: &Scene) {
    let body = json!({"email": "alice", "password": "short", "name": "", "role": "admin"});
    assert_transcript!(anonymous.post("/users", body).await, @r#"
    422
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "validation_failed",
      "detail": "The list errors has an entry for each fault: where it is, a stable code, and what would be right.",
      "errors": [
        {
          "code": "invalid_email",
          "detail": "must be an address like name@example.com",
          "pointer": "/email"
        },
        {
          "code": "too_short",
          "detail": "must not be empty",
          "pointer": "/name"
        },
        {
          "code": "too_short",
          "detail": "must have at least 8 characters",
          "pointer": "/password"
        },
        {
          "code": "unknown_field",
          "detail": "is not known here",
          "pointer": "/role"
        }
      ],
      "instance": "/users",
      "request_id": "[request_id]",
      "status": 422,
      "title": "The content is not acceptable",
      "type": "https://auth.example/problems/validation_failed"
    }
    "#);
}

async fn nothing_is_three_faults(Scene { anonymous, .. }: &Scene) {
    assert_transcript!(anonymous.post("/users", json!({})).await, @r#"
    422
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "validation_failed",
      "detail": "The list errors has an entry for each fault: where it is, a stable code, and what would be right.",
      "errors": [
        {
          "code": "required",
          "detail": "must be there",
          "pointer": "/email"
        },
        {
          "code": "required",
          "detail": "must be there",
          "pointer": "/name"
        },
        {
          "code": "required",
          "detail": "must be there",
          "pointer": "/password"
        }
      ],
      "instance": "/users",
      "request_id": "[request_id]",
      "status": 422,
      "title": "The content is not acceptable",
      "type": "https://auth.example/problems/validation_failed"
    }
    "#);
}

fn setup(registration: RegistrationMode) -> Setup {
    Setup { domain: Settings { registration, ..Settings::default() }, ..Setup::default() }
}

async fn closed_registration_is_forbidden(store: StoreKind) {
    let scene = TestApp::start(store, setup(RegistrationMode::Closed)).await;
    let body = json!({"email": "bob@example.com", "password": PASSWORD, "name": "Bob"});
    assert_transcript!(scene.anonymous.post("/users", body).await, @r#"
    403
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "registration_closed",
      "detail": "This service does not take new users by themselves. Ask whoever operates it for an account.",
      "instance": "/users",
      "request_id": "[request_id]",
      "status": 403,
      "title": "Registration is closed",
      "type": "https://auth.example/problems/registration_closed"
    }
    "#);
    assert_eq!(scene.anonymous.try_log_in("bob@example.com", PASSWORD).await.status, 401);
    scene.app.finish().await;
}

async fn strict_registration_never_tells(store: StoreKind) {
    let scene = TestApp::start(store, setup(RegistrationMode::Strict)).await;
    let register = |email| scene.anonymous.post("/users", json!({"email": email, "password": PASSWORD, "name": "Bob"}));
    let (fresh, taken) = (register("bob@example.com").await, register(ALICE).await);
    assert_transcript!(fresh, @r#"
    202
    cache-control: no-store
    content-type: application/json

    {
      "status": "accepted"
    }
    "#);
    assert_eq!(fresh.to_string(), taken.to_string());
    let names = |response: &Response| response.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&fresh), names(&taken));
    scene.anonymous.log_in("bob@example.com", PASSWORD).await;
    scene.app.finish().await;
}
