//! What handlers demand of a request. Each extractor says how it can fail; every failure is an
//! [`ApiError`](crate::error::ApiError).

mod bearer;
mod body;
mod client;
mod context;
mod fields;
mod form;
mod forwarded;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod idempotency;
mod if_match;
mod json;
mod nothing;
mod path;
mod query;
mod segments;
#[cfg(test)]
mod tests;

pub(crate) use bearer::{Bearer, FreshBearer, OptionalBearer};
#[cfg(test)]
pub(crate) use body::read_body;
pub(crate) use body::{Body, OptionalBody};
pub(crate) use client::FromClient;
pub(crate) use context::Context;
pub(crate) use fields::{Fields, Parameters, ReadJson, ReadQuery};
pub(crate) use forwarded::client_address;
pub(crate) use idempotency::Idempotency;
pub(crate) use if_match::IfMatch;
pub(crate) use nothing::Nothing;
pub(crate) use path::{SessionPath, TargetUser};
pub(crate) use query::Query;
#[cfg(test)]
pub(crate) use query::read_query;
pub(crate) use segments::Segments;
