//! Query strings.

use super::Nothing;
use super::body::read_if_any;
use super::fields::{Fields, ReadQuery};
use super::json::{Json, Members};
use crate::error::ApiError;
use crate::problem::Code;
use crate::state::AppState;
use axum::extract::{FromRequest, Request};
use memchr::memchr2;
use zeroize::Zeroizing;

/// The parameters of the query, and no body, except an empty object. Comes last in a handler, so that whatever else is
/// demanded is judged before.
///
/// Fails with 400 `malformed_request` for a parameter that occurs twice or percent-encoding that is broken or no
/// UTF-8, and 422 `validation_failed` with all faults at once, unknown parameters among them; then as
/// [`OptionalBody`](super::OptionalBody) does, to which any field is unknown.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: ReadQuery + Send> FromRequest<AppState> for Query<T> {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, state: &AppState) -> Result<Self, ApiError> {
        read(&mut request, state).await.map(Self)
    }
}

/// What [`Query`] reads. Borrows the request: whoever takes one by value keeps a copy of it.
pub(super) async fn read<T: ReadQuery>(request: &mut Request, state: &AppState) -> Result<T, ApiError> {
    let members = parse(request.uri().query().unwrap_or_default())
        .map_err(|fault| ApiError::new(Code::MalformedRequest).detail(fault))?;
    let parameters = Fields::new(members, &state.services.password_policy).read(T::read)?;
    let Nothing = read_if_any(request, state).await?;
    Ok(parameters)
}

/// What a handler would read of this query, or the faults that it would answer with.
#[cfg(test)]
pub(crate) fn read_query<T: ReadQuery>(query: &str) -> Result<T, ApiError> {
    let members = parse(query).map_err(|fault| ApiError::new(Code::MalformedRequest).detail(fault))?;
    Fields::new(members, &crate::testing::password_policy()).read(T::read)
}

/// `application/x-www-form-urlencoded` as in the URL standard, but strict: what cannot be decoded, or could be
/// understood in two ways, is refused.
pub(super) fn parse(query: &str) -> Result<Members, &'static str> {
    let mut members = Members::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = Json::String(Zeroizing::new(decode(value)?));
        if members.insert(decode(name)?, value).is_some() {
            return Err("A parameter occurs twice.");
        }
    }
    Ok(members)
}

pub(super) fn decode(text: &str) -> Result<String, &'static str> {
    const BROKEN: &str = "The percent-encoding is broken, or not of UTF-8.";
    let mut decoded = Vec::with_capacity(text.len());
    let mut left = text.as_bytes();
    while let Some((plain, encoded)) = memchr2(b'+', b'%', left).and_then(|at| left.split_at_checked(at)) {
        decoded.extend_from_slice(plain);
        left = match encoded {
            [b'+', after @ ..] => {
                decoded.push(b' ');
                after
            }
            [b'%', high, low, after @ ..] => {
                decoded.push(hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low).ok_or(BROKEN)?);
                after
            }
            _ => return Err(BROKEN),
        };
    }
    decoded.extend_from_slice(left);
    String::from_utf8(decoded).map_err(|_| BROKEN)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(query: &str) -> Vec<(String, Json)> {
        parse(query).unwrap().into_iter().collect()
    }

    fn string(text: &str) -> Json {
        Json::String(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn parameters_are_decoded() {
        assert_eq!(pairs("a=1+2&b=%C3%BC%2b"), [("a".into(), string("1 2")), ("b".into(), string("ü+"))]);
        assert_eq!(pairs("a&&b=="), [("a".into(), string("")), ("b".into(), string("="))]);
        assert_eq!(pairs(""), []);
    }

    #[test]
    fn ambiguity_is_refused() {
        for query in [
            "a=1&a=1",
            "a=1&%61=2",
            "a=%",
            "a=%4",
            "a=%4z",
            "a=%4+",
            "a=%zz",
            "a=%+1",
            "a=%ff",
            "a=%c0%af",
            "%ed%a0%80=x",
        ] {
            assert!(parse(query).is_err(), "{query}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(query in any::<String>()) {
            let _ = parse(&query);
        }

        /// Each byte, or only what has to be.
        #[test]
        fn any_value_survives_encoding(value in any::<String>(), wholly in any::<bool>()) {
            let encode = |byte: u8| match byte {
                b' ' if !wholly => "+".to_owned(),
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' if !wholly => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            };
            let encoded: Vec<_> = value.bytes().map(encode).collect();
            prop_assert_eq!(pairs(&format!("q={}", encoded.concat())), [("q".to_owned(), string(&value))]);
        }
    }
}
