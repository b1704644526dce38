//! The embedded store: the ports of the domain on one SQLite file.
//!
//! One process serves a file and says so by a lock beside it; commands open it too and work beside the service.
//! Within a process whoever writes waits for their turn, between processes for the file's lock. One connection writes,
//! in `BEGIN IMMEDIATE` transactions, so that what one has read stays true until it commits, or by statements that
//! commit by themselves; what is counted of attempts has another (docs/decisions/0023). Reads have connections of their
//! own and never wait for a write (WAL).
//!
//! Each file has the queries of one area of the domain. The SQL is checked at compile time against the migrations
//! (`.sqlx` holds what the check needs when there is no database).

#![forbid(unsafe_code)]

mod audit;
mod backup;
mod client;
mod connection;
mod credential;
mod error;
mod feed;
mod file;
mod json;
mod lock;
mod migration;
mod open;
mod session;
mod space;
mod throttle;
mod token;
mod turn;
mod unit_of_work;
mod user;

pub use backup::BackupError;
pub use open::{Access, OpenError, SqliteStore};
