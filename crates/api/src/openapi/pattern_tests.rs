//! What the document says of a string against what the service takes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;
use vestibule_domain::access::RoleName;
use vestibule_domain::session::{DeviceToken, RefreshToken};
use vestibule_domain::user::{Email, Name};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(super::openapi()).unwrap());

struct Said {
    pattern: Regex,
    lengths: (u64, u64),
}

impl Said {
    fn of(pointer: &str) -> Self {
        let schema = DOCUMENT.pointer(&format!("/components/schemas/{pointer}")).unwrap();
        let lengths = (schema["minLength"].as_u64().unwrap_or(0), schema["maxLength"].as_u64().unwrap_or(u64::MAX));
        Self { pattern: Regex::new(schema["pattern"].as_str().unwrap()).unwrap(), lengths }
    }

    fn allows(&self, text: &str) -> bool {
        let length = text.chars().count() as u64;
        (self.lengths.0..=self.lengths.1).contains(&length) && self.pattern.is_match(text)
    }
}

static EMAIL: LazyLock<Said> = LazyLock::new(|| Said::of("Registration/properties/email"));
static NAME: LazyLock<Said> = LazyLock::new(|| Said::of("Registration/properties/name"));
static ROLE: LazyLock<Said> = LazyLock::new(|| Said::of("RoleAssignment/properties/roles/items"));
static REFRESH_TOKEN: LazyLock<Said> = LazyLock::new(|| Said::of("RefreshRequest/properties/refresh_token"));
static DEVICE_TOKEN: LazyLock<Said> = LazyLock::new(|| Said::of("Credentials/properties/device_token"));

/// Of what both sides of a limit are made.
fn pieces() -> impl Strategy<Value = String> {
    const PIECES: [&str; 44] = [
        "a",
        "Z",
        "0",
        "_",
        "-",
        ".",
        "@",
        "/",
        ":",
        "[",
        "`",
        "{",
        "\u{7f}",
        ",",
        " ",
        "\t",
        "\n",
        "\0",
        "\u{1f}",
        "\u{85}",
        "\u{9f}",
        "\u{a0}",
        "\u{ad}",
        "ü",
        "ſ",
        "\u{212a}",
        "\u{1680}",
        "\u{180e}",
        "\u{2000}",
        "\u{200a}",
        "\u{200b}",
        "\u{2027}",
        "\u{2028}",
        "\u{202e}",
        "\u{202f}",
        "\u{205f}",
        "\u{2060}",
        "\u{2066}",
        "\u{2069}",
        "\u{3000}",
        "\u{feff}",
        "例",
        "\u{1f600}",
        "ⅷ",
    ];
    vec(select(&PIECES[..]), 0..6).prop_map(|pieces| pieces.concat())
}

#[test]
fn ordinary_addresses_match_the_document() {
    for written in ["ada@example.com", "Ada@Example.COM", "a+b@xn--bcher-kva.example", "a@bücher.example", "a@b-1"] {
        assert!(Email::parse(written).is_ok() && EMAIL.allows(written), "{written}");
    }
}

/// Alone, at an edge and inside.
#[test]
fn exactly_the_names_of_the_document_are_taken() {
    for c in '\0'..='\u{ffff}' {
        for name in [c.to_string(), format!("{c}a"), format!("a{c}"), format!("a{c}a")] {
            assert_eq!(NAME.allows(&name), Name::parse(&name).is_ok(), "{name:?}");
        }
    }
    for length in [0, 1, 2, 199, 200, 201] {
        let name = "ü".repeat(length);
        assert_eq!(NAME.allows(&name), Name::parse(&name).is_ok(), "{length}");
    }
}

proptest! {
    #[test]
    fn no_address_is_taken_that_the_document_forbids(local in "[a-z.+]{0,3}", domain in pieces(), tail in ".{0,3}") {
        for written in [format!("{local}@{domain}"), format!("{local}@{domain}{tail}.example")] {
            prop_assert!(EMAIL.allows(&written) || Email::parse(&written).is_err(), "{:?}", written);
        }
    }

    #[test]
    fn exactly_the_roles_of_the_document_are_taken(role in prop_oneof!["[a-z][a-z0-9_-]{0,40}", pieces()]) {
        prop_assert_eq!(ROLE.allows(&role), RoleName::parse(&role).is_ok(), "{:?}", role);
    }

    #[test]
    fn exactly_the_device_tokens_of_the_document_are_read(body in "[A-Za-z0-9_-]{42,44}=?", prefix in "v[rd]t_") {
        let token = format!("{prefix}{body}");
        prop_assert_eq!(DEVICE_TOKEN.allows(&token), DeviceToken::parse(&token).is_ok(), "{:?}", token);
    }

    /// No pattern tells the right check of a refresh token from a wrong one.
    #[test]
    fn no_refresh_token_is_read_that_the_document_forbids(
        secret in any::<[u8; 32]>(), tail in "[A-Za-z0-9_=-]{0,2}", prefix in "v[rd]t_",
    ) {
        let token = RefreshToken::new(uuid::Uuid::nil().into(), [0; 16], secret).reveal();
        prop_assert!(REFRESH_TOKEN.allows(&token), "{:?}", token);
        for other in [format!("{}{tail}", *token), token.replacen("vrt_", &prefix, 1)] {
            prop_assert!(REFRESH_TOKEN.allows(&other) || RefreshToken::parse(&other).is_err(), "{:?}", other);
        }
    }
}
