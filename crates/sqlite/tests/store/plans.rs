//! No statement reads a whole table of users, sessions or tokens, however many there are.

use crate::fixture::Directory;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

/// What has a handful of rows however many users there are, and what is no table.
const SMALL: [&str; 8] =
    ["signing_keys", "clients", "sqlite_schema", "sqlite_sequence", "json_each", "wanted", "w", "CONSTANT"];

/// All statements of the store, as the compile-time check has seen them.
fn statements() -> Vec<String> {
    let checked = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let files = fs::read_dir(checked).expect("the data of the compile-time check");
    let statement = |path: &Path| {
        let json: serde_json::Value = serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON");
        json["query"].as_str().expect("a statement").to_owned()
    };
    files.map(|entry| statement(&entry.expect("a directory entry").path())).collect()
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let directory = Directory::new();
    let _store = directory.serve().await;
    let mut connection = directory.connect().await;
    let statements = statements();
    assert!(statements.len() > 30, "the data of the compile-time check is missing");
    for statement in statements {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        for step in sqlx::query(explain).fetch_all(&mut connection).await.expect(&statement) {
            let step: String = step.get("detail");
            let scanned = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            let is_small = |table: &str| SMALL.contains(&table) || table.starts_with("(subquery-");
            assert!(scanned.is_none_or(is_small), "{step}\n{statement}");
        }
    }
}

/// However many of a user's sessions have expired and are not purged yet.
#[tokio::test]
async fn whoever_asks_for_live_sessions_passes_over_those_of_earlier_days() {
    let directory = Directory::new();
    let _store = directory.serve().await;
    let mut connection = directory.connect().await;
    let of_users: Vec<_> = statements().into_iter().filter(|sql| sql.contains("idle_expires_at > ?")).collect();
    assert!(of_users.len() > 3, "{of_users:?}");
    for statement in of_users {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let plan = sqlx::query(explain).fetch_all(&mut connection).await.expect(&statement);
        let mut steps = plan.iter().map(|step| step.get::<&str, _>("detail"));
        let range = "sessions_user_id_idx (user_id=? AND ended_at=? AND idle_expires_day>?)";
        assert!(steps.any(|step| step.contains(range)), "{statement}");
    }
}

/// `EXPLAIN QUERY PLAN` leaves out what triggers do, `EXPLAIN` does not.
#[tokio::test]
async fn what_triggers_do_is_found_by_an_index() {
    let directory = Directory::new();
    let _store = directory.serve().await;
    let mut connection = directory.connect().await;
    let roots: HashMap<i64, String> = sqlx::query_as("SELECT rootpage, tbl_name FROM sqlite_schema WHERE rootpage > 0")
        .fetch_all(&mut connection)
        .await
        .expect("the schema")
        .into_iter()
        .collect();
    let login: &[_] = &["users", "user_roles", "sessions", "devices", "audit_events", "changes"];
    let refresh: &[_] = &["users", "user_roles", "sessions"];
    for (part, all) in [("INSERT INTO logins", login), ("SET refresh_hash = asked.child", refresh)] {
        let statement = statements().into_iter().find(|statement| statement.contains(part)).expect(part);
        let explain = sqlx::query(AssertSqlSafe(format!("EXPLAIN {statement}"))).fetch_all(&mut connection).await;
        let program = explain.expect("a program");
        let programs = program.iter().filter(|step| step.get::<&str, _>("opcode") == "Init").count();
        assert!(programs > 1, "no trigger: {part}");
        let touched = touched(program, &roots);
        assert!(all.iter().all(|table| touched.contains(table)), "{touched:?}");
    }
}

/// The tables that a program opens; it reads none from end to end.
fn touched(program: Vec<SqliteRow>, roots: &HashMap<i64, String>) -> BTreeSet<&str> {
    let (mut opened, mut touched) = (HashMap::new(), BTreeSet::new());
    for step in program {
        let (opcode, cursor, root): (&str, i64, i64) = (step.get("opcode"), step.get("p1"), step.get("p2"));
        match opcode {
            // Each trigger's program begins with one, and has cursors of its own.
            "Init" => opened.clear(),
            "OpenRead" | "OpenWrite" => {
                let table = roots.get(&root).expect("a table or an index");
                opened.insert(cursor, table);
                touched.insert(table.as_str());
            }
            // To the first row or the last one, and on from there. A cursor that was not opened on a table is on what the
            // statement itself has made.
            "Rewind" | "Last" => {
                let table = opened.get(&cursor).map(|table| table.as_str());
                assert!(table.is_none_or(|table| SMALL.contains(&table)), "{table:?}");
            }
            _ => {}
        }
    }
    touched
}

/// Of a user's hundred sessions a login reads those alone that expire within a day; the others are told by their index.
#[tokio::test]
async fn a_login_finds_a_users_live_sessions_without_reading_them() {
    let directory = Directory::new();
    let _store = directory.serve().await;
    let mut connection = directory.connect().await;
    let table = directory.number("SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'sessions'").await;
    let column = "SELECT cid FROM pragma_table_info('sessions') WHERE name = 'idle_expires_at'";
    let column = directory.number(column).await;
    let login = statements().into_iter().find(|statement| statement.contains("INSERT INTO logins")).expect("a login");
    let explain = sqlx::query(AssertSqlSafe(format!("EXPLAIN {login}"))).fetch_all(&mut connection).await;
    let program: Vec<(String, i64, i64, i64)> = explain
        .expect("a program")
        .iter()
        .map(|step| (step.get("opcode"), step.get("p1"), step.get("p2"), step.get("p3")))
        .collect();
    let opened = program.iter().find(|(opcode, _, root, _)| opcode == "OpenRead" && *root == table);
    let (_, cursor, ..) = opened.expect("the table of sessions is opened");
    let seek = program.iter().position(|(opcode, _, _, table)| opcode == "DeferredSeek" && table == cursor);
    let after: Vec<_> = program.iter().skip(seek.expect("a row that is read if need be")).collect();
    let end = after.iter().position(|(opcode, ..)| opcode == "Next").expect("one session after the other");
    let reads: Vec<_> = (0..end).filter(|n| after[*n].0 == "Column" && after[*n].1 == *cursor).collect();
    assert_eq!(reads.iter().map(|n| after[*n].2).collect::<Vec<_>>(), [column]);
    assert!(after[..reads[0]].iter().any(|(opcode, ..)| opcode == "Gt"), "the day comes first: {after:?}");
}
