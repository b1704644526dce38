//! The one binary: configuration, wiring, commands.

mod args;
mod boot;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod c_library;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
#[path = "c_library/other.rs"]
mod c_library;
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
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    process::forbid_core_dumps();
    // After a panic as well.
    let _log = logging::Finish;
    if let Err(error) = c_library::load_no_library() {
        return Failure::from(error).report();
    }
    match commands::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
