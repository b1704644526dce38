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
    for (begins, all) in [("INSERT INTO logins", login), ("UPDATE sessions\n               SET refresh_hash", refresh)]
    {
        let statement = statements().into_iter().find(|statement| statement.starts_with(begins)).expect(begins);
        let explain = sqlx::query(AssertSqlSafe(format!("EXPLAIN {statement}"))).fetch_all(&mut connection).await;
        let touched = touched(explain.expect("a program"), &roots);
        assert!(all.iter().all(|table| touched.contains(table)), "{touched:?}");
    }
}

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
