//! What other services ask about tokens.

mod authentication;
mod introspect;
mod revoke;

use reqwest::Method;
use vestibule_testkit::app::{Client, ClientCredentials, Response};

async fn introspect(anonymous: &Client, client: &ClientCredentials, token: &str) -> Response {
    anonymous.request(Method::POST, "/introspect").by(client).form(&[("token", token)]).await
}

async fn revoke(anonymous: &Client, client: &ClientCredentials, token: &str) -> Response {
    anonymous.request(Method::POST, "/revoke").by(client).form(&[("token", token)]).await
}
