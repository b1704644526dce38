//! Forms, where OAuth asks for them.

use super::body::{MAX_BYTES, collect};
use super::json::{Json, Members};
use super::query;
use crate::error::ApiError;
use crate::problem::Code;
use axum::extract::Request;
use http::{HeaderMap, header};
use zeroize::Zeroizing;

/// `application/x-www-form-urlencoded` in UTF-8 (RFC 6749, appendix B). Unlike everywhere else, parameters that nobody
/// knows are ignored, because RFC 6749, section 3.1, demands it.
#[derive(Debug)]
pub(super) struct Form(Members);

impl Form {
    /// Fails with 415 `unsupported_media_type` (before anything is read), 413 `payload_too_large`, 408
    /// `request_timeout`, and 400 `invalid_request` for a query, a parameter that comes twice, or broken encoding.
    pub(super) async fn read(request: Request) -> Result<Self, ApiError> {
        let query = request.uri().query().unwrap_or_default();
        if !query.is_empty() {
            // A token in a URL ends up in logs and histories; RFC 7662, section 2.1.
            return Err(invalid("What is asked goes into the body: this call takes no query."));
        }
        require_form(request.headers())?;
        let body = collect(request.into_body(), MAX_BYTES).await?;
        let text = std::str::from_utf8(&body).map_err(|_| invalid("The form is not in UTF-8."))?;
        query::parse(text).map(Self).map_err(invalid)
    }

    /// A parameter without a value counts as absent (RFC 6749, section 3.1).
    pub(super) fn take(&mut self, name: &str) -> Option<Zeroizing<String>> {
        match self.0.remove(name) {
            Some(Json::String(value)) if !value.is_empty() => Some(value),
            _ => None,
        }
    }
}

pub(super) fn invalid(detail: &'static str) -> ApiError {
    ApiError::new(Code::InvalidRequest).detail(detail)
}

/// A page of another origin can send a form without a preflight; it gets nowhere without a client's secret.
fn require_form(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let is_form = match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().is_ok_and(is_form),
        _ => false,
    };
    if is_form && !headers.contains_key(header::CONTENT_ENCODING) {
        Ok(())
    } else {
        let detail = "Send the header Content-Type: application/x-www-form-urlencoded, without Content-Encoding.";
        Err(ApiError::new(Code::UnsupportedMediaType).detail(detail))
    }
}

/// The type has no parameters, but many clients say `charset=UTF-8`.
fn is_form(media_type: &str) -> bool {
    let (essence, parameter) = media_type.split_once(';').unwrap_or((media_type, "charset=utf-8"));
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && parameter.trim().eq_ignore_ascii_case("charset=utf-8")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    async fn read(content_type: &str, uri: &str, body: &'static [u8]) -> Result<Form, ApiError> {
        let request = Request::post(uri).header(header::CONTENT_TYPE, content_type);
        Form::read(request.body(Body::from(body)).unwrap()).await
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[tokio::test]
    async fn parameters_are_decoded_and_empty_ones_absent() {
        let mut form = read(FORM, "/", b"token=a%2Bb+c&empty=&bare&x=%C3%BC").await.unwrap();
        assert_eq!(form.take("token").unwrap().as_str(), "a+b c");
        assert_eq!(form.take("x").unwrap().as_str(), "ü");
        assert_eq!((form.take("empty"), form.take("bare"), form.take("absent")), (None, None, None));
    }

    #[tokio::test]
    async fn only_forms_are_read() {
        for good in [FORM, "Application/X-WWW-Form-Urlencoded; charset=UTF-8"] {
            assert!(read(good, "/", b"").await.is_ok(), "{good}");
        }
        let bad = ["application/json", "text/plain", "application/x-www-form-urlencoded; charset=utf-16", ""];
        for bad in bad {
            assert_eq!(read(bad, "/", b"").await.unwrap_err().code(), Code::UnsupportedMediaType, "{bad}");
        }
    }

    #[tokio::test]
    async fn what_could_be_understood_in_two_ways_is_refused() {
        for bad in [&b"token=a&token=a"[..], b"token=a&%74oken=b", b"token=%", b"token=%ff", b"token=\xff"] {
            assert_eq!(read(FORM, "/", bad).await.unwrap_err().code(), Code::InvalidRequest, "{bad:?}");
        }
        assert_eq!(read(FORM, "/?token=a", b"").await.unwrap_err().code(), Code::InvalidRequest);
    }
}
