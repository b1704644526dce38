//! What the fuzz targets (`fuzz/`) reach of this crate, in plain types. No part of its interface.

use super::body::read_body_by;
use super::fields::{Fields, ReadJson};
use super::json::{Json, Members};
use super::{bearer, forwarded, if_match, query};
use crate::HttpSettings;
use http::HeaderMap;
use serde_json::Value;
use std::net::IpAddr;
use vestibule_domain::access::RoleName;
use vestibule_domain::credential::{NewPassword, Owner, PasswordPolicy};
use vestibule_domain::user::{Email, Name};

/// A body with a field of every kind.
struct Everything;

impl ReadJson for Everything {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let email = fields.required("email", Email::parse);
        let name = fields.optional("name", Name::parse);
        let (policy, owner) = (fields.policy(), Owner { email: email.as_ref(), name: name.as_ref() });
        let password = fields.required("password", |text| NewPassword::parse(text, policy, owner));
        let roles = fields.required_list("roles", 3, RoleName::parse);
        let _ = fields.optional_enum("scope", &[("current", 1), ("all", 2)]);
        email.and(password).and(roles).map(|_| Self)
    }
}

/// The names that [`body`] knows.
pub const FIELDS: [&str; 5] = ["email", "name", "password", "roles", "scope"];

/// Status, and pointer and code of each field at fault.
pub type Refusal = (u16, Vec<(String, String)>);

pub fn body(policy: &PasswordPolicy, text: &str) -> Result<(), Refusal> {
    read_body_by::<Everything>(policy, text).map(drop).map_err(|error| {
        let faults = error.faults().into_iter().map(|(pointer, code)| (pointer.to_owned(), code.to_owned()));
        (error.code().status().as_u16(), faults.collect())
    })
}

/// The object, with 0 for every number.
pub fn json(text: &[u8]) -> Option<Value> {
    Json::parse_object(text).ok().map(object)
}

fn object(members: Members) -> Value {
    Value::Object(members.into_iter().map(|(name, json)| (name, value(json))).collect())
}

fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool => Value::Bool(true),
        Json::Number => Value::from(0),
        Json::String(text) => Value::String(text.to_string()),
        Json::Array(items) => Value::Array(items.into_iter().map(value).collect()),
        Json::Object(members) => object(members),
    }
}

/// Names and values, by name.
pub fn query(text: &str) -> Option<Vec<(String, String)>> {
    let text_of = |json: Json| if let Json::String(text) = json { text.to_string() } else { String::new() };
    Some(query::parse(text).ok()?.into_iter().map(|(name, json)| (name, text_of(json))).collect())
}

/// `None` if it is refused, `Some(None)` if any version will do.
pub fn if_match(headers: &HeaderMap) -> Option<Option<i64>> {
    if_match::parse(headers).map(|if_match| if_match.0)
}

pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    bearer::bearer_token(headers).ok()
}

pub fn client_address(peer: IpAddr, headers: &HeaderMap, settings: &HttpSettings) -> IpAddr {
    forwarded::client_address(peer, headers, settings)
}
