//! A service that checks access tokens by itself, and knows within a second which sessions are over.

use axum::{Router, extract::State, http::HeaderMap, http::StatusCode, routing::get};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc, time::Duration, time::Instant};
use tokio::{net::TcpListener, sync::RwLock, time::sleep};

pub(crate) struct Gate {
    /// Where Vestibule is reached, and the `iss` of its tokens.
    pub(crate) vestibule: String,
    pub(crate) issuer: String,
    pub(crate) http: reqwest::Client,
    pub(crate) known: RwLock<Known>,
}

#[derive(Default)]
pub(crate) struct Known {
    keys: Option<JwkSet>,
    over: HashMap<String, Instant>,
    cursor: Option<String>,
    heard: Option<Instant>,
}

impl Gate {
    /// Waits for news, up to ten seconds, and takes note of them.
    async fn listen(&self) -> reqwest::Result<()> {
        let cursor = self.known.read().await.cursor.clone();
        let after = cursor.map(|cursor| format!("?wait=10&after={cursor}")).unwrap_or_default();
        let ask = async |what: String| {
            self.http.get(format!("{}/.well-known/{what}", self.vestibule)).send().await?.error_for_status()
        };
        let news: Value = ask(format!("revocations{after}")).await?.json().await?;
        let keys: JwkSet = ask("jwks.json".to_owned()).await?.json().await?;
        let known = &mut *self.known.write().await;
        // Longer than any token lives, and the clocks may differ.
        known.over.retain(|_, noted| noted.elapsed() < Duration::from_mins(20));
        let ended = news["data"].as_array().into_iter().flatten();
        let ids = ended.filter_map(|ended| ended.get("sid").unwrap_or(&ended["sub"]).as_str());
        known.over.extend(ids.map(|id| (id.to_owned(), Instant::now())));
        known.cursor = news["next_cursor"].as_str().map(str::to_owned);
        (known.keys, known.heard) = (Some(keys), Some(Instant::now()));
        Ok(())
    }

    /// The user, if the token is good. Whoever has heard nothing for a while knows nothing, and lets nobody in.
    async fn admit(&self, token: &str) -> Option<String> {
        let known = self.known.read().await;
        known.heard.filter(|heard| heard.elapsed() < Duration::from_secs(15))?;
        let header = decode_header(token).ok().filter(|header| header.typ.as_deref() == Some("at+jwt"))?;
        let key = DecodingKey::from_jwk(known.keys.as_ref()?.find(&header.kid?)?).ok()?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&["vestibule"]);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        let claims = decode::<Value>(token, &key, &rules).ok()?.claims;
        let (user, session) = (claims["sub"].as_str()?, claims["sid"].as_str()?);
        let is_over = known.over.contains_key(session) || known.over.contains_key(user);
        (!is_over).then(|| user.to_owned())
    }
}

async fn greet(State(gate): State<Arc<Gate>>, headers: HeaderMap) -> Result<String, StatusCode> {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = header.and_then(|text| text.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)?;
    gate.admit(token).await.map(|user| format!("hello {user}")).ok_or(StatusCode::UNAUTHORIZED)
}

pub(crate) async fn serve(listener: TcpListener, gate: Arc<Gate>) -> std::io::Result<()> {
    let app = Router::new().route("/", get(greet)).with_state(Arc::clone(&gate));
    let listening = async {
        loop {
            if gate.listen().await.is_err() {
                sleep(Duration::from_millis(250)).await;
            }
        }
    };
    tokio::select! {
        served = axum::serve(listener, app) => served,
        () = listening => Ok(()),
    }
}
