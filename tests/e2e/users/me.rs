//! `GET /users/{user}`.

use vestibule_testkit::app::Scene;
use vestibule_testkit::scenes;

scenes!(
    shows_the_owner,
    shows_another_to_an_administrator,
    me_is_me_however_it_is_encoded,
    another_does_not_exist_for_a_user,
    asks_the_store_nothing_while_nothing_changes,
    needs_a_token,
);

async fn shows_the_owner(Scene { alice, .. }: &Scene) {
    let response = alice.get("/users/me").await;
    assert_transcript!(response, @r#"
    200
    cache-control: no-store
    content-type: application/json
    etag: "2"

    {
      "created_at": "2026-01-01T00:00:00.000Z",
      "email": "alice@example.com",
      "email_verified": false,
      "id": "019b76da-a800-78d6-8a16-e9e9a8532b0c",
      "last_login_at": "2026-01-01T00:00:00.000Z",
      "name": "Alice Example",
      "roles": [
        "user"
      ],
      "status": "active",
      "updated_at": "2026-01-01T00:00:00.000Z"
    }
    "#);
    let by_id = alice.get(&format!("/users/{}", alice.id())).await;
    assert_eq!(by_id.to_string(), response.to_string());
}

async fn shows_another_to_an_administrator(Scene { alice, admin, .. }: &Scene) {
    let seen_by_admin = admin.get(&format!("/users/{}", alice.id())).await;
    assert_eq!(seen_by_admin.to_string(), alice.get("/users/me").await.to_string());
}

/// Percent-encoded it is the same path (RFC 3986, section 6.2.2.2); one that only begins like it is another.
async fn me_is_me_however_it_is_encoded(Scene { alice, .. }: &Scene) {
    for path in ["/users/%6de", "/users/m%65", "/users/%6D%65"] {
        assert_eq!(alice.get(path).await.json["id"], alice.id(), "{path}");
    }
    for path in ["/users/mean", "/users/ME", "/users/me%2F", "/users/me%20"] {
        assert_eq!(alice.get(path).await.code(), "not_found", "{path}");
    }
}

async fn another_does_not_exist_for_a_user(Scene { alice, admin, .. }: &Scene) {
    let other = alice.get(&format!("/users/{}", admin.id())).await;
    let nobody = alice.get("/users/01890000-0000-7000-8000-000000000000").await;
    assert_transcript!(nobody, @r#"
    404
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "not_found",
      "detail": "The path is unknown, or what it names does not exist or is not for the caller to see.",
      "instance": "/users/01890000-0000-7000-8000-000000000000",
      "request_id": "[request_id]",
      "status": 404,
      "title": "There is nothing here",
      "type": "https://auth.example/problems/not_found"
    }
    "#);
    assert_eq!((other.status, other.code()), (nobody.status, nobody.code()));
    assert_eq!(other.json["detail"], nobody.json["detail"]);
}

async fn asks_the_store_nothing_while_nothing_changes(Scene { app, alice, .. }: &Scene) {
    app.store.caught_up().await;
    let first = alice.get("/users/me").await;
    let before = app.store.calls();
    for _ in 0..20 {
        assert_eq!(alice.get("/users/me").await.text, first.text);
    }
    assert_eq!(app.store.calls(), before);
}

async fn needs_a_token(Scene { anonymous, .. }: &Scene) {
    assert_transcript!(anonymous.get("/users/me").await, @r#"
    401
    cache-control: no-store
    content-type: application/problem+json
    www-authenticate: Bearer

    {
      "code": "unauthenticated",
      "detail": "Send the access token from POST /login in the header: Authorization: Bearer and the token.",
      "instance": "/users/me",
      "request_id": "[request_id]",
      "status": 401,
      "title": "An access token is needed",
      "type": "https://auth.example/problems/unauthenticated"
    }
    "#);
    assert_transcript!(anonymous.with_token("eyJhbGciOiJub25lIn0.e30.").get("/users/me").await, @r#"
    401
    cache-control: no-store
    content-type: application/problem+json
    www-authenticate: Bearer error="invalid_token", error_description="The access token is not valid."

    {
      "code": "invalid_token",
      "detail": "The access token is not valid.",
      "instance": "/users/me",
      "request_id": "[request_id]",
      "status": 401,
      "title": "The access token is not valid",
      "type": "https://auth.example/problems/invalid_token"
    }
    "#);
}
