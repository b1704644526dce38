//! Users: how they change.

use super::find;
use crate::error::bounded;
use crate::unit_of_work::SqliteUnitOfWork;
use async_trait::async_trait;
use std::collections::BTreeSet;
use vestibule_domain::access::RoleName;
use vestibule_domain::credential::PasswordHash;
use vestibule_domain::credential::store::CredentialWrites;
use vestibule_domain::id::UserId;
use vestibule_domain::user::store::{DeleteOutcome, ProfileOutcome, ProfileUpdate, UserWrites};
use vestibule_domain::user::{Email, Name, Status, User};
use vestibule_domain::{StoreError, Timestamp};

impl SqliteUnitOfWork {
    async fn reread(&mut self, id: UserId, affected: u64) -> Result<Option<User>, StoreError> {
        if affected == 0 { Ok(None) } else { find(self.connection(), id).await }
    }

    async fn insert_roles(&mut self, id: UserId, roles: &BTreeSet<RoleName>) -> Result<(), StoreError> {
        for role in roles {
            let query =
                sqlx::query!("INSERT INTO user_roles (user_id, role) VALUES (?1, ?2)", id.as_uuid(), role.as_str());
            bounded("insert_role", query.execute(self.connection())).await?;
        }
        Ok(())
    }

    /// Why a profile was not updated.
    async fn refusal(&mut self, update: &ProfileUpdate) -> Result<ProfileOutcome, StoreError> {
        let query =
            sqlx::query_scalar!(r#"SELECT version AS "version!" FROM users WHERE id = ?1"#, update.id.as_uuid());
        Ok(match bounded("profile_version", query.fetch_optional(self.connection())).await? {
            None => ProfileOutcome::Missing,
            Some(version) if update.version.is_some_and(|expected| expected != version) => ProfileOutcome::Stale,
            Some(_) => ProfileOutcome::EmailTaken,
        })
    }
}

#[async_trait]
impl UserWrites for SqliteUnitOfWork {
    async fn insert_user(&mut self, user: &User, password: Option<&PasswordHash>) -> Result<bool, StoreError> {
        let query = sqlx::query!(
            "INSERT INTO users (id, email_canonical, email_written, email_verified, name, name_folded, disabled_at,
                                created_at, updated_at, last_login_at, version, epoch)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (email_canonical) DO NOTHING",
            user.id.as_uuid(),
            user.email.canonical(),
            user.email.as_written(),
            user.email_verified,
            user.name.as_str(),
            user.name.folded(),
            (user.status == Status::Disabled).then(|| user.updated_at.as_millis()),
            user.created_at.as_millis(),
            user.updated_at.as_millis(),
            user.last_login_at.map(Timestamp::as_millis),
            user.version,
            user.epoch,
        );
        let inserted = bounded("insert_user", query.execute(self.connection())).await?.rows_affected() == 1;
        if inserted {
            self.insert_roles(user.id, &user.roles).await?;
            if let Some(password) = password {
                self.set_password(user.id, password, user.created_at).await?;
            }
        }
        Ok(inserted)
    }

    async fn update_profile(&mut self, update: &ProfileUpdate) -> Result<ProfileOutcome, StoreError> {
        let query = sqlx::query!(
            "UPDATE users
             SET name = coalesce(?2, name),
                 name_folded = coalesce(?3, name_folded),
                 email_verified = CASE WHEN ?4 <> email_canonical THEN 0 ELSE email_verified END,
                 email_canonical = coalesce(?4, email_canonical),
                 email_written = coalesce(?5, email_written),
                 updated_at = ?6,
                 version = version + 1
             WHERE id = ?1
               AND version = coalesce(?7, version)
               AND NOT EXISTS (SELECT 1 FROM users AS other WHERE other.email_canonical = ?4 AND other.id <> ?1)",
            update.id.as_uuid(),
            update.name.as_ref().map(Name::as_str),
            update.name.as_ref().map(Name::folded),
            update.email.as_ref().map(Email::canonical),
            update.email.as_ref().map(Email::as_written),
            update.now.as_millis(),
            update.version,
        );
        let affected = bounded("update_profile", query.execute(self.connection())).await?.rows_affected();
        match self.reread(update.id, affected).await? {
            Some(user) => Ok(ProfileOutcome::Updated(user)),
            None => self.refusal(update).await,
        }
    }

    async fn set_status(&mut self, id: UserId, status: Status, now: Timestamp) -> Result<Option<User>, StoreError> {
        let query = sqlx::query!(
            "UPDATE users
             SET disabled_at = CASE WHEN ?2 THEN ?3 END,
                 epoch = epoch + ?2,
                 updated_at = ?3,
                 version = version + 1
             WHERE id = ?1 AND (disabled_at IS NOT NULL) <> ?2",
            id.as_uuid(),
            status == Status::Disabled,
            now.as_millis(),
        );
        bounded("set_status", query.execute(self.connection())).await?;
        find(self.connection(), id).await
    }

    async fn set_roles(
        &mut self,
        id: UserId,
        roles: &BTreeSet<RoleName>,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let query = sqlx::query!(
            "UPDATE users SET updated_at = ?2, version = version + 1 WHERE id = ?1",
            id.as_uuid(),
            now.as_millis()
        );
        let affected = bounded("set_roles", query.execute(self.connection())).await?.rows_affected();
        if affected == 1 {
            let query = sqlx::query!("DELETE FROM user_roles WHERE user_id = ?1", id.as_uuid());
            bounded("delete_roles", query.execute(self.connection())).await?;
            self.insert_roles(id, roles).await?;
        }
        self.reread(id, affected).await
    }

    async fn delete_user(&mut self, id: UserId, version: Option<i64>) -> Result<DeleteOutcome, StoreError> {
        let query =
            sqlx::query!("DELETE FROM users WHERE id = ?1 AND version = coalesce(?2, version)", id.as_uuid(), version);
        if bounded("delete_user", query.execute(self.connection())).await?.rows_affected() == 1 {
            return Ok(DeleteOutcome::Deleted);
        }
        let query = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM users WHERE id = ?1) AS "exists!: bool""#,
            id.as_uuid()
        );
        let exists = bounded("user_exists", query.fetch_one(self.connection())).await?;
        Ok(if exists { DeleteOutcome::Stale } else { DeleteOutcome::Missing })
    }

    async fn record_login(&mut self, id: UserId, epoch: i64, now: Timestamp) -> Result<Option<User>, StoreError> {
        let query = sqlx::query!(
            "UPDATE users SET last_login_at = ?3, version = version + 1
             WHERE id = ?1 AND epoch = ?2 AND disabled_at IS NULL",
            id.as_uuid(),
            epoch,
            now.as_millis(),
        );
        let affected = bounded("record_login", query.execute(self.connection())).await?.rows_affected();
        self.reread(id, affected).await
    }

    async fn advance_epoch(&mut self, id: UserId, epoch: i64) -> Result<bool, StoreError> {
        let query =
            sqlx::query!("UPDATE users SET epoch = epoch + 1 WHERE id = ?1 AND epoch = ?2", id.as_uuid(), epoch);
        Ok(bounded("advance_epoch", query.execute(self.connection())).await?.rows_affected() == 1)
    }

    async fn is_last_administrator(&mut self, id: UserId) -> Result<bool, StoreError> {
        // No lock: every unit of work holds the file's only write lock from its beginning to its end.
        let query = sqlx::query_scalar!(
            r#"SELECT count(*) = 1 AND max(user_roles.user_id) = ?1 AS "is_last!: bool"
               FROM user_roles JOIN users ON users.id = user_roles.user_id
               WHERE user_roles.role = 'admin' AND users.disabled_at IS NULL"#,
            id.as_uuid(),
        );
        bounded("is_last_administrator", query.fetch_one(self.connection())).await
    }
}
