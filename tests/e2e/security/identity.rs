//! B: identity fields.

use super::percent_encoded;
use serde_json::json;
use vestibule_testkit::app::{ALICE, Client, PASSWORD, Response, Scene};
use vestibule_testkit::scenes;

scenes!(
    b21_case_makes_no_second_account,
    b22_b23_look_alikes_are_refused,
    b24_international_domains_have_one_form,
    b25_spaces_dots_and_quotes_make_no_second_account,
    b26_a_tag_is_another_address,
    b27_lengths_are_bounded,
    b28_line_breaks_are_refused,
    b29_an_address_is_one_text,
    b30_sql_is_text,
    b31_markup_is_text_and_reordering_is_refused,
);

async fn register(client: &Client, email: &str) -> Response {
    client.post("/users", json!({"email": email, "password": PASSWORD, "name": "Bob"})).await
}

async fn refused(client: &Client, emails: &[&str]) {
    for email in emails {
        let response = register(client, email).await;
        assert_eq!((response.status, response.code()), (422, "validation_failed"), "{email:?}");
        assert_eq!(response.faults()[0].0, "/email", "{email:?}");
    }
}

async fn b21_case_makes_no_second_account(Scene { anonymous, .. }: &Scene) {
    assert_eq!(register(anonymous, "ALICE@EXAMPLE.com").await.code(), "email_taken");
    anonymous.log_in("aLiCe@eXample.COM", PASSWORD).await;
}

/// CVE-2019-19844, GHSA-7rqj-j65f-68wh: another address counted as this one once its letters were folded.
async fn b22_b23_look_alikes_are_refused(Scene { anonymous, .. }: &Scene) {
    let look_alikes = [
        "al\u{131}ce@example.com",
        "ALİCE@example.com",
        "alice\u{17f}@example.com",
        "\u{212a}ate@example.com",
        "alice\u{ff20}example.com",
        "ａｌｉｃｅ@example.com",
        "alice@ｅxample.com",
        "alice@example\u{3002}com",
        "alice@example\u{ff0e}com",
        "alice@e\u{ad}xample.com",
        "alice@example.\u{212a}om",
        "alice@\u{2460}example.com",
    ];
    refused(anonymous, &look_alikes).await;
}

async fn b24_international_domains_have_one_form(Scene { anonymous, .. }: &Scene) {
    assert_eq!(register(anonymous, "u@bücher.example").await.status, 201);
    for spelling in ["u@xn--bcher-kva.example", "U@BÜCHER.example", "u@bu\u{308}cher.example"] {
        assert_eq!(register(anonymous, spelling).await.code(), "email_taken", "{spelling}");
    }
    assert_eq!(register(anonymous, "u@faß.example").await.status, 201, "non-transitional: ß is not ss");
    assert_eq!(register(anonymous, "u@fass.example").await.status, 201);
    refused(anonymous, &["u@xn--example-.org", "u@xn--.example", "u@xn--ls8h=.la"]).await;
}

/// CVE-2025-6004: a space made another account of it, for the lock at least.
async fn b25_spaces_dots_and_quotes_make_no_second_account(Scene { anonymous, .. }: &Scene) {
    let variants = [
        "alice@example.com.",
        " alice@example.com",
        "alice@example.com ",
        "alice@example.com\u{a0}",
        "\u{200b}alice@example.com",
        "alice\u{200b}@example.com",
        "\"alice\"@example.com",
        "alice(comment)@example.com",
        "alice@(comment)example.com",
        "<alice@example.com>",
        "Alice <alice@example.com>",
        ".alice@example.com",
        "alice.@example.com",
        "al..ice@example.com",
        "alice@example..com",
        "alice@-example.com",
        "alice@[127.0.0.1]",
        "alice@",
        "@example.com",
        "alice",
        "",
    ];
    refused(anonymous, &variants).await;
}

async fn b26_a_tag_is_another_address(Scene { anonymous, .. }: &Scene) {
    assert_eq!(register(anonymous, "alice+tag@example.com").await.status, 201);
}

async fn b27_lengths_are_bounded(Scene { anonymous, .. }: &Scene) {
    let label = "a".repeat(63);
    // 64 and an @ and 189 make 254.
    let longest = format!("{}@{label}.{label}.{}.com", "x".repeat(64), "a".repeat(57));
    assert_eq!(longest.len(), 254);
    assert_eq!(register(anonymous, &longest).await.status, 201);
    let beyond = longest.replace(".com", "a.com");
    let local = format!("{}@example.com", "x".repeat(65));
    let long_label = format!("x@{}.com", "a".repeat(64));
    refused(anonymous, &[&beyond, &local, &long_label, &"x".repeat(60_000)]).await;
    let name = |length: usize| json!({"email": "long@example.com", "password": PASSWORD, "name": "é".repeat(length)});
    assert_eq!(anonymous.post("/users", name(201)).await.faults(), [("/name", "too_long")]);
    assert_eq!(anonymous.post("/users", name(200)).await.status, 201);
}

/// RUSTSEC-2021-0069: what followed the line break was a command to the mail server.
async fn b28_line_breaks_are_refused(Scene { anonymous, alice, .. }: &Scene) {
    refused(anonymous, &["a@b.example\r\nBcc: x@evil.example", "a\n@b.example", "a@b.example\r", "a@b\u{85}.example"])
        .await;
    for name in ["Bob\r\nBcc: x@evil.example", "Bob\n", "a\u{2028}b", "a\u{7f}b", "a\u{1b}[31mb", "\t"] {
        assert_eq!(alice.patch("/users/me", json!({"name": name})).await.status, 422, "{name:?}");
    }
}

/// CVE-2023-7028, CVE-2022-35924: the second address was written to as well.
async fn b29_an_address_is_one_text(Scene { anonymous, .. }: &Scene) {
    for email in [json!([ALICE, "x@evil.example"]), json!({"a": ALICE}), json!(7), json!(null), json!(true)] {
        let body = json!({"email": email, "password": PASSWORD, "name": "Bob"});
        let response = anonymous.post("/users", body).await;
        assert_eq!((response.status, response.faults()[0].0), (422, "/email"), "{email}");
    }
    refused(anonymous, &["alice@example.com,x@evil.example", "alice@example.com;x@evil.example", "a@b@evil.example"])
        .await;
}

async fn b30_sql_is_text(Scene { app, anonymous, alice, admin, .. }: &Scene) {
    let before = app.database().dump("users").await.len();
    let statements =
        ["' OR '1'='1", "'; DROP TABLE users; --", "\" OR \"\"=\"", "1) UNION SELECT 1 --", "\\'", "$1", "?1", "%"];
    for sql in statements {
        let renamed = alice.patch("/users/me", json!({"name": sql})).await;
        assert_eq!((renamed.status, &renamed.json["name"]), (200, &json!(sql)));
        let found = admin.get("/users").await;
        assert_eq!(found.json["data"].as_array().map(Vec::len), Some(before));
        let encoded = percent_encoded(sql);
        let by_name = admin.get(&format!("/users?q={encoded}")).await;
        assert_eq!(by_name.json["data"].as_array().map(Vec::len), Some(1), "{sql}: {by_name}");
        for field in ["email", "cursor", "role", "status"] {
            assert_eq!(admin.get(&format!("/users?{field}={encoded}")).await.status, 422, "{field} {sql}");
        }
        let login = anonymous.try_log_in(ALICE, sql).await;
        assert_eq!(login.code(), "invalid_credentials");
    }
    let quoted = register(anonymous, "o'hara--@example.com").await;
    assert_eq!((quoted.status, &quoted.json["email"]), (201, &json!("o'hara--@example.com")));
}

async fn b31_markup_is_text_and_reordering_is_refused(Scene { alice, .. }: &Scene) {
    for name in ["{{7*7}}", "<script>alert(1)</script>", "${jndi:ldap://x}", "<img src=x onerror=alert(1)>"] {
        let response = alice.patch("/users/me", json!({"name": name})).await;
        assert_eq!((response.status, &response.json["name"]), (200, &json!(name)));
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
    for name in ["gpj.\u{202e}exe", "a\u{2066}b", "a\u{2069}"] {
        assert_eq!(alice.patch("/users/me", json!({"name": name})).await.status, 422, "{name:?}");
    }
}
