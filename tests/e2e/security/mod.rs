//! The catalogue of attacks and bad input: each test bears the number of its case.

mod coverage;
mod framing;
mod http;
mod http2;
mod identity;
mod json;
mod naughty;
mod passwords;
mod permissions;
mod refresh;
mod slow;
mod throttle;
mod timing;
pub(crate) mod token;
mod tokens;
mod wire;

/// Every byte as in RFC 3986, section 2.1, whether it needs it or not.
fn percent_encoded(text: &str) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).expect("four bits");
    text.bytes().flat_map(|byte| ['%', digit(byte >> 4), digit(byte & 15)]).collect()
}
