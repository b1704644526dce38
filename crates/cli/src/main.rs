//! The one binary: configuration, wiring, commands.

mod args;
mod boot;
mod commands;
mod config;
mod database;
mod failure;
mod logging;
mod master_key;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod names;
mod output;
mod prepare;
mod process;
mod wire;

use args::Cli;
use clap::Parser;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    process::forbid_core_dumps();
    // After a panic as well.
    let _log = logging::Finish;
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if let Err(error) = names::load_no_library() {
        return Failure::from(error).report();
    }
    match commands::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
