//! Sessions: beginning, going on, ending.

mod end;
mod end_all;
mod list;
mod login;
mod logout;
mod refresh;
mod tokens;

use crate::endpoints::endpoints;

endpoints!(
    login::log_in,
    refresh::refresh_session,
    logout::log_out,
    list::list_sessions,
    end_all::end_sessions,
    end::end_session,
);
