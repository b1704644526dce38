//! The real binary, each test in a folder of its own; on SQLite where it does not say otherwise.

#[cfg(test)]
mod backup;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod boot;
#[cfg(test)]
mod breach;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod config;
#[cfg(test)]
mod dev;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod flush;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod linking;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod pepper;
#[cfg(test)]
mod place;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod told;
#[cfg(test)]
mod users;
