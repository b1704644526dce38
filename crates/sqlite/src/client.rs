//! Clients.

use crate::error::{bounded, corrupt, exactly_one};
use crate::open::SqliteStore;
use crate::unit_of_work::SqliteUnitOfWork;
use async_trait::async_trait;
use uuid::Uuid;
use vestibule_domain::client::store::{ClientReads, ClientWrites};
use vestibule_domain::client::{Client, ClientRecord, ClientSecretHash};
use vestibule_domain::id::ClientId;
use vestibule_domain::user::Name;
use vestibule_domain::{StoreError, Timestamp};

struct ClientRow {
    id: Uuid,
    name: String,
    secret_hash: Vec<u8>,
    created_at: i64,
}

impl TryFrom<ClientRow> for ClientRecord {
    type Error = StoreError;

    fn try_from(row: ClientRow) -> Result<Self, StoreError> {
        let corrupt = |column| corrupt("clients", column, row.id);
        let name = Name::parse(&row.name).map_err(|_| corrupt("name"))?;
        let created_at = Timestamp::from_millis(row.created_at).ok_or_else(|| corrupt("created_at"))?;
        let hash = row.secret_hash.try_into().map_err(|_| corrupt("secret_hash"))?;
        let client = Client { id: row.id.into(), name, created_at };
        Ok(Self { client, secret: ClientSecretHash::from_bytes(hash) })
    }
}

#[async_trait]
impl ClientReads for SqliteStore {
    async fn clients(&self) -> Result<Vec<ClientRecord>, StoreError> {
        let query = sqlx::query_as!(
            ClientRow,
            r#"SELECT id AS "id!: Uuid", name, secret_hash, created_at FROM clients ORDER BY created_at, id"#
        );
        let rows = bounded("clients", query.fetch_all(self.readers())).await?;
        rows.into_iter().map(ClientRecord::try_from).collect()
    }
}

#[async_trait]
impl ClientWrites for SqliteUnitOfWork {
    async fn insert_client(&mut self, record: &ClientRecord) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "INSERT INTO clients (id, name, secret_hash, created_at) VALUES (?1, ?2, ?3, ?4)",
            record.client.id.as_uuid(),
            record.client.name.as_str(),
            record.secret.as_bytes().as_slice(),
            record.client.created_at.as_millis(),
        );
        exactly_one("insert_client", &bounded("insert_client", query.execute(self.connection())).await?)
    }

    async fn delete_client(&mut self, id: ClientId) -> Result<bool, StoreError> {
        let query = sqlx::query!("DELETE FROM clients WHERE id = ?1", id.as_uuid());
        Ok(bounded("delete_client", query.execute(self.connection())).await?.rows_affected() == 1)
    }
}
