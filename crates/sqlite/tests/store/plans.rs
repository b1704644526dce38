//! No statement reads a whole table of users, sessions or tokens, however many there are.

use crate::fixture::Directory;
use sqlx::{AssertSqlSafe, Row};
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
