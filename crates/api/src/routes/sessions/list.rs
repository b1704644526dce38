//! `GET /users/{user}/sessions`: where a user is logged in.

use crate::error::ApiError;
use crate::extract::{FreshBearer, Nothing, TargetUser};
use crate::state::AppState;
use crate::text::Text;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::net::IpAddr;
use utoipa::ToSchema;
use vestibule_domain::Timestamp;
use vestibule_domain::access::Authority;
use vestibule_domain::context::UserAgent;
use vestibule_domain::id::SessionId;
use vestibule_domain::session::{self, Amr};

/// One login on one device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    #[schema(value_type = String, format = "uuid", examples("0190b5a2-7c3e-7a00-8000-00000000000a"))]
    id: Text<SessionId>,
    #[schema(value_type = String, format = "date-time", examples("2026-11-23T09:30:00.000Z"))]
    created_at: Text<Timestamp>,
    /// When it was last refreshed.
    #[schema(value_type = String, format = "date-time", examples("2026-11-23T10:30:00.000Z"))]
    last_seen_at: Text<Timestamp>,
    /// It cannot be refreshed after this, however often it is used.
    #[schema(value_type = String, format = "date-time", examples("2026-12-23T09:30:00.000Z"))]
    expires_at: Text<Timestamp>,
    /// From where the login came, as far as trusted proxies vouch for it.
    #[schema(value_type = Option<String>, required, pattern = "^[0-9a-f.:]{2,45}$", examples("203.0.113.7"))]
    ip: Option<IpAddr>,
    /// What the client called itself at the login.
    #[schema(
        required,
        max_length = 256,
        examples("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")
    )]
    user_agent: Option<String>,
    /// How the user proved who they are (RFC 8176).
    #[schema(pattern = "^[a-z]+$", examples("pwd"))]
    amr: Vec<&'static str>,
    /// Whether it is the one that asks.
    #[schema(examples(true))]
    current: bool,
}

impl Session {
    fn seen_from(session: &session::Session, current: SessionId) -> Self {
        Self {
            id: Text(session.id),
            created_at: Text(session.created_at),
            last_seen_at: Text(session.last_seen_at),
            expires_at: Text(session.expires_at),
            ip: session.ip,
            user_agent: session.user_agent.as_ref().map(UserAgent::as_str).map(str::to_owned),
            amr: session.amr.iter().map(|amr| Amr::as_str(*amr)).collect(),
            current: session.id == current,
        }
    }
}

/// All of them: a user has at most 100.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionList {
    data: Vec<Session>,
}

/// List a user's sessions
///
/// The live ones, the newest first; at most 100. Another's need `users:read`.
#[utoipa::path(
    get,
    path = "/users/{user}/sessions",
    tag = "Sessions",
    params(TargetUser),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The live sessions.", body = SessionList),
        (status = 404, description = "not_found"),
    ),
)]
pub(super) async fn list_sessions(
    State(state): State<AppState>,
    FreshBearer(caller): FreshBearer,
    TargetUser(target): TargetUser,
    Nothing: Nothing,
) -> Result<Json<SessionList>, ApiError> {
    let sessions = state.services.sessions.list(Authority::User(&caller), target).await?;
    let data = sessions.iter().map(|session| Session::seen_from(session, caller.session.id)).collect();
    Ok(Json(SessionList { data }))
}
