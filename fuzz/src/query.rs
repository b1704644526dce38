//! A query that is taken says what it says to everyone who reads it by the URL standard.

use vestibule_api::fuzzing;

/// Whether it is taken.
pub fn check(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let Some(pairs) = fuzzing::query(text) else { return false };
    let mut standard: Vec<_> = form_urlencoded::parse(input).into_owned().collect();
    standard.sort();
    assert_eq!(pairs, standard);
    let mut written = form_urlencoded::Serializer::new(String::new());
    assert_eq!(fuzzing::query(&written.extend_pairs(&pairs).finish()), Some(pairs));
    true
}
