//! Making and ending clients, and telling them from strangers.

use super::{Client, ClientRecord, ClientSecret, ClientSecretHash, ClientSet};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::context::RequestContext;
use crate::error::{StoreError, lost_to_other, retried};
use crate::feed::Change;
use crate::id::ClientId;
use crate::services::Ports;
use crate::user::Name;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Debug, Clone)]
pub struct ClientService {
    ports: Arc<Ports>,
}

/// What a caller claims to be, as it was sent.
pub struct Credentials {
    pub id: String,
    pub secret: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials[redacted]")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Unknown id or wrong secret: the caller is not told which.
    #[error("the client's id or secret is wrong")]
    InvalidClient,
    #[error("no such client")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

lost_to_other!(ClientError);

impl ClientService {
    pub fn new(ports: Arc<Ports>) -> Self {
        Self { ports }
    }

    /// On the operator's word. The secret is not to be had again.
    pub async fn create(&self, name: Name) -> Result<(Client, ClientSecret), ClientError> {
        let (clock, rng) = (&*self.ports.clock, &*self.ports.rng);
        let client = Client { id: ClientId::generate(clock, rng), name, created_at: clock.now() };
        let secret = ClientSecret::generate(rng);
        let record = ClientRecord { client: client.clone(), secret: secret.hash() };
        retried(|| self.try_create(&record)).await?;
        Ok((client, secret))
    }

    async fn try_create(&self, record: &ClientRecord) -> Result<(), StoreError> {
        let context = RequestContext::default();
        let event = AuditEvent::anonymous(AuditKind::ClientCreated, &context).with_actor(Actor::Operator);
        let mut work = self.ports.begin().await?;
        work.insert_client(record).await?;
        work.audit(&event.of_client(record.client.id)).await?;
        work.change(Change::ClientsChanged);
        work.commit().await
    }

    /// The oldest first.
    pub async fn list(&self) -> Result<Vec<Client>, ClientError> {
        let records = self.ports.store.clients().await?;
        Ok(records.into_iter().map(|record| record.client).collect())
    }

    /// On the operator's word. What the client asks is refused everywhere within a second.
    pub async fn delete(&self, id: ClientId) -> Result<(), ClientError> {
        retried(|| self.try_delete(id)).await
    }

    async fn try_delete(&self, id: ClientId) -> Result<(), ClientError> {
        let context = RequestContext::default();
        let event = AuditEvent::anonymous(AuditKind::ClientDeleted, &context).with_actor(Actor::Operator);
        let mut work = self.ports.begin().await?;
        if !work.delete_client(id).await? {
            return Err(ClientError::NotFound);
        }
        work.audit(&event.of_client(id)).await?;
        work.change(Change::ClientsChanged);
        Ok(work.commit().await?)
    }

    /// Who it is. From memory while the change feed keeps it right. The secret is hashed and compared whether or not
    /// there is such a client.
    pub async fn authenticate(&self, presented: &Credentials) -> Result<ClientId, ClientError> {
        let clients = self.clients().await?;
        let found = ClientId::parse(&presented.id).ok().and_then(|id| clients.get(id));
        let secret = ClientSecret::parse(&presented.secret).unwrap_or(ClientSecret::from_bytes([0; 32])).hash();
        let nobodys = ClientSecretHash::from_bytes([0; 32]);
        let is_right = secret == *found.map_or(&nobodys, |record| &record.secret);
        found.filter(|_| is_right).map(|record| record.client.id).ok_or(ClientError::InvalidClient)
    }

    async fn clients(&self) -> Result<Arc<ClientSet>, StoreError> {
        let (snapshots, clock) = (&self.ports.snapshots, &self.ports.clock);
        if let Some(clients) = snapshots.clients(clock.monotonic()) {
            return Ok(clients);
        }
        // Taken before reading: what changes in between makes what was read worthless.
        let (generation, read_at) = (snapshots.generation(), clock.monotonic());
        let clients = Arc::new(ClientSet::new(self.ports.store.clients().await?));
        snapshots.insert_clients(&clients, generation, read_at);
        Ok(clients)
    }
}
