//! The floor on Axum.

use crate::hash::Hasher;
use crate::token::{digest, random_id, refresh_token, session};
use crate::{Store, Tokens, announce};
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

type Answer = Result<Json<Value>, StatusCode>;

#[derive(Clone)]
struct Floor {
    tokens: Arc<Tokens>,
    store: Store,
    /// Hashes come one at a time, as with one hashing thread.
    turn: Arc<Semaphore>,
    hasher: Arc<Mutex<Hasher>>,
}

pub(crate) async fn serve(url: &str) {
    let store = Store::open(url).await;
    let tokens = Arc::new(Tokens::new());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    announce(listener.local_addr().expect("a bound socket"), &tokens);
    let hasher = Arc::new(Mutex::new(Hasher::new()));
    let floor = Floor { tokens, store, turn: Arc::new(Semaphore::new(1)), hasher };
    let routes = Router::new()
        .route("/hello", get(async || "hello"))
        .route("/users/me", get(me))
        .route("/users", post(register))
        .route("/login", post(log_in))
        .route("/refresh", post(refresh))
        .route("/introspect", post(introspect))
        .with_state(floor);
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a socket"));
    axum::serve(listener, routes).await.expect("serving");
}

impl Floor {
    async fn hashing<T: Send + 'static>(&self, work: impl FnOnce(&mut Hasher) -> T + Send + 'static) -> T {
        let _turn = self.turn.acquire().await.expect("an open semaphore");
        let hasher = Arc::clone(&self.hasher);
        spawn_blocking(move || work(&mut hasher.lock().unwrap_or_else(PoisonError::into_inner))).await.expect("a hash")
    }

    fn tokens(&self, email: &str, refresh_token: &str) -> Json<Value> {
        Json(json!({
            "access_token": self.tokens.sign(email),
            "token_type": "Bearer",
            "expires_in": 600,
            "refresh_token": refresh_token,
        }))
    }
}

async fn me(State(floor): State<Floor>, headers: HeaderMap) -> Result<impl IntoResponse, StatusCode> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or(StatusCode::UNAUTHORIZED)?;
    let claims = floor.tokens.verify(header).ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(([(CONTENT_TYPE, "application/json")], claims.profile()))
}

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

async fn register(
    State(floor): State<Floor>,
    Json(Credentials { email, password }): Json<Credentials>,
) -> impl IntoResponse {
    let phc = floor.hashing(move |hasher| hasher.hash(&password)).await;
    let id = random_id();
    floor.store.insert_user(&id, &email, &phc).await;
    (StatusCode::CREATED, Json(json!({ "id": id, "email": email })))
}

async fn log_in(State(floor): State<Floor>, Json(Credentials { email, password }): Json<Credentials>) -> Answer {
    let stored = floor.store.hash_of(&email).await.ok_or(StatusCode::UNAUTHORIZED)?;
    if !floor.hashing(move |hasher| hasher.verify(&password, &stored)).await {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let id = random_id();
    let (token, hash) = refresh_token(&id);
    floor.store.insert_session(&id, &email, &hash).await;
    Ok(floor.tokens(&email, &token))
}

#[derive(Deserialize)]
struct Presented {
    refresh_token: String,
}

async fn refresh(State(floor): State<Floor>, Json(Presented { refresh_token: presented }): Json<Presented>) -> Answer {
    let id = session(&presented);
    let (child, hash) = refresh_token(id);
    let email = floor.store.rotate(id, &digest(&presented), &hash).await.ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(floor.tokens(&email, &child))
}

/// By one look-up, of an opaque token.
async fn introspect(State(floor): State<Floor>, body: String) -> Answer {
    let token = body.strip_prefix("token=").ok_or(StatusCode::BAD_REQUEST)?;
    let found = floor.store.session(session(token), &digest(token)).await;
    Ok(Json(found.map_or_else(
        || json!({ "active": false }),
        |(id, email)| json!({ "active": true, "sid": id, "username": email }),
    )))
}
