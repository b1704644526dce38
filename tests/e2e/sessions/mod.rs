//! `/login`, `/refresh`, `/logout` and the sessions of a user.

mod end;
mod list;
mod login;
mod logout;
mod refresh;
