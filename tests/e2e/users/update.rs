//! `PATCH /users/{user}`.

use serde_json::json;
use std::time::Duration;
use vestibule_testkit::app::{ADMIN, ALICE, Client, PASSWORD, Scene};
use vestibule_testkit::scenes;

scenes!(
    changes_the_name,
    b33_a_new_address_counts_at_once_and_is_unverified,
    b33_a_new_address_needs_a_recent_login,
    b33_of_two_who_move_to_one_address_one_gets_it,
    a_taken_address_is_a_conflict,
    honours_if_match,
    names_all_faults_at_once,
    an_administrator_changes_others,
    others_do_not_exist_for_a_user,
    null_removes_nothing,
);

async fn changes_the_name(Scene { app, alice, .. }: &Scene) {
    app.clock().advance(Duration::from_secs(5));
    let response = alice.patch("/users/me", json!({"name": "Alicia"})).await;
    assert_transcript!(response, @r#"
    200
    cache-control: no-store
    content-type: application/json
    etag: "3"

    {
      "created_at": "2026-01-01T00:00:00.000Z",
      "email": "alice@example.com",
      "email_verified": false,
      "id": "019b76da-a800-78d6-8a16-e9e9a8532b0c",
      "last_login_at": "2026-01-01T00:00:00.000Z",
      "name": "Alicia",
      "roles": [
        "user"
      ],
      "status": "active",
      "updated_at": "2026-01-01T00:00:05.000Z"
    }
    "#);
    assert_eq!(alice.get("/users/me").await.to_string(), response.to_string());
    assert_eq!(app.trail(alice.id()).await.last().map(String::as_str), Some("user.profile_changed"));
}

async fn b33_a_new_address_counts_at_once_and_is_unverified(Scene { anonymous, alice, .. }: &Scene) {
    let response = alice.patch("/users/me", json!({"email": "alice@example.org"})).await;
    assert_eq!(response.status, 200, "{response}");
    assert_eq!(
        (&response.json["email"], &response.json["email_verified"]),
        (&json!("alice@example.org"), &json!(false))
    );
    assert_eq!(anonymous.try_log_in(ALICE, PASSWORD).await.code(), "invalid_credentials");
    anonymous.log_in("ALICE@example.org", PASSWORD).await;
}

async fn b33_a_new_address_needs_a_recent_login(Scene { app, anonymous, alice, .. }: &Scene) {
    app.clock().advance(Duration::from_secs(601));
    let tokens = anonymous.refresh(alice.refresh_token()).await;
    let alice = alice.holding(&tokens);
    assert_transcript!(alice.patch("/users/me", json!({"email": "alice@example.org"})).await, @r#"
    403
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "reauthentication_required",
      "detail": "What could take an account over needs a login within the last 10 minutes. Log in again, then repeat the call with the new access token.",
      "instance": "/users/me",
      "request_id": "[request_id]",
      "status": 403,
      "title": "A recent login is needed",
      "type": "https://auth.example/problems/reauthentication_required"
    }
    "#);
    assert_eq!(alice.patch("/users/me", json!({"name": "Alicia"})).await.status, 200);
    let again = anonymous.log_in(ALICE, PASSWORD).await;
    assert_eq!(again.patch("/users/me", json!({"email": "alice@example.org"})).await.status, 200);
}

async fn b33_of_two_who_move_to_one_address_one_gets_it(Scene { app, anonymous, alice, .. }: &Scene) {
    app.register("bob@example.com", "Bob", &[]).await;
    let bob = anonymous.log_in("bob@example.com", PASSWORD).await;
    for round in 0..10 {
        let (wanted, loudly) = (format!("wanted{round}@example.com"), format!("WANTED{round}@example.com"));
        let move_to = async |client: &Client, email: &str| client.patch("/users/me", json!({"email": email})).await;
        let (first, second) = tokio::join!(move_to(alice, &wanted), move_to(&bob, &loudly));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{first}\n{second}");
        let loser = if first.status == 409 { first } else { second };
        assert_eq!(loser.code(), "email_taken");
    }
}

async fn a_taken_address_is_a_conflict(Scene { alice, .. }: &Scene) {
    let response = alice.patch("/users/me", json!({"email": ADMIN.to_uppercase()})).await;
    assert_eq!((response.status, response.code()), (409, "email_taken"));
    assert_eq!(alice.get("/users/me").await.json["email"], ALICE);
}

async fn honours_if_match(Scene { alice, .. }: &Scene) {
    let read = alice.get("/users/me").await;
    let etag = read.header("etag").expect("a validator").to_owned();
    let rename =
        |name: &str, etag: &str| alice.patch("/users/me", json!({"name": name})).header("if-match", etag.to_owned());
    let renamed = rename("Alicia", &etag).await;
    assert_eq!(renamed.status, 200);
    assert_ne!(renamed.header("etag"), Some(&*etag));
    assert_transcript!(rename("Alison", &etag).await, @r#"
    412
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "stale",
      "detail": "The record is no longer the one that If-Match names. Read it again and decide anew.",
      "instance": "/users/me",
      "request_id": "[request_id]",
      "status": 412,
      "title": "The record has changed",
      "type": "https://auth.example/problems/stale"
    }
    "#);
    assert_eq!(rename("Alison", "*").await.status, 200);
    assert_eq!(rename("Alina", "W/\"4\"").await.status, 412, "a weak validator never matches (RFC 9110, 13.1.1)");
    assert_eq!(alice.get("/users/me").await.json["name"], "Alison");
}

async fn names_all_faults_at_once(Scene { alice, .. }: &Scene) {
    let body = json!({"name": "a\nb", "email": "alice@", "email_verified": true, "roles": ["admin"], "id": "x"});
    let response = alice.patch("/users/me", body).await;
    assert_eq!((response.status, response.code()), (422, "validation_failed"));
    let mut faults = response.faults();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            ("/email", "invalid_email"),
            ("/email_verified", "unknown_field"),
            ("/id", "unknown_field"),
            ("/name", "invalid_name"),
            ("/roles", "unknown_field"),
        ]
    );
}

async fn an_administrator_changes_others(Scene { app, alice, admin, .. }: &Scene) {
    let path = format!("/users/{}", alice.id());
    let response = admin.patch(&path, json!({"name": "Renamed"})).await;
    assert_eq!((response.status, &response.json["name"]), (200, &json!("Renamed")));
    assert_eq!(alice.get("/users/me").await.json["name"], "Renamed");
    assert!(app.trail(alice.id()).await.contains(&"user.profile_changed".to_owned()));
}

async fn others_do_not_exist_for_a_user(Scene { alice, admin, .. }: &Scene) {
    let other = alice.patch(&format!("/users/{}", admin.id()), json!({"name": "Owned"})).await;
    let nobody = alice.patch("/users/01890000-0000-7000-8000-000000000000", json!({"name": "Owned"})).await;
    assert_eq!((other.status, other.code(), &other.json["detail"]), (404, "not_found", &nobody.json["detail"]));
    assert_eq!(nobody.status, 404);
}

async fn null_removes_nothing(Scene { alice, .. }: &Scene) {
    let response = alice.patch("/users/me", json!({"name": null})).await;
    assert_eq!(response.status, 422, "a user has a name; null would remove it (RFC 7396): {response}");
    assert_eq!(alice.patch("/users/me", json!({})).await.status, 200);
}
