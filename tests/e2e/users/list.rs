//! `GET /users`.

use serde_json::json;
use std::time::Duration;
use vestibule_testkit::app::{ADMIN, Response, Scene};
use vestibule_testkit::scenes;

scenes!(lists_users_with_their_sessions, pages_are_linked, filters, names_all_faults_at_once, needs_the_permission);

fn addresses(response: &Response) -> Vec<&str> {
    let data = response.json["data"].as_array().expect("a list");
    data.iter().map(|user| user["email"].as_str().expect("an address")).collect()
}

async fn lists_users_with_their_sessions(Scene { admin, .. }: &Scene) {
    let mut response = admin.get("/users").await;
    // Both were registered in the same millisecond: their order is random, but the same with the same seed.
    assert_transcript!(response, @r#"
    200
    cache-control: no-store
    content-type: application/json

    {
      "data": [
        {
          "active_sessions": 1,
          "created_at": "2026-01-01T00:00:00.000Z",
          "email": "admin@example.com",
          "email_verified": false,
          "id": "019b76da-a800-70a6-8087-0d9d2e40e4dc",
          "last_login_at": "2026-01-01T00:00:00.000Z",
          "name": "Ada Admin",
          "roles": [
            "admin"
          ],
          "status": "active",
          "updated_at": "2026-01-01T00:00:00.000Z"
        },
        {
          "active_sessions": 1,
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
      ],
      "next_cursor": null
    }
    "#);
    response = admin.get("/users?limit=200").await;
    assert_eq!(response.header("link"), None);
}

async fn pages_are_linked(Scene { app, admin, .. }: &Scene) {
    for n in 0..3 {
        app.clock().advance(Duration::from_millis(1));
        app.register(&format!("user{n}@example.com"), "User", &[]).await;
    }
    let mut seen = Vec::new();
    let mut path = "/users?limit=2".to_owned();
    loop {
        let page = admin.get(&path).await;
        seen.extend(addresses(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page.json["next_cursor"].as_str() else {
            assert_eq!(page.header("link"), None);
            break;
        };
        let link = page.header("link").expect("a link to the next page");
        let url = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).expect("RFC 8288");
        assert!(url.contains(cursor), "{link}");
        path = url.replacen("https://auth.example", "", 1);
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(seen[2..], ["user0@example.com", "user1@example.com", "user2@example.com"]);
}

async fn filters(Scene { app, alice, admin, .. }: &Scene) {
    app.register("bob@example.com", "Zoë", &["support"]).await;
    assert_eq!(admin.post(&format!("/users/{}/disable", alice.id()), json!({})).await.status, 200);
    let found = async |query: &str| {
        let page = admin.get(&format!("/users?{query}")).await;
        addresses(&page).join(" ")
    };
    assert_eq!(found("status=disabled").await, "alice@example.com");
    assert_eq!(found("role=admin").await, ADMIN);
    assert_eq!(found("role=support&status=disabled").await, "");
    assert_eq!(found("email=BOB%40example.com").await, "bob@example.com");
    assert_eq!(found("q=ZO%C3%8B").await, "bob@example.com");
    assert_eq!(found("q=alice%40ex").await, "alice@example.com");
    assert_eq!(found("q=%25").await, "");
}

async fn names_all_faults_at_once(Scene { admin, .. }: &Scene) {
    let query = "limit=0&cursor=x&status=gone&email=x&role=Big&sort=name";
    let response = admin.get(&format!("/users?{query}")).await;
    assert_eq!((response.status, response.code()), (422, "validation_failed"), "{response}");
    let mut at: Vec<_> = response.faults().into_iter().map(|(pointer, _)| pointer).collect();
    at.sort_unstable();
    assert_eq!(at, ["/cursor", "/email", "/limit", "/role", "/sort", "/status"]);
}

async fn needs_the_permission(Scene { app, anonymous, alice, .. }: &Scene) {
    assert_transcript!(alice.get("/users").await, @r#"
    403
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "forbidden",
      "detail": "None of the caller's roles carries the permission that this call needs.",
      "instance": "/users",
      "request_id": "[request_id]",
      "status": 403,
      "title": "The permission is missing",
      "type": "https://auth.example/problems/forbidden"
    }
    "#);
    app.register("carol@example.com", "Carol", &["support"]).await;
    let support = anonymous.log_in("carol@example.com", vestibule_testkit::app::PASSWORD).await;
    assert_eq!(support.get("/users").await.status, 200);
}
