//! What other services look for in fixed places (RFC 8615); public keys have a module of their own.

mod metadata;
pub(crate) mod revocations;

use crate::endpoints::endpoints;

endpoints!(metadata::server_metadata, revocations::list_revocations);
