//! End-to-end tests over real HTTP, on both stores. The folders follow the URLs; `security` follows the catalogue of
//! attacks and bad input by its numbers.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a step of a test that cannot be taken is a failed test"
)]

/// What the value shows is the inline snapshot, on both stores: a test runs twice and has one of it.
macro_rules! assert_transcript {
    ($value:expr, @$snapshot:literal $(,)?) => {{
        let shown = &$value;
        insta::allow_duplicates! { insta::assert_snapshot!(shown, @$snapshot) }
    }};
}

mod architecture;
mod change_feed;
mod clients;
mod faults;
mod health;
mod metrics;
mod openapi;
mod problems;
mod promises;
mod security;
mod sessions;
mod users;
mod well_known;
