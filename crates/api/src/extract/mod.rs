//! What handlers demand of a request. Each extractor says how it can fail; every failure is an
//! [`ApiError`](crate::error::ApiError).

mod bearer;
mod body;
mod context;
mod fields;
mod forwarded;
mod if_match;
mod json;
mod path;
mod query;
#[cfg(test)]
mod tests;

pub use bearer::{Bearer, FreshBearer, OptionalBearer};
#[cfg(test)]
pub(crate) use body::read_body;
pub use body::{Body, OptionalBody};
pub use context::Context;
pub use fields::{Fields, Parameters, ReadJson, ReadQuery};
pub(crate) use forwarded::client_address;
pub use if_match::IfMatch;
pub use path::{SessionPath, TargetUser};
pub use query::Query;
#[cfg(test)]
pub(crate) use query::read_query;
