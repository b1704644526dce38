//! Other services, and what they ask about tokens.

use super::form::{Form, invalid};
use crate::error::ApiError;
use crate::problem::Code;
use crate::state::AppState;
use axum::extract::{FromRequest, Request};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use vestibule_domain::client::Credentials;
use vestibule_domain::id::ClientId;
use zeroize::Zeroizing;

/// A token, presented by a client that has authenticated itself in one of the two ways of RFC 6749, section 2.3.1.
///
/// Fails with 415 `unsupported_media_type`, 413 `payload_too_large`, 408 `request_timeout`; 400 `invalid_request` for
/// a form that is broken, has no `token`, or is sent with both kinds of credentials; 401 `invalid_client`; and 503
/// `unavailable` if it cannot be found out who calls.
#[derive(Debug)]
pub(crate) struct FromClient {
    pub(crate) client: ClientId,
    /// Whatever it may be.
    pub(crate) token: Zeroizing<String>,
}

impl FromRequest<AppState> for FromClient {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let header = in_header(request.headers());
        let mut form = Form::read(request).await?;
        let credentials = match (header, form.take("client_id"), form.take("client_secret")) {
            (Some(_), _, Some(_)) => {
                Err(invalid("A client authenticates itself in the header or in the form, not in both."))
            }
            (Some(presented), id, None) => one_client(presented?, id),
            // RFC 6749, section 2.3.1: `client_secret_post`.
            (None, Some(id), Some(secret)) => Ok(Credentials { id: id.to_string(), secret }),
            (None, _, _) => Err(no_client()),
        }?;
        let client = state.services.clients.authenticate(&credentials).await?;
        let token = form.take("token").ok_or_else(|| invalid("The parameter token is missing."))?;
        Ok(Self { client, token })
    }
}

fn no_client() -> ApiError {
    ApiError::new(Code::InvalidClient)
}

/// Many libraries name the client in the form as well, which proves nothing and does no harm.
fn one_client(credentials: Credentials, named: Option<Zeroizing<String>>) -> Result<Credentials, ApiError> {
    match named {
        Some(named) if *named != credentials.id => {
            Err(invalid("The parameter client_id names another client than the header."))
        }
        _ => Ok(credentials),
    }
}

/// `client_secret_basic`; any other `Authorization`, and more than one, is an error.
fn in_header(headers: &HeaderMap) -> Option<Result<Credentials, ApiError>> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let only = values.next()?;
    let is_only = values.next().is_none();
    Some(only.to_str().ok().filter(|_| is_only).and_then(basic).ok_or_else(no_client))
}

/// RFC 7617, with both parts encoded like a form first.
fn basic(header: &str) -> Option<Credentials> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let decode = |text| super::query::decode(text).ok();
    Some(Credentials { id: decode(id)?, secret: Zeroizing::new(decode(secret)?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    fn parts(header: &str) -> Option<(String, String)> {
        basic(header).map(|credentials| (credentials.id, credentials.secret.to_string()))
    }

    #[test]
    fn id_and_secret_are_decoded_like_a_form() {
        assert_eq!(parts(&encoded("id:secret")), Some(("id".into(), "secret".into())));
        assert_eq!(parts(&encoded("a%3Ab:c+d:e%25")), Some(("a:b".into(), "c d:e%".into())));
        assert_eq!(parts(&encoded(":")), Some((String::new(), String::new())));
        assert!(parts(&encoded("id:secret").replacen("Basic", "bASIC", 1)).is_some());
    }

    #[test]
    fn what_is_no_basic_authentication_is_none() {
        let broken = [
            "",
            "Basic",
            "Basic ",
            "Basic !",
            "Basic aWQ",
            "Basic aWQ6c2VjcmV0=",
            "Basic  aWQ6c2VjcmV0",
            "Bearer aWQ6c2VjcmV0",
            "Basic aWQ6c2VjcmV0 ",
            "aWQ6c2VjcmV0",
        ];
        for broken in broken {
            assert_eq!(parts(broken), None, "{broken}");
        }
        for broken in ["no colon", "id:%", "%zz:secret", "id:%ff"] {
            assert_eq!(parts(&encoded(broken)), None, "{broken}");
        }
        assert_eq!(parts(&format!("Basic {}", STANDARD.encode(b"\xff:x"))), None);
    }

    proptest! {
        #[test]
        fn any_header_is_taken_or_refused(text in any::<String>()) {
            let _ = basic(&text);
            let _ = basic(&encoded(&text));
        }
    }
}
