//! `vestibule backup`

use crate::config::Inputs;
use crate::failure::Failure;
use crate::output;
use crate::wire::{Purpose, wire};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule backup /backups/vestibule-2026-11-23.db

The copy is useless without the master key (`master.key` beside the database, unless tokens.master_key is set): keep that
one too, elsewhere.")]
pub(crate) struct BackupArgs {
    /// Must not exist yet
    file: PathBuf,
}

pub(crate) async fn run(inputs: &Inputs, args: BackupArgs) -> Result<(), Failure> {
    let mut config = super::load(inputs)?;
    super::require_database(&config)?;
    // With whatever schema it has: a backup comes before a migration, and before room is made on a full disk.
    let wired = wire(&mut config, Purpose::Command).await?;
    wired.database.backup(&args.file).await?;
    wired.database.close().await;
    Ok(output::line(format_args!("{}", args.file.display()))?)
}
