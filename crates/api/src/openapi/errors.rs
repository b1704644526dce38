//! Errors in the document.
//!
//! An endpoint names in its annotation the codes of the errors that are its own, as in
//! `(status = 409, description = "email_taken")`. Those that follow from its shape (it needs a token, it takes a
//! body, …) are added here, and all are told alike, so that no endpoint can forget or misname one.

use crate::problem::Code;
use http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Components, ContentBuilder, Ref, RefOr};

/// The operations that read or write the store.
const STATEFUL_TAGS: [&str; 3] = ["Users", "Sessions", "Services"];
/// What OAuth asks for; only clients send it.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// Puts full descriptions in the place of the codes that the operation names and of those that its shape implies.
/// Each is written once, under the names of its codes.
pub(super) fn describe(operation: &mut Operation, components: &mut Components) {
    let mut codes: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in implied(operation).into_iter().chain(named(operation)) {
        let of_status = codes.entry(code.status().as_u16()).or_default();
        if !of_status.contains(&code) {
            of_status.push(code);
        }
    }
    for (status, codes) in codes {
        let name = codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(".");
        let reference = Ref::from_response_name(&name);
        operation.responses.responses.insert(status.to_string(), RefOr::Ref(reference));
        components.responses.entry(name).or_insert_with(|| RefOr::T(response(status, &codes)));
    }
}

fn implied(operation: &Operation) -> Vec<Code> {
    let takes = |place: ParameterIn| {
        let mut parameters = operation.parameters.iter().flatten().filter_map(solid);
        parameters.any(|parameter| parameter.parameter_in == place)
    };
    let has_query = takes(ParameterIn::Query);
    let has_body = operation.request_body.is_some();
    let has_form = operation.request_body.as_ref().and_then(solid).is_some_and(|body| body.content.contains_key(FORM));
    let is_stateful = operation.tags.iter().flatten().any(|tag| STATEFUL_TAGS.contains(&tag.as_str()));
    let mut codes = Vec::new();
    // What takes no body and no query says so to whoever sends one.
    let reads_body = has_body || (operation.security.is_some() && !has_query);
    if reads_body {
        codes.extend([Code::RequestTimeout, Code::PayloadTooLarge, Code::UnsupportedMediaType]);
    }
    if has_form {
        codes.extend([Code::InvalidRequest, Code::InvalidClient]);
    } else if reads_body {
        codes.push(Code::MalformedJson);
    }
    codes.extend([Code::MalformedRequest, Code::UriTooLong, Code::HeadersTooLarge]);
    if (reads_body && !has_form) || has_query {
        codes.push(Code::ValidationFailed);
    }
    if operation.security.is_some() && !has_form {
        codes.extend([Code::Unauthenticated, Code::InvalidToken]);
    }
    if is_stateful {
        codes.extend([Code::InternalError, Code::Unavailable, Code::DeadlineExceeded]);
    }
    codes
}

/// A response that describes its own content is left as it is.
fn named(operation: &Operation) -> Vec<Code> {
    let responses = operation.responses.responses.values().filter_map(solid);
    let bare = responses.filter(|response| response.content.is_empty());
    bare.flat_map(|response| response.description.split(", ")).filter_map(Code::parse).collect()
}

fn solid<T>(item: &RefOr<T>) -> Option<&T> {
    match item {
        RefOr::T(item) => Some(item),
        RefOr::Ref(_) => None,
    }
}

fn response(status: u16, codes: &[Code]) -> Response {
    let told: Vec<_> = codes.iter().map(|code| format!("`{}`: {}.", code.as_str(), code.title())).collect();
    let examples = codes.iter().map(|code| (code.as_str(), RefOr::T(example(*code))));
    let content = ContentBuilder::new().schema(Some(schema(status, codes))).examples_from_iter(examples).build();
    let response = ResponseBuilder::new().description(told.join(" ")).content("application/problem+json", content);
    match StatusCode::from_u16(status) {
        Ok(StatusCode::UNAUTHORIZED) => {
            let challenge = if codes.contains(&Code::InvalidClient) {
                "`Basic`, for the client's credentials."
            } else {
                "`Bearer`, and what is wrong with the token."
            };
            response.header("www-authenticate", header(Type::String, challenge))
        }
        Ok(StatusCode::SERVICE_UNAVAILABLE) => {
            response.header("retry-after", header(Type::Integer, "When to come back, in seconds."))
        }
        _ => response,
    }
    .build()
}

fn header(kind: Type, description: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
        .description(Some(description))
        .build()
}

/// A problem with one of these codes.
fn schema(status: u16, codes: &[Code]) -> Schema {
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes.iter().map(|code| code.as_str())));
    let status = ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([status]));
    let narrowed = AllOfBuilder::new()
        .item(Ref::from_schema_name("Problem"))
        .item(ObjectBuilder::new().schema_type(Type::Object).property("code", code).property("status", status));
    Schema::AllOf(narrowed.build())
}

fn example(code: Code) -> Example {
    let mut problem = json!({
        "type": format!("/problems/{}", code.as_str()),
        "title": code.title(),
        "status": code.status().as_u16(),
        "code": code.as_str(),
        "detail": code.explanation(),
        "instance": "/users",
        "request_id": "0190b5a2-7c3e-7a00-8000-0000000000aa",
    });
    if let (Code::ValidationFailed, Value::Object(members)) = (code, &mut problem) {
        let fault = json!({ "pointer": "/email", "code": "required", "detail": "must be there" });
        members.insert("errors".to_owned(), json!([fault]));
    }
    if let (Some(error), Value::Object(members)) = (code.oauth_error(), &mut problem) {
        members.insert("error".to_owned(), json!(error));
    }
    ExampleBuilder::new().summary(code.title()).value(Some(problem)).build()
}
