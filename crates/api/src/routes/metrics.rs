//! `GET /metrics`, for operators alone.

use crate::endpoints::Endpoints;
use crate::error::ApiError;
use crate::extract::Nothing;
use crate::problem::Code;
use crate::state::AppState;
use axum::extract::State;
use http::header::CONTENT_TYPE;

/// `OpenMetrics` 1.0, section 5.1.1.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Not by an annotation, as all others are: the OpenAPI document is for clients.
const PATH: &str = "/metrics";

pub(crate) fn routes() -> Endpoints {
    Endpoints::default().at("GET", PATH, show)
}

async fn show(
    State(state): State<AppState>,
    Nothing: Nothing,
) -> Result<([(http::HeaderName, &'static str); 1], String), ApiError> {
    let text = state.metrics.text().map_err(|error| ApiError::new(Code::InternalError).because(error))?;
    Ok(([(CONTENT_TYPE, TEXT)], text))
}
