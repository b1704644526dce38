//! All routes; one file for each endpoint.

mod clients;
pub(crate) mod health;
mod keys;
pub(crate) mod metrics;
mod sessions;
#[cfg(test)]
mod tests;
mod users;
pub(crate) mod well_known;

use crate::endpoints::endpoints;
use crate::{docs, problem};

endpoints!(all of users, sessions, clients, keys, well_known, health, docs, problem);
