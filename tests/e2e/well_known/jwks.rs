//! `GET /.well-known/jwks.json`.

use crate::security::token::claims;
use serde_json::{Value, json};
use vestibule_domain::Settings;
use vestibule_domain::token::Algorithm;
use vestibule_testkit::app::{PASSWORD, Scene, Setup, TestApp};
use vestibule_testkit::{StoreKind, scenes};

scenes!(
    publishes_the_public_key;
    with_setup: every_asymmetric_algorithm_signs_and_is_published, hs256_publishes_nothing,
);

const PATH: &str = "/.well-known/jwks.json";

async fn publishes_the_public_key(Scene { anonymous, alice, .. }: &Scene) {
    let response = anonymous.get(PATH).await;
    assert_transcript!(response, @r#"
    200
    cache-control: public, max-age=300
    content-type: application/json

    {
      "keys": [
        {
          "alg": "EdDSA",
          "crv": "Ed25519",
          "kid": "019b76da-a800-78a2-8c18-576b71e5e61c",
          "kty": "OKP",
          "use": "sig",
          "x": "[x]"
        }
      ]
    }
    "#);
    assert_eq!(claims(alice.access_token()).0["kid"], response.json["keys"][0]["kid"]);
}

fn setup(algorithm: Algorithm) -> Setup {
    Setup { domain: Settings { algorithm, ..Settings::default() }, ..Setup::default() }
}

async fn every_asymmetric_algorithm_signs_and_is_published(store: StoreKind) {
    for (algorithm, members) in [
        (Algorithm::EdDsa, &["alg", "crv", "kid", "kty", "use", "x"][..]),
        (Algorithm::Es256, &["alg", "crv", "kid", "kty", "use", "x", "y"]),
        (Algorithm::Rs256, &["alg", "e", "kid", "kty", "n", "use"]),
    ] {
        let scene = TestApp::start(store, setup(algorithm)).await;
        let alice = scene.anonymous.log_in("alice@example.com", PASSWORD).await;
        assert_eq!(alice.get("/users/me").await.status, 200);
        assert_eq!(claims(alice.access_token()).0["alg"], algorithm.as_str());
        let keys = scene.anonymous.get(PATH).await.json["keys"].clone();
        let Value::Object(key) = &keys[0] else { panic!("no key in {keys}") };
        let mut names: Vec<_> = key.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, members, "public members alone");
        scene.app.finish().await;
    }
}

async fn hs256_publishes_nothing(store: StoreKind) {
    let scene = TestApp::start(store, setup(Algorithm::Hs256)).await;
    assert_eq!(scene.alice.get("/users/me").await.status, 200);
    assert_eq!(scene.anonymous.get(PATH).await.json, json!({"keys": []}));
    scene.app.finish().await;
}
