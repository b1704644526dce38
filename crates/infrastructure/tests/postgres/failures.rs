//! Limits, and servers that hang up, fall silent or take no writes.

use crate::database::{Database, alice, insert};
use crate::proxy::Proxy;
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::future::poll_fn;
use std::hint::spin_loop;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vestibule_domain::credential::PasswordHash;
use vestibule_domain::credential::store::CredentialReads;
use vestibule_domain::feed::store::{FeedReads, RevocationReads};
use vestibule_domain::user::store::UserReads;
use vestibule_domain::user::{Email, User};
use vestibule_domain::{Store, StoreError, Timestamp};
use vestibule_infrastructure::postgres::{PgSettings, PgStore};

async fn assert_unavailable(store: &PgStore) {
    let answer = store.user(alice().id).await;
    assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
}

async fn assert_answers(store: &PgStore) {
    assert_eq!(store.user(alice().id).await.expect("an answer"), None);
}

/// Of the store, not of the test.
async fn terminate_connections(database: &Database) {
    let sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'vestibule'";
    database.execute(sql).await;
}

#[tokio::test]
async fn j120_nobody_waits_long_for_a_lock_whatever_the_url_says() {
    let database = Database::migrated().await;
    let lenient = database.options.clone().options([("lock_timeout", "0"), ("statement_timeout", "0")]);
    let mut url = sqlx::ConnectOptions::to_url_lossy(&lenient);
    url.query_pairs_mut().append_pair("options", "-c lock_timeout=0 -c statement_timeout=0");
    let store = PgStore::connect(&PgSettings { url: url.into(), max_connections: 1 }).expect("a valid URL");
    let mut other = database.connect().await;
    let mut lock = other.begin().await.expect("a transaction");
    lock.execute("LOCK TABLE users").await.expect("the lock");

    let began = Instant::now();
    assert!(matches!(store.user(alice().id).await, Err(StoreError::Contention)));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    lock.rollback().await.expect("an answer");
    assert_answers(&store).await;
}

#[tokio::test]
async fn j125_a_full_pool_is_not_waited_for() {
    let database = Database::migrated().await;
    let store = database.store(1);
    let work = store.begin().await.expect("a transaction");
    let began = Instant::now();
    assert_unavailable(&store).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    work.commit().await.expect("a commit");
    assert_answers(&store).await;
}

/// Or whoever takes all connections would keep every revocation waiting.
#[tokio::test]
async fn j125_the_feed_and_the_keys_are_read_though_the_pool_is_used_up() {
    let database = Database::migrated().await;
    let store = database.store(1);
    let work = store.begin().await.expect("a transaction");
    assert_eq!(store.newest_change().await.expect("a number"), 0);
    assert_eq!(store.changes(0, &[], 10).await.expect("the changes"), []);
    assert_eq!(store.changed_keys().await.expect("the keys").iter().count(), 0);
    let revocations = store.ends(0, &[], 10).await;
    assert!(matches!(revocations, Err(StoreError::Unavailable { context: "acquire", .. })), "{revocations:?}");
    work.commit().await.expect("a commit");
}

#[tokio::test]
async fn j122_connections_that_the_server_closed_are_replaced() {
    let database = Database::migrated().await;
    let store = database.store(4);
    // Four connections, all idle now.
    let works = [store.begin().await, store.begin().await, store.begin().await, store.begin().await];
    for work in works {
        work.expect("a transaction").commit().await.expect("a commit");
    }
    terminate_connections(&database).await;
    // One request may find out, for all of them.
    let _ = store.user(alice().id).await;
    assert_answers(&store).await;
}

#[tokio::test]
async fn j124_a_transaction_whose_connection_is_gone_does_not_commit() {
    let database = Database::migrated().await;
    let store = database.store(1);
    let mut work = store.begin().await.expect("a transaction");
    assert!(work.insert_user(&alice(), None).await.expect("an answer"));
    terminate_connections(&database).await;
    let committed = work.commit().await;
    assert!(matches!(committed, Err(StoreError::Unavailable { .. })), "{committed:?}");
    assert_answers(&store).await;
}

#[tokio::test]
async fn j121_a_silent_server_costs_its_connections_and_no_more() {
    let database = Database::migrated().await;
    let proxy = Proxy::to(database.options.get_host(), database.options.get_port()).await;
    let store = database.store_through(&proxy);
    assert_answers(&store).await;

    proxy.set_silent(true);
    let began = Instant::now();
    assert_unavailable(&store).await;
    assert_unavailable(&store).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    proxy.set_silent(false);
    assert_answers(&store).await;
}

#[tokio::test]
async fn j122_a_server_that_takes_no_writes_is_not_used_until_it_does() {
    let database = Database::migrated().await;
    let store = database.store(2);
    let setting = format!("ALTER DATABASE {}", database.options.get_database().expect("a name"));
    database.execute(&format!("{setting} SET default_transaction_read_only = on")).await;
    assert_unavailable(&store).await;
    let health = store.check().await;
    assert!(matches!(health, Err(StoreError::Unavailable { .. })), "{health:?}");

    let mut admin = database.connect().await;
    admin.execute("SET default_transaction_read_only = off").await.expect("the setting");
    let reset = format!("{setting} RESET default_transaction_read_only");
    admin.execute(AssertSqlSafe(reset)).await.expect("the setting");
    assert_answers(&store).await;
    assert_eq!(store.check().await.expect("health").pending_migrations, 0);
}

#[tokio::test]
async fn a_request_that_is_dropped_half_way_leaves_a_pool_that_works() {
    let database = Database::migrated().await;
    let store = database.store(1);
    let mut other = database.connect().await;
    let mut lock = other.begin().await.expect("a transaction");
    lock.execute("LOCK TABLE users").await.expect("the lock");
    let mut work = store.begin().await.expect("a transaction");
    let user = alice();
    let given_up = tokio::time::timeout(Duration::from_millis(100), work.insert_user(&user, None)).await;
    assert!(given_up.is_err(), "the table is locked");
    drop(work);
    lock.rollback().await.expect("an answer");
    assert_answers(&store).await;
}

#[tokio::test]
async fn nothing_commits_after_a_statement_failed() {
    let database = Database::migrated().await;
    let store = database.store(1);
    let nobody = User { id: uuid::Uuid::from_u128(8).into(), ..alice() };
    let mut work = store.begin().await.expect("a transaction");
    assert!(work.insert_user(&alice(), None).await.expect("an answer"));
    let hash = PasswordHash::from_phc("$a$b".to_owned());
    let orphan = work.set_password(nobody.id, &hash, Timestamp::EPOCH).await;
    assert!(matches!(orphan, Err(StoreError::Unexpected { .. })), "{orphan:?}");
    assert!(work.commit().await.is_err());
    assert_answers(&store).await;
    insert(&store, &alice()).await;
    assert!(store.password(alice().id).await.expect("an answer").is_none());
}

#[tokio::test]
async fn j119_a_server_that_is_not_there_yet_is_found_later() {
    // Nobody listens here, but the port is ours.
    let reserved = tokio::net::TcpSocket::new_v4().expect("a socket");
    reserved.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let port = reserved.local_addr().expect("an address").port();
    let url = format!("postgres://nobody:hunter2@127.0.0.1:{port}/nothing");
    let store = PgStore::connect(&PgSettings { url, max_connections: 1 }).expect("no connection is made");
    let error = store.user(alice().id).await.expect_err("nobody listens");
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert!(!format!("{store:?} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_closed_store_answers_nobody() {
    let database = Database::migrated().await;
    let store = database.store(2);
    assert_answers(&store).await;
    store.close().await;
    assert_unavailable(&store).await;
    let left = "DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND state IS NOT NULL); END $$";
    terminate_connections(&database).await;
    database.execute(left).await;
}

/// As after a failover that left the connections standing: from the next transaction on the server takes no writes
/// on those that wrote once.
#[tokio::test]
async fn j122_pooled_connections_to_a_server_that_became_read_only_are_replaced() {
    let database = Database::migrated().await;
    let store = database.store(2);
    let works = [store.begin().await, store.begin().await];
    database
        .execute(
            "CREATE FUNCTION demote() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM set_config('default_transaction_read_only', 'on', false); RETURN NULL; END $$;
             CREATE TRIGGER demotion AFTER INSERT ON users EXECUTE FUNCTION demote()",
        )
        .await;
    for (n, work) in [1, 2].into_iter().zip(works) {
        let mut work = work.expect("a transaction");
        let user = User {
            id: uuid::Uuid::from_u128(100 + n).into(),
            email: Email::parse(&format!("user{n}@example.com")).expect("an address"),
            ..alice()
        };
        assert!(work.insert_user(&user, None).await.expect("an answer"));
        work.commit().await.expect("a commit");
    }
    database.execute("DROP TRIGGER demotion ON users").await;

    let mut work = store.begin().await.expect("a transaction");
    let refused = work.insert_user(&alice(), None).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    drop(work);
    insert(&store, &alice()).await;
}

/// Before the server lets it in, the driver computes thousands of hashes (RFC 5802, section 2.2) and lets others go
/// first after every few.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn j125_a_connection_is_opened_in_time_by_a_runtime_that_is_never_idle() {
    let database = Database::migrated().await;
    let store = database.store(1);
    let never_idle = || {
        tokio::spawn(poll_fn(|context| {
            let start = Instant::now();
            while start.elapsed() < Duration::from_micros(100) {
                spin_loop();
            }
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        }))
    };
    let others: Vec<_> = (0..8).map(|_| never_idle()).collect();
    let found = tokio::spawn(async move { store.user(alice().id).await }).await.expect("no panic");
    others.iter().for_each(JoinHandle::<()>::abort);
    assert_eq!(found.expect("an answer"), None);
}

#[tokio::test]
async fn j137_a_connection_that_nobody_waits_for_any_more_is_not_opened_further() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("postgres://u:p@{}/d", listener.local_addr().expect("an address"));
    let store = PgStore::connect(&PgSettings { url, max_connections: 1 }).expect("a valid URL");
    let ((), accepted) = tokio::join!(assert_unavailable(&store), listener.accept());
    let (mut stream, _) = accepted.expect("a connection");
    let mut sent = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut sent)).await.expect("it is closed").expect("its end");
}
