//! `GET /.well-known/oauth-authorization-server`.

use reqwest::Method;
use serde_json::Value;
use vestibule_domain::Settings;
use vestibule_testkit::app::{PUBLIC_URL, Scene, Setup, TestApp};
use vestibule_testkit::{StoreKind, scenes};

scenes!(
    says_where_things_are,
    every_address_in_it_answers;
    with_setup: the_issuer_is_that_of_the_tokens,
);

const METADATA: &str = "/.well-known/oauth-authorization-server";

async fn says_where_things_are(Scene { anonymous, .. }: &Scene) {
    assert_transcript!(anonymous.get(METADATA).header("host", "evil.example").await, @r#"
    200
    cache-control: public, max-age=300
    content-type: application/json

    {
      "grant_types_supported": [],
      "introspection_endpoint": "https://auth.example/introspect",
      "introspection_endpoint_auth_methods_supported": [
        "client_secret_basic",
        "client_secret_post"
      ],
      "issuer": "https://auth.example",
      "jwks_uri": "https://auth.example/.well-known/jwks.json",
      "response_types_supported": [],
      "revocation_endpoint": "https://auth.example/revoke",
      "revocation_endpoint_auth_methods_supported": [
        "client_secret_basic",
        "client_secret_post"
      ],
      "revocations_endpoint": "https://auth.example/.well-known/revocations",
      "service_documentation": "https://auth.example/docs"
    }
    "#);
}

async fn every_address_in_it_answers(Scene { anonymous, .. }: &Scene) {
    let metadata = anonymous.get(METADATA).await.json;
    let addresses = metadata.as_object().expect("an object").iter().filter(|(name, _)| *name != "issuer");
    let paths = addresses.filter_map(|(_, value)| value.as_str()?.strip_prefix(PUBLIC_URL));
    let mut seen = 0;
    for path in paths {
        let (get, post) = (anonymous.get(path).await.status, anonymous.request(Method::POST, path).await.status);
        // Those for clients take a form.
        assert!(get == 200 || post == 415, "{path}: {get} {post}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}

async fn the_issuer_is_that_of_the_tokens(store: StoreKind) {
    let setup = Setup { issuer: "https://issuer.example".to_owned(), domain: Settings::default(), ..Setup::default() };
    let scene = TestApp::start(store, setup).await;
    let metadata = scene.anonymous.get(METADATA).await.json;
    let signed = crate::security::token::claims(scene.alice.access_token()).1;
    assert_eq!((&metadata["issuer"], &signed["iss"]), (&Value::from("https://issuer.example"), &metadata["issuer"]));
    scene.app.finish().await;
}
