//! Lists of breached passwords, as filters: 18 bits for each password, no plain text, no network.
//!
//! A filter answers with «known» for every password of its list, and for one in 65,536 others.

mod build;
mod file;
mod fuse;
mod header;
mod known;
mod list;
#[cfg(test)]
mod tests;

pub use build::{BuildError, FilterImage};
pub use file::FilterFile;
pub use header::FilterError;
pub use known::KnownPasswords;
pub use list::{LineFault, List, ListForm};
