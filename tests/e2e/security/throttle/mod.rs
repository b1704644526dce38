//! D: enumeration, brute force, lock-out; with limits as they are by default, and clients behind a proxy.

mod at_once;
mod counting;
mod devices;
mod guessing;
mod registration;

use serde_json::{Value, json};
use vestibule_domain::Settings;
use vestibule_testkit::app::{Client, PASSWORD, Request, Response, Setup};

/// Limited, behind a proxy on this machine.
fn limited() -> Setup {
    let mut setup = Setup { domain: Settings::default(), ..Setup::default() };
    setup.http.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    setup
}

fn behind(client: &Client, address: &str, path: &str, body: Value) -> Request {
    client.post(path, body).header("x-forwarded-for", address)
}

async fn log_in(client: &Client, address: &str, email: &str, password: &str) -> Response {
    behind(client, address, "/login", json!({"email": email, "password": password})).await
}

async fn register(client: &Client, address: &str, email: &str) -> Response {
    behind(client, address, "/users", json!({"email": email, "password": PASSWORD, "name": "Somebody"})).await
}

/// Everything that a client sees, but for what names the request.
fn seen(response: &Response) -> (u16, Vec<(String, String)>, Value) {
    let mut body = response.json.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    let headers = response.headers.iter().filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned()));
    (response.status, headers.collect(), body)
}
