//! Users: registration, profiles, administration.

mod delete;
mod disable;
mod enable;
mod get;
mod list;
mod password;
mod register;
mod roles;
mod update;
mod user;

pub(crate) use user::User;

use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register::register_user, list::list_users))
        .routes(routes!(get::get_user, update::update_user, delete::delete_user))
        .routes(routes!(disable::disable_user))
        .routes(routes!(enable::enable_user))
        .routes(routes!(roles::set_roles))
        .routes(routes!(password::change_password))
}
