//! Request bodies.

use super::fields::{Fields, ReadJson};
use super::json::{Json, Malformed, Members};
use crate::error::ApiError;
use crate::problem::Code;
use crate::state::AppState;
use axum::body::HttpBody;
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use std::mem;
use std::time::Duration;
#[cfg(any(test, feature = "fuzzing"))]
use vestibule_domain::credential::PasswordPolicy;
use zeroize::Zeroizing;

/// The most that is read of a body.
pub(super) const MAX_BYTES: usize = 64 * 1024;
/// How long a body may take to arrive: less than the whole request may take, so that the client learns why.
const DEADLINE: Duration = Duration::from_secs(8);

/// A JSON object, read into domain types.
///
/// Fails with 400 `malformed_request` if there is a query, 415 `unsupported_media_type` (before anything is
/// read), 413 `payload_too_large`, 408 `request_timeout`, 400 `malformed_json`, and 422 `validation_failed` with all
/// faults at once.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// As [`Body`], but a request without any body, or with an empty one, is read as an empty object.
#[derive(Debug)]
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: ReadJson> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        refuse_query(&request)?;
        require_json(request.headers())?;
        let (mut parts, body) = request.into_parts();
        let text = collect(body, MAX_BYTES).await?;
        let members = Json::parse_object(&text).map_err(refuse)?;
        let fields = Fields::new(members, &state.services.password_policy);
        fields.sent_by(parts.extensions.remove()).read(T::read).map(Self)
    }
}

impl<T: ReadJson> FromRequest<AppState> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, state: &AppState) -> Result<Self, ApiError> {
        refuse_query(&request)?;
        read_if_any(&mut request, state).await.map(Self)
    }
}

/// What [`OptionalBody`] reads, whatever the query says.
pub(super) async fn read_if_any<T: ReadJson>(request: &mut Request, state: &AppState) -> Result<T, ApiError> {
    if request.body().is_end_stream() {
        // As most often: nothing is to be waited for, nor to be of any type.
        return Fields::new(Members::new(), &state.services.password_policy).read(T::read);
    }
    // In a box, so that a request without a body has no room for it.
    Box::pin(read_possible(mem::take(request), state)).await
}

async fn read_possible<T: ReadJson>(request: Request, state: &AppState) -> Result<T, ApiError> {
    let declared = require_json(request.headers());
    // Whether a body of unknown length is empty shows only when it is read.
    let text = match (collect(request.into_body(), if declared.is_ok() { MAX_BYTES } else { 0 }).await, declared) {
        (Err(error), Err(undeclared)) if error.code() == Code::PayloadTooLarge => return Err(undeclared),
        (text, _) => text?,
    };
    let members = if text.is_empty() { Members::new() } else { Json::parse_object(&text).map_err(refuse)? };
    Fields::new(members, &state.services.password_policy).read(T::read)
}

/// Nobody shall have to guess which of two values counts.
fn refuse_query(request: &Request) -> Result<(), ApiError> {
    match request.uri().query() {
        None | Some("") => Ok(()),
        Some(_) => Err(ApiError::new(Code::MalformedRequest).detail("What can have a body takes no query.")),
    }
}

/// Anything that a browser would send without a preflight is refused here, so that no page of another origin can
/// reach a handler with it.
fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let is_json = match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().is_ok_and(is_json),
        _ => false,
    };
    if is_json && !headers.contains_key(header::CONTENT_ENCODING) {
        Ok(())
    } else {
        Err(ApiError::new(Code::UnsupportedMediaType))
    }
}

/// `application/json`, alone or in UTF-8; JSON has no other parameters (RFC 8259, section 11).
fn is_json(media_type: &str) -> bool {
    let (essence, parameter) = media_type.split_once(';').unwrap_or((media_type, "charset=utf-8"));
    let parameter = parameter.trim();
    essence.trim().eq_ignore_ascii_case("application/json")
        && (parameter.eq_ignore_ascii_case("charset=utf-8") || parameter.eq_ignore_ascii_case("charset=\"utf-8\""))
}

/// What a handler would read of this body, or the faults that it would answer with.
#[cfg(test)]
pub(crate) fn read_body<T: ReadJson>(text: &str) -> Result<T, ApiError> {
    read_body_by(&crate::testing::password_policy(), text)
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn read_body_by<T: ReadJson>(policy: &PasswordPolicy, text: &str) -> Result<T, ApiError> {
    let members = Json::parse_object(text.as_bytes()).map_err(refuse)?;
    Fields::new(members, policy).read(T::read)
}

pub(super) async fn collect(body: axum::body::Body, most: usize) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    if body.size_hint().lower() > most as u64 {
        // Known from Content-Length: nothing is read, nor a client told to continue.
        return Err(ApiError::new(Code::PayloadTooLarge).and_close());
    }
    let late = || Err(ApiError::new(Code::RequestTimeout).and_close());
    tokio::time::timeout(DEADLINE, read(body, most)).await.unwrap_or_else(|_| late())
}

async fn read(mut body: axum::body::Body, most: usize) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    // In one piece from the start: a vector that grows leaves copies of passwords behind.
    let expected = body.size_hint().exact().and_then(|size| usize::try_from(size).ok()).unwrap_or(most);
    let mut text = Zeroizing::new(Vec::with_capacity(expected.min(most)));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let broken = ApiError::new(Code::MalformedRequest).detail("The body broke off, or its framing is broken.");
            broken.because(error).and_close()
        })?;
        // Trailers are not read: nothing in them counts.
        let Ok(data) = frame.into_data() else { continue };
        if text.len() + data.len() > most {
            return Err(ApiError::new(Code::PayloadTooLarge).and_close());
        }
        text.extend_from_slice(&data);
    }
    Ok(text)
}

fn refuse(Malformed(sentence): Malformed) -> ApiError {
    ApiError::new(Code::MalformedJson).detail(sentence)
}
