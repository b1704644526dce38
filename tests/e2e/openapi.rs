//! `GET /openapi.json` and `GET /docs`.

use serde_json::Value;
use std::collections::BTreeSet;
use vestibule_testkit::app::{Client, Scene};
use vestibule_testkit::scenes;

scenes!(the_document_has_every_call_of_the_contract, every_reference_resolves, the_docs_page_asks_nobody_else);

/// The calls of the core, as clients may rely on them.
const CALLS: [&str; 27] = [
    "delete /users/{user}",
    "delete /users/{user}/sessions",
    "delete /users/{user}/sessions/{id}",
    "get /.well-known/jwks.json",
    "get /.well-known/oauth-authorization-server",
    "get /.well-known/revocations",
    "get /health/live",
    "get /health/ready",
    "get /users",
    "get /users/{user}",
    "get /users/{user}/sessions",
    "patch /users/{user}",
    "post /introspect",
    "post /login",
    "post /logout",
    "post /refresh",
    "post /revoke",
    "post /users",
    "post /users/{user}/disable",
    "post /users/{user}/enable",
    "put /users/{user}/password",
    "put /users/{user}/roles",
    "get /openapi.json",
    "get /docs",
    "get /docs/{file}",
    "get /problems/{code}",
    "get /problems",
];
/// Pages about the API rather than calls of it: they need not be in the document.
const PAGES: [&str; 7] = [
    "get /openapi.json",
    "get /docs",
    "get /docs/{file}",
    "get /problems/{code}",
    "get /problems",
    "get /health/live",
    "get /health/ready",
];

/// Method and path of every operation in the document.
pub(crate) async fn operations(client: &Client) -> Vec<(String, String, Value)> {
    let document = client.get("/openapi.json").await.json;
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("a path item");
        item.iter().map(move |(method, operation)| (method.clone(), path.clone(), operation.clone()))
    });
    operations.filter(|(method, ..)| ["get", "put", "post", "patch", "delete"].contains(&method.as_str())).collect()
}

async fn the_document_has_every_call_of_the_contract(Scene { anonymous, .. }: &Scene) {
    let documented: BTreeSet<_> =
        operations(anonymous).await.into_iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    let contract: BTreeSet<_> = CALLS.into_iter().map(str::to_owned).collect();
    let undocumented: Vec<_> =
        contract.difference(&documented).filter(|call| !PAGES.contains(&call.as_str())).collect();
    assert_eq!(undocumented, Vec::<&String>::new(), "calls of the contract that the document lacks");
    let surplus: Vec<_> = documented.difference(&contract).collect();
    assert_eq!(surplus, Vec::<&String>::new(), "calls that the contract does not have");
}

async fn every_reference_resolves(Scene { anonymous, .. }: &Scene) {
    let document = anonymous.get("/openapi.json").await.json;
    assert_eq!(document["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
    let mut pending = vec![&document];
    while let Some(value) = pending.pop() {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.strip_prefix('#').expect("a reference within the document");
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                pending.extend(members.values());
            }
            Value::Array(items) => pending.extend(items),
            _ => {}
        }
    }
}

async fn the_docs_page_asks_nobody_else(Scene { anonymous, .. }: &Scene) {
    let page = anonymous.get("/docs").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    let loads = ["src=\"http", "src='http", "href=\"http", "src=\"//", "href=\"//", "@import", "url(http"];
    for load in loads {
        assert!(!page.text.contains(load), "the page loads something from elsewhere: {load}");
    }
    let policy = page.header("content-security-policy").expect("a policy that holds the page to it");
    assert!(policy.contains("default-src 'none'") || policy.contains("default-src 'self'"), "{policy}");
}
