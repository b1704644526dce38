//! What can be written on the command line.

use crate::commands::{
    backup, bench, breach, clients, config as config_command, dev, healthcheck, keys, migrate, serve, users,
};
use crate::config::{Host, Inputs, environment};
use clap::{Args, Parser, Subcommand};
use std::io::IsTerminal;
use std::path::PathBuf;

/// Registers users, checks passwords, hands out bearer tokens and takes them back.
#[derive(Debug, Parser)]
#[command(
    name = "vestibule",
    version,
    arg_required_else_help = true,
    after_help = "Examples:
  vestibule dev                                     try it out, with nothing set up
  vestibule config check && vestibule serve         run it
  vestibule users create ada@example.com --role admin
  vestibule doctor                                  find out what is wrong

Exit status: 0 done, 1 failed, 2 wrong usage, 78 faulty configuration."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) flags: Flags,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run on this machine to try things out: SQLite, an administrator and lines to paste are made for you
    Dev(dev::DevArgs),
    /// Run the service
    Serve(serve::ServeArgs),
    /// Bring the database to the schema that this version needs
    Migrate(migrate::MigrateArgs),
    /// Create, list and change users
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// List, rotate and revoke the keys that sign access tokens
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Let other services ask about tokens
    #[command(subcommand)]
    Clients(clients::ClientsCommand),
    /// Make filters of breached passwords
    #[command(subcommand)]
    Breach(breach::BreachCommand),
    /// Show and check the configuration
    #[command(subcommand)]
    Config(config_command::ConfigCommand),
    /// Find out what is wrong, and what to do about it
    #[command(after_help = "Exit status: 0 if nothing is wrong, 1 if something is, the configuration included.")]
    Doctor,
    /// Measure how fast this machine hashes passwords, and find parameters for a time
    Bench(bench::BenchArgs),
    /// Print the OpenAPI document
    Openapi,
    /// Ask a running service how it is; for containers
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Copy the SQLite database while the service runs
    Backup(backup::BackupArgs),
}

/// Settings that are often given by hand. All others are in the file and the environment.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct Flags {
    /// Read this file instead of vestibule.toml
    #[arg(long, global = true, value_name = "FILE", env = environment::CONFIG)]
    config: Option<PathBuf>,
    /// Where clients connect [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Where operators connect, or «off» [default: 127.0.0.1:9090]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    ops_listen: Option<String>,
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "How clients reach the service [default: http://localhost:8080]"
    )]
    public_url: Option<String>,
    #[arg(
        long,
        global = true,
        value_name = "URL",
        visible_alias = "database-url",
        help = "The database [default: sqlite://var/vestibule.db]. A password in it shows in the list of processes"
    )]
    store_url: Option<String>,
    /// «text» or «json» [default: text on a terminal]
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
    /// «error», «warn», «info», «debug» or «trace» [default: info]
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
}

impl Flags {
    /// Together with the environment and the machine.
    pub(crate) fn into_inputs(self) -> Inputs {
        let flags = [
            ("http.listen", "--listen", self.listen),
            ("http.ops_listen", "--ops-listen", self.ops_listen),
            ("http.public_url", "--public-url", self.public_url),
            ("store.url", "--store-url", self.store_url),
            ("log.format", "--log-format", self.log_format),
            ("log.level", "--log-level", self.log_level),
        ];
        Inputs {
            file: self.config,
            environment: std::env::vars_os().collect(),
            with_database_url: true,
            flags: flags.into_iter().filter_map(|(key, flag, value)| Some((key, flag, value?))).collect(),
            host: Host {
                cores: std::thread::available_parallelism().map_or(1, usize::from),
                terminal: std::io::stderr().is_terminal(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SETTINGS;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_flags_of_the_table_are_the_flags_of_the_command_line() {
        let flag = || Some("x".to_owned());
        let all = Flags {
            config: None,
            listen: flag(),
            ops_listen: flag(),
            public_url: flag(),
            store_url: flag(),
            log_format: flag(),
            log_level: flag(),
        };
        let given: Vec<_> = all.into_inputs().flags.into_iter().map(|(key, flag, _)| (key, flag)).collect();
        let listed: Vec<_> = SETTINGS.iter().filter_map(|setting| Some((setting.key, setting.flag?))).collect();
        assert_eq!(given, listed);
        let command = Cli::command();
        for (_, flag) in listed {
            assert!(
                command
                    .get_arguments()
                    .any(|argument| Some(flag) == argument.get_long().map(|long| format!("--{long}")).as_deref()),
                "{flag}"
            );
        }
    }

    #[test]
    fn every_command_has_help() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{} says nothing of itself", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
