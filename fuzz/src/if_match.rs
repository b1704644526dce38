//! `If-Match` is one list however it is sent, and only the highest version in it counts.

use crate::headers::{and, lines};
use http::header::IF_MATCH;
use http::{HeaderMap, HeaderValue};
use vestibule_api::fuzzing;

/// Whether it is taken.
pub fn check(input: &[u8]) -> bool {
    let headers = lines(&IF_MATCH, input);
    let parsed = fuzzing::if_match(&headers);
    let text: Vec<_> = headers.values().map(HeaderValue::as_bytes).collect();
    let joined = HeaderValue::from_bytes(&text.join(&b","[..])).expect("lines of a header");
    if !headers.is_empty() {
        assert_eq!(fuzzing::if_match(&HeaderMap::from_iter([(IF_MATCH, joined.clone())])), parsed);
    }
    let Some(Some(version)) = parsed else { return parsed.is_some() };
    if version > 0 {
        assert!(joined.to_str().is_ok_and(|list| list.contains(&format!("\"{version}\""))), "{version}");
    }
    assert_eq!(fuzzing::if_match(&and(&headers, &IF_MATCH, "\"41\"")), Some(Some(version.max(41))));
    assert_eq!(fuzzing::if_match(&and(&headers, &IF_MATCH, "W/\"9\"")), Some(Some(version)));
    assert_eq!(fuzzing::if_match(&and(&headers, &IF_MATCH, "*")), None);
    true
}
