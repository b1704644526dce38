//! The compact serialization (RFC 7515, section 7.1), one spelling to each token.

use super::key::SigningHalf;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vestibule_domain::token::{SigningError, TokenFault};

pub(super) struct Compact<'a> {
    /// What the signature covers: header and claims as they came.
    pub(super) message: &'a str,
    pub(super) header: Vec<u8>,
    pub(super) claims: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Three parts in unpadded base64url. The decoder refuses padding, other alphabets, white space and non-zero
    /// trailing bits, so that no changed character leaves the decoded token as it was.
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        Some(Self { message, header: decode(header)?, claims: decode(claims)?, signature: decode(signature)? })
    }
}

/// These three members and no other: neither `crit` and `b64` (RFC 7515, section 4.1.11), nor `zip`, nor one that
/// brings or points to a key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: String,
    typ: String,
}

impl Header {
    const TYPE: &str = "at+jwt";

    pub(super) fn parse(json: &[u8]) -> Result<Self, TokenFault> {
        let header: Self = object(json).ok_or(TokenFault::Header("it is not alg, kid and typ alone, as strings"))?;
        // RFC 9068, section 4; RFC 7515, section 4.1.9.
        let typ = header.typ.to_ascii_lowercase();
        if typ.strip_prefix("application/").unwrap_or(&typ) != Self::TYPE {
            return Err(TokenFault::Header("typ is not at+jwt"));
        }
        Ok(header)
    }
}

pub(super) fn issue(id: &str, key: &SigningHalf, claims: &impl Serialize) -> Result<String, SigningError> {
    let alg = key.algorithm().as_str().to_owned();
    let header = Header { alg, kid: id.to_owned(), typ: Header::TYPE.to_owned() };
    let message = format!("{}.{}", encode(&header)?, encode(claims)?);
    let signature = key.sign(message.as_bytes()).ok_or(SigningError::Failed)?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn encode(part: &impl Serialize) -> Result<String, SigningError> {
    serde_json::to_vec(part).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| SigningError::Failed)
}

/// Serde would also take an array of the members' values for a struct.
pub(super) fn object<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    json.starts_with(b"{").then(|| serde_json::from_slice(json).ok()).flatten()
}
