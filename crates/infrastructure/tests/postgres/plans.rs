//! No statement reads a whole table of users, sessions or tokens, whenever its plan was made: a connection keeps a plan
//! from when the tables were small for as long as nobody has analysed them.

use crate::database::Database;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::fs;
use std::path::Path;
use vestibule_infrastructure::postgres::SETTINGS;

/// What has a handful of rows however many users there are.
const SMALL: [&str; 3] = ["signing_keys", "clients", "_sqlx_migrations"];

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

/// The tables that are read from one end to the other.
fn scanned(plan: &Value) -> Vec<String> {
    let is_scan = plan["Node Type"].as_str().is_some_and(|node| node.contains("Scan"));
    let is_bounded = !plan["Index Cond"].is_null() || plan["Node Type"] == "Bitmap Heap Scan";
    let relation = plan["Relation Name"].as_str().or_else(|| plan["Index Name"].as_str());
    let this = relation.filter(|name| is_scan && !is_bounded && !SMALL.contains(name)).map(str::to_owned);
    let parts = plan["Plans"].as_array().into_iter().flatten();
    this.into_iter().chain(parts.flat_map(scanned)).collect()
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let database = Database::migrated().await;
    let options = database.options.clone().options(SETTINGS).options([("plan_cache_mode", "force_generic_plan")]);
    let mut connection = PgConnection::connect_with(&options).await.expect("the server answers");
    let statements = statements();
    assert!(statements.len() > 30, "the data of the compile-time check is missing");
    for (n, (statement, arguments)) in statements.iter().enumerate() {
        let prepare = AssertSqlSafe(format!("PREPARE statement_{n} AS {statement}"));
        connection.execute(prepare).await.expect(statement);
        let nulls = if *arguments == 0 { String::new() } else { format!("({})", vec!["NULL"; *arguments].join(", ")) };
        let explain = AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) EXECUTE statement_{n}{nulls}"));
        let row = connection.fetch_one(explain).await.expect(statement);
        let plan: Value = row.get(0);
        let plan = &plan[0]["Plan"];
        // A page is read in the order of an index until it is full.
        let is_page = plan["Node Type"] == "Limit";
        assert!(is_page || scanned(plan).is_empty(), "{:?}\n{statement}\n{plan:#}", scanned(plan));
    }
}
