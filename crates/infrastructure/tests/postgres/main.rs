//! What the store does that only PostgreSQL can make it do. What every store must do is in the suite of `testkit`.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test ends where it cannot go on")]

mod database;
mod failures;
mod groups;
mod locks;
mod migrations;
mod plans;
mod proxy;
mod round_trips;
mod rows;
mod settings;
mod versions;
