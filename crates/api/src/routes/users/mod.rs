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

use crate::endpoints::endpoints;

endpoints!(
    register::register_user,
    list::list_users,
    get::get_user,
    update::update_user,
    delete::delete_user,
    disable::disable_user,
    enable::enable_user,
    roles::set_roles,
    password::change_password,
);
