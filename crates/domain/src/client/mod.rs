//! Clients: other services of the operator, which check tokens and take them back (RFC 7662, RFC 7009).

pub mod service;
pub mod store;

pub use service::{ClientError, ClientService, Credentials};

use crate::clock::Timestamp;
use crate::id::ClientId;
use crate::secret::{OpaqueToken, TokenHash, TokenPurpose};
use crate::user::Name;
use std::collections::HashMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    /// For people; two clients may share one.
    pub name: Name,
    pub created_at: Timestamp,
}

/// By what a client proves that it is one.
#[derive(Debug)]
pub enum ClientAuthentication {}

impl TokenPurpose for ClientAuthentication {
    const PREFIX: &'static str = "vcs_";
}

pub type ClientSecret = OpaqueToken<ClientAuthentication>;
pub type ClientSecretHash = TokenHash<ClientAuthentication>;

/// A client as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    pub client: Client,
    pub secret: ClientSecretHash,
}

/// All clients. They are an operator's few services, so that every process can remember them all, and knows without
/// asking that there is no other.
#[derive(Debug, Default)]
pub struct ClientSet(HashMap<ClientId, ClientRecord>);

impl ClientSet {
    pub fn new(records: impl IntoIterator<Item = ClientRecord>) -> Self {
        Self(records.into_iter().map(|record| (record.client.id, record)).collect())
    }

    pub fn get(&self, id: ClientId) -> Option<&ClientRecord> {
        self.0.get(&id)
    }
}
