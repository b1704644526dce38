//! No statement reads a whole table of users, sessions or tokens, whenever its plan was made: a connection keeps a plan
//! from when the tables were small for as long as nobody has analysed them.

use crate::database::Database;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;
use vestibule_domain::Timestamp;
use vestibule_domain::page::{Cursor, PageRequest};
use vestibule_domain::user::store::{UserFilter, UserReads};
use vestibule_infrastructure::postgres::CONNECTION_SETTINGS;

/// What has a handful of rows however many users there are.
const SMALL: [&str; 2] = ["signing_keys", "clients"];
/// What is planned anew each time: lists of users.
const EXEMPT: &str = "AS \"active_sessions!\"";
/// As many as a young service has, for whose few rows an index seems worth nothing.
const FEW: &str = "
    INSERT INTO users SELECT id, id || '@a', id || '@a', true, 'A', 'a', NULL, now(), now(), NULL, 1, 1
        FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 40)) AS made;
    INSERT INTO user_roles SELECT id, 'user' FROM users;
    INSERT INTO user_roles SELECT id, 'admin' FROM users LIMIT 1;
    INSERT INTO password_credentials SELECT id, '$a$b', now(), NULL FROM users;
    INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at, idle_expires_at,
                          idle_expires_day, amr, refresh_family_hash, refresh_hash)
        SELECT gen_random_uuid(), id, now(), now(), now(), now(), now(), now() + INTERVAL '1 hour', 'pwd', sha256(id::text::bytea),
               sha256(id::text::bytea)
        FROM users;
    INSERT INTO devices SELECT sha256(id::text::bytea), id, now(), now() FROM users;
    INSERT INTO changes (kind, user_id, at) SELECT 'user_changed', id, now() FROM users;
    INSERT INTO throttles
        SELECT sha256(id::text::bytea), now(), 1, now(), '', 0, now(), false, now() FROM users;
    ANALYZE users, user_roles, password_credentials, sessions, devices, changes, throttles";

/// All statements of the store and the number of their arguments, as the compile-time check has seen them.
fn statements() -> Vec<(String, usize)> {
    let checked = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let files = fs::read_dir(checked).expect("the data of the compile-time check");
    let statement = |path: &Path| {
        let json: Value = serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON");
        let arguments = json["describe"]["parameters"]["Left"].as_array().map_or(0, Vec::len);
        (json["query"].as_str().expect("a statement").to_owned(), arguments)
    };
    files.map(|entry| statement(&entry.expect("a directory entry").path())).collect()
}

/// The tables that are read from one end to the other. A page is read in the order of an index until it is full.
fn scanned(plan: &Value, is_page: bool) -> Vec<String> {
    let node = plan["Node Type"].as_str().unwrap_or_default();
    let is_bounded =
        !plan["Index Cond"].is_null() || node == "Bitmap Heap Scan" || (is_page && node.starts_with("Index"));
    let relation = plan["Relation Name"].as_str().or_else(|| plan["Index Name"].as_str());
    let this = relation.filter(|name| node.contains("Scan") && !is_bounded && !SMALL.contains(name)).map(str::to_owned);
    let parts = plan["Plans"].as_array().into_iter().flatten();
    this.into_iter().chain(parts.flat_map(|part| scanned(part, is_page))).collect()
}

async fn every_statement_finds_its_rows_by_an_index(database: &Database) {
    let options = database.options.clone().options(CONNECTION_SETTINGS);
    let mut connection = PgConnection::connect_with(&options).await.expect("the server answers");
    let statements = statements();
    assert!(statements.len() > 30, "the data of the compile-time check is missing");
    for (n, (statement, arguments)) in statements.iter().enumerate() {
        if statement.contains(EXEMPT) {
            continue;
        }
        let prepare = AssertSqlSafe(format!("PREPARE statement_{n} AS {statement}"));
        connection.execute(prepare).await.expect(statement);
        let nulls = if *arguments == 0 { String::new() } else { format!("({})", vec!["NULL"; *arguments].join(", ")) };
        let explain = AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) EXECUTE statement_{n}{nulls}"));
        let row = connection.fetch_one(explain).await.expect(statement);
        let plan: Value = row.get(0);
        let plan = &plan[0]["Plan"];
        let scanned = scanned(plan, plan["Node Type"] == "Limit");
        assert!(scanned.is_empty(), "{scanned:?}\n{statement}\n{plan:#}");
    }
}

#[tokio::test]
async fn plans_go_by_an_index_where_nobody_has_analysed() {
    every_statement_finds_its_rows_by_an_index(&Database::migrated().await).await;
}

/// As many as make a third or a tenth of a table more than a statement can want.
#[tokio::test]
async fn plans_go_by_an_index_where_many_rows_were_analysed() {
    let database = Database::migrated().await;
    database.execute(&FEW.replace("generate_series(1, 40)", "generate_series(1, 50000)")).await;
    every_statement_finds_its_rows_by_an_index(&database).await;
}

#[tokio::test]
async fn plans_go_by_an_index_where_few_rows_were_analysed() {
    let database = Database::migrated().await;
    database.execute(FEW).await;
    every_statement_finds_its_rows_by_an_index(&database).await;
}

/// By a plan for any bounds it would read all users up to there.
#[tokio::test]
async fn a_page_far_behind_reads_few_more_users_than_it_shows() {
    let database = Database::migrated().await;
    let many = "INSERT INTO users
                    SELECT lpad(to_hex(n), 32, '0')::uuid, n || '@a', n || '@a', true, 'A', 'a', NULL, now(), now(), NULL, 1, 1
                    FROM generate_series(1, 5000) AS n;
                ANALYZE users";
    database.execute(many).await;
    let store = database.store(1);
    let after = Some(Cursor::after(Uuid::from_u128(4_500)));
    let page = PageRequest { after, ..PageRequest::default() };
    let listed = store.users(&UserFilter::default(), page, Timestamp::EPOCH).await.expect("an answer");
    assert_eq!(listed.data.first().map(|listed| listed.user.id.as_uuid()), Some(Uuid::from_u128(4_501)));
    // When a connection has ended, the server tells what it has read.
    store.close().await;
    let mut connection = database.connect().await;
    let told = async {
        loop {
            let read = "SELECT coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'users'";
            let read: i64 = sqlx::query_scalar(read).fetch_one(&mut connection).await.expect("an answer");
            if read > 0 {
                return read;
            }
        }
    };
    let read = timeout(Duration::from_secs(20), told).await.expect("the server counts what is read (track_counts)");
    assert!(read < 500, "{read} users");
    let undone = "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    let undone: i64 = sqlx::query_scalar(undone).fetch_one(&mut connection).await.expect("an answer");
    assert_eq!(undone, 0, "what operators watch for failures");
}
