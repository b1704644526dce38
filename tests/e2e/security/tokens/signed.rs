//! Tokens that are signed correctly and still do not count. The service runs with HS256 and a secret that the test
//! knows; the checks behind the signature are the same for every algorithm.

use super::refused;
use crate::security::token::{claims, encode, sign};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::time::Duration;
use vestibule_domain::Settings;
use vestibule_domain::token::Algorithm;
use vestibule_testkit::app::{HMAC_SECRET, Scene, Setup, TestApp};
use vestibule_testkit::{StoreKind, scenes};

scenes!(
    ;
    with_setup:
    e60_keys_in_the_header_are_refused,
    e62_critical_extensions_are_refused,
    e63_only_access_tokens_count,
    e65_times_are_numbers_and_hold,
    e66_issuer_and_audience_are_exact_texts,
    e67_claims_are_given_once_and_name_a_living_user,
    e72_a_token_of_another_environment_is_refused,
);

/// A service that signs with a secret that the test knows, and a token to vary.
struct Forge {
    scene: Scene,
    header: Value,
    claims: Value,
}

impl Forge {
    async fn start(store: StoreKind) -> Self {
        let domain = Settings { algorithm: Algorithm::Hs256, ..Settings::default() };
        let scene = TestApp::start(store, Setup { domain, ..Setup::default() }).await;
        let (header, claims) = claims(scene.alice.access_token());
        let forge = Self { scene, header, claims };
        // Otherwise every refusal below could be of a bad signature.
        assert_eq!(forge.present(&forge.header, &forge.claims).await, 200, "the forgery is perfect");
        forge
    }

    async fn present(&self, header: &Value, claims: &Value) -> u16 {
        let token = sign(&header.to_string(), &claims.to_string());
        self.scene.anonymous.with_token(&token).get("/users/me").await.status
    }

    async fn refuses(&self, header: &Value, claims: &Value) {
        let token = sign(&header.to_string(), &claims.to_string());
        refused(&self.scene.anonymous, &token, &format!("{header} {claims}")).await;
    }

    async fn refuses_header(&self, changes: Value) {
        self.refuses(&with(&self.header, &changes), &self.claims).await;
    }

    async fn refuses_claims(&self, changes: Value) {
        self.refuses(&self.header, &with(&self.claims, &changes)).await;
    }

    async fn finish(self) {
        self.scene.app.finish().await;
    }
}

/// Null removes a member, as in a merge patch.
fn with(object: &Value, changes: &Value) -> Value {
    let mut object: Map<_, _> = object.as_object().expect("an object").clone();
    for (name, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    object.into()
}

/// CVE-2018-0114.
async fn e60_keys_in_the_header_are_refused(store: StoreKind) {
    let forge = Forge::start(store).await;
    let jwk = json!({"kty": "oct", "k": encode(STANDARD.decode(HMAC_SECRET).expect("base64")), "alg": "HS256"});
    forge.refuses_header(json!({"jwk": jwk})).await;
    // A service that fetched one of these would wait for an answer until the deadline of the request.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    let url = format!("http://{}/keys", silent.local_addr().expect("an address"));
    silent.set_nonblocking(true).expect("a socket option");
    for name in ["jku", "x5u"] {
        forge.refuses_header(json!({name: url})).await;
    }
    assert!(silent.accept().is_err(), "nothing was fetched");
    for name in ["x5c", "x5t", "x5t#S256"] {
        forge.refuses_header(json!({name: ["AAAA"]})).await;
    }
    forge.finish().await;
}

/// CVE-2025-59420.
async fn e62_critical_extensions_are_refused(store: StoreKind) {
    let forge = Forge::start(store).await;
    for header in [
        json!({"crit": ["x"], "x": 1}),
        json!({"crit": ["exp"]}),
        json!({"crit": []}),
        json!({"crit": "b64"}),
        json!({"b64": false, "crit": ["b64"]}),
        json!({"b64": false}),
    ] {
        forge.refuses_header(header).await;
    }
    forge.finish().await;
}

async fn e63_only_access_tokens_count(store: StoreKind) {
    let forge = Forge::start(store).await;
    for typ in ["JWT", "", "refresh", "id+jwt", "at+jwt ", "application/jwt", "at-jwt", "logout+jwt"] {
        forge.refuses_header(json!({"typ": typ})).await;
    }
    forge.refuses_header(json!({"typ": null})).await;
    forge.refuses_header(json!({"typ": ["at+jwt"]})).await;
    for typ in ["AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        let header = with(&forge.header, &json!({"typ": typ}));
        assert_eq!(forge.present(&header, &forge.claims).await, 200, "{typ} (RFC 9068, section 4)");
    }
    forge.finish().await;
}

/// CVE-2026-25537, GHSA-wxg7-w2v3-w38g: a time of the wrong type, or one that is over, counted as none.
async fn e65_times_are_numbers_and_hold(store: StoreKind) {
    let forge = Forge::start(store).await;
    let now = forge.claims["iat"].as_i64().expect("a time");
    for exp in [
        json!(null),
        json!((now + 600).to_string()),
        json!(-1),
        json!(0),
        json!([now + 600]),
        json!({"t": now}),
        json!(true),
        json!(now - 31),
        json!(u64::MAX),
        json!(1e300),
    ] {
        forge.refuses_claims(json!({"exp": exp})).await;
    }
    for nbf in [json!(null), json!(now + 31), json!(now.to_string()), json!([now]), json!(i64::MAX)] {
        forge.refuses_claims(json!({"nbf": nbf})).await;
    }
    for iat in [json!(null), json!(now + 31), json!(now.to_string()), json!([])] {
        forge.refuses_claims(json!({"iat": iat})).await;
    }
    let skewed = with(&forge.claims, &json!({"iat": now + 29, "nbf": now + 29}));
    assert_eq!(forge.present(&forge.header, &skewed).await, 200, "clocks may differ by 30 s");
    forge.scene.app.clock().advance(Duration::from_secs(629));
    assert_eq!(forge.present(&forge.header, &forge.claims).await, 200);
    forge.scene.app.clock().advance(Duration::from_secs(2));
    forge.refuses(&forge.header, &forge.claims).await;
    forge.finish().await;
}

/// CVE-2026-55669: what was no text was passed over.
async fn e66_issuer_and_audience_are_exact_texts(store: StoreKind) {
    let forge = Forge::start(store).await;
    let issuer = forge.claims["iss"].as_str().expect("an issuer").to_owned();
    for iss in [
        json!(null),
        json!("https://evil.example"),
        json!(format!("{issuer}/")),
        json!(issuer.to_uppercase()),
        json!(7),
        json!({"iss": issuer}),
        json!([issuer]),
    ] {
        forge.refuses_claims(json!({"iss": iss})).await;
    }
    for aud in
        [json!(null), json!("other"), json!("Vestibule"), json!(7), json!({"aud": "vestibule"}), json!([]), json!("")]
    {
        forge.refuses_claims(json!({"aud": aud})).await;
    }
    forge.finish().await;
}

async fn e67_claims_are_given_once_and_name_a_living_user(store: StoreKind) {
    let forge = Forge::start(store).await;
    for sub in
        [json!(null), json!(7), json!(["x"]), json!("x"), json!(""), json!("01890000-0000-7000-8000-000000000000")]
    {
        forge.refuses_claims(json!({"sub": sub})).await;
    }
    forge.refuses_claims(json!({"sub": forge.scene.admin.id()})).await;
    for sid in [json!(null), json!(7), json!("x"), json!("01890000-0000-7000-8000-000000000000")] {
        forge.refuses_claims(json!({"sid": sid})).await;
    }
    let twice = forge.claims.to_string().replacen('{', "{\"sub\":\"01890000-0000-7000-8000-000000000000\",", 1);
    refused(&forge.scene.anonymous, &sign(&forge.header.to_string(), &twice), "sub twice").await;
    let twice = forge.header.to_string().replacen('{', "{\"alg\":\"none\",", 1);
    refused(&forge.scene.anonymous, &sign(&twice, &forge.claims.to_string()), "alg twice").await;
    for claims in ["null", "[]", "\"x\"", "{}", "", "{", "\u{feff}{}"] {
        refused(&forge.scene.anonymous, &sign(&forge.header.to_string(), claims), claims).await;
    }
    let path = format!("/users/{}", forge.scene.alice.id());
    assert_eq!(forge.scene.admin.delete(&path).await.status, 204);
    forge.refuses(&forge.header, &forge.claims).await;
    forge.finish().await;
}

async fn e72_a_token_of_another_environment_is_refused(store: StoreKind) {
    let domain = Settings { algorithm: Algorithm::Hs256, ..Settings::default() };
    let staging = Setup { domain: domain.clone(), issuer: "https://staging.example".to_owned(), ..Setup::default() };
    let (production, staging) =
        (TestApp::start(store, Setup { domain, ..Setup::default() }).await, TestApp::start(store, staging).await);
    // The same secret, and by the same seed even the same users and sessions.
    refused(&production.anonymous, staging.alice.access_token(), "of staging").await;
    refused(&staging.anonymous, production.alice.access_token(), "of production").await;
    production.app.finish().await;
    staging.app.finish().await;
}
