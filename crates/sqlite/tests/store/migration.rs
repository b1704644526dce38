//! The schema, from nothing and beside others.

use crate::fixture::{Directory, insert, user};
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use vestibule_domain::Store;
use vestibule_domain::session::store::SessionReads;
use vestibule_domain::user::store::UserReads;
use vestibule_sqlite::{Access, SqliteStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn j139_many_that_begin_at_once_on_no_file_make_one_schema() {
    // Some rounds, because the moment in which two can meet is short.
    for _ in 0..20 {
        let directory = Directory::new();
        let together = Arc::new(Barrier::new(8));
        let mut processes = JoinSet::new();
        for _ in 0..8 {
            let (path, together) = (directory.database(), Arc::clone(&together));
            processes.spawn(async move {
                together.wait().await;
                let store = SqliteStore::open(&path, Access::Command).await.expect("the file opens");
                store.migrate().await.expect("the migrations run");
            });
        }
        processes.join_all().await;
        let store = directory.open(Access::Serve).await;
        assert_eq!(store.check().await.unwrap().pending_migrations, 0);
        assert!(insert(&store, &user(1)).await.unwrap());
    }
}

#[tokio::test]
async fn a_second_time_changes_nothing() {
    let directory = Directory::new();
    let store = directory.serve().await;
    insert(&store, &user(1)).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(directory.number("SELECT count(*) FROM users").await, 1);
}

#[tokio::test]
async fn j139_one_that_only_a_newer_version_knows_is_no_fault() {
    let directory = Directory::new();
    let store = directory.serve().await;
    directory
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (99999999999999, 'of the future', true, x'00', 0)",
        )
        .await
        .unwrap();
    assert_eq!(store.check().await.unwrap().pending_migrations, 0);
    store.migrate().await.unwrap();
}

#[tokio::test]
async fn one_that_was_applied_in_another_form_is_a_fault() {
    let directory = Directory::new();
    let store = directory.serve().await;
    directory.execute("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 20261123000300").await.unwrap();
    store.check().await.unwrap_err();
    store.migrate().await.unwrap_err();
}

/// With the steps before this one.
async fn before(version: i64) -> (Directory, SqliteStore) {
    let directory = Directory::new();
    let store = directory.open(Access::Serve).await;
    let all = sqlx::migrate!("../../migrations/sqlite");
    let before = Migrator::with_migrations(all.iter().filter(|step| step.version < version).cloned().collect());
    before.run_direct(None, &mut directory.connect().await, false).await.expect("the steps before");
    (directory, store)
}

/// Nothing else is lost with the sessions whose tokens name none.
#[tokio::test]
async fn the_step_to_tokens_that_name_their_session_leaves_users_who_log_in_once_more() {
    let (directory, store) = before(20_261_130_000_200).await;
    insert(&store, &user(1)).await.unwrap();
    let session = "INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at,
                                         idle_expires_at, amr, refresh_hash)
                   SELECT id, id, 1, 1, 1, 4102444800000, 4102444800000, 'pwd', zeroblob(32) FROM users";
    directory.execute(session).await.unwrap();
    let refresh = "UPDATE sessions SET refresh_hash = randomblob(32), refresh_parent_hash = zeroblob(32),
                                       refresh_replaced_at = 1, refresh_sealed_child = x'01'";
    directory.execute(refresh).await.unwrap();
    store.migrate().await.expect("the step applies");
    assert_eq!(store.user(user(1).id).await.unwrap(), Some(user(1)));
    assert_eq!(store.sessions(user(1).id, user(1).created_at).await.unwrap(), []);
    assert_eq!(directory.number("SELECT count(*) FROM sqlite_schema WHERE name = 'logins_insert'").await, 1);
}

/// And fills in the day and the mark.
#[tokio::test]
async fn the_step_to_refreshes_that_write_one_page_leaves_every_session_as_it_was() {
    const DAY: i64 = 86_400_000;
    let (directory, store) = before(20_261_130_000_300).await;
    insert(&store, &user(1)).await.unwrap();
    let sessions = "WITH n (n) AS (VALUES (1), (2), (86400000), (86400001))
                    INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at, idle_expires_at,
                                          ended_at, end_reason, ip, user_agent, amr, refresh_family_hash, refresh_hash,
                                          refresh_parent_hash, refresh_replaced_at, refresh_sealed_child)
                    SELECT unhex(printf('%032x', n)), users.id, 3, 4, 5, 4102444800000, n, iif(n = 2, 6, NULL),
                           iif(n = 2, 'revoked', NULL), '192.0.2.1', 'curl', 'pwd', randomblob(32), randomblob(32),
                           randomblob(32), 7, iif(n = 1, x'08', NULL)
                    FROM n, users";
    directory.execute(sessions).await.unwrap();
    let kept = "SELECT json_group_array(json_array(hex(id), hex(user_id), created_at, last_seen_at, authenticated_at, expires_at,
                                                   idle_expires_at, ended_at, end_reason, ip, user_agent, amr,
                                                   hex(refresh_family_hash), hex(refresh_hash), hex(refresh_parent_hash),
                                                   refresh_replaced_at, hex(refresh_sealed_child)) ORDER BY id)
                FROM sessions";
    let rows = async |query| -> String {
        sqlx::query_scalar(query).fetch_one(&mut directory.connect().await).await.expect("an answer")
    };
    let were = rows(kept).await;
    store.migrate().await.expect("the step applies");
    assert_eq!(rows(kept).await, were);
    let known = "SELECT json_group_array(json_array(idle_expires_at, idle_expires_day, refresh_is_sealed) ORDER BY id)
                 FROM sessions";
    let expected = [(1, DAY, 1), (2, DAY, 0), (DAY, 2 * DAY, 0), (DAY + 1, 2 * DAY, 0)];
    let expected = expected.map(|(idle, day, sealed)| format!("[{idle},{day},{sealed}]")).join(",");
    assert_eq!(rows(known).await, format!("[{expected}]"));
    for beyond in ["-1", "expires_at + 1"] {
        let update = AssertSqlSafe(format!("UPDATE sessions SET idle_expires_at = {beyond}"));
        sqlx::query(update).execute(&mut directory.connect().await).await.expect_err(beyond);
    }
    assert_eq!(directory.number("SELECT count(*) FROM sqlite_schema WHERE name = 'logins_insert'").await, 1);
}
