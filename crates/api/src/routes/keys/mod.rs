//! Keys that others verify access tokens with.

mod jwks;

use crate::endpoints::endpoints;

endpoints!(jwks::key_set);
