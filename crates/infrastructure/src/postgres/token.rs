//! Signing keys.

use super::PgStore;
use super::error::{bounded, corrupt, exactly_one};
use super::pool::Pool;
use super::unit_of_work::PgUnitOfWork;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;
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
    created_at: DateTime<Utc>,
    activates_at: DateTime<Utc>,
    retires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl TryFrom<KeyRow> for SigningKey {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        let algorithm = Algorithm::parse(&row.algorithm);
        Ok(Self {
            id: row.id.into(),
            algorithm: algorithm.ok_or_else(|| corrupt("signing_keys", "algorithm", row.id))?,
            generation: row.generation,
            public_key: row.public_key,
            sealed_private_key: row.sealed_private_key,
            created_at: row.created_at.into(),
            activates_at: row.activates_at.into(),
            retires_at: row.retires_at.map(Into::into),
            revoked_at: row.revoked_at.map(Into::into),
        })
    }
}

/// On a connection of `pool`.
pub(super) async fn signing_keys(pool: &Arc<Pool>) -> Result<KeySet, StoreError> {
    let query = sqlx::query_as!(
        KeyRow,
        "SELECT id, algorithm, generation, public_key, sealed_private_key, created_at, activates_at, retires_at,
                revoked_at
         FROM signing_keys ORDER BY generation DESC",
    );
    let mut lease = pool.lease().await?;
    let rows = bounded("signing_keys", query.fetch_all(lease.connection())).await;
    let (known, unknown): (Vec<_>, Vec<_>) =
        lease.settle(rows)?.into_iter().partition(|row| Algorithm::parse(&row.algorithm).is_some());
    let mut keys = KeySet::new(known.into_iter().map(SigningKey::try_from).collect::<Result<_, _>>()?);
    for row in unknown {
        keys.leave_out(row.id.into(), row.generation, &row.algorithm);
    }
    Ok(keys)
}

#[async_trait]
impl KeyReads for PgStore {
    async fn signing_keys(&self) -> Result<KeySet, StoreError> {
        signing_keys(&self.pool).await
    }
}

#[async_trait]
impl KeyWrites for PgUnitOfWork {
    async fn insert_key(&mut self, key: &SigningKey) -> Result<bool, StoreError> {
        let query = sqlx::query!(
            "INSERT INTO signing_keys (id, algorithm, generation, public_key, sealed_private_key, created_at,
                                       activates_at, retires_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT ON CONSTRAINT signing_keys_generation_key DO NOTHING",
            key.id.as_uuid(),
            key.algorithm.as_str(),
            key.generation,
            key.public_key,
            key.sealed_private_key,
            key.created_at.as_datetime(),
            key.activates_at.as_datetime(),
            key.retires_at.map(Timestamp::as_datetime),
            key.revoked_at.map(Timestamp::as_datetime),
        );
        let inserted = bounded("insert_key", query.execute(self.connection()?)).await;
        Ok(self.settle(inserted)?.rows_affected() == 1)
    }

    async fn retire_keys_before(&mut self, generation: i64, at: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "UPDATE signing_keys SET retires_at = $2
             WHERE generation < $1 AND (retires_at IS NULL OR retires_at > $2)",
            generation,
            at.as_datetime(),
        );
        let retired = bounded("retire_keys_before", query.execute(self.connection()?)).await;
        self.settle(retired).map(drop)
    }

    async fn revoke_key(&mut self, id: KeyId, now: Timestamp) -> Result<bool, StoreError> {
        let query = sqlx::query!(
            "UPDATE signing_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
            id.as_uuid(),
            now.as_datetime(),
        );
        let revoked = bounded("revoke_key", query.execute(self.connection()?)).await;
        Ok(self.settle(revoked)?.rows_affected() == 1)
    }

    async fn activate_key(&mut self, id: KeyId, now: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "UPDATE signing_keys SET activates_at = least(activates_at, $2) WHERE id = $1",
            id.as_uuid(),
            now.as_datetime(),
        );
        let activated = bounded("activate_key", query.execute(self.connection()?)).await;
        exactly_one("activate_key", &self.settle(activated)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_that_nobody_knows_is_named() {
        let row = KeyRow {
            id: Uuid::from_u128(1),
            algorithm: "none".to_owned(),
            generation: 1,
            public_key: Vec::new(),
            sealed_private_key: Vec::new(),
            created_at: DateTime::UNIX_EPOCH,
            activates_at: DateTime::UNIX_EPOCH,
            retires_at: None,
            revoked_at: None,
        };
        let error = SigningKey::try_from(row).expect_err("there is no such algorithm");
        assert_eq!(
            error.to_string(),
            "row 00000000-0000-0000-0000-000000000001 of signing_keys has no valid algorithm"
        );
    }
}
