//! Thin wrappers over an HTTP client.

use super::response::Response;
use super::secrets::Secrets;
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

/// Somebody who sends requests. Clones and those made from it share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    address: SocketAddr,
    token: Option<String>,
    /// The answer to the login; null for the anonymous.
    tokens: Value,
    secrets: Arc<Secrets>,
}

impl Client {
    pub(super) fn new(address: SocketAddr, secrets: Arc<Secrets>) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self {
            http: http.user_agent("vestibule-tests").build().expect("an HTTP client"),
            address,
            token: None,
            tokens: Value::Null,
            secrets,
        }
    }

    /// The same person, who now speaks HTTP/2.
    #[must_use]
    pub fn over_http2(&self) -> Self {
        let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build();
        Self { http: http.expect("an HTTP client"), ..self.clone() }
    }

    /// The same person, who now talks to another process.
    #[must_use]
    pub fn at(&self, node: &super::Node) -> Self {
        Self { address: node.address, ..self.clone() }
    }

    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Logs in, which must succeed.
    pub async fn log_in(&self, email: &str, password: &str) -> Self {
        let response = self.try_log_in(email, password).await;
        assert_eq!(response.status, 200, "{response}");
        self.holding(&response)
    }

    pub async fn try_log_in(&self, email: &str, password: &str) -> Response {
        self.post("/login", json!({"email": email, "password": password})).await
    }

    /// With the tokens of this answer.
    #[must_use]
    pub fn holding(&self, tokens: &Response) -> Self {
        let token = tokens.json["access_token"].as_str().expect("an access token").to_owned();
        Self { token: Some(token), tokens: tokens.json.clone(), ..self.clone() }
    }

    pub fn id(&self) -> &str {
        self.tokens["user"]["id"].as_str().expect("logged in")
    }

    pub fn session_id(&self) -> &str {
        self.tokens["session_id"].as_str().expect("logged in")
    }

    pub fn access_token(&self) -> &str {
        self.token.as_deref().expect("logged in")
    }

    pub fn refresh_token(&self) -> &str {
        self.tokens["refresh_token"].as_str().expect("logged in")
    }

    pub fn device_token(&self) -> &str {
        self.tokens["device_token"].as_str().expect("a first login from a device")
    }

    pub async fn refresh(&self, token: &str) -> Response {
        self.post("/refresh", json!({"refresh_token": token})).await
    }

    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }

    pub fn post(&self, path: &str, body: Value) -> Request {
        self.request(Method::POST, path).json(body)
    }

    pub fn put(&self, path: &str, body: Value) -> Request {
        self.request(Method::PUT, path).json(body)
    }

    pub fn patch(&self, path: &str, body: Value) -> Request {
        self.request(Method::PATCH, path).json(body)
    }

    pub fn request(&self, method: Method, path: &str) -> Request {
        let mut request = self.http.request(method.clone(), format!("http://{}{path}", self.address));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Request { builder: request, method, sent: None, secrets: Arc::clone(&self.secrets) }
    }
}

/// What `vestibule clients create` prints.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    pub id: String,
    pub secret: String,
}

/// A request that is sent when it is awaited.
#[derive(Debug)]
pub struct Request {
    builder: reqwest::RequestBuilder,
    method: Method,
    sent: Option<Value>,
    secrets: Arc<Secrets>,
}

impl Request {
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.builder = self.builder.json(&body);
        self.sent = Some(body);
        self
    }

    /// As a form that a browser would send.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// On behalf of a client.
    #[must_use]
    pub fn by(mut self, client: &ClientCredentials) -> Self {
        self.builder = self.builder.basic_auth(&client.id, Some(&client.secret));
        self
    }

    /// As it is, declared as JSON.
    #[must_use]
    pub fn raw_json(self, body: impl Into<reqwest::Body>) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.builder = self.builder.body(body);
        self
    }

    /// Beside those of the same name.
    #[must_use]
    pub fn header<V>(mut self, name: &'static str, value: V) -> Self
    where
        HeaderValue: TryFrom<V>,
        <HeaderValue as TryFrom<V>>::Error: Into<http::Error>,
    {
        self.builder = self.builder.header(HeaderName::from_static(name), value);
        self
    }

    /// `None` if the connection ended without an answer.
    pub async fn try_send(self) -> Option<Response> {
        let response = self.builder.send().await.ok()?;
        let response = Response::read(&self.method, response).await?;
        if response.status < 300 {
            self.secrets.note(self.sent.as_ref(), &response.json);
        }
        Some(response)
    }
}

impl IntoFuture for Request {
    type Output = Response;
    type IntoFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.try_send().await.expect("an answer") })
    }
}
