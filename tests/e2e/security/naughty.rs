//! B 32: strings that break things.

use super::percent_encoded;
use serde_json::json;
use vestibule_testkit::app::{Client, Scene};
use vestibule_testkit::scenes;

scenes!(b32_naughty_strings_come_back_exactly_or_are_refused);

/// Kept as they are.
const KEPT: [&str; 34] = [
    "undefined",
    "null",
    "NaN",
    "-0",
    "0x7fffffff",
    "1e1000",
    "true",
    "() { :;}; echo",
    "../../../etc/passwd",
    "%s%n%x%d",
    "${HOME}",
    "`ls -al`",
    "$(touch x)",
    "{{constructor}}",
    "<!--",
    "]]>",
    "\\\\",
    "\"'`´‘’“”",
    "Ω≈ç√∫˜µ≤≥÷",
    "田中さんにあげて下さい",
    "찦차를 타고 온",
    "ﺎﻠﻋﺮﺒﻳﺓ",
    "הָיְתָה testالصفحات",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "🇷🇺🇸🇫🇦",
    "Ṱ̺̺̕o͞ ̷i̲̬",
    "Z̮̞̠͙͔ͅa̸̜l̥g͖o̷̺",
    "ⁿₐₘₑ ¹²³",
    "İstanbul ıI ßẞ ſs",
    "a\u{200b}b\u{200d}c\u{feff}d",
    "\u{fffd}\u{e000}\u{10fffd}",
    "\u{fdd0}\u{ffff}",
    "a\u{300}\u{300}\u{300}\u{300}\u{300}\u{300}\u{300}\u{300}",
    "perl -e 'print \"IMG\"'",
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

async fn b32_naughty_strings_come_back_exactly_or_are_refused(Scene { anonymous, alice, admin, .. }: &Scene) {
    for name in KEPT {
        assert_eq!(rename(alice, name).await, 200, "{name:?}");
    }
    for name in REFUSED {
        assert_eq!(rename(alice, name).await, 422, "{name:?}");
    }
    for text in KEPT.iter().chain(&REFUSED) {
        assert!(matches!(anonymous.try_log_in(text, "x").await.status, 422), "no address: {text:?}");
        let expected = if text.contains('\0') { 422 } else { 401 };
        assert_eq!(anonymous.refresh(text).await.status, expected, "{text:?}");
        let encoded = percent_encoded(text);
        for field in ["q", "email", "cursor", "role", "status", "limit"] {
            let response = admin.get(&format!("/users?{field}={encoded}")).await;
            assert!(matches!(response.status, 200 | 422), "{field} {text:?}: {response}");
        }
    }
}
