//! The real process when something goes wrong: its database, its machine, its clients, itself.

#![expect(clippy::expect_used, reason = "a step of a test that cannot be taken is a failed test")]

#[cfg(test)]
mod database;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod files;
#[cfg(test)]
mod floods;
#[cfg(test)]
mod migration;
#[cfg(test)]
mod process;
#[cfg(test)]
mod stopped;
