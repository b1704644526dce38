//! Registrations that may be repeated.

use crate::error::{bounded, corrupt};
use crate::open::SqliteStore;
use crate::unit_of_work::SqliteUnitOfWork;
use async_trait::async_trait;
use uuid::Uuid;
use vestibule_domain::id::UserId;
use vestibule_domain::user::store::{IdempotencyUpkeep, IdempotencyWrites};
use vestibule_domain::user::{FirstOutcome, IdempotencyClaim};
use vestibule_domain::{StoreError, Timestamp};

struct FirstRow {
    request: Vec<u8>,
    user_id: Option<Uuid>,
    created_at: i64,
}

impl TryFrom<FirstRow> for FirstOutcome {
    type Error = StoreError;

    fn try_from(row: FirstRow) -> Result<Self, StoreError> {
        let corrupt = |column| corrupt("idempotency_keys", column, row.created_at);
        Ok(Self {
            request: row.request.try_into().map_err(|_| corrupt("request"))?,
            user: row.user_id.map(UserId::from),
            at: Timestamp::from_millis(row.created_at).ok_or_else(|| corrupt("created_at"))?,
        })
    }
}

#[async_trait]
impl IdempotencyWrites for SqliteUnitOfWork {
    async fn claim_idempotency_key(
        &mut self,
        claim: &IdempotencyClaim,
        user: Option<UserId>,
        now: Timestamp,
        forgotten: Timestamp,
    ) -> Result<Option<FirstOutcome>, StoreError> {
        let (key, request) = (claim.key.as_slice(), claim.request.as_slice());
        let query = sqlx::query!(
            "INSERT INTO idempotency_keys (key, request, user_id, created_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (key) DO UPDATE
             SET request = excluded.request, user_id = excluded.user_id, created_at = excluded.created_at
             WHERE idempotency_keys.created_at < ?5",
            key,
            request,
            user.map(UserId::as_uuid),
            now.as_millis(),
            forgotten.as_millis(),
        );
        let claimed = bounded("claim_idempotency_key", query.execute(self.connection())).await?;
        if claimed.rows_affected() == 1 {
            return Ok(None);
        }
        let query = sqlx::query_as!(
            FirstRow,
            r#"SELECT request AS "request!", user_id AS "user_id?: Uuid", created_at AS "created_at!"
               FROM idempotency_keys WHERE key = ?1"#,
            key,
        );
        let first = bounded("first_outcome", query.fetch_one(self.connection())).await?;
        first.try_into().map(Some)
    }
}

#[async_trait]
impl IdempotencyUpkeep for SqliteStore {
    async fn purge_idempotency_keys(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let query = sqlx::query!(
            "DELETE FROM idempotency_keys WHERE key IN (
                 SELECT key FROM idempotency_keys WHERE created_at < ?1 ORDER BY created_at LIMIT ?2
             )",
            before.as_millis(),
            limit,
        );
        Ok(self.execute("purge_idempotency_keys", query).await?.rows_affected())
    }
}
