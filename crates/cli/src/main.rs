//! The one binary: configuration, wiring, commands.

mod args;
mod boot;
mod commands;
mod config;
mod database;
mod failure;
mod logging;
mod master_key;
mod output;
mod prepare;
mod process;
mod wire;

use args::Cli;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    process::forbid_core_dumps();
    // After a panic as well.
    let _log = logging::Finish;
    match commands::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
