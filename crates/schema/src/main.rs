//! Development only: makes the databases against which the queries of the two stores are checked when they are
//! compiled. For `scripts/sqlx-data`.

use sqlx::migrate::{Migrate, MigrateDatabase, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, Postgres};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: vestibule-schema (postgres SERVER-URL NAME | drop URL | sqlite FILE)
  postgres  makes the database NAME on the server, with all migrations, and prints its URL
  drop      drops the PostgreSQL database
  sqlite    makes the database FILE, with all migrations, and prints its URL";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let outcome = match *arguments {
        ["postgres", server, name] => postgres(server, name).await,
        ["drop", url] => Postgres::force_drop_database(url).await.map(|()| "dropped".to_owned()).map_err(Into::into),
        ["sqlite", file] => sqlite(file).await,
        _ => Err(USAGE.into()),
    };
    let (said, code) = match outcome {
        Ok(url) => (writeln!(std::io::stdout(), "{url}"), ExitCode::SUCCESS),
        Err(error) => (writeln!(std::io::stderr(), "{error}"), ExitCode::FAILURE),
    };
    if said.is_ok() { code } else { ExitCode::FAILURE }
}

async fn postgres(server: &str, name: &str) -> Result<String, Box<dyn Error>> {
    let options = server.parse::<PgConnectOptions>()?.database(name);
    let url = options.to_url_lossy();
    Postgres::create_database(url.as_str()).await?;
    migrate(&mut PgConnection::connect_with(&options).await?, "postgres").await?;
    Ok(url.into())
}

async fn sqlite(file: &str) -> Result<String, Box<dyn Error>> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    migrate(&mut connection, "sqlite").await?;
    connection.close().await?;
    Ok(format!("sqlite://{file}"))
}

async fn migrate(connection: &mut impl Migrate, store: &str) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations")).join(store);
    Ok(Migrator::new(folder).await?.run_direct(None, connection, false).await?)
}
