//! Who may ask: RFC 6749, section 2.3.1, at both doors.

use super::introspect;
use reqwest::Method;
use serde_json::json;
use vestibule_domain::id::ClientId;
use vestibule_testkit::app::{Client, ClientCredentials, Response, Scene};
use vestibule_testkit::scenes;

scenes!(
    a_client_authenticates_itself_in_the_header_or_in_the_form,
    a_stranger_is_told_the_same_whatever_is_wrong,
    two_kinds_of_credentials_are_refused,
    the_form_is_judged_strictly,
    a_token_in_the_url_is_refused,
    a_client_that_was_deleted_is_a_stranger_at_once,
);

const DOORS: [&str; 2] = ["/introspect", "/revoke"];

async fn a_client_authenticates_itself_in_the_header_or_in_the_form(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    let fields = [("token", alice.access_token()), ("client_id", &*shop.id), ("client_secret", &*shop.secret)];
    let by_form = anonymous.request(Method::POST, "/introspect").form(&fields).await;
    assert_eq!(by_form.json, introspect(anonymous, &shop, alice.access_token()).await.json);
    assert_eq!(by_form.json["active"], true);
    assert_eq!(anonymous.over_http2().request(Method::POST, "/introspect").form(&fields).await.json, by_form.json);
    let [token, id, _] = fields;
    let named_twice = anonymous.request(Method::POST, "/introspect").by(&shop).form(&[token, id]).await;
    assert_eq!(named_twice.json, by_form.json);
    let other = anonymous.request(Method::POST, "/introspect").by(&shop).form(&[token, ("client_id", "shoe")]).await;
    assert_eq!((other.status, other.code()), (400, "invalid_request"));
}

fn told(response: &Response) -> (u16, String, Option<String>) {
    let mut body = response.json.clone();
    for member in ["request_id", "instance"] {
        body[member] = json!(null);
    }
    (response.status, body.to_string(), response.header("www-authenticate").map(str::to_owned))
}

async fn ask(anonymous: &Client, door: &str, header: Option<&str>, form: &[(&str, &str)]) -> Response {
    let request = anonymous.request(Method::POST, door).form(form);
    match header {
        Some(header) => request.header("authorization", header.to_owned()).await,
        None => request.await,
    }
}

async fn a_stranger_is_told_the_same_whatever_is_wrong(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    let token = ("token", alice.access_token());
    let without = anonymous.request(Method::POST, "/introspect").form(&[token]).await;
    assert_transcript!(without, @r#"
    401
    cache-control: no-store
    content-type: application/problem+json
    www-authenticate: Basic realm="vestibule"

    {
      "code": "invalid_client",
      "detail": "Send the id and the secret that vestibule clients create has printed: as HTTP Basic authentication, or as client_id and client_secret in the form.",
      "error": "invalid_client",
      "instance": "/introspect",
      "request_id": "[request_id]",
      "status": 401,
      "title": "The client is not known here",
      "type": "https://auth.example/problems/invalid_client"
    }
    "#);
    let strangers = [
        ClientCredentials { secret: "vcs_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(), ..shop.clone() },
        ClientCredentials { secret: "wrong".to_owned(), ..shop.clone() },
        ClientCredentials { secret: String::new(), ..shop.clone() },
        ClientCredentials { id: "0190b5a2-7c3e-7a00-8000-000000000000".to_owned(), ..shop.clone() },
        ClientCredentials { id: "shop".to_owned(), ..shop.clone() },
        ClientCredentials { id: alice.id().to_owned(), secret: alice.refresh_token().to_owned() },
    ];
    let bearer = format!("Bearer {}", alice.access_token());
    for door in DOORS {
        for stranger in &strangers {
            let response = anonymous.request(Method::POST, door).by(stranger).form(&[token]).await;
            assert_eq!(told(&response), told(&without), "{stranger:?}");
        }
        for header in ["", "Basic", "Basic !", "Basic aWQ", "Basic dmNz", "basic  Og==", &bearer] {
            assert_eq!(told(&ask(anonymous, door, Some(header), &[token]).await), told(&without), "{header}");
        }
        for half in [("client_id", &*shop.id), ("client_secret", &*shop.secret)] {
            assert_eq!(told(&ask(anonymous, door, None, &[token, half]).await), told(&without), "{half:?}");
        }
        let twice = anonymous.request(Method::POST, door).by(&shop).header("authorization", "Basic Og==");
        assert_eq!(told(&twice.form(&[token]).await), told(&without), "two headers");
    }
    assert_eq!(alice.get("/users/me").await.status, 200, "nobody has ended it");
}

async fn two_kinds_of_credentials_are_refused(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    for door in DOORS {
        let fields = [("token", alice.access_token()), ("client_id", &*shop.id), ("client_secret", &*shop.secret)];
        let response = anonymous.request(Method::POST, door).by(&shop).form(&fields).await;
        assert_eq!(
            (response.status, response.code(), &response.json["error"]),
            (400, "invalid_request", &json!("invalid_request"))
        );
    }
    assert_eq!(alice.get("/users/me").await.status, 200);
}

const FORM: &str = "application/x-www-form-urlencoded";

async fn the_form_is_judged_strictly(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    let token = alice.access_token();
    let send = |door, content_type: &'static str, body: String| {
        anonymous.request(Method::POST, door).by(&shop).header("content-type", content_type).body(body).into_future()
    };
    for door in DOORS {
        let twice = format!("token={token}&%74oken=x");
        for broken in ["", "token=", "token_type_hint=access_token", &twice, "token=%", "token=%ff"] {
            let response = send(door, FORM, broken.to_owned()).await;
            let told = (response.status, response.code(), response.json["error"].as_str());
            assert_eq!(told, (400, "invalid_request", Some("invalid_request")), "{broken}");
        }
        let json = json!({"token": token}).to_string();
        for other in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
            assert_eq!(send(door, other, json.clone()).await.code(), "unsupported_media_type", "{other}");
        }
        let most = format!("token={}", "x".repeat(65_530));
        assert_eq!(send(door, FORM, most.clone()).await.status, 200, "64 KiB");
        assert_eq!(send(door, FORM, most + "x").await.code(), "payload_too_large");
        assert_eq!(anonymous.get(door).await.code(), "method_not_allowed");
    }
    assert_eq!(alice.get("/users/me").await.status, 200);
}

/// RFC 7662, section 2.1; RFC 9700, section 4.3.2.
async fn a_token_in_the_url_is_refused(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    for door in DOORS {
        let url = format!("{door}?token={}", alice.access_token());
        for form in [&[][..], &[("token", alice.access_token())]] {
            let response = anonymous.request(Method::POST, &url).by(&shop).form(form).await;
            assert_eq!((response.status, response.code()), (400, "invalid_request"));
            assert!(!response.text.contains(alice.access_token()));
        }
    }
    assert_eq!(alice.get("/users/me").await.status, 200);
}

async fn a_client_that_was_deleted_is_a_stranger_at_once(Scene { app, anonymous, alice, .. }: &Scene) {
    let (shop, other) = (app.create_client("shop").await, app.create_client("other").await);
    assert_eq!(introspect(anonymous, &shop, alice.access_token()).await.json["active"], true);
    let id = ClientId::parse(&shop.id).expect("an id");
    app.services.clients.delete(id).await.expect("a deletion");
    assert_eq!(introspect(anonymous, &shop, alice.access_token()).await.code(), "invalid_client");
    assert_eq!(introspect(anonymous, &other, alice.access_token()).await.json["active"], true);
}
