//! Users: how they are read.

use super::{list, user_query};
use crate::postgres::PgStore;
use crate::postgres::error::bounded;
use async_trait::async_trait;
use vestibule_domain::id::UserId;
use vestibule_domain::page::{Page, PageRequest};
use vestibule_domain::user::store::{ListedUser, UserFilter, UserReads};
use vestibule_domain::user::{Email, User};
use vestibule_domain::{StoreError, Timestamp};

#[async_trait]
impl UserReads for PgStore {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let query = user_query!(UserRow: "SELECT", "FROM users AS u WHERE u.id = $1", id.as_uuid());
        let mut lease = self.pool.lease().await?;
        let row = bounded("user", query.fetch_optional(lease.connection())).await;
        lease.settle(row)?.map(User::try_from).transpose()
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let query = user_query!(UserRow: "SELECT", "FROM users AS u WHERE u.email_canonical = $1", email.canonical());
        let mut lease = self.pool.lease().await?;
        let row = bounded("user_by_email", query.fetch_optional(lease.connection())).await;
        lease.settle(row)?.map(User::try_from).transpose()
    }

    async fn users(
        &self,
        filter: &UserFilter,
        page: PageRequest,
        now: Timestamp,
    ) -> Result<Page<ListedUser>, StoreError> {
        list::users(self, filter, page, now).await
    }

    async fn has_administrator(&self) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT FROM user_roles AS r JOIN users AS u ON u.id = r.user_id
                   WHERE r.role = 'admin' AND u.disabled_at IS NULL
               ) AS "exists!""#
        );
        let mut lease = self.pool.lease().await?;
        let exists = bounded("has_administrator", query.fetch_one(lease.connection())).await;
        lease.settle(exists)
    }
}
