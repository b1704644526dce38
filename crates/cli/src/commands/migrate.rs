//! `vestibule migrate`

use crate::config::Inputs;
use crate::failure::Failure;
use crate::output;
use crate::prepare::pending_steps;
use crate::wire::{Purpose, wire};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule migrate            apply what is pending; beside running services too
  vestibule migrate --check    exit status 1 if anything is pending")]
pub(crate) struct MigrateArgs {
    /// Only tell whether steps are pending
    #[arg(long)]
    check: bool,
}

pub(crate) async fn run(inputs: &Inputs, args: MigrateArgs) -> Result<(), Failure> {
    let mut config = super::load(inputs)?;
    if args.check {
        super::require_database(&config)?;
    }
    let wired = wire(&mut config, Purpose::Command).await?;
    let pending = wired.services.ports.store.check().await?.pending_migrations;
    if pending == 0 {
        output::line("nothing is pending")?;
    } else if args.check {
        return Err(Failure::refused(pending_steps(pending)));
    } else {
        wired.database.migrate().await?;
        output::line(format_args!("applied: {pending}"))?;
    }
    wired.database.close().await;
    Ok(())
}
