//! Style rule 13: every operation of the OpenAPI document is called anonymously and without permission. What may be
//! called all the same stands in a table that is reviewed.

use crate::openapi::operations;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use vestibule_testkit::app::{Client, PASSWORD, Response, Scene};
use vestibule_testkit::scenes;

scenes!(nothing_is_open_to_the_anonymous_but_this, nothing_is_open_to_users_without_permission_but_this);

/// What needs no token, and why.
const OPEN: [(&str, &str); 12] = [
    ("post /users", "registration is how one gets an account"),
    ("post /login", "proves itself by the password"),
    ("post /refresh", "proves itself by the refresh token"),
    ("get /.well-known/jwks.json", "public keys"),
    ("get /.well-known/oauth-authorization-server", "public addresses"),
    ("get /.well-known/revocations", "ids of what is over, which nobody can do anything with"),
    ("get /health/live", "load balancers have no account"),
    ("get /health/ready", "load balancers have no account"),
    ("get /openapi.json", "documentation"),
    ("get /docs", "documentation"),
    ("get /docs/{file}", "documentation"),
    ("get /problems/{code}", "documentation"),
];

/// What acts on the caller alone and needs a token, but no permission.
const OWN: [(&str, &str); 1] = [("post /logout", "ends one's own session")];

/// What other services call, with credentials of their own and no user's token.
const CLIENTS: [&str; 2] = ["post /introspect", "post /revoke"];

/// What a request of this shape would need to reach its permission check.
fn body(method: &str, path: &str) -> Option<Value> {
    match (method, path) {
        ("put", "/users/{user}/password") => {
            Some(json!({"current_password": PASSWORD, "new_password": "entirely new words"}))
        }
        ("put", "/users/{user}/roles") => Some(json!({"roles": []})),
        ("patch", _) => Some(json!({"name": "Owned"})),
        _ => None,
    }
}

async fn call(client: &Client, method: &str, path: &str, target: &Client) -> Response {
    let path_filled = path.replace("{user}", target.id()).replace("{id}", target.session_id());
    let verb = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
    let request = client.request(verb, &path_filled);
    match body(method, path) {
        Some(body) => request.json(body).await,
        None => request.await,
    }
}

fn is_in(table: &[(&str, &str)], call: &str) -> bool {
    table.iter().any(|(listed, _)| *listed == call)
}

async fn nothing_is_open_to_the_anonymous_but_this(Scene { anonymous, admin, .. }: &Scene) {
    let mut seen = BTreeSet::new();
    for (method, path, operation) in operations(anonymous).await {
        let name = format!("{method} {path}");
        let open = is_in(&OPEN, &name);
        let secured = operation["security"].as_array().is_some_and(|needs| !needs.is_empty());
        assert_ne!(open, secured, "{name}: the document and the table disagree on whether it needs a token");
        if CLIENTS.contains(&&*name) {
            refuses_all_but_clients(anonymous, admin, &path).await;
        } else if !open {
            let response = call(anonymous, &method, &path, admin).await;
            assert_eq!((response.status, response.code()), (401, "unauthenticated"), "{name}");
            let forged = anonymous.with_token("eyJhbGciOiJub25lIn0.e30.");
            let response = call(&forged, &method, &path, admin).await;
            assert_eq!((response.status, response.code()), (401, "invalid_token"), "{name}");
        }
        seen.insert(name);
    }
    assert!(seen.len() >= 15, "the document lists too little: {seen:?}");
}

async fn refuses_all_but_clients(anonymous: &Client, admin: &Client, path: &str) {
    for caller in [anonymous, admin] {
        let response = caller.request(Method::POST, path).form(&[("token", admin.access_token())]).await;
        assert_eq!((response.status, response.code()), (401, "invalid_client"), "{path}");
    }
    assert_eq!(admin.get("/users/me").await.status, 200, "and nothing has happened");
}

async fn nothing_is_open_to_users_without_permission_but_this(Scene { anonymous, alice, admin, .. }: &Scene) {
    for (method, path, _) in operations(anonymous).await {
        let name = format!("{method} {path}");
        if is_in(&OPEN, &name) || is_in(&OWN, &name) || CLIENTS.contains(&&*name) {
            continue;
        }
        let response = call(alice, &method, &path, admin).await;
        let expected = if path.contains("{user}") { (404, "not_found") } else { (403, "forbidden") };
        assert_eq!((response.status, response.code()), expected, "{name}");
    }
    assert_eq!(admin.get("/users/me").await.json["name"], "Ada Admin");
    assert_eq!(admin.get("/users").await.status, 200);
}
