//! Clients.

use super::PgStore;
use super::error::{bounded, corrupt, exactly_one};
use super::unit_of_work::PgUnitOfWork;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use vestibule_domain::StoreError;
use vestibule_domain::client::store::{ClientReads, ClientWrites};
use vestibule_domain::client::{Client, ClientRecord, ClientSecretHash};
use vestibule_domain::id::ClientId;
use vestibule_domain::user::Name;

struct ClientRow {
    id: Uuid,
    name: String,
    secret_hash: Vec<u8>,
    created_at: DateTime<Utc>,
}

impl TryFrom<ClientRow> for ClientRecord {
    type Error = StoreError;

    fn try_from(row: ClientRow) -> Result<Self, StoreError> {
        let name = Name::parse(&row.name).map_err(|_| corrupt("clients", "name", row.id))?;
        let hash = row.secret_hash.try_into().map_err(|_| corrupt("clients", "secret_hash", row.id))?;
        let client = Client { id: row.id.into(), name, created_at: row.created_at.into() };
        Ok(Self { client, secret: ClientSecretHash::from_bytes(hash) })
    }
}

#[async_trait]
impl ClientReads for PgStore {
    async fn clients(&self) -> Result<Vec<ClientRecord>, StoreError> {
        let query =
            sqlx::query_as!(ClientRow, "SELECT id, name, secret_hash, created_at FROM clients ORDER BY created_at, id");
        let mut lease = self.pool.lease().await?;
        let rows = bounded("clients", query.fetch_all(lease.connection())).await;
        lease.settle(rows)?.into_iter().map(TryInto::try_into).collect()
    }
}

#[async_trait]
impl ClientWrites for PgUnitOfWork {
    async fn insert_client(&mut self, record: &ClientRecord) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "INSERT INTO clients (id, name, secret_hash, created_at) VALUES ($1, $2, $3, $4)",
            record.client.id.as_uuid(),
            record.client.name.as_str(),
            record.secret.as_bytes(),
            record.client.created_at.as_datetime(),
        );
        let inserted = bounded("insert_client", query.execute(self.connection()?)).await;
        exactly_one("insert_client", &self.settle(inserted)?)
    }

    async fn delete_client(&mut self, id: ClientId) -> Result<bool, StoreError> {
        let query = sqlx::query!("DELETE FROM clients WHERE id = $1", id.as_uuid());
        let deleted = bounded("delete_client", query.execute(self.connection()?)).await;
        Ok(self.settle(deleted)?.rows_affected() == 1)
    }
}
