//! Calls that take nothing.

use super::{Fields, Parameters, ReadJson, ReadQuery, query};
use crate::error::ApiError;
use crate::state::AppState;
use axum::extract::{FromRequest, Request};

/// Neither parameters in the query nor a body, except an empty object: what a client sends in vain it is told of, not
/// spared. Comes last in a handler, so that whatever else is demanded is judged before.
///
/// Fails as [`Query`](super::Query) does, to which any parameter is unknown.
#[derive(Debug)]
pub(crate) struct Nothing;

impl ReadJson for Nothing {
    fn read(_: &mut Fields<'_>) -> Option<Self> {
        Some(Self)
    }
}

impl ReadQuery for Nothing {
    fn read(_: &mut Parameters<'_>) -> Option<Self> {
        Some(Self)
    }
}

impl FromRequest<AppState> for Nothing {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, state: &AppState) -> Result<Self, ApiError> {
        query::read(&mut request, state).await
    }
}
