//! `/users` and what is under it.

mod administer;
mod delete;
mod idempotency;
mod list;
mod me;
mod password;
mod register;
mod roles;
mod update;
