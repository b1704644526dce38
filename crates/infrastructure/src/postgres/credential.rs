//! Passwords.

use super::PgStore;
use super::error::{bounded, exactly_one};
use super::unit_of_work::PgUnitOfWork;
use super::user::{user_query, user_row};
use async_trait::async_trait;
use vestibule_domain::credential::PasswordHash;
use vestibule_domain::credential::store::{CredentialReads, CredentialWrites, LoginCandidate};
use vestibule_domain::id::UserId;
use vestibule_domain::user::Email;
use vestibule_domain::{StoreError, Timestamp};

#[async_trait]
impl CredentialReads for PgStore {
    async fn login_candidate(&self, email: &Email) -> Result<Option<LoginCandidate>, StoreError> {
        let query = user_query!(
            "SELECT",
            r#", p.phc AS "phc?", p.breached_at AS "breached_at?"
            FROM users AS u LEFT JOIN password_credentials AS p ON p.user_id = u.id WHERE u.email_canonical = $1"#,
            email.canonical(),
        );
        let mut lease = self.pool.lease().await?;
        let row = bounded("login_candidate", query.fetch_optional(lease.connection())).await;
        let Some(row) = lease.settle(row)? else { return Ok(None) };
        let password = row.phc.map(PasswordHash::from_phc);
        let is_marked_breached = row.breached_at.is_some();
        Ok(Some(LoginCandidate { user: user_row!(row).try_into()?, password, is_marked_breached }))
    }

    async fn password(&self, user: UserId) -> Result<Option<PasswordHash>, StoreError> {
        let query = sqlx::query_scalar!("SELECT phc FROM password_credentials WHERE user_id = $1", user.as_uuid());
        let mut lease = self.pool.lease().await?;
        let phc = bounded("password", query.fetch_optional(lease.connection())).await;
        Ok(lease.settle(phc)?.map(PasswordHash::from_phc))
    }
}

#[async_trait]
impl CredentialWrites for PgUnitOfWork {
    async fn set_password(&mut self, user: UserId, hash: &PasswordHash, now: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "INSERT INTO password_credentials (user_id, phc, changed_at) VALUES ($1, $2, $3)
             ON CONFLICT ON CONSTRAINT password_credentials_pkey
             DO UPDATE SET phc = excluded.phc, changed_at = excluded.changed_at, breached_at = NULL",
            user.as_uuid(),
            hash.as_phc(),
            now.as_datetime(),
        );
        let set = bounded("set_password", query.execute(self.connection()?)).await;
        exactly_one("set_password", &self.settle(set)?)
    }

    async fn upgrade_hash(&mut self, user: UserId, hash: &PasswordHash) -> Result<(), StoreError> {
        let (user, phc) = (user.as_uuid(), hash.as_phc());
        let query = sqlx::query!("UPDATE password_credentials SET phc = $2 WHERE user_id = $1", user, phc);
        let upgraded = bounded("upgrade_hash", query.execute(self.connection()?)).await;
        exactly_one("upgrade_hash", &self.settle(upgraded)?)
    }

    async fn mark_breached(&mut self, user: UserId, now: Timestamp) -> Result<bool, StoreError> {
        let query = sqlx::query!(
            "UPDATE password_credentials SET breached_at = $2 WHERE user_id = $1 AND breached_at IS NULL",
            user.as_uuid(),
            now.as_datetime(),
        );
        let marked = bounded("mark_breached", query.execute(self.connection()?)).await;
        Ok(self.settle(marked)?.rows_affected() > 0)
    }
}
