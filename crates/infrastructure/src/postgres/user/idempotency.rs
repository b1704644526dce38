//! Registrations that may be repeated.

use crate::postgres::PgStore;
use crate::postgres::error::{bounded, corrupt};
use crate::postgres::unit_of_work::PgUnitOfWork;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use vestibule_domain::id::UserId;
use vestibule_domain::user::store::{IdempotencyUpkeep, IdempotencyWrites};
use vestibule_domain::user::{FirstOutcome, IdempotencyClaim};
use vestibule_domain::{StoreError, Timestamp};

struct FirstRow {
    request: Vec<u8>,
    user_id: Option<Uuid>,
    created_at: DateTime<Utc>,
}

impl TryFrom<FirstRow> for FirstOutcome {
    type Error = StoreError;

    fn try_from(row: FirstRow) -> Result<Self, StoreError> {
        let request = row.request.try_into();
        Ok(Self {
            request: request.map_err(|_| corrupt("idempotency_keys", "request", row.created_at))?,
            user: row.user_id.map(UserId::from),
            at: row.created_at.into(),
        })
    }
}

#[async_trait]
impl IdempotencyWrites for PgUnitOfWork {
    async fn claim_idempotency_key(
        &mut self,
        claim: &IdempotencyClaim,
        user: Option<UserId>,
        now: Timestamp,
        forgotten: Timestamp,
    ) -> Result<Option<FirstOutcome>, StoreError> {
        // Waits for whoever claims the same key at the same time.
        let query = sqlx::query!(
            "INSERT INTO idempotency_keys (key, request, user_id, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO UPDATE
             SET request = excluded.request, user_id = excluded.user_id, created_at = excluded.created_at
             WHERE idempotency_keys.created_at < $5",
            &claim.key,
            &claim.request,
            user.map(UserId::as_uuid),
            now.as_datetime(),
            forgotten.as_datetime(),
        );
        let claimed = bounded("claim_idempotency_key", query.execute(self.connection()?)).await;
        if self.settle(claimed)?.rows_affected() == 1 {
            return Ok(None);
        }
        let query = sqlx::query_as!(
            FirstRow,
            "SELECT request, user_id, created_at FROM idempotency_keys WHERE key = $1",
            &claim.key,
        );
        let first = bounded("first_outcome", query.fetch_one(self.connection()?)).await;
        self.settle(first)?.try_into().map(Some)
    }
}

#[async_trait]
impl IdempotencyUpkeep for PgStore {
    async fn purge_idempotency_keys(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let query = sqlx::query!(
            "DELETE FROM idempotency_keys WHERE key = ANY (ARRAY(
                 SELECT key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2
                 FOR UPDATE SKIP LOCKED
             ))",
            before.as_datetime(),
            i64::from(limit),
        );
        let mut lease = self.pool.lease().await?;
        let purged = bounded("purge_idempotency_keys", query.execute(lease.connection())).await;
        Ok(lease.settle(purged)?.rows_affected())
    }
}
