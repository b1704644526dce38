//! `GET /users/{user}/sessions`.

use std::time::Duration;
use vestibule_testkit::app::{ALICE, PASSWORD, Scene};
use vestibule_testkit::scenes;

scenes!(lists_live_sessions_newest_first, administrators_see_those_of_others, others_do_not_exist_for_a_user);

async fn lists_live_sessions_newest_first(Scene { app, anonymous, alice, .. }: &Scene) {
    app.clock().advance(Duration::from_mins(1));
    let newer = anonymous.log_in(ALICE, PASSWORD).await;
    assert_transcript!(alice.get("/users/me/sessions").await, @r#"
    200
    cache-control: no-store
    content-type: application/json

    {
      "data": [
        {
          "amr": [
            "pwd"
          ],
          "created_at": "2026-01-01T00:01:00.000Z",
          "current": false,
          "expires_at": "2026-01-31T00:01:00.000Z",
          "id": "019b76db-9260-7e3b-889a-d8b6accd564d",
          "ip": "127.0.0.1",
          "last_seen_at": "2026-01-01T00:01:00.000Z",
          "user_agent": "vestibule-tests"
        },
        {
          "amr": [
            "pwd"
          ],
          "created_at": "2026-01-01T00:00:00.000Z",
          "current": true,
          "expires_at": "2026-01-31T00:00:00.000Z",
          "id": "019b76da-a800-7b6d-a429-59491d435338",
          "ip": "127.0.0.1",
          "last_seen_at": "2026-01-01T00:00:00.000Z",
          "user_agent": "vestibule-tests"
        }
      ]
    }
    "#);
    assert_eq!(newer.get("/users/me/sessions").await.json["data"][0]["current"], true);
}

async fn administrators_see_those_of_others(Scene { alice, admin, .. }: &Scene) {
    let response = admin.get(&format!("/users/{}/sessions", alice.id())).await;
    assert_eq!(response.json["data"][0]["id"], alice.session_id());
    assert_eq!(response.json["data"][0]["current"], false);
    let nobody = admin.get("/users/01890000-0000-7000-8000-000000000000/sessions").await;
    assert_eq!((nobody.status, nobody.code()), (404, "not_found"));
}

async fn others_do_not_exist_for_a_user(Scene { alice, admin, .. }: &Scene) {
    let other = alice.get(&format!("/users/{}/sessions", admin.id())).await;
    assert_eq!((other.status, other.code()), (404, "not_found"));
}
