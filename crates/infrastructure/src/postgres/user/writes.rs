//! Users: how they change.

use super::user_query;
use crate::postgres::PgStore;
use crate::postgres::error::{Constraint, bounded};
use crate::postgres::unit_of_work::PgUnitOfWork;
use async_trait::async_trait;
use sqlx::Executor;
use std::collections::BTreeSet;
use vestibule_domain::access::RoleName;
use vestibule_domain::context::UserAgent;
use vestibule_domain::credential::PasswordHash;
use vestibule_domain::id::UserId;
use vestibule_domain::user::store::{DeleteOutcome, ProfileOutcome, ProfileUpdate, Registration, UserWrites};
use vestibule_domain::user::{Email, Name, Status, User};
use vestibule_domain::{StoreError, Timestamp};

/// The statement that inserts a user, with the roles and the password, and answers with the id; and whatever else it is
/// to do, told by whether `inserted` has a row.
macro_rules! insertion {
    ($more:literal, $user:expr, $password:expr, $roles:expr $(, $arg:expr)* $(,)?) => {
        sqlx::query_scalar!(
            r#"WITH inserted AS (
                   INSERT INTO users (id, email_canonical, email_written, email_verified, name, name_folded,
                                      disabled_at, created_at, updated_at, last_login_at, version, epoch)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                   ON CONFLICT ON CONSTRAINT users_email_canonical_key DO NOTHING
                   RETURNING id
               ), given AS (
                   INSERT INTO user_roles (user_id, role)
                   SELECT inserted.id, role FROM inserted, unnest($13::text[]) AS role
               ), credential AS (
                   INSERT INTO password_credentials (user_id, phc, changed_at)
                   SELECT inserted.id, $14, $8 FROM inserted WHERE $14::text IS NOT NULL
               )"#
                + $more
                + r#"SELECT id AS "id!" FROM inserted"#,
            $user.id.as_uuid(),
            $user.email.canonical(),
            $user.email.as_written(),
            $user.email_verified,
            $user.name.as_str(),
            $user.name.folded(),
            ($user.status == Status::Disabled).then(|| $user.updated_at.as_datetime()),
            $user.created_at.as_datetime(),
            $user.updated_at.as_datetime(),
            $user.last_login_at.map(Timestamp::as_datetime),
            $user.version,
            $user.epoch,
            &$roles,
            $password.map(PasswordHash::as_phc),
            $($arg),*
        )
    };
}

/// Any number, as long as nothing else in the database takes the lock of the same one.
const ADMINISTRATORS_LOCK: i64 = 0x7665_7374_6962;

impl PgUnitOfWork {
    /// A statement of its own after every update: an update that waited for a lock goes on with the new row, but its
    /// `RETURNING` would still see the roles of before.
    async fn user_row(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        let query = user_query!(UserRow: "SELECT", "FROM users AS u WHERE u.id = $1", id.as_uuid());
        let row = bounded("user", query.fetch_optional(self.connection()?)).await;
        self.settle(row)?.map(User::try_from).transpose()
    }

    async fn user_exists(&mut self, id: UserId) -> Result<bool, StoreError> {
        let query =
            sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM users WHERE id = $1) AS "exists!""#, id.as_uuid(),);
        let exists = bounded("user_exists", query.fetch_one(self.connection()?)).await;
        self.settle(exists)
    }

    /// The transaction goes on from the savepoint that was set before the statement that failed.
    async fn return_to_savepoint(&mut self) -> Result<(), StoreError> {
        let returned = bounded("rollback_to", self.aborted_connection()?.execute("ROLLBACK TO profile")).await;
        self.settle(returned).map(drop)
    }
}

impl PgStore {
    /// [`Store::register`](vestibule_domain::Store::register), in one statement.
    pub(in crate::postgres) async fn register_at_once(
        &self,
        registration: &Registration<'_>,
    ) -> Result<bool, StoreError> {
        let Registration { user, password, registered, refused } = registration;
        let roles: Vec<String> = user.roles.iter().map(ToString::to_string).collect();
        let context = registered.event.context;
        let query = insertion!(
            ", trail AS (
                 INSERT INTO audit_events (id, at, kind, actor, actor_id, subject_id, reason, ip, user_agent, request_id)
                 SELECT $15::uuid, $16::timestamptz, $17, $18, $19::uuid, $20::uuid, $21, $22, $23, $24 FROM inserted
                 UNION ALL
                 SELECT $25, $26, $27, $28, $29, $30, $31, $22, $23, $24 WHERE NOT EXISTS (SELECT FROM inserted)
             ) ",
            user,
            Some(*password),
            roles,
            registered.id.as_uuid(),
            registered.at.as_datetime(),
            registered.event.kind.as_str(),
            registered.event.actor.as_str(),
            registered.event.actor.user().map(UserId::as_uuid),
            registered.event.subject.map(UserId::as_uuid),
            registered.event.reason,
            context.ip.map(|ip| ip.to_string()),
            context.user_agent.as_ref().map(UserAgent::as_str),
            context.request_id,
            refused.id.as_uuid(),
            refused.at.as_datetime(),
            refused.event.kind.as_str(),
            refused.event.actor.as_str(),
            refused.event.actor.user().map(UserId::as_uuid),
            refused.event.subject.map(UserId::as_uuid),
            refused.event.reason,
        );
        let mut lease = self.pool.lease().await?;
        let inserted = bounded("register", query.fetch_optional(lease.connection())).await;
        Ok(lease.settle(inserted)?.is_some())
    }
}

#[async_trait]
impl UserWrites for PgUnitOfWork {
    async fn insert_user(&mut self, user: &User, password: Option<&PasswordHash>) -> Result<bool, StoreError> {
        let roles: Vec<String> = user.roles.iter().map(ToString::to_string).collect();
        let query = insertion!("", user, password, roles);
        let inserted = bounded("insert_user", query.fetch_optional(self.connection()?)).await;
        Ok(self.settle(inserted)?.is_some())
    }

    async fn update_profile(&mut self, update: &ProfileUpdate) -> Result<ProfileOutcome, StoreError> {
        let query = sqlx::query!(
            "UPDATE users AS u
             SET name = coalesce($2, u.name),
                 name_folded = coalesce($3, u.name_folded),
                 email_verified = u.email_verified AND u.email_canonical = coalesce($4, u.email_canonical),
                 email_canonical = coalesce($4, u.email_canonical),
                 email_written = coalesce($5, u.email_written),
                 updated_at = $6,
                 version = u.version + 1
             WHERE u.id = $1 AND u.version = coalesce($7, u.version)",
            update.id.as_uuid(),
            update.name.as_ref().map(Name::as_str),
            update.name.as_ref().map(Name::folded),
            update.email.as_ref().map(Email::canonical),
            update.email.as_ref().map(Email::as_written),
            update.now.as_datetime(),
            update.version,
        );
        if update.email.is_some() {
            let saved = bounded("savepoint", self.connection()?.execute("SAVEPOINT profile")).await;
            self.settle(saved)?;
        }
        let updated = bounded("update_profile", query.execute(self.connection()?)).await;
        let taken = updated.as_ref().is_err_and(|failure| failure.violates(Constraint::CanonicalEmail));
        match self.settle(updated) {
            Err(_) if taken => self.return_to_savepoint().await.map(|()| ProfileOutcome::EmailTaken),
            Err(error) => Err(error),
            Ok(done) => Ok(match self.user_row(update.id).await? {
                Some(user) if done.rows_affected() == 1 => ProfileOutcome::Updated(user),
                Some(_) => ProfileOutcome::Stale,
                None => ProfileOutcome::Missing,
            }),
        }
    }

    async fn set_status(&mut self, id: UserId, status: Status, now: Timestamp) -> Result<Option<User>, StoreError> {
        let query = sqlx::query!(
            "UPDATE users AS u
             SET disabled_at = CASE WHEN $2 THEN $3::timestamptz END,
                 epoch = u.epoch + CASE WHEN $2 THEN 1 ELSE 0 END,
                 updated_at = $3,
                 version = u.version + 1
             WHERE u.id = $1 AND (u.disabled_at IS NOT NULL) <> $2::bool",
            id.as_uuid(),
            status == Status::Disabled,
            now.as_datetime(),
        );
        let done = bounded("set_status", query.execute(self.connection()?)).await;
        self.settle(done)?;
        self.user_row(id).await
    }

    async fn set_roles(
        &mut self,
        id: UserId,
        roles: &BTreeSet<RoleName>,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let names: Vec<String> = roles.iter().map(ToString::to_string).collect();
        // First, because it locks the user's row: two replacements do not mix.
        let touch = sqlx::query!(
            "UPDATE users SET updated_at = $2, version = version + 1 WHERE id = $1",
            id.as_uuid(),
            now.as_datetime(),
        );
        let touched = bounded("set_roles", touch.execute(self.connection()?)).await;
        if self.settle(touched)?.rows_affected() == 0 {
            return Ok(None);
        }
        let replace = sqlx::query!(
            "WITH taken AS (DELETE FROM user_roles WHERE user_id = $1 AND role <> ALL ($2::text[]))
             INSERT INTO user_roles (user_id, role) SELECT $1, role FROM unnest($2::text[]) AS role
             ON CONFLICT ON CONSTRAINT user_roles_pkey DO NOTHING",
            id.as_uuid(),
            &names,
        );
        let replaced = bounded("replace_roles", replace.execute(self.connection()?)).await;
        self.settle(replaced)?;
        self.user_row(id).await
    }

    async fn delete_user(&mut self, id: UserId, version: Option<i64>) -> Result<DeleteOutcome, StoreError> {
        let query =
            sqlx::query!("DELETE FROM users WHERE id = $1 AND version = coalesce($2, version)", id.as_uuid(), version,);
        let deleted = bounded("delete_user", query.execute(self.connection()?)).await;
        if self.settle(deleted)?.rows_affected() == 1 {
            return Ok(DeleteOutcome::Deleted);
        }
        Ok(if self.user_exists(id).await? { DeleteOutcome::Stale } else { DeleteOutcome::Missing })
    }

    async fn record_login(&mut self, id: UserId, epoch: i64, now: Timestamp) -> Result<Option<User>, StoreError> {
        let query = sqlx::query!(
            "UPDATE users SET last_login_at = $3, version = version + 1
             WHERE id = $1 AND epoch = $2 AND disabled_at IS NULL",
            id.as_uuid(),
            epoch,
            now.as_datetime(),
        );
        let recorded = bounded("record_login", query.execute(self.connection()?)).await;
        if self.settle(recorded)?.rows_affected() == 1 { self.user_row(id).await } else { Ok(None) }
    }

    async fn advance_epoch(&mut self, id: UserId, epoch: i64) -> Result<bool, StoreError> {
        let query =
            sqlx::query!("UPDATE users SET epoch = epoch + 1 WHERE id = $1 AND epoch = $2", id.as_uuid(), epoch);
        let advanced = bounded("advance_epoch", query.execute(self.connection()?)).await;
        Ok(self.settle(advanced)?.rows_affected() == 1)
    }

    async fn is_last_administrator(&mut self, id: UserId) -> Result<bool, StoreError> {
        // A statement of its own, so that the next one sees what the holder before has committed.
        let lock = sqlx::query!("SELECT pg_advisory_xact_lock($1)", ADMINISTRATORS_LOCK);
        let locked = bounded("lock_administrators", lock.execute(self.connection()?)).await;
        self.settle(locked)?;
        // By name: for any role the server would plan as for one that half of all users have.
        let query = sqlx::query_scalar!(
            r#"SELECT coalesce(bool_or(u.id = $1) AND count(*) = 1, false) AS "is_last!"
               FROM user_roles AS r JOIN users AS u ON u.id = r.user_id
               WHERE r.role = 'admin' AND u.disabled_at IS NULL"#,
            id.as_uuid(),
        );
        let is_last = bounded("is_last_administrator", query.fetch_one(self.connection()?)).await;
        self.settle(is_last)
    }
}
