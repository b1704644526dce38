//! `PUT /users/{user}/password`.

use serde_json::json;
use vestibule_testkit::app::{ALICE, PASSWORD, Scene};
use vestibule_testkit::scenes;

const NEW: &str = "an entirely new passphrase";

scenes!(
    changes_the_password_and_ends_other_sessions,
    a_wrong_current_password_is_forbidden,
    the_new_password_follows_the_policy,
    nobody_sets_the_password_of_another,
    a_change_counts_only_while_its_session_does,
);

async fn changes_the_password_and_ends_other_sessions(Scene { app, anonymous, alice, .. }: &Scene) {
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    assert_transcript!(alice.put("/users/me/password", body).await, @"
    204
    cache-control: no-store
    ");
    assert_eq!(alice.get("/users/me").await.status, 200, "the session that asked goes on");
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.status, 200);
    assert_eq!(other.get("/users/me").await.code(), "invalid_token");
    assert_eq!(anonymous.refresh(other.refresh_token()).await.code(), "invalid_refresh_token");
    assert_eq!(anonymous.try_log_in(ALICE, PASSWORD).await.code(), "invalid_credentials");
    anonymous.log_in(ALICE, NEW).await;
    assert!(app.trail(alice.id()).await.contains(&"password.changed".to_owned()));
}

async fn a_wrong_current_password_is_forbidden(Scene { app, anonymous, alice, .. }: &Scene) {
    let body = json!({"current_password": "Wr0ng-but-strong", "new_password": NEW});
    assert_transcript!(alice.put("/users/me/password", body).await, @r#"
    403
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "wrong_password",
      "detail": "A password is changed only by whoever knows the current one.",
      "instance": "/users/me/password",
      "request_id": "[request_id]",
      "status": 403,
      "title": "The current password is wrong",
      "type": "https://auth.example/problems/wrong_password"
    }
    "#);
    anonymous.log_in(ALICE, PASSWORD).await;
    assert!(app.trail(alice.id()).await.contains(&"password.change_failed wrong_password".to_owned()));
}

async fn the_new_password_follows_the_policy(Scene { alice, .. }: &Scene) {
    let body = json!({"current_password": PASSWORD, "new_password": "alllowercase"});
    assert_transcript!(alice.put("/users/me/password", body).await, @r#"
    422
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "validation_failed",
      "detail": "The list errors has an entry for each fault: where it is, a stable code, and what would be right.",
      "errors": [
        {
          "code": "weak_password",
          "detail": "must have 15 characters, or also: an upper-case letter, a digit, another character",
          "pointer": "/new_password"
        }
      ],
      "instance": "/users/me/password",
      "request_id": "[request_id]",
      "status": 422,
      "title": "The content is not acceptable",
      "type": "https://auth.example/problems/validation_failed"
    }
    "#);
    let own_address = json!({"current_password": PASSWORD, "new_password": "Alice@example.com1"});
    let response = alice.put("/users/me/password", own_address).await;
    assert_eq!(response.faults(), [("/new_password", "weak_password")]);
    let nothing = alice.put("/users/me/password", json!({"new_password": NEW})).await;
    assert_eq!(nothing.faults(), [("/current_password", "required")]);
}

async fn nobody_sets_the_password_of_another(Scene { anonymous, alice, admin, .. }: &Scene) {
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    let by_admin = admin.put(&format!("/users/{}/password", alice.id()), body.clone()).await;
    assert!(matches!(by_admin.status, 403 | 404), "{by_admin}");
    let by_user = alice.put(&format!("/users/{}/password", admin.id()), body).await;
    assert_eq!((by_user.status, by_user.code()), (404, "not_found"));
    anonymous.log_in(ALICE, PASSWORD).await;
}

/// Whoever ends all other sessions, because one is in a stranger's hands, is not outrun by the stranger's new password.
async fn a_change_counts_only_while_its_session_does(Scene { anonymous, alice, .. }: &Scene) {
    let mut current = PASSWORD.to_owned();
    for round in 0..4 {
        let (owner, stranger) = (anonymous.log_in(ALICE, &current).await, anonymous.log_in(ALICE, &current).await);
        let new = format!("{NEW} {round}");
        let body = json!({"current_password": current, "new_password": new});
        let change = stranger.put("/users/me/password", body);
        let (changed, ended) = tokio::join!(change, owner.delete("/users/me/sessions"));
        let (stays, goes) = if changed.status == 204 { (&new, &current) } else { (&current, &new) };
        if changed.status != 204 {
            assert_eq!((changed.status, changed.code(), ended.status), (401, "invalid_token", 204));
        }
        assert_eq!(anonymous.try_log_in(ALICE, goes).await.code(), "invalid_credentials");
        assert_eq!(anonymous.try_log_in(ALICE, stays).await.status, 200);
        current = stays.to_owned();
    }
    assert_eq!(alice.get("/users/me").await.status, 401);
}
