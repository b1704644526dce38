//! Calls that take nothing.

use super::{Fields, OptionalBody, Parameters, Query, ReadJson, ReadQuery};
use crate::error::ApiError;
use crate::state::AppState;
use axum::RequestExt;
use axum::extract::{FromRequest, Request};

/// Neither parameters in the query nor a body, except an empty object: what a client sends in vain it is told of, not
/// spared. Comes last in a handler, so that whatever else is demanded is judged before.
///
/// Fails as [`Query`] and then [`OptionalBody`] do; any parameter or field is unknown.
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
        let Query(Self) = request.extract_parts_with_state(state).await?;
        OptionalBody::from_request(request, state).await.map(|OptionalBody(nothing)| nothing)
    }
}
