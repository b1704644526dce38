//! Answers, checked against what holds for every answer, and as snapshots show them.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::fmt;

/// Headers that say something about one answer; those that every answer has are checked instead of shown.
const SHOWN: [&str; 9] =
    ["allow", "cache-control", "content-type", "etag", "link", "location", "retry-after", "vary", "www-authenticate"];

/// Members that are random beyond the seed, or secret.
const REDACTED: [&str; 5] = ["access_token", "device_token", "refresh_token", "request_id", "x"];

#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// Null if the body is no JSON.
    pub json: Value,
}

impl Response {
    pub(super) async fn read(method: &Method, response: reqwest::Response) -> Option<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let is_report = response.url().path().starts_with("/health/");
        let text = response.text().await.ok()?;
        let json = serde_json::from_str(&text).unwrap_or_default();
        let response = Self { status, headers, text, json };
        response.check();
        // A failing health check names its findings instead.
        if status >= 400 && !(is_report && status == 503) {
            response.check_problem(method);
        }
        Some(response)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header in ASCII"))
    }

    /// The stable code of a problem.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// Pointer and code of every fault in the content, in order.
    pub fn faults(&self) -> Vec<(&str, &str)> {
        let errors = self.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| (text(error, "pointer"), text(error, "code"))).collect()
    }

    /// What the contract promises of every answer, whatever it answers.
    fn check(&self) {
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"), "{self}");
        assert_eq!(self.header("referrer-policy"), Some("no-referrer"), "{self}");
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()), "{self}");
        assert_eq!(self.header("server"), None, "{self}");
        let personal = ["access_token", "email"].iter().any(|field| self.json.get(field).is_some());
        if personal || (self.json.get("data").is_some() && self.status == 200) {
            assert!(self.header("cache-control").is_some_and(|value| value.contains("no-store")), "{self}");
        }
    }

    fn check_problem(&self, method: &Method) {
        assert!(self.status < 500 || self.status == 503, "a defect: {self}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self}");
        if self.status == 401 {
            let scheme = if self.code() == "invalid_client" { "Basic" } else { "Bearer" };
            assert!(self.header("www-authenticate").is_some_and(|value| value.starts_with(scheme)), "{self}");
        }
        if matches!(self.status, 429 | 503) {
            assert!(self.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{self}");
        }
        if self.status == 405 {
            assert!(self.header("allow").is_some(), "{self}");
        }
        if *method == Method::HEAD {
            return;
        }
        assert_eq!(self.json["status"], self.status, "{self}");
        assert_eq!(self.json["request_id"].as_str(), self.header("x-request-id"), "{self}");
        assert_eq!(self.json["type"], format!("{}/problems/{}", super::PUBLIC_URL, self.code()), "{self}");
        for member in ["code", "title", "detail", "instance"] {
            assert!(self.json[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {self}");
        }
    }
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if REDACTED.contains(&name.as_str()) && member.is_string() {
                    *member = Value::String(format!("[{name}]"));
                } else {
                    redact(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

/// As a transcript: status, the headers that say something, the body.
impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        for name in SHOWN {
            for value in self.headers.get_all(name) {
                write!(f, "\n{name}: {}", value.to_str().unwrap_or("[not ASCII]"))?;
            }
        }
        if self.json.is_null() {
            return if self.text.is_empty() { Ok(()) } else { write!(f, "\n\n{}", self.text) };
        }
        let mut shown = self.json.clone();
        redact(&mut shown);
        write!(f, "\n\n{shown:#}")
    }
}
