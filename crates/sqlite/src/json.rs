//! Lists as arguments and results: arrays of JSON, which `json_each` takes apart and `json_group_array` makes.

use uuid::Uuid;

/// A string of JSON, which has no bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut string = String::with_capacity(2 * bytes.len() + 2);
    string.push('"');
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    string.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
    string.push('"');
    string
}

pub(crate) fn array(elements: impl Iterator<Item = String>) -> String {
    format!("[{}]", elements.collect::<Vec<_>>().join(","))
}

/// Those in what `json_group_array(hex(id))` has made; `None` if one is no UUID.
pub(crate) fn ids<T: From<Uuid>>(json: &str) -> Option<Vec<T>> {
    let ids: Vec<&str> = serde_json::from_str(json).ok()?;
    ids.into_iter().map(|id| Some(Uuid::try_parse(id).ok()?.into())).collect()
}
