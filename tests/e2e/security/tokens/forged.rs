//! Tokens that nobody with a key has signed.

use super::refused;
use crate::security::token::{claims, encode, sign_with};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use vestibule_testkit::app::Scene;
use vestibule_testkit::scenes;

scenes!(
    e57_unsigned_tokens_are_refused,
    e58_a_public_key_is_no_secret,
    e59_the_algorithm_comes_from_the_key,
    e61_strange_key_ids_are_refused_without_asking_anyone,
    e64_other_tokens_are_no_access_tokens,
    e68_malformed_compact_forms_are_refused,
    e69_forged_ed25519_signatures_are_refused,
    e70_every_changed_character_is_refused,
    e71_large_and_encrypted_tokens_are_refused,
    e72_a_token_in_the_url_is_none,
);

fn parts(token: &str) -> [&str; 3] {
    let parts: Vec<_> = token.split('.').collect();
    parts.try_into().expect("three parts")
}

/// CVE-2015-2951, CVE-2020-28042.
async fn e57_unsigned_tokens_are_refused(Scene { anonymous, alice, .. }: &Scene) {
    let [_, payload, signature] = parts(alice.access_token());
    let kid = claims(alice.access_token()).0["kid"].clone();
    for alg in [json!("none"), json!("None"), json!("nOnE"), json!(""), json!(null), json!(["none"]), json!(0)] {
        let header = encode(json!({"alg": alg, "kid": kid, "typ": "at+jwt"}).to_string());
        for signature in ["", signature] {
            refused(anonymous, &format!("{header}.{payload}.{signature}"), &format!("alg {alg}")).await;
        }
    }
    let absent = encode(json!({"kid": kid, "typ": "at+jwt"}).to_string());
    refused(anonymous, &format!("{absent}.{payload}.{signature}"), "no alg").await;
    let [header, payload, _] = parts(alice.access_token());
    refused(anonymous, &format!("{header}.{payload}."), "empty signature").await;
    refused(anonymous, &format!("{header}.{payload}"), "no signature").await;
}

/// CVE-2016-10555, CVE-2022-29217.
async fn e58_a_public_key_is_no_secret(Scene { anonymous, alice, .. }: &Scene) {
    let (header, body) = claims(alice.access_token());
    let jwk = anonymous.get("/.well-known/jwks.json").await.json["keys"][0].clone();
    let raw = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().expect("a key")).expect("base64url");
    // SubjectPublicKeyInfo of Ed25519 (RFC 8410): a fixed head, then the key.
    let der = [&b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"[..], &raw].concat();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", STANDARD.encode(&der));
    let secrets = [
        raw.clone(),
        der,
        pem.clone().into_bytes(),
        format!("{pem}\n").into_bytes(),
        jwk.to_string().into_bytes(),
        jwk["x"].as_str().expect("a key").as_bytes().to_vec(),
        Vec::new(),
    ];
    let forged = json!({"alg": "HS256", "kid": header["kid"], "typ": "at+jwt"}).to_string();
    for secret in secrets {
        refused(anonymous, &sign_with(&secret, &forged, &body.to_string()), "signed with the public key").await;
    }
}

async fn e59_the_algorithm_comes_from_the_key(Scene { anonymous, alice, .. }: &Scene) {
    let [_, payload, signature] = parts(alice.access_token());
    let kid = claims(alice.access_token()).0["kid"].clone();
    for alg in ["HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES384", "Ed25519", "Ed448", "eddsa", "EDDSA"] {
        let header = encode(json!({"alg": alg, "kid": kid, "typ": "at+jwt"}).to_string());
        refused(anonymous, &format!("{header}.{payload}.{signature}"), alg).await;
    }
}

async fn e61_strange_key_ids_are_refused_without_asking_anyone(Scene { app, anonymous, alice, .. }: &Scene) {
    let [_, payload, signature] = parts(alice.access_token());
    let before = app.store.calls();
    let strange = [
        json!("../../dev/null"),
        json!("' OR 1=1--"),
        json!("x".repeat(5_000)),
        json!(["a"]),
        json!("\0"),
        json!(null),
        json!(1),
        json!(""),
        json!("01890000-0000-7000-8000-000000000000"),
    ];
    for kid in strange {
        let header = encode(json!({"alg": "EdDSA", "kid": kid, "typ": "at+jwt"}).to_string());
        refused(anonymous, &format!("{header}.{payload}.{signature}"), &format!("kid {kid}")).await;
    }
    let absent = encode(json!({"alg": "EdDSA", "typ": "at+jwt"}).to_string());
    refused(anonymous, &format!("{absent}.{payload}.{signature}"), "no kid").await;
    assert_eq!(app.store.calls(), before, "no look-up");
}

async fn e64_other_tokens_are_no_access_tokens(Scene { anonymous, alice, .. }: &Scene) {
    refused(anonymous, alice.refresh_token(), "a refresh token").await;
    refused(anonymous, alice.device_token(), "a device token").await;
    assert_eq!(anonymous.refresh(alice.access_token()).await.code(), "invalid_refresh_token");
}

/// CVE-2025-30204, CVE-2025-27144, GHSA-6mq3-xmgp-pjm5.
async fn e68_malformed_compact_forms_are_refused(Scene { anonymous, alice, .. }: &Scene) {
    let token = alice.access_token();
    let [header, payload, signature] = parts(token);
    let last = signature.chars().last().expect("a signature");
    // 64 bytes end with four bits that mean nothing; a canonical encoder leaves them zero.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let index = alphabet.find(last).expect("base64url");
    let stem = &signature[..signature.len() - 1];
    for twin in (index + 1)..(index + 16) {
        let twin = &alphabet[twin..=twin];
        refused(anonymous, &format!("{header}.{payload}.{stem}{twin}"), "non-canonical last character").await;
    }
    for malformed in [
        format!("{header}.{payload}.{stem}"),
        format!("{header}.{payload}.{signature}A"),
        format!("{header}.{payload}.{signature}=="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}==.{signature}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        ".".repeat(7_000),
        format!("{header}.{payload} .{signature}"),
        format!("{header}..{signature}"),
        format!("{}.{payload}.{signature}", header.to_uppercase()),
        format!("{header}.{payload}.{}", signature.replace(['-', '_'], "+")) + "+",
    ] {
        refused(anonymous, &malformed, &malformed).await;
    }
}

/// CVE-2022-21449.
async fn e69_forged_ed25519_signatures_are_refused(Scene { anonymous, alice, .. }: &Scene) {
    let [header, payload, signature] = parts(alice.access_token());
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    // The order of the group, little-endian (RFC 8032, section 5.1).
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut malleable = signature.clone();
    let mut carry = 0;
    for (byte, added) in malleable[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    let mut identity = [0; 64];
    identity[0] = 1;
    let small_order = [&identity[..32], &signature[32..]].concat();
    for forged in [malleable, vec![0; 64], identity.to_vec(), vec![0xff; 64], small_order] {
        refused(anonymous, &format!("{header}.{payload}.{}", encode(&forged)), "a forged signature").await;
    }
}

async fn e70_every_changed_character_is_refused(Scene { anonymous, alice, .. }: &Scene) {
    let token = alice.access_token();
    assert_eq!(alice.get("/users/me").await.status, 200);
    for position in 0..token.len() {
        let mut changed = token.as_bytes().to_vec();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("ASCII");
        refused(anonymous, &changed, &format!("character {position}")).await;
    }
    assert_eq!(alice.get("/users/me").await.status, 200);
}

/// CVE-2024-33664: a small token inflated to a huge one.
async fn e71_large_and_encrypted_tokens_are_refused(Scene { anonymous, alice, .. }: &Scene) {
    let [header, payload, signature] = parts(alice.access_token());
    refused(anonymous, &format!("{header}.{}.{signature}", "A".repeat(8_300)), "more than 8 KiB").await;
    let jwe = encode(r#"{"alg":"dir","enc":"A256GCM","zip":"DEF","typ":"at+jwt"}"#);
    refused(anonymous, &format!("{jwe}..AAAA.AAAA.AAAA"), "a JWE").await;
    let serialised = json!({"protected": header, "payload": payload, "signature": signature}).to_string();
    refused(anonymous, &serialised, "a JWS in JSON").await;
}

async fn e72_a_token_in_the_url_is_none(Scene { anonymous, alice, .. }: &Scene) {
    let response = anonymous.get(&format!("/users/me?access_token={}", alice.access_token())).await;
    assert_eq!(response.status, 401, "{response}");
}
