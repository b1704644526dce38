//! The store on PostgreSQL: for any number of processes side by side.
//!
//! Each port has a file of its name. Every statement is checked against the schema when this crate is compiled; the
//! rows that it gives are private structs that turn into types of the domain or into an error that names the row.

mod audit;
mod client;
mod connection;
mod credential;
mod error;
mod feed;
mod migration;
mod pool;
mod session;
mod throttle;
mod token;
mod unit_of_work;
mod user;

use async_trait::async_trait;
pub use connection::CONNECTION_SETTINGS;
use error::{bounded, exactly_one};
use pool::Pool;
use session::Logins;
use std::fmt;
use std::sync::Arc;
use unit_of_work::PgUnitOfWork;
use vestibule_domain::audit::AuditRecord;
use vestibule_domain::session::store::{Opened, Opening};
use vestibule_domain::store::{StoreHealth, open_and_commit};
use vestibule_domain::user::store::Registration;
use vestibule_domain::{Store, StoreError, Timestamp, UnitOfWork};

#[derive(Clone)]
pub struct PgSettings {
    /// `postgres://user:password@host:port/database`, with libpq's parameters for TLS.
    pub url: String,
    /// Connections for the requests of this process, at least one. One more is for the change feed.
    pub max_connections: u32,
}

impl fmt::Debug for PgSettings {
    /// The URL has the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgSettings").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

#[derive(Clone)]
pub struct PgStore {
    pool: Arc<Pool>,
    /// One connection that no request can take: with it, what is revoked is out within a second under any load. Only
    /// [`FeedReads`](vestibule_domain::feed::store::FeedReads) uses it, on the follower's runtime.
    feed: Arc<Pool>,
    logins: Arc<Logins>,
}

impl fmt::Debug for PgStore {
    /// The pool has the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore").finish_non_exhaustive()
    }
}

impl PgStore {
    /// Opens no connection, so that a process may start before its server does. Fails if the URL is not one.
    pub fn connect(settings: &PgSettings) -> Result<Self, StoreError> {
        let options = connection::options(&settings.url)?;
        let feed = Arc::new(Pool::new(options.clone(), 1));
        let pool = Arc::new(Pool::new(options, settings.max_connections));
        Ok(Self { pool, feed, logins: Arc::new(Self::logins()) })
    }

    /// Takes the steps of the schema that are pending, each in its own transaction. Of several processes one takes
    /// them while the others wait, up to 30 s.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migration::migrate(self.pool.options()).await
    }

    /// Takes leave of the server. What is asked afterwards fails.
    pub async fn close(&self) {
        self.pool.close().await;
        self.feed.close().await;
    }
}

#[async_trait]
impl Store for PgStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Ok(Box::new(PgUnitOfWork::begin(&self.pool).await?))
    }

    async fn open_session(&self, opening: &Opening<'_>) -> Result<Option<Opened>, StoreError> {
        match self.open_together(opening).await? {
            Some(opened) => Ok(Some(opened)),
            // Who holds something of the user is waited for now.
            None => open_and_commit(self.begin().await?, opening).await,
        }
    }

    async fn register(&self, registration: &Registration<'_>) -> Result<bool, StoreError> {
        self.register_at_once(registration).await
    }

    async fn record(&self, record: &AuditRecord<'_>) -> Result<(), StoreError> {
        let mut lease = self.pool.lease().await?;
        let appended = audit::append(lease.connection(), record).await;
        exactly_one("record", &lease.settle(appended)?)
    }

    async fn check(&self) -> Result<StoreHealth, StoreError> {
        let mut lease = self.pool.lease().await?;
        let applied = bounded("check", async {
            connection::refuse_read_only(lease.connection()).await?;
            migration::applied(lease.connection()).await
        })
        .await;
        let pending_migrations = migration::pending(&lease.settle(applied)?)?;
        Ok(StoreHealth { pending_migrations })
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        let query = sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "time!""#);
        let mut lease = self.pool.lease().await?;
        let time = bounded("time", query.fetch_one(lease.connection())).await;
        lease.settle(time).map(|time| Some(time.into()))
    }
}
