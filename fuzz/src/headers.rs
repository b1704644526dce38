//! Header lines from a target's input.

use http::{HeaderMap, HeaderName, HeaderValue};

/// One line for each line of the input; what no header can hold never reaches a parser and is left out.
pub(crate) fn lines(name: &HeaderName, input: &[u8]) -> HeaderMap {
    let lines = input.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    lines.map(|line| (name.clone(), line)).collect()
}

pub(crate) fn and(headers: &HeaderMap, name: &HeaderName, line: &'static str) -> HeaderMap {
    let mut headers = headers.clone();
    headers.append(name, HeaderValue::from_static(line));
    headers
}
