//! Bounds of what stands before the body. The connection has wider ones, for memory's sake ([`crate::serve`]).

use crate::error::ApiError;
use crate::problem::Code;
use axum::extract::Request;
use http::HeaderMap;

const MAX_URI_BYTES: usize = 8 * 1024;
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 16 * 1024;

pub(super) fn refusal(request: &Request) -> Option<ApiError> {
    let uri_bytes = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if uri_bytes > MAX_URI_BYTES {
        return Some(ApiError::new(Code::UriTooLong));
    }
    let is_too_large = request.headers().len() > MAX_HEADERS || bytes(request.headers()) > MAX_HEADER_BYTES;
    is_too_large.then(|| ApiError::new(Code::HeadersTooLarge))
}

/// As they stand in an HTTP/1.1 message, with `: ` and line ends.
fn bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use http::HeaderValue;

    fn refused(uri: &str, headers: &[(&'static str, usize)]) -> Option<Code> {
        let mut request = Request::builder().uri(uri).body(Body::empty()).unwrap();
        for (name, length) in headers {
            request.headers_mut().append(*name, HeaderValue::from_str(&"x".repeat(*length)).unwrap());
        }
        refusal(&request).map(|error| error.code())
    }

    #[test]
    fn limits_are_exact() {
        let target = |length: usize| format!("/?{}", "x".repeat(length - 2));
        assert_eq!(refused(&target(8_192), &[]), None);
        assert_eq!(refused(&target(8_193), &[]), Some(Code::UriTooLong));
        // `x-large: ` and the line end are eleven.
        let large = ("x-large", 8_192 - 11);
        assert_eq!(refused("/", &[large, large]), None);
        assert_eq!(refused("/", &[large, ("x-large", large.1 + 1)]), Some(Code::HeadersTooLarge));
        assert_eq!(refused("/", &[("x-many", 1); 64]), None);
        assert_eq!(refused("/", &[("x-many", 1); 65]), Some(Code::HeadersTooLarge));
    }
}
