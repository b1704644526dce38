//! `vestibule serve`

use crate::boot::{self, Listeners};
use crate::config::{Config, Inputs};
use crate::failure::Failure;
use crate::logging;
use crate::prepare::Migrations;
use crate::process::Shutdown;
use crate::wire::{Purpose, wire};
use vestibule_api::serve::ServeSettings;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule serve --listen 0.0.0.0:8080 --public-url https://auth.example.com
  DATABASE_URL=postgres://… VESTIBULE_TOKENS__MASTER_KEY_FILE=/run/secrets/master_key vestibule serve --migrate

SIGTERM and SIGINT let running requests finish; a second one does not. Starts while PostgreSQL is down: /health/live
answers 200, /health/ready 503, until the database is there.")]
pub(crate) struct ServeArgs {
    /// Apply pending migrations first; without it the service does not start on them
    #[arg(long)]
    migrate: bool,
}

pub(crate) async fn run(inputs: &Inputs, args: ServeArgs) -> Result<(), Failure> {
    let mut config = Config::load(inputs)?;
    logging::start(config.log.format, config.log.level.clone());
    let shutdown = Shutdown::on_signals()?;
    let listeners = Listeners::bind(&config).await?;
    // Opening a file takes as long as checking it, or as another process that opens it.
    let Some(wired) = shutdown.graceful.run_until_cancelled(wire(&mut config, Purpose::Serve)).await else {
        return Ok(());
    };
    let wired = wired?;
    let migrations = if args.migrate { Migrations::Apply } else { Migrations::Refuse };
    boot::run(&config, &wired, listeners, migrations, ServeSettings::default(), shutdown).await
}
