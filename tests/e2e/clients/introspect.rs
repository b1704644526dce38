//! `POST /introspect`.

use super::introspect;
use crate::security::token::{claims, sign};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use vestibule_domain::Settings;
use vestibule_domain::session::SessionSettings;
use vestibule_domain::token::{Algorithm, RotationTiming};
use vestibule_testkit::app::{PUBLIC_URL, Scene, Setup, TestApp, UNKNOWN_TOKEN};
use vestibule_testkit::counting::Reach;
use vestibule_testkit::{StoreKind, scenes};

scenes!(
    tells_what_an_access_token_is_worth,
    tells_a_refresh_token_from_an_access_token,
    tells_what_holds_now_and_not_what_was_signed,
    is_inactive_without_a_reason,
    is_inactive_from_the_second_in_which_a_token_expires,
    only_the_newest_refresh_token_is_active,
    costs_no_look_at_the_store,
    the_hint_changes_nothing,
    says_nothing_rather_than_something_wrong_without_the_store;
    with_setup: a_token_of_another_environment_is_inactive, the_address_stays_out_if_the_operator_says_so,
);

async fn tells_what_an_access_token_is_worth(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    let response = introspect(anonymous, &shop, alice.access_token()).await;
    assert_transcript!(response, @r#"
    200
    cache-control: no-store
    content-type: application/json

    {
      "active": true,
      "amr": [
        "pwd"
      ],
      "aud": "vestibule",
      "auth_time": 1767225600,
      "exp": 1767226200,
      "iat": 1767225600,
      "iss": "https://auth.example",
      "jti": "019b76da-a800-7a4f-8c4a-d9a0ba6fd28d",
      "nbf": 1767225600,
      "roles": [
        "user"
      ],
      "sid": "019b76da-a800-7b6d-a429-59491d435338",
      "sub": "019b76da-a800-78d6-8a16-e9e9a8532b0c",
      "token_type": "Bearer",
      "username": "alice@example.com"
    }
    "#);
    let signed = claims(alice.access_token()).1;
    for claim in ["sub", "sid", "iss", "aud", "exp", "iat", "nbf", "jti", "auth_time", "amr", "roles"] {
        assert_eq!(response.json[claim], signed[claim], "{claim}");
    }
    assert_eq!(response.json["username"], signed["email"]);
}

async fn tells_a_refresh_token_from_an_access_token(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    let response = introspect(anonymous, &shop, alice.refresh_token()).await;
    assert_transcript!(response, @r#"
    200
    cache-control: no-store
    content-type: application/json

    {
      "active": true,
      "exp": 1768435200,
      "iat": 1767225600,
      "iss": "https://auth.example",
      "sid": "019b76da-a800-7b6d-a429-59491d435338",
      "sub": "019b76da-a800-78d6-8a16-e9e9a8532b0c",
      "token_type": "refresh_token"
    }
    "#);
}

async fn tells_what_holds_now_and_not_what_was_signed(Scene { app, anonymous, alice, admin, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    let path = format!("/users/{}/roles", alice.id());
    assert_eq!(admin.put(&path, json!({"roles": ["support"]})).await.status, 200);
    assert_eq!(introspect(anonymous, &shop, alice.access_token()).await.json["roles"], json!(["support"]));
    assert_eq!(claims(alice.access_token()).1["roles"], json!(["user"]));
}

/// RFC 7662, section 2.2: nothing but that.
fn inactive() -> Value {
    json!({"active": false})
}

async fn is_inactive_without_a_reason(Scene { app, anonymous, alice, admin, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    let token = alice.access_token();
    let changed = token.replacen(['A', 'B', 'C', 'D', 'E'], "x", 1);
    let long = "x".repeat(60_000);
    for other in [&*changed, UNKNOWN_TOKEN, alice.device_token(), &shop.secret, "nonsense", "\0", "ü", "..", &long] {
        let response = introspect(anonymous, &shop, other).await;
        assert_eq!((response.status, response.json), (200, inactive()), "{other}");
    }
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    let response = introspect(anonymous, &shop, token).await;
    assert_transcript!(response, @r#"
    200
    cache-control: no-store
    content-type: application/json

    {
      "active": false
    }
    "#);
    assert_eq!(introspect(anonymous, &shop, alice.refresh_token()).await.json, inactive());
    assert_eq!(admin.delete("/users/me").await.code(), "last_admin");
    assert_eq!(introspect(anonymous, &shop, admin.access_token()).await.json["active"], true);
}

async fn is_inactive_from_the_second_in_which_a_token_expires(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    app.clock().advance(Duration::from_secs(599));
    assert_eq!(introspect(anonymous, &shop, alice.access_token()).await.json["active"], true);
    app.clock().advance(Duration::from_secs(1));
    assert_eq!(introspect(anonymous, &shop, alice.access_token()).await.json, inactive());
    app.clock().advance(Duration::from_secs(14 * 24 * 3_600 - 600 - 1));
    assert_eq!(introspect(anonymous, &shop, alice.refresh_token()).await.json["active"], true);
    app.clock().advance(Duration::from_secs(1));
    assert_eq!(introspect(anonymous, &shop, alice.refresh_token()).await.json, inactive());
}

async fn only_the_newest_refresh_token_is_active(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    app.clock().advance(Duration::from_mins(1));
    let refreshed = anonymous.holding(&anonymous.refresh(alice.refresh_token()).await);
    assert_eq!(introspect(anonymous, &shop, alice.refresh_token()).await.json, inactive(), "though it has a grace");
    let newest = introspect(anonymous, &shop, refreshed.refresh_token()).await.json;
    assert_eq!(newest["iat"], claims(refreshed.access_token()).1["iat"]);
    assert_eq!(refreshed.get("/users/me").await.status, 200, "asking is not using");
}

async fn costs_no_look_at_the_store(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    app.store.caught_up().await;
    for _ in 0..2 {
        assert_eq!(introspect(anonymous, &shop, alice.access_token()).await.json["active"], true);
    }
    let before = app.store.calls();
    assert_eq!(introspect(anonymous, &shop, alice.access_token()).await.json["active"], true);
    assert_eq!(introspect(anonymous, &shop, "nonsense").await.json, inactive());
    assert_eq!(app.store.calls(), before, "neither for the client nor for the session");
}

async fn the_hint_changes_nothing(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    for token in [alice.access_token(), alice.refresh_token()] {
        let plain = introspect(anonymous, &shop, token).await.json;
        for hint in ["access_token", "refresh_token", "something else", ""] {
            let fields = [("token", token), ("token_type_hint", hint), ("unknown", "ignored")];
            let hinted = anonymous.request(Method::POST, "/introspect").by(&shop).form(&fields).await;
            assert_eq!(hinted.json, plain, "{hint}");
        }
    }
}

async fn says_nothing_rather_than_something_wrong_without_the_store(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    app.store.set_reach(Reach::Nothing);
    app.clock().advance(Duration::from_secs(1));
    let response = introspect(anonymous, &shop, alice.access_token()).await;
    assert_eq!((response.status, response.code()), (503, "unavailable"));
    app.store.set_reach(Reach::Everything);
    assert_eq!(introspect(anonymous, &shop, alice.access_token()).await.json["active"], true);
}

/// Case 72 of the catalogue, at this door.
async fn a_token_of_another_environment_is_inactive(store: StoreKind) {
    let domain = Settings { algorithm: Algorithm::Hs256, ..Settings::default() };
    let scene = TestApp::start(store, Setup { domain, ..Setup::default() }).await;
    let shop = scene.app.create_client("shop").await;
    let (header, body) = claims(scene.alice.access_token());
    let signed = async |claim: &str, value: Value| {
        let mut body = body.clone();
        body[claim] = value;
        let token = sign(&header.to_string(), &body.to_string());
        introspect(&scene.anonymous, &shop, &token).await.json
    };
    assert_eq!(signed("iss", json!(PUBLIC_URL)).await["active"], true, "as it was");
    for (claim, other) in [("iss", "https://staging.example"), ("aud", "staging")] {
        assert_eq!(signed(claim, json!(other)).await, inactive(), "{claim}");
    }
    assert_eq!(signed("sub", json!(scene.admin.id())).await, inactive(), "another user's session");
    scene.app.finish().await;
}

async fn the_address_stays_out_if_the_operator_says_so(store: StoreKind) {
    let sessions = SessionSettings { email_claim: false, ..SessionSettings::default() };
    let setup = Setup { domain: Settings { sessions, ..Settings::default() }, ..Setup::default() };
    let scene = TestApp::start(store, setup).await;
    let shop = scene.app.create_client("shop").await;
    let response = introspect(&scene.anonymous, &shop, scene.alice.access_token()).await;
    assert_eq!((response.json["active"].clone(), response.json.get("username")), (json!(true), None));
    // A key that is revoked takes its tokens with it.
    let (active, _) = scene.app.services.keys.list().await.expect("the keys").remove(0);
    scene.app.services.keys.rotate(RotationTiming::Now).await.expect("a rotation");
    scene.app.services.keys.revoke(active.id).await.expect("a revocation");
    assert_eq!(introspect(&scene.anonymous, &shop, scene.alice.access_token()).await.json, inactive());
    scene.app.finish().await;
}
