//! `GET /health/live`: whether the process answers at all.

use crate::extract::Nothing;
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Liveness {
    #[schema(pattern = "^live$", examples("live"))]
    status: &'static str,
}

/// Ask whether the process lives
///
/// Touches nothing: it fails only if the process is to be restarted.
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "Health",
    responses((status = 200, description = "It does.", body = Liveness)),
)]
pub(super) async fn live(Nothing: Nothing) -> Json<Liveness> {
    Json(Liveness { status: "live" })
}
