//! B 32: strings that break things.

use super::percent_encoded;
use naughty_strings::BLNS;
use reqwest::header::HeaderValue;
use serde_json::json;
use vestibule_testkit::app::{Client, PASSWORD, Response, Scene};
use vestibule_testkit::scenes;

scenes!(
    b32_naughty_names_come_back_exactly_or_are_refused,
    b32_naughty_strings_as_addresses_and_passwords,
    b32_naughty_strings_in_urls_and_headers,
    b32_a_naughty_password_logs_in_as_it_was_typed,
);

/// In bytes; what is longer is refused unread.
const MAX_URI: usize = 8 * 1024;

/// Kept as they are, beside the list: scripts, marks, what is unassigned.
const KEPT: [&str; 9] = [
    "찦차를 타고 온",
    "ﺎﻠﻋﺮﺒﻳﺓ",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "İstanbul ıI ßẞ ſs",
    "a\u{200b}b\u{200d}c\u{feff}d",
    "\u{fffd}\u{e000}\u{10fffd}",
    "\u{fdd0}\u{ffff}",
    "a\u{300}\u{300}\u{300}\u{300}\u{300}\u{300}\u{300}\u{300}",
    "e\u{301} and \u{e9}",
];

/// Refused, for one of the reasons that R3 of the catalogue names.
const REFUSED: [&str; 14] = [
    "",
    " ",
    "\u{a0}",
    "\u{3000}",
    " leading",
    "trailing ",
    "a\u{0}b",
    "a\u{1}b",
    "a\u{7f}b",
    "a\u{9b}b",
    "a\r\nb",
    "a\u{2028}b",
    "a\u{2029}b",
    "\u{202e}evil",
];

async fn rename(alice: &Client, name: &str) -> u16 {
    let response = alice.patch("/users/me", json!({"name": name})).await;
    if response.status == 200 {
        assert_eq!(response.json["name"], name);
        assert_eq!(alice.get("/users/me").await.json["name"], name);
    } else {
        assert_eq!(response.faults()[0].0, "/name");
    }
    response.status
}

async fn b32_naughty_names_come_back_exactly_or_are_refused(Scene { alice, .. }: &Scene) {
    assert_eq!(BLNS.len(), 515);
    for name in KEPT {
        assert_eq!(rename(alice, name).await, 200, "{name:?}");
    }
    for name in REFUSED {
        assert_eq!(rename(alice, name).await, 422, "{name:?}");
    }
    let mut kept = 0;
    for name in BLNS {
        let outcome = rename(alice, name).await;
        assert!(matches!(outcome, 200 | 422), "{name:?}");
        kept += usize::from(outcome == 200);
    }
    // The others are empty or a lone byte order mark, or have control characters or a space at an end.
    assert_eq!(kept, 491);
}

fn pointers(response: &Response) -> Vec<&str> {
    response.faults().into_iter().map(|(pointer, _)| pointer).collect()
}

async fn b32_naughty_strings_as_addresses_and_passwords(Scene { anonymous, alice, app, .. }: &Scene) {
    let before = app.hasher.asked();
    for text in BLNS.iter().chain(&KEPT).chain(&REFUSED) {
        // With another field that is at fault, so that nothing is hashed.
        let registered = anonymous.post("/users", json!({"email": text, "password": text, "name": ""})).await;
        assert_eq!(registered.status, 422, "{text:?}: {registered}");
        assert!(pointers(&registered).contains(&"/name"), "{text:?}: {registered}");
        let login = anonymous.post("/login", json!({"email": text, "password": text, "device_token": text})).await;
        assert!(pointers(&login).contains(&"/device_token"), "{text:?}: {login}");
        let refreshed = anonymous.refresh(text).await;
        assert_eq!(refreshed.status, if text.contains('\0') { 422 } else { 401 }, "{text:?}: {refreshed}");
        let logout = alice.post("/logout", json!({"scope": text})).await;
        assert_eq!(pointers(&logout), ["/scope"], "{text:?}: {logout}");
    }
    assert_eq!(app.hasher.asked(), before);
}

async fn b32_naughty_strings_in_urls_and_headers(Scene { anonymous, alice, admin, .. }: &Scene) {
    for text in BLNS.iter().chain(&KEPT).chain(&REFUSED) {
        let encoded = percent_encoded(text);
        for field in ["q", "email"] {
            let response = admin.get(&format!("/users?{field}={encoded}")).await;
            assert!(matches!(response.status, 200 | 422), "{field} {text:?}: {response}");
        }
        let query = format!("/users?x{encoded}=1&cursor={encoded}&role={encoded}&status={encoded}");
        let response = admin.get(&query).await;
        let is_told = pointers(&response).contains(&"/cursor");
        assert_eq!(is_told, query.len() <= MAX_URI, "{text:?}: {response}");
        for path in [format!("/users/{encoded}/sessions"), format!("/users/me/sessions/{encoded}")] {
            let response = alice.delete(&path).await;
            assert_eq!(response.status, 404, "{path}: {response}");
        }
        // What no header can hold nobody can send.
        let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { continue };
        let bearer = anonymous.get("/users/me").header("authorization", value.clone()).await;
        assert_eq!(bearer.status, 401, "{text:?}: {bearer}");
        let patch = alice.patch("/users/me", json!({})).header("if-match", value.clone()).await;
        assert!(matches!(patch.status, 400 | 412), "{text:?}: {patch}");
        let read = ["user-agent", "x-request-id", "x-forwarded-for", "origin", "accept", "cookie"];
        let request =
            read.into_iter().fold(alice.get("/users/me"), |request, name| request.header(name, value.clone()));
        let response = request.await;
        assert_eq!(response.status, 200, "{text:?}: {response}");
    }
}

/// A dozen of the list, since each costs hashes.
async fn b32_a_naughty_password_logs_in_as_it_was_typed(Scene { anonymous, .. }: &Scene) {
    let mut tried = 0;
    for (n, text) in BLNS.iter().enumerate().step_by(40) {
        let (email, password) = (format!("naughty{n}@example.com"), format!("{PASSWORD}{text}{PASSWORD}"));
        let body = json!({"email": email, "password": password, "name": "Naughty"});
        let response = anonymous.post("/users", body).await;
        if response.status == 422 {
            assert_eq!(pointers(&response), ["/password"], "{text:?}: {response}");
            continue;
        }
        assert_eq!(response.status, 201, "{text:?}: {response}");
        assert_eq!(anonymous.try_log_in(&email, &password).await.status, 200, "{text:?}");
        let without = PASSWORD.repeat(2);
        let expected = if password == without { 200 } else { 401 };
        assert_eq!(anonymous.try_log_in(&email, &without).await.status, expected, "without {text:?}");
        tried += 1;
    }
    assert!(tried > 6, "only {tried} were taken");
}
