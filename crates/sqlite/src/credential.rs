//! Passwords.

use crate::error::{bounded, exactly_one};
use crate::open::SqliteStore;
use crate::unit_of_work::SqliteUnitOfWork;
use crate::user::{user_query, user_row};
use async_trait::async_trait;
use vestibule_domain::credential::PasswordHash;
use vestibule_domain::credential::store::{CredentialReads, CredentialWrites, LoginCandidate};
use vestibule_domain::id::UserId;
use vestibule_domain::user::Email;
use vestibule_domain::{StoreError, Timestamp};

#[async_trait]
impl CredentialReads for SqliteStore {
    async fn login_candidate(&self, email: &Email) -> Result<Option<LoginCandidate>, StoreError> {
        let query = user_query!(
            r#", (SELECT phc FROM password_credentials WHERE user_id = u.id) AS "phc?: String",
                 (SELECT breached_at FROM password_credentials WHERE user_id = u.id) AS "breached_at?: i64""#,
            "WHERE u.email_canonical = ?1",
            email.canonical()
        );
        let found = bounded("login_candidate", query.fetch_optional(self.readers())).await?;
        found
            .map(|row| {
                let password = row.phc.map(PasswordHash::from_phc);
                let is_marked_breached = row.breached_at.is_some();
                Ok(LoginCandidate { user: user_row!(row).try_into()?, password, is_marked_breached })
            })
            .transpose()
    }

    async fn password(&self, user: UserId) -> Result<Option<PasswordHash>, StoreError> {
        let query =
            sqlx::query_scalar!(r#"SELECT phc AS "phc!" FROM password_credentials WHERE user_id = ?1"#, user.as_uuid());
        let found = bounded("password", query.fetch_optional(self.readers())).await?;
        Ok(found.map(PasswordHash::from_phc))
    }
}

#[async_trait]
impl CredentialWrites for SqliteUnitOfWork {
    async fn set_password(&mut self, user: UserId, hash: &PasswordHash, now: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "INSERT INTO password_credentials (user_id, phc, changed_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (user_id)
             DO UPDATE SET phc = excluded.phc, changed_at = excluded.changed_at, breached_at = NULL",
            user.as_uuid(),
            hash.as_phc(),
            now.as_millis(),
        );
        exactly_one("set_password", &bounded("set_password", query.execute(self.connection())).await?)
    }

    async fn upgrade_hash(&mut self, user: UserId, hash: &PasswordHash) -> Result<(), StoreError> {
        let (user, phc) = (user.as_uuid(), hash.as_phc());
        let query = sqlx::query!("UPDATE password_credentials SET phc = ?2 WHERE user_id = ?1", user, phc);
        exactly_one("upgrade_hash", &bounded("upgrade_hash", query.execute(self.connection())).await?)
    }

    async fn mark_breached(&mut self, user: UserId, now: Timestamp) -> Result<bool, StoreError> {
        let query = sqlx::query!(
            "UPDATE password_credentials SET breached_at = ?2 WHERE user_id = ?1 AND breached_at IS NULL",
            user.as_uuid(),
            now.as_millis(),
        );
        Ok(bounded("mark_breached", query.execute(self.connection())).await?.rows_affected() > 0)
    }
}
