//! Users: how they are read.

use super::{find, user_query, user_row};
use crate::error::bounded;
use crate::open::SqliteStore;
use async_trait::async_trait;
use vestibule_domain::id::UserId;
use vestibule_domain::page::{Page, PageRequest};
use vestibule_domain::user::store::{ListedUser, UserFilter, UserReads};
use vestibule_domain::user::{Email, User};
use vestibule_domain::{StoreError, Timestamp};

#[async_trait]
impl UserReads for SqliteStore {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        find(self.readers(), id).await
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let query = user_query!("", "WHERE u.email_canonical = ?1", email.canonical());
        let found = bounded("user_by_email", query.fetch_optional(self.readers())).await?;
        found.map(|row| user_row!(row).try_into()).transpose()
    }

    async fn users(
        &self,
        filter: &UserFilter,
        page: PageRequest,
        now: Timestamp,
    ) -> Result<Page<ListedUser>, StoreError> {
        self.list_users(filter, page, now).await
    }

    async fn has_administrator(&self) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT 1 FROM user_roles JOIN users ON users.id = user_roles.user_id
                   WHERE user_roles.role = 'admin' AND users.disabled_at IS NULL
               ) AS "exists!: bool""#
        );
        bounded("has_administrator", query.fetch_one(self.readers())).await
    }
}
