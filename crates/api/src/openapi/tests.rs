use super::*;
use axum::body::Body;
use axum::extract::Request;
use http::StatusCode;
use http::header::ALLOW;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tower::ServiceExt;

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

/// Method and path, and the operation.
fn all_operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, op)| (format!("{method} {path}"), op))
        })
        .collect()
}

fn routed_paths() -> BTreeSet<String> {
    routes::routes().0.into_iter().map(|endpoint| endpoint.path).collect()
}

#[test]
fn the_document_lists_exactly_the_routes() {
    let document = document();
    let documented: BTreeSet<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    assert!(documented.contains("/users/{user}/sessions/{id}"));
    let of_me = documented.iter().map(|path| path.replace("{user}", "me"));
    assert_eq!(routed_paths(), documented.iter().cloned().chain(of_me).collect());
}

/// `Allow` names all methods of a path, and HEAD with GET.
#[tokio::test]
async fn the_document_lists_exactly_the_methods() {
    let app = crate::app(crate::testing::state());
    for (path, item) in document()["paths"].as_object().unwrap() {
        let mut documented: BTreeSet<_> = item.as_object().unwrap().keys().map(|name| name.to_uppercase()).collect();
        if documented.contains("GET") {
            documented.insert("HEAD".to_owned());
        }
        for uri in [path.clone(), path.replace("{user}", "me")].map(|path| path.replace(['{', '}'], "")) {
            let request = Request::builder().method("TRACE").uri(&uri).body(Body::empty());
            let response = app.clone().oneshot(request.unwrap()).await.unwrap();
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{uri}");
            let allowed = response.headers()[ALLOW].to_str().unwrap().split(',').map(|name| name.trim().to_owned());
            assert_eq!(documented, allowed.collect(), "{uri}");
        }
    }
}

#[test]
fn every_call_of_the_contract_is_there() {
    let document = document();
    let operations: BTreeSet<_> = all_operations(&document).into_iter().map(|(name, _)| name).collect();
    let contract = [
        "post /users",
        "get /users",
        "get /users/{user}",
        "patch /users/{user}",
        "delete /users/{user}",
        "put /users/{user}/password",
        "put /users/{user}/roles",
        "post /users/{user}/disable",
        "post /users/{user}/enable",
        "get /users/{user}/sessions",
        "delete /users/{user}/sessions",
        "delete /users/{user}/sessions/{id}",
        "post /login",
        "post /refresh",
        "post /logout",
        "post /introspect",
        "post /revoke",
        "get /.well-known/jwks.json",
        "get /.well-known/oauth-authorization-server",
        "get /.well-known/revocations",
        "get /openapi.json",
        "get /docs",
        "get /problems/{code}",
        "get /health/live",
        "get /health/ready",
    ];
    for call in contract {
        assert!(operations.contains(call), "{call}");
    }
}

#[test]
fn every_error_has_the_form_of_a_problem_and_known_codes() {
    let document = document();
    for (name, operation) in all_operations(&document) {
        let responses = operation["responses"].as_object().unwrap().iter();
        for (status, response) in responses.filter(|(status, _)| status.as_str() >= "400") {
            if name == "get /health/ready" {
                continue;
            }
            let reference =
                response["$ref"].as_str().unwrap_or_else(|| panic!("{name} names no known code for {status}"));
            let response = document.pointer(reference.trim_start_matches('#')).unwrap();
            let problem = &response["content"]["application/problem+json"];
            let codes = problem["schema"]["allOf"][1]["properties"]["code"]["enum"].as_array();
            for code in codes.unwrap().iter().map(|code| code.as_str().unwrap()) {
                assert_eq!(problem["examples"][code]["value"]["status"].to_string(), *status, "{name} {code}");
            }
        }
    }
}

/// A word that is no code, or one of another status, would silently disappear from the document.
#[test]
fn every_code_that_an_endpoint_names_is_of_its_status() {
    let outline = serde_json::to_value(routes::described().into_openapi()).unwrap();
    for (name, operation) in all_operations(&outline) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            if status.as_str() < "400" || response["content"].is_object() {
                continue;
            }
            for word in response["description"].as_str().unwrap().split(", ") {
                let code = crate::problem::Code::parse(word).unwrap_or_else(|| panic!("{name} names {word}"));
                assert_eq!(code.status().as_str(), status, "{name} {word}");
            }
        }
    }
}

#[test]
fn names_of_operations_are_unique_and_everyone_belongs_to_a_described_tag() {
    let document = document();
    let tags: Vec<_> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut seen = BTreeSet::new();
    for (name, operation) in all_operations(&document) {
        assert!(seen.insert(operation["operationId"].as_str().unwrap()), "{name}");
        let own = operation["tags"].as_array().unwrap();
        assert!(own.len() == 1 && tags.contains(&&own[0]), "{name}");
        assert!(operation["summary"].is_string(), "{name}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    let references = text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut count = 0;
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
        count += 1;
    }
    assert!(count > 0);
}

/// Or an undocumented member of an answer would match the document.
#[test]
fn every_object_is_closed_but_forms() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas.iter().filter(|(_, schema)| schema["enum"].is_null()) {
        assert!(schema["properties"].is_object(), "{name}");
        // RFC 6749, section 3.1: what is not known in a form is ignored.
        let more = if name == "TokenRequest" { json!({ "type": "string" }) } else { json!(false) };
        assert_eq!(schema["additionalProperties"], more, "{name}");
    }
    let listed = &schemas["UserInList"]["properties"];
    assert!(listed["id"].is_object() && listed["active_sessions"].is_object());
}

#[test]
fn what_may_be_left_out_is_never_null() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let required = schema["required"].as_array();
        for (member, property) in schema["properties"].as_object().into_iter().flatten() {
            assert_ne!(property.get("default"), Some(&Value::Null), "{name} {member}");
            let may_be_left_out = !required.is_some_and(|required| required.contains(&Value::from(member.as_str())));
            assert!(
                !may_be_left_out || property["type"].is_string() || property["$ref"].is_string(),
                "{name} {member}"
            );
        }
    }
    let last_login = &document["components"]["schemas"]["User"]["properties"]["last_login_at"];
    assert_eq!(last_login["type"], json!(["string", "null"]));
}

#[test]
fn formats_are_as_narrow_as_the_contract() {
    let user = &document()["components"]["schemas"]["User"]["properties"];
    for member in ["id", "email", "created_at", "last_login_at"] {
        assert!(user[member]["pattern"].is_string(), "{member}");
    }
}

#[test]
fn headers_that_are_always_there_are_required() {
    let document = document();
    let created = &document["paths"]["/users"]["post"]["responses"]["201"]["headers"];
    assert_eq!((&created["etag"]["required"], &created["location"]["required"]), (&true.into(), &true.into()));
    let unavailable = &document["components"]["responses"]["unavailable.deadline_exceeded"]["headers"];
    assert_eq!(unavailable["retry-after"]["required"], true);
    let page = &document["paths"]["/users"]["get"]["responses"]["200"]["headers"];
    assert!(page["link"].is_object() && page["link"]["required"].is_null());
}

#[test]
fn a_body_that_may_be_left_out_may_not_be_null() {
    let body = &document()["paths"]["/logout"]["post"]["requestBody"];
    assert_eq!(body["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/LogoutRequest");
    assert_ne!(body["required"], true);
}

#[test]
fn requests_take_no_unknown_members() {
    let document = document();
    for (name, operation) in all_operations(&document) {
        let content = &operation["requestBody"]["content"];
        // Those are open.
        if content.is_null() || content["application/x-www-form-urlencoded"].is_object() {
            continue;
        }
        let schema = &content["application/json"]["schema"];
        let reference = schema["$ref"].as_str().unwrap();
        let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
        assert_eq!(schema["additionalProperties"], Value::Bool(false), "{name}");
    }
}
