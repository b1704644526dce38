//! What the tests stand on: a store of their own each, time that moves by hand, randomness from a seed, the
//! behavioural store suite, and a whole service on a real socket. For development only.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a step of a test that cannot be taken is a failed test"
)]

pub mod app;
pub mod clock;
pub mod counting;
pub mod invariants;
pub mod rng;
pub mod stores;
pub mod suite;
pub mod timing;
pub mod way;

pub use clock::MovableClock;
pub use rng::SeededRng;
pub use stores::{StoreKind, TestStore};
pub use way::{Traffic, Way};

/// One `#[tokio::test]` on each store for every named test: `both_stores!(name, other_name)` over
/// `async fn name(store: StoreKind)`.
#[macro_export]
macro_rules! both_stores {
    ($($(#[$attribute:meta])* $name:ident),+ $(,)?) => {
        mod postgres {
            $( #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::StoreKind::Postgres).await; } )+
        }
        mod sqlite {
            $( #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::StoreKind::Sqlite).await; } )+
        }
    };
}
