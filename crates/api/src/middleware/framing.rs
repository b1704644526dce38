//! Messages that cannot be understood, or that another recipient may understand otherwise: where they end, and whom
//! they are for. hyper leaves these two rules to its user.

use crate::error::ApiError;
use crate::problem::Code;
use axum::extract::{ConnectInfo, Request};
use http::header::{HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode, Version};
use std::net::{Ipv6Addr, SocketAddr};

/// Marks a request that stands for a message which could not be read as one; nothing of it is known but why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unread(pub(crate) StatusCode);

/// Why a message is not to be answered as a request. The connection is closed: where the next one begins is in doubt.
pub(super) fn refusal(request: &Request) -> Option<ApiError> {
    doubt(request).map(ApiError::and_close)
}

fn doubt(request: &Request) -> Option<ApiError> {
    let malformed = ApiError::new(Code::MalformedRequest);
    if let Some(Unread(status)) = request.extensions().get() {
        return Some(match Code::of_status(*status) {
            Code::MalformedRequest => malformed.detail("The message is not HTTP, or breaks its syntax (RFC 9112)."),
            code => ApiError::new(code),
        });
    }
    // Only what came over a connection is a message.
    request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    fault(request.version(), request.headers()).map(|fault| malformed.detail(fault))
}

fn fault(version: Version, headers: &HeaderMap) -> Option<&'static str> {
    let (hosts, codings) = (headers.get_all(HOST), headers.get_all(TRANSFER_ENCODING));
    let mut hosts = hosts.iter();
    match (hosts.next(), hosts.next()) {
        // Older clients need not name it, newer ones name it in the target.
        (None, _) if version != Version::HTTP_11 => {}
        (Some(only), None) if is_host(only) => {}
        // RFC 9112, section 3.2.
        _ => return Some("There must be exactly one Host header, with a host and perhaps a port."),
    }
    let mut codings = codings.iter();
    match (codings.next(), codings.next()) {
        (None, _) => None,
        (Some(only), None) if only.as_bytes().eq_ignore_ascii_case(b"chunked") => None,
        // RFC 9112, section 6.1. A front that reads the list differently would see another end of the message.
        _ => Some("The only transfer coding is chunked, once."),
    }
}

/// RFC 9110, section 7.2. Percent-encoding, of which no name in the DNS has need, is not taken.
fn is_host(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else { return false };
    let (is_host, port) = if let Some((address, port)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        (address.parse::<Ipv6Addr>().is_ok(), port)
    } else {
        let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        (!name.is_empty() && name.bytes().all(is_of_a_name), port)
    };
    let is_number = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
    is_host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_number))
}

/// RFC 3986, section 3.2.2: `unreserved` and `sub-delims`.
fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    fn is_fine(version: Version, headers: &[(HeaderName, &'static str)]) -> bool {
        let header = |(name, value): &(HeaderName, &'static str)| (name.clone(), HeaderValue::from_static(value));
        fault(version, &headers.iter().map(header).collect()).is_none()
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for host in ["x", "api.example.com", "a_b:8080", "127.0.0.1:80", "[::1]", "[2001:db8::1]:443", "x:"] {
            assert!(is_fine(Version::HTTP_11, &[(HOST, host)]), "{host}");
        }
        let broken = [
            "", ":80", "a b", "a, b", "user@x", "x:80:80", "x:8a", "x/y", "x?y", "x#y", "http://x", "[::1", "::1",
            "[x]", "[]", "[::1]80", "x]", "a\\b", "%zz", "<x>", "\"x\"", "x\ty",
        ];
        for host in broken {
            assert!(!is_fine(Version::HTTP_11, &[(HOST, host)]), "{host}");
        }
    }

    #[test]
    fn there_is_one_host_and_only_other_versions_may_leave_it_out() {
        assert!(!is_fine(Version::HTTP_11, &[]));
        assert!(is_fine(Version::HTTP_10, &[]) && is_fine(Version::HTTP_2, &[]));
        for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
            assert!(!is_fine(version, &[(HOST, "x"), (HOST, "x")]), "{version:?}");
            assert!(!is_fine(version, &[(HOST, "")]), "{version:?}");
        }
    }

    #[test]
    fn a_transfer_coding_is_chunked_and_nothing_else() {
        for coding in ["chunked", "Chunked", "CHUNKED"] {
            assert!(is_fine(Version::HTTP_11, &[(HOST, "x"), (TRANSFER_ENCODING, coding)]), "{coding}");
        }
        for coding in ["", "gzip, chunked", "chunked, chunked", "identity", "chunked;q=1", "chunked,", "xchunked"] {
            assert!(!is_fine(Version::HTTP_11, &[(HOST, "x"), (TRANSFER_ENCODING, coding)]), "{coding}");
        }
        let twice = [(HOST, "x"), (TRANSFER_ENCODING, "chunked"), (TRANSFER_ENCODING, "chunked")];
        assert!(!is_fine(Version::HTTP_11, &twice));
    }
}
