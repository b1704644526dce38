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
            r#", (SELECT phc FROM password_credentials WHERE user_id = u.id) AS "phc?: String""#,
            "WHERE u.email_canonical = ?1",
            email.canonical()
        );
        let found = bounded("login_candidate", query.fetch_optional(self.readers())).await?;
        found
            .map(|row| {
                let password = row.phc.map(PasswordHash::from_phc);
                Ok(LoginCandidate { user: user_row!(row).try_into()?, password })
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
             ON CONFLICT (user_id) DO UPDATE SET phc = excluded.phc, changed_at = excluded.changed_at",
            user.as_uuid(),
            hash.as_phc(),
            now.as_millis(),
        );
        exactly_one("set_password", &bounded("set_password", query.execute(self.connection())).await?)
    }
}
