//! The reader of request bodies takes exactly the JSON objects, and changes no string.

use crate::grammar;
use serde_json::Value;
use vestibule_api::fuzzing;

/// Whether it is taken.
pub fn check(input: &[u8]) -> bool {
    let (read, is_object) = (fuzzing::json(input), grammar::is_object(input));
    assert_eq!(read.is_some(), is_object, "one reader takes it, the other does not");
    // Where numbers are too large for it, `serde_json` has no opinion.
    if let (Some(read), Ok(value)) = (read, serde_json::from_slice::<Value>(input)) {
        assert_eq!(read, plain(value));
    }
    is_object
}

/// Numbers are not read, nor is one truth told from another.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(_) => Value::from(0),
        Value::Bool(_) => Value::Bool(true),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, plain(value))).collect(),
        other => other,
    }
}
