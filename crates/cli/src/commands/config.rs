//! `vestibule config`

use crate::config::{Config, Inputs, reference};
use crate::failure::Failure;
use crate::output;
use crate::wire::breach_filter;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every setting that is in use and where it comes from, as TOML; secrets are left out
    Print,
    /// Tell every fault; exit status 78 if there is one
    Check,
    /// Print docs/configuration.md
    #[command(hide = true)]
    Reference,
}

pub(crate) fn run(inputs: &Inputs, command: &ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Reference => output::text(&reference::markdown())?,
        ConfigCommand::Print => {
            for line in Config::load(inputs)?.lines() {
                output::line(line)?;
            }
        }
        ConfigCommand::Check => {
            let config = Config::load(inputs)?;
            breach_filter(&config, true)?;
            for warning in config.warnings {
                output::note(format_args!("warning: {warning}"));
            }
            output::line("the configuration is in order")?;
        }
    }
    Ok(())
}
