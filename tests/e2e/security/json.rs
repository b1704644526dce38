//! A 1: what others have collected of broken JSON, over HTTP.

use serde_json::Value;
use vestibule_testkit::app::{Client, Response, Scene};
use vestibule_testkit::scenes;

scenes!(a01_the_json_test_suite_is_answered_as_rfc_8259_has_it);

/// Valid JSON that no call takes: a name twice (A 3; RFC 7493, section 2.3).
const TWICE: [&str; 2] = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];

async fn send(client: &Client, text: Vec<u8>) -> Response {
    client.request(reqwest::Method::POST, "/login").raw_json(text).await
}

/// `tests/corpora/README.md` says what the suite is.
async fn a01_the_json_test_suite_is_answered_as_rfc_8259_has_it(Scene { anonymous, .. }: &Scene) {
    let suite: Vec<(String, usize, String)> =
        serde_json::from_str(include_str!("../../corpora/json-test-suite.json")).expect("the suite");
    assert_eq!(suite.len(), 318);
    for (name, times, text) in suite {
        let text: Vec<u8> = text.chars().map(|byte| u8::try_from(byte).expect("a byte")).collect();
        if times > 1 {
            // More than a body may have; `fuzz/tests/replay` reads them.
            continue;
        }
        let bare = send(anonymous, text.clone()).await;
        // In an object, so that it is not refused for being none.
        let member = send(anonymous, [b"{\"v\":", &text[..], b"}"].concat()).await;
        let outcomes = [&bare, &member].map(|response| (response.status, response.code()));
        let expected = match name.split_at(2).0 {
            "y_" if !TWICE.contains(&name.as_str()) => (422, "validation_failed"),
            "y_" | "n_" => (400, "malformed_json"),
            // Either is right, but nothing else.
            _ => {
                let either = [(400, "malformed_json"), (422, "validation_failed")];
                assert!(outcomes.iter().all(|outcome| either.contains(outcome)), "{name}: {bare} {member}");
                continue;
            }
        };
        assert_eq!(outcomes[1], expected, "{name}: {member}");
        let is_object = serde_json::from_slice::<Value>(&text).is_ok_and(|value| value.is_object());
        let expected = if is_object { expected } else { (400, "malformed_json") };
        assert_eq!(outcomes[0], expected, "{name}: {bare}");
    }
}
