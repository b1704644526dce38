//! JSON as clients send it, before it means anything.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use zeroize::Zeroizing;

/// A value. Any string may be a password, so strings are wiped when they are dropped.
///
/// `serde_json` refuses what is nested deeper than 128 levels, before the stack suffers; what it leaves to its user
/// is done here: a name that occurs twice in an object is an error (RFC 7493, section 2.3), because two parsers may
/// pick different ones.
#[derive(PartialEq)]
pub(super) enum Json {
    Null,
    Bool,
    Number,
    String(Zeroizing<String>),
    Array(Vec<Json>),
    Object(Members),
}

pub(super) type Members = BTreeMap<String, Json>;

/// Why a text is no JSON object: broken syntax, a name twice, too deep, not UTF-8 or no object. With what and where,
/// for the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

impl Json {
    /// Exactly one object, with nothing but white space around it.
    pub(super) fn parse_object(text: &[u8]) -> Result<Members, Malformed> {
        match serde_json::from_slice(&with_short_numbers(text)) {
            Ok(Self::Object(members)) => Ok(members),
            Ok(_) => Err(Malformed("The body is JSON, but not an object.".to_owned())),
            Err(error) => Err(Malformed(sentence(&error))),
        }
    }
}

/// The same text with at most two digits in a row outside of strings, which is all that the grammar of numbers can
/// tell apart. `serde_json` gives up at a number beyond a double, and with it the faults of all other fields; no value
/// of a number is read here. Spaces after a number stand for its digits, so that places in the text stay.
fn with_short_numbers(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut short = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut in_string, mut escaped, mut digits, mut left_out) = (false, false, 0, 0);
    for &byte in text {
        digits = if !in_string && byte.is_ascii_digit() { digits + 1 } else { 0 };
        if digits > 2 {
            left_out += 1;
            continue;
        }
        if !matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'E' | b'e') {
            short.extend(std::iter::repeat_n(b' ', std::mem::take(&mut left_out)));
        }
        in_string ^= byte == b'"' && !escaped;
        escaped = in_string && byte == b'\\' && !escaped;
        short.push(byte);
    }
    short
}

/// Where the text breaks, without what stands there: it may be part of a password.
fn sentence(error: &serde_json::Error) -> String {
    format!("The JSON of the body breaks at line {}, column {}.", error.line(), error.column())
}

impl fmt::Debug for Json {
    /// Names the kind alone: the content may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "boolean",
            Self::Number => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        })
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Bool)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(Zeroizing::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Members::new();
        while let Some((name, value)) = members.next_entry::<String, Json>()? {
            match object.entry(name) {
                Entry::Vacant(place) => place.insert(value),
                Entry::Occupied(_) => return Err(A::Error::custom("a name occurs twice")),
            };
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_syntax(text: &[u8]) -> bool {
        Json::parse_object(text).is_err()
    }

    #[test]
    fn an_object_is_taken() {
        let members = Json::parse_object(br#" {"a":"x","b":[1,true,null,{"c":-0.5}]} "#).unwrap();
        assert_eq!(members["a"], Json::String(Zeroizing::new("x".to_owned())));
        assert!(matches!(&members["b"], Json::Array(items) if items.len() == 4));
    }

    #[test]
    fn what_is_no_json_object_is_refused() {
        let broken: [&[u8]; 18] = [
            b"",
            b" ",
            b"{",
            b"{\"a\":1,}",
            b"{\"a\":NaN}",
            b"\xef\xbb\xbf{}",
            b"{/**/}",
            b"{}{}",
            b"[]",
            b"null",
            b"\"text\"",
            b"{\"a\":'x'}",
            b"{\"a\":01}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":\"\xc0\xaf\"}",
            b"{\"a\":\"\xed\xa0\x80\"}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\n\"}",
        ];
        for text in broken {
            assert!(is_syntax(text), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_name_that_occurs_twice_is_refused_at_any_depth() {
        assert!(is_syntax(br#"{"a":1,"a":1}"#));
        assert!(is_syntax(br#"{"a":1,"\u0061":1}"#), "the same name, spelled differently");
        assert!(is_syntax(br#"{"x":[{"y":{"a":1,"a":2}}]}"#));
        assert!(Json::parse_object(br#"{"a":{"a":{"a":1}},"b":{"a":1}}"#).is_ok());
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        for open in ["[", "{\"a\":"] {
            assert!(is_syntax(format!("{{\"a\":{}", open.repeat(10_000)).as_bytes()));
        }
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse_object(nested(126).as_bytes()).is_ok());
        assert!(is_syntax(nested(128).as_bytes()));
    }

    #[test]
    fn a_number_of_any_size_is_a_number() {
        let digits = "9".repeat(400);
        for number in ["1e400", "-1E+999999", "1.5e-400", "18446744073709551616", &digits, &format!("0.{digits}e9999")]
        {
            let members = Json::parse_object(format!(r#"{{"a":{number},"b":"12345\"67890"}}"#).as_bytes()).unwrap();
            assert_eq!(members["a"], Json::Number, "{number}");
            assert_eq!(members["b"], Json::String(Zeroizing::new("12345\"67890".to_owned())));
        }
        for broken in ["01", "0123", "1e", "1.", "12345.", "1e400e400", "-", "--123", "+123", "123 456", "0x123"] {
            assert!(is_syntax(format!(r#"{{"a":{broken}}}"#).as_bytes()), "{broken}");
        }
    }

    #[test]
    fn what_breaks_after_a_number_is_found_where_it_stands() {
        let Err(Malformed(sentence)) = Json::parse_object(br#"{"a":123456789e400, !}"#) else { panic!("taken") };
        assert!(sentence.ends_with("line 1, column 21."), "{sentence}");
    }

    #[test]
    fn a_refusal_does_not_quote_the_body() {
        let Err(Malformed(sentence)) = Json::parse_object(br#"{"password":"hunter2" hunter3}"#) else {
            panic!("taken")
        };
        assert!(!sentence.contains("hunter"), "{sentence}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = Json::parse_object(&bytes);
        }

        /// `IgnoredAny` reads the grammar alone, whatever the size of numbers.
        #[test]
        fn shorter_numbers_neither_break_nor_mend(
            value in prop_oneof![
                r#"[-+.eE0-9 "\\,\[\]]{0,12}"#,
                r"-?[0-9]{1,4}(\.[0-9]{1,4})?([eE][-+]?[0-9]{1,4})?",
            ],
        ) {
            let text = format!("[{value}]");
            let grammar = |text: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
            let short = with_short_numbers(text.as_bytes());
            prop_assert_eq!(serde_json::from_slice::<Json>(&short).is_ok(), grammar(text.as_bytes()));
        }

        #[test]
        fn any_string_survives(text in any::<String>()) {
            let body = serde_json::json!({ "a": text }).to_string();
            let members = Json::parse_object(body.as_bytes()).unwrap();
            prop_assert_eq!(&members["a"], &Json::String(Zeroizing::new(text)));
        }
    }
}
