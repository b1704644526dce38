//! Sessions: beginning, going on, ending.

mod end;
mod end_all;
mod list;
mod login;
mod logout;
mod refresh;
mod tokens;

use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(login::log_in))
        .routes(routes!(refresh::refresh_session))
        .routes(routes!(logout::log_out))
        .routes(routes!(list::list_sessions, end_all::end_sessions))
        .routes(routes!(end::end_session))
}
