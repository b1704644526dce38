//! `GET /health/ready`: whether to send requests here.

use crate::extract::Nothing;
use crate::readiness::{CheckState, Report};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// Whether requests should be sent here, and what speaks against it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReadinessAnswer {
    status: Status,
    checks: Checks,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ready,
    NotReady,
    /// About to shut down.
    Draining,
}

#[derive(Debug, Serialize, ToSchema)]
struct Checks {
    /// Whether the store can be reached and written.
    store: Outcome,
    /// Whether the store has the schema that this version expects.
    migrations: Outcome,
    /// Whether there is a key to sign access tokens with.
    signing_key: Outcome,
    /// Whether the machine's clock is within a minute of the store's.
    clock: Outcome,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Passing,
    Failing,
    /// Another check has to pass before this one can tell.
    Unknown,
}

impl From<CheckState> for Outcome {
    fn from(state: CheckState) -> Self {
        match state {
            CheckState::Passing => Self::Passing,
            CheckState::Failing => Self::Failing,
            CheckState::Unknown => Self::Unknown,
        }
    }
}

impl From<Report> for ReadinessAnswer {
    fn from(report: Report) -> Self {
        let status = match (report.draining, report.is_ready()) {
            (true, _) => Status::Draining,
            (false, true) => Status::Ready,
            (false, false) => Status::NotReady,
        };
        let checks = Checks {
            store: report.store.into(),
            migrations: report.migrations.into(),
            signing_key: report.signing_key.into(),
            clock: report.clock.into(),
        };
        Self { status, checks }
    }
}

/// Ask whether to send requests here
///
/// Answers within a second.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "Health",
    responses(
        (status = 200, description = "Yes.", body = ReadinessAnswer),
        (status = 503, description = "No, and why not.", body = ReadinessAnswer),
    ),
)]
pub(super) async fn ready(State(state): State<AppState>, Nothing: Nothing) -> (StatusCode, Json<ReadinessAnswer>) {
    let report = state.readiness.check(&state.services).await;
    let status = if report.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report.into()))
}
