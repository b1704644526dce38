//! Signing keys.

use crate::error::{bounded, corrupt, exactly_one};
use crate::open::SqliteStore;
use crate::unit_of_work::SqliteUnitOfWork;
use async_trait::async_trait;
use sqlx::sqlite::SqlitePool;
use uuid::Uuid;
use vestibule_domain::id::KeyId;
use vestibule_domain::token::store::{KeyReads, KeyWrites};
use vestibule_domain::token::{Algorithm, KeySet, SigningKey};
use vestibule_domain::{StoreError, Timestamp};

struct KeyRow {
    id: Uuid,
    algorithm: String,
    generation: i64,
    public_key: Vec<u8>,
    sealed_private_key: Vec<u8>,
    created_at: i64,
    activates_at: i64,
    retires_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl TryFrom<KeyRow> for SigningKey {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        let corrupt = |column| corrupt("signing_keys", column, row.id);
        let time = |column, millis| Timestamp::from_millis(millis).ok_or_else(|| corrupt(column));
        Ok(Self {
            id: row.id.into(),
            algorithm: Algorithm::parse(&row.algorithm).ok_or_else(|| corrupt("algorithm"))?,
            generation: row.generation,
            public_key: row.public_key,
            sealed_private_key: row.sealed_private_key,
            created_at: time("created_at", row.created_at)?,
            activates_at: time("activates_at", row.activates_at)?,
            retires_at: row.retires_at.map(|at| time("retires_at", at)).transpose()?,
            revoked_at: row.revoked_at.map(|at| time("revoked_at", at)).transpose()?,
        })
    }
}

/// On a connection of `pool`.
pub(crate) async fn signing_keys(pool: &SqlitePool) -> Result<KeySet, StoreError> {
    let query = sqlx::query_as!(
        KeyRow,
        r#"SELECT id AS "id!: Uuid", algorithm, generation, public_key, sealed_private_key, created_at,
                  activates_at, retires_at, revoked_at
           FROM signing_keys
           ORDER BY generation DESC"#
    );
    let rows = bounded("signing_keys", query.fetch_all(pool)).await?;
    let (known, unknown): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| Algorithm::parse(&row.algorithm).is_some());
    let mut keys = KeySet::new(known.into_iter().map(SigningKey::try_from).collect::<Result<_, _>>()?);
    for row in unknown {
        keys.leave_out(row.id.into(), row.generation, &row.algorithm);
    }
    Ok(keys)
}

#[async_trait]
impl KeyReads for SqliteStore {
    async fn signing_keys(&self) -> Result<KeySet, StoreError> {
        signing_keys(self.readers()).await
    }
}

#[async_trait]
impl KeyWrites for SqliteUnitOfWork {
    async fn insert_key(&mut self, key: &SigningKey) -> Result<bool, StoreError> {
        let query = sqlx::query!(
            "INSERT INTO signing_keys (id, algorithm, generation, public_key, sealed_private_key, created_at,
                                       activates_at, retires_at, revoked_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (generation) DO NOTHING",
            key.id.as_uuid(),
            key.algorithm.as_str(),
            key.generation,
            key.public_key.as_slice(),
            key.sealed_private_key.as_slice(),
            key.created_at.as_millis(),
            key.activates_at.as_millis(),
            key.retires_at.map(Timestamp::as_millis),
            key.revoked_at.map(Timestamp::as_millis),
        );
        Ok(bounded("insert_key", query.execute(self.connection())).await?.rows_affected() == 1)
    }

    async fn retire_keys_before(&mut self, generation: i64, at: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "UPDATE signing_keys SET retires_at = ?2
             WHERE generation < ?1 AND (retires_at IS NULL OR retires_at > ?2)",
            generation,
            at.as_millis(),
        );
        bounded("retire_keys_before", query.execute(self.connection())).await.map(drop)
    }

    async fn revoke_key(&mut self, id: KeyId, now: Timestamp) -> Result<bool, StoreError> {
        let query = sqlx::query!(
            "UPDATE signing_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
            id.as_uuid(),
            now.as_millis()
        );
        Ok(bounded("revoke_key", query.execute(self.connection())).await?.rows_affected() == 1)
    }

    async fn activate_key(&mut self, id: KeyId, now: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "UPDATE signing_keys SET activates_at = min(activates_at, ?2) WHERE id = ?1",
            id.as_uuid(),
            now.as_millis()
        );
        exactly_one("activate_key", &bounded("activate_key", query.execute(self.connection())).await?)
    }
}
