//! A: what is in a request.

use reqwest::Method;
use serde_json::json;
use vestibule_testkit::app::{PASSWORD, Scene};
use vestibule_testkit::scenes;

scenes!(
    a01_broken_json_is_malformed_and_writes_nothing,
    a02_other_content_types_are_refused_before_parsing,
    a03_duplicate_names_are_refused,
    a04_deep_nesting_is_refused,
    a05_nul_is_refused_in_every_text,
    a06_broken_unicode_is_refused,
    a08_compressed_bodies_are_refused,
    a09_numbers_out_of_range_are_faults,
    a10_strange_paths_are_no_defects,
    a18_malformed_authorization_is_unauthorized,
    a19_a_parameter_is_given_once,
    what_a_call_does_not_take_is_refused,
    no_call_drops_anything_silently,
);

async fn a01_broken_json_is_malformed_and_writes_nothing(Scene { app, anonymous, .. }: &Scene) {
    let before = app.database().dump("users").await;
    let good = json!({"email": "bob@example.com", "password": PASSWORD, "name": "Bob"}).to_string();
    let broken = [
        good[..good.len() - 1].to_owned(),
        good.replace('}', ",}"),
        good.replace("\"Bob\"", "NaN"),
        good.replace("\"Bob\"", "'Bob'"),
        format!("\u{feff}{good}"),
        format!("{good}{good}"),
        format!("{good} x"),
        format!("/* comment */{good}"),
        format!("[{good}]"),
        "null".to_owned(),
        "\"text\"".to_owned(),
        String::new(),
        "{".to_owned(),
        "{\"a\":01}".to_owned(),
        "{\"a\":\"\t\"}".to_owned(),
        "{\"a\":\"\\x\"}".to_owned(),
    ];
    for body in broken {
        let response = anonymous.request(Method::POST, "/users").raw_json(body.clone()).await;
        assert_eq!((response.status, response.code()), (400, "malformed_json"), "{body}");
    }
    assert_eq!(app.database().dump("users").await, before);
}

async fn a02_other_content_types_are_refused_before_parsing(Scene { anonymous, .. }: &Scene) {
    let body = json!({"email": "bob@example.com", "password": PASSWORD, "name": "Bob"}).to_string();
    let refused = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonp",
        "application/problem+json",
        "json",
        "",
    ];
    for kind in refused {
        let request = anonymous.request(Method::POST, "/users").header("content-type", kind).body(body.clone());
        let response = request.await;
        assert_eq!((response.status, response.code()), (415, "unsupported_media_type"), "{kind}");
    }
    let missing = anonymous.request(Method::POST, "/users").body(body.clone()).await;
    assert_eq!(missing.code(), "unsupported_media_type");
    let spelled = anonymous.request(Method::POST, "/users").header("content-type", "Application/JSON; charset=UTF-8");
    assert_eq!(spelled.body(body).await.status, 201);
}

async fn a03_duplicate_names_are_refused(Scene { anonymous, .. }: &Scene) {
    for body in [
        r#"{"email":"alice@example.com","email":"admin@example.com","password":"x"}"#,
        r#"{"email":"alice@example.com","ema\u0069l":"admin@example.com","password":"x"}"#,
        r#"{"email":"alice@example.com","password":"x","more":{"a":1,"a":2}}"#,
    ] {
        let response = anonymous.request(Method::POST, "/login").raw_json(body).await;
        assert_eq!((response.status, response.code()), (400, "malformed_json"), "{body}");
    }
}

async fn a04_deep_nesting_is_refused(Scene { anonymous, .. }: &Scene) {
    for body in ["[".repeat(10_000), "{\"a\":".repeat(10_000), format!("{{\"email\":{}", "[".repeat(10_000))] {
        let response = anonymous.request(Method::POST, "/login").raw_json(body).await;
        assert_eq!((response.status, response.code()), (400, "malformed_json"));
    }
}

async fn a05_nul_is_refused_in_every_text(Scene { anonymous, alice, admin, .. }: &Scene) {
    let body = json!({"email": "b\0b@example.com", "password": "\0Tr0ub4dor&3", "name": "B\0b"});
    let response = anonymous.post("/users", body).await;
    let mut at: Vec<_> = response.faults().into_iter().map(|(pointer, _)| pointer).collect();
    at.sort_unstable();
    assert_eq!((response.status, at), (422, vec!["/email", "/name", "/password"]));
    let login = anonymous.try_log_in("alice\0@example.com", "\0").await;
    assert_eq!((login.status, login.faults().len()), (422, 2));
    assert_eq!(alice.patch("/users/me", json!({"name": "a\0"})).await.status, 422);
    for query in ["q=%00", "email=a%00%40example.com", "cursor=%00", "role=a%00"] {
        assert_eq!(admin.get(&format!("/users?{query}")).await.status, 422, "{query}");
    }
    assert_eq!(anonymous.refresh("vrt_\0").await.status, 422);
}

async fn a06_broken_unicode_is_refused(Scene { anonymous, .. }: &Scene) {
    let with = |name: &[u8]| {
        let mut body = br#"{"email":"bob@example.com","password":"Tr0ub4dor&3-horse","name":""#.to_vec();
        body.extend_from_slice(name);
        body.extend_from_slice(b"\"}");
        body
    };
    for name in [
        &br"\ud800"[..],
        br"\udc00\ud800",
        br"\ud800x",
        b"\xff",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
    ] {
        let response = anonymous.request(Method::POST, "/users").raw_json(with(name)).await;
        assert_eq!((response.status, response.code()), (400, "malformed_json"), "{name:?}");
    }
    let pair = anonymous.request(Method::POST, "/users").raw_json(with(br"\ud83d\udc4d")).await;
    assert_eq!((pair.status, &pair.json["name"]), (201, &json!("👍")));
}

async fn a08_compressed_bodies_are_refused(Scene { anonymous, .. }: &Scene) {
    for coding in ["gzip", "deflate", "br", "zstd", "gzip, identity"] {
        let request = anonymous.post("/login", json!({"email": "alice@example.com", "password": PASSWORD}));
        let response = request.header("content-encoding", coding).await;
        assert_eq!((response.status, response.code()), (415, "unsupported_media_type"), "{coding}");
    }
}

async fn a09_numbers_out_of_range_are_faults(Scene { anonymous, admin, .. }: &Scene) {
    for limit in ["-1", "0", "201", "1e9", "1.0", "+1", "01", "18446744073709551616", "9223372036854775808", "", "ten"]
    {
        let response = admin.get(&format!("/users?limit={limit}")).await;
        assert_eq!((response.status, response.faults()[0].0), (422, "/limit"), "{limit}");
    }
    assert_eq!(admin.get("/users?offset=9223372036854775808").await.faults(), [("/offset", "unknown_field")]);
    for number in ["1e400", "18446744073709551616", "-1", "1.0", "1e-400"] {
        let body = format!(r#"{{"email":{number},"password":{number}}}"#);
        let response = anonymous.request(Method::POST, "/login").raw_json(body).await;
        // RFC 8259, section 6, lets a parser limit the range of numbers.
        assert!(matches!(response.status, 400 | 422), "{number}: {response}");
    }
}

async fn a10_strange_paths_are_no_defects(Scene { admin, .. }: &Scene) {
    let long = format!("/users/{}", "a".repeat(4_000));
    let paths = [
        "/users/x",
        "/users/%00",
        "/users/..%2f..%2fetc%2fpasswd",
        "/users/%252e%252e",
        "/users/%ff%fe",
        "/users/ME",
        "/users/me%00",
        "/users/00000000-0000-0000-0000-000000000000",
        "/users/{user}",
        "/users/me/sessions/x",
        "/users/me/sessions/%00",
        "/users/me/sessions/' OR 1=1--",
        "/users//sessions",
        "/users/me/",
        "//users",
        "/problems/..%2f..%2fCargo.toml",
        &long,
    ];
    for path in paths {
        let (read, deleted) = (admin.get(path).await, admin.delete(path).await);
        for response in [read, deleted] {
            assert!(matches!(response.status, 400 | 404 | 405), "{path}: {response}");
        }
    }
    let compact = admin.get(&format!("/users/{}", admin.id().replace('-', ""))).await;
    assert!(matches!(compact.status, 400 | 404), "an id has one spelling: {compact}");
}

/// GHSA-xmf8-cvqr-rfgj.
async fn a18_malformed_authorization_is_unauthorized(Scene { anonymous, alice, .. }: &Scene) {
    let token = alice.access_token();
    let values = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer  {token} x"),
        format!("Bearer {token},{token}"),
        format!("Basic {token}"),
        format!("Bearer\t{token}"),
        token.to_owned(),
        "Bearer \u{fc}".to_owned(),
        "Bearer ....".to_owned(),
        "Basic YWxpY2U6cGFzc3dvcmQ=".to_owned(),
    ];
    for value in values {
        let response = anonymous.get("/users/me").header("authorization", value.clone()).await;
        assert!(matches!(response.status, 400 | 401), "{value}: {response}");
    }
    let presented =
        [format!(" {token}"), format!("{token}="), format!("{token} x"), format!("{token},x"), "=".to_owned()];
    for presented in presented {
        let response = anonymous.get("/users/me").header("authorization", format!("Bearer {presented}")).await;
        assert_eq!((response.status, response.code()), (401, "invalid_token"), "{presented}");
    }
    let twice = anonymous.get("/users/me").header("authorization", format!("Bearer {token}"));
    let response = twice.header("authorization", format!("Bearer {token}")).await;
    assert!(matches!(response.status, 400 | 401), "{response}");
    let scheme = anonymous.get("/users/me").header("authorization", format!("bearer {token}")).await;
    assert_eq!(scheme.status, 200, "the scheme's case does not count (RFC 9110, 11.1)");
    let large = anonymous.get("/users/me").header("authorization", format!("Bearer {}", "x".repeat(20_000))).await;
    assert!(matches!(large.status, 401 | 431), "{large}");
}

async fn a19_a_parameter_is_given_once(Scene { admin, .. }: &Scene) {
    for query in ["limit=1&limit=2", "status=active&status=active", "q=a&q=b"] {
        let response = admin.get(&format!("/users?{query}")).await;
        assert_eq!((response.status, response.code()), (400, "malformed_request"), "{query}");
    }
    let request = admin.post("/users/me/disable?user=x", json!({"user": "x"}));
    assert!(matches!(request.await.status, 400 | 409 | 422), "nothing that is sent is silently dropped");
}

async fn what_a_call_does_not_take_is_refused(Scene { app, alice, admin, .. }: &Scene) {
    let before = (app.database().dump("users").await, app.database().dump("sessions").await);
    let session = format!("/sessions/{}", alice.session_id());
    let calls = [
        (Method::GET, ""),
        (Method::DELETE, ""),
        (Method::POST, "/disable"),
        (Method::POST, "/enable"),
        (Method::GET, "/sessions"),
        (Method::DELETE, "/sessions"),
        (Method::DELETE, &session),
    ];
    for (method, suffix) in calls {
        let path = format!("/users/{}{suffix}", alice.id());
        let call = |query: &str| admin.request(method.clone(), &format!("{path}{query}"));
        let unknown = [call("?force=1").await, call("").json(json!({"force": true})).await];
        for response in unknown {
            assert_eq!(
                (response.status, response.faults()),
                (422, vec![("/force", "unknown_field")]),
                "{method} {path}"
            );
        }
        assert_eq!(call("?force=1&force=2").await.status, 400, "{method} {path}");
        assert_eq!(call("").raw_json("{").await.code(), "malformed_json", "{method} {path}");
        assert_eq!(call("").body("{}").await.status, 415, "{method} {path}");
        let nobody = admin.request(method.clone(), &format!("/users/nobody{suffix}?force=1")).body("{").await;
        assert_eq!((nobody.status, nobody.code()), (404, "not_found"), "{method} {path}");
    }
    assert_eq!((app.database().dump("users").await, app.database().dump("sessions").await), before);
    assert_eq!(admin.get(&format!("/users/{}", alice.id())).json(json!({})).await.status, 200);
}

/// Every call of the document, so that none can be forgotten.
async fn no_call_drops_anything_silently(Scene { app, admin, .. }: &Scene) {
    let before = (app.database().dump("users").await, app.database().dump("sessions").await);
    let document = admin.get("/openapi.json").await.json;
    for (path, calls) in document["paths"].as_object().expect("paths") {
        let path = path.replace("{user}", "me").replace("{id}", admin.session_id());
        let path = path.replace("{file}", "style.css").replace("{code}", "stale");
        for (method, operation) in calls.as_object().expect("calls") {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let takes = &operation["requestBody"]["content"];
            if takes.as_object().is_some_and(|types| !types.contains_key("application/json")) {
                continue;
            }
            let call = |query: &str| admin.request(method.clone(), &format!("{path}{query}"));
            for parameter in [call("?unheard=of").await, call("?unheard=of").json(json!({})).await] {
                let (status, faults) = (parameter.status, parameter.faults());
                let is_told =
                    if takes.is_null() { faults.contains(&("/unheard", "unknown_field")) } else { status == 400 };
                assert!(is_told, "{method} {path}: {parameter}");
            }
            let field = call("").json(json!({"unheard": "of"})).await;
            assert!(field.faults().contains(&("/unheard", "unknown_field")), "{method} {path}: {field}");
        }
    }
    assert_eq!((app.database().dump("users").await, app.database().dump("sessions").await), before);
}
