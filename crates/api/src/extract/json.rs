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

/// Why a text is no JSON object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// Broken syntax, a name twice, too deep, not UTF-8 or no object. With what and where, for the client.
    Syntax(String),
    /// Well-formed, but no number that fits (RFC 8259, section 6, leaves the range to the receiver).
    NumberRange,
}

impl Json {
    /// Exactly one object, with nothing but white space around it.
    pub(super) fn parse_object(text: &[u8]) -> Result<Members, Malformed> {
        match serde_json::from_slice(text) {
            Ok(Self::Object(members)) => Ok(members),
            Ok(_) => Err(Malformed::Syntax("The body is JSON, but not an object.".to_owned())),
            Err(error) => Err(Malformed::from(&error)),
        }
    }
}

impl From<&serde_json::Error> for Malformed {
    fn from(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        // The crate tells this case by its text alone; a test notices if that changes.
        if text.starts_with("number out of range") { Self::NumberRange } else { Self::Syntax(sentence(error)) }
    }
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
        matches!(Json::parse_object(text), Err(Malformed::Syntax(_)))
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
    fn a_number_without_a_value_is_told_from_broken_syntax() {
        assert_eq!(Json::parse_object(br#"{"a":1e400}"#), Err(Malformed::NumberRange));
        assert!(Json::parse_object(br#"{"a":18446744073709551616}"#).is_ok());
    }

    #[test]
    fn a_refusal_does_not_quote_the_body() {
        let Err(Malformed::Syntax(sentence)) = Json::parse_object(br#"{"password":"hunter2" hunter3}"#) else {
            panic!("taken")
        };
        assert!(!sentence.contains("hunter"), "{sentence}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = Json::parse_object(&bytes);
        }

        #[test]
        fn any_string_survives(text in any::<String>()) {
            let body = serde_json::json!({ "a": text }).to_string();
            let members = Json::parse_object(body.as_bytes()).unwrap();
            prop_assert_eq!(&members["a"], &Json::String(Zeroizing::new(text)));
        }
    }
}
