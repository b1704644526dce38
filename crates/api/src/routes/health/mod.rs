//! Whether the process lives, and whether it should be sent requests: for load balancers and orchestrators.

mod live;
mod ready;

use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(live::live)).routes(routes!(ready::ready))
}
