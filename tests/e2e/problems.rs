//! Errors of the framework, and the pages about problems.

use reqwest::Method;
use serde_json::json;
use vestibule_testkit::app::Scene;
use vestibule_testkit::scenes;

scenes!(an_unknown_path, a_wrong_method, every_code_has_a_page, the_request_id_is_taken_if_sane);

async fn an_unknown_path(Scene { anonymous, .. }: &Scene) {
    assert_transcript!(anonymous.get("/nowhere?x=1").await, @r#"
    404
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "not_found",
      "detail": "The path is unknown, or what it names does not exist or is not for the caller to see.",
      "instance": "/nowhere",
      "request_id": "[request_id]",
      "status": 404,
      "title": "There is nothing here",
      "type": "https://auth.example/problems/not_found"
    }
    "#);
}

async fn a_wrong_method(Scene { anonymous, .. }: &Scene) {
    assert_transcript!(anonymous.delete("/users").await, @r#"
    405
    allow: POST,GET,HEAD
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "method_not_allowed",
      "detail": "The path exists, but not with this method. The header Allow lists those that it has.",
      "instance": "/users",
      "request_id": "[request_id]",
      "status": 405,
      "title": "The method is not allowed here",
      "type": "https://auth.example/problems/method_not_allowed"
    }
    "#);
    for client in [anonymous.clone(), anonymous.over_http2()] {
        let head = client.request(Method::HEAD, "/login").await;
        assert_eq!((head.status, head.text.as_str()), (405, ""));
    }
}

async fn every_code_has_a_page(Scene { anonymous, alice, .. }: &Scene) {
    let responses = [
        anonymous.get("/users/me").await,
        anonymous.get("/nowhere").await,
        anonymous.post("/users", json!({})).await,
        anonymous.post("/users", json!([])).await,
        alice.get("/users").await,
        anonymous.try_log_in("nobody@example.com", "x").await,
    ];
    for problem in responses {
        let url = problem.json["type"].as_str().expect("a type");
        let page = anonymous.get(url.strip_prefix("https://auth.example").expect("a page of the service")).await;
        assert_eq!(page.status, 200, "{url}");
        assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html; charset=utf-8")));
        assert!(page.text.contains(problem.code()), "{}", page.text);
    }
    let unknown = anonymous.get("/problems/no_such_code").await;
    assert_eq!((unknown.status, unknown.code()), (404, "not_found"));
}

async fn the_request_id_is_taken_if_sane(Scene { anonymous, .. }: &Scene) {
    let sane = anonymous.get("/nowhere").header("x-request-id", "trace-0123_abc.DEF").await;
    assert_eq!(sane.header("x-request-id"), Some("trace-0123_abc.DEF"));
    for strange in ["a b", "<script>", &"x".repeat(2_000), ""] {
        let response = anonymous.get("/nowhere").header("x-request-id", strange.to_owned()).await;
        assert_ne!(response.header("x-request-id"), Some(strange), "taken over");
    }
}
