//! What Vestibule *is*: users, their credentials, sessions and tokens, who may do what, and the ports through
//! which the outside is reached. Nothing here knows HTTP, SQL, a clock or a source of randomness.
//!
//! Each area has its types (`mod.rs` and one file per value type), its port (`store.rs`) and its use cases.

#![forbid(unsafe_code)]

pub mod access;
pub mod audit;
pub mod client;
pub mod clock;
pub mod context;
pub mod credential;
pub mod drift;
pub mod error;
pub mod fault;
pub mod feed;
pub mod id;
pub mod page;
pub mod rng;
pub mod secret;
pub mod services;
pub mod session;
pub mod store;
pub mod throttle;
pub mod together;
pub mod token;
pub mod uniform;
pub mod user;

pub use clock::{Clock, Timestamp};
pub use context::RequestContext;
pub use drift::ClockDrift;
pub use error::StoreError;
pub use rng::Rng;
pub use services::{Ports, Services, Settings};
pub use store::{Store, Transaction, UnitOfWork};
