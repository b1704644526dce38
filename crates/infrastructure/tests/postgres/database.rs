//! A database of its own for each test, on the server at `TEST_DATABASE_URL`.

use crate::proxy::Proxy;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use vestibule_domain::audit::{AuditEvent, AuditKind, AuditRecord};
use vestibule_domain::session::store::{Opening, Rotation};
use vestibule_domain::session::{Amr, RefreshToken, SealedToken, Session};
use vestibule_domain::user::{Email, Name, Status, User};
use vestibule_domain::{RequestContext, Store, Timestamp, UnitOfWork};
use vestibule_infrastructure::postgres::{PgSettings, PgStore};

pub(crate) struct Database {
    pub(crate) options: PgConnectOptions,
    name: String,
}

impl Database {
    /// Without any tables.
    pub(crate) async fn empty() -> Self {
        let server = server();
        let name = format!("vestibule_pg_{:016x}", RandomState::new().hash_one(std::process::id()));
        execute(&server, format!("CREATE DATABASE {name}")).await;
        Self { options: server.database(&name), name }
    }

    pub(crate) async fn migrated() -> Self {
        let database = Self::empty().await;
        database.store(1).migrate().await.expect("the migrations apply");
        database
    }

    pub(crate) fn store(&self, max_connections: u32) -> PgStore {
        connect(&self.options, max_connections)
    }

    /// With one connection.
    pub(crate) fn store_through(&self, proxy: &Proxy) -> PgStore {
        connect(&self.options.clone().host("127.0.0.1").port(proxy.port), 1)
    }

    pub(crate) async fn execute(&self, sql: &str) {
        execute(&self.options, sql.to_owned()).await;
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.options).await.expect("the server answers")
    }
}

impl Drop for Database {
    /// On a thread of its own, because a test that panics drops this within its runtime.
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(execute(&server(), sql));
        });
        assert!(dropping.join().is_ok() || std::thread::panicking(), "the database was not dropped");
    }
}

fn connect(options: &PgConnectOptions, max_connections: u32) -> PgStore {
    let url = options.to_url_lossy().into();
    PgStore::connect(&PgSettings { url, max_connections }).expect("a valid URL")
}

fn server() -> PgConnectOptions {
    let url = std::env::var("TEST_DATABASE_URL");
    let url = url.expect("TEST_DATABASE_URL: run the tests through scripts/with-postgres, which starts a server");
    url.parse().expect("TEST_DATABASE_URL is a postgres:// URL")
}

async fn execute(options: &PgConnectOptions, sql: String) {
    let mut connection = PgConnection::connect_with(options).await.expect("the server answers");
    connection.execute(AssertSqlSafe(sql.clone())).await.expect(&sql);
}

pub(crate) fn alice() -> User {
    User {
        id: uuid::Uuid::from_u128(7).into(),
        email: Email::parse("alice@example.com").expect("an address"),
        email_verified: false,
        name: Name::parse("Alice").expect("a name"),
        status: Status::Active,
        roles: std::collections::BTreeSet::new(),
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
        last_login_at: None,
        version: 1,
        epoch: 1,
    }
}

pub(crate) fn bob() -> User {
    let (id, email) = (uuid::Uuid::from_u128(8).into(), Email::parse("bob@example.com").expect("an address"));
    User { id, email, ..alice() }
}

pub(crate) async fn insert(store: &PgStore, user: &User) {
    let mut work: Box<dyn UnitOfWork> = store.begin().await.expect("a transaction");
    assert!(work.insert_user(user, None).await.expect("an answer"));
    work.commit().await.expect("a commit");
}

pub(crate) fn session(n: u8) -> Session {
    Session {
        id: uuid::Uuid::from_u128(n.into()).into(),
        user: alice().id,
        created_at: Timestamp::EPOCH,
        last_seen_at: Timestamp::EPOCH,
        authenticated_at: Timestamp::EPOCH,
        expires_at: Timestamp::EPOCH.plus(Duration::from_mins(1)),
        idle_expires_at: Timestamp::EPOCH.plus(Duration::from_mins(1)),
        ip: None,
        user_agent: None,
        amr: vec![Amr::Password],
    }
}

/// The first one of the session.
pub(crate) fn token(session: &Session) -> RefreshToken {
    let n = session.id.as_uuid().as_bytes()[15];
    RefreshToken::new(session.id, [n; 16], [n; 32])
}

/// In the first epoch, from no device.
pub(crate) fn opening<'a>(session: &'a Session, context: &'a RequestContext) -> Opening<'a> {
    let record = |n, kind| {
        let id = uuid::Uuid::from_u128(session.id.as_uuid().as_u128() * 2 + n).into();
        let event = AuditEvent::of(kind, session.user, context);
        AuditRecord { id, at: Timestamp::EPOCH, event }
    };
    Opening {
        epoch: 1,
        session,
        token: token(session).hash(),
        keep: 2,
        device: None,
        succeeded: record(0, AuditKind::LoginSucceeded),
        displaced: record(1, AuditKind::SessionsEnded),
    }
}

/// What is to replace the token.
pub(crate) fn child(presented: &RefreshToken) -> RefreshToken {
    presented.with_secret(presented.secret().map(|byte| !byte))
}

pub(crate) fn rotation(presented: &RefreshToken) -> Rotation {
    Rotation {
        presented: presented.hash(),
        child: child(presented).secret_hash(),
        sealed_child: SealedToken::from_bytes(vec![1]),
        now: Timestamp::EPOCH,
        idle: Duration::from_mins(1),
    }
}
