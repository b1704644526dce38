//! One file for each command.

pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod breach;
pub(crate) mod clients;
pub(crate) mod config;
pub(crate) mod dev;
mod doctor;
pub(crate) mod healthcheck;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod serve;
pub(crate) mod users;

use crate::args::{Cli, Command};
use crate::config::{Config, Inputs, StoreUrl};
use crate::failure::Failure;
use crate::prepare::pending_steps;
use crate::wire::{Purpose, Wired, wire};
use crate::{logging, output, process};
use tracing_subscriber::filter::{LevelFilter, Targets};

pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    let inputs = cli.flags.into_inputs();
    match cli.command {
        Command::Dev(args) => process::serve(dev::run(inputs, args)),
        Command::Serve(args) => process::serve(serve::run(&inputs, args)),
        Command::Migrate(args) => process::command(migrate::run(&inputs, args)),
        Command::Users(command) => process::command(users::run(&inputs, command)),
        Command::Keys(command) => process::command(keys::run(&inputs, command)),
        Command::Clients(command) => process::command(clients::run(&inputs, command)),
        Command::Breach(command) => breach::run(command),
        Command::Config(command) => config::run(&inputs, &command),
        Command::Doctor => process::command(doctor::run(&inputs)),
        Command::Bench(args) => bench::run(&inputs, &args),
        Command::Openapi => Ok(output::line(vestibule_api::DOCUMENT.trim_end())?),
        Command::Healthcheck(args) => healthcheck::run(&inputs, &args),
        Command::Backup(args) => process::command(backup::run(&inputs, args)),
    }
}

/// Reads the configuration and starts the log, for a command that ends by itself: unless told otherwise it says only
/// what went wrong.
fn load(inputs: &Inputs) -> Result<Config, Failure> {
    let config = Config::load(inputs)?;
    let quiet = Targets::new().with_default(LevelFilter::WARN);
    let filter = if config.is_default("log.level") { quiet } else { config.log.level.clone() };
    logging::start(config.log.format, filter);
    Ok(config)
}

/// Refuses to go where nothing is, instead of making an empty database there.
fn require_database(config: &Config) -> Result<(), Failure> {
    match &config.store.url {
        StoreUrl::Sqlite(path) if !path.exists() => {
            let path = std::path::absolute(path)?;
            Err(Failure::refused(format!(
                "there is no database {} (store.url)\n  make it with `vestibule migrate`, or run this where it is",
                path.display()
            )))
        }
        StoreUrl::Sqlite(_) | StoreUrl::Postgres(_) => Ok(()),
    }
}

/// The use cases, on a database that has the schema of this version.
async fn open(inputs: &Inputs) -> Result<Wired, Failure> {
    let mut config = load(inputs)?;
    require_database(&config)?;
    let wired = wire(&mut config, Purpose::Command).await?;
    let pending = wired.services.ports.store.check().await?.pending_migrations;
    if pending > 0 {
        return Err(Failure::refused(pending_steps(pending)));
    }
    Ok(wired)
}
