//! The real process when something goes wrong: its database, its machine, its clients, itself.

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
