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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_sqlite_writes_them_and_nothing_else_is() {
        let id = Uuid::from_u128(0x019b_76da_a800_72f7_b581_d6de_3c06_a822);
        assert_eq!(ids(r#"["019B76DAA80072F7B581D6DE3C06A822"]"#), Some(vec![id]));
        assert_eq!(ids::<Uuid>("[]"), Some(vec![]));
        assert_eq!([r#"["19B7"]"#, "[null]", ""].map(ids::<Uuid>), [None, None, None]);
    }
}
