//! What stands in a path for the parameters of its route.

use crate::state::AppState;
use axum::extract::FromRequestParts;
use http::request::Parts;
use matchit::Params;
use percent_encoding::percent_decode_str;
use std::convert::Infallible;

/// By the parameters' names, decoded. Routing leaves them with the request.
///
/// Does not fail: where there is no such parameter, or its text is not UTF-8, [`Self::get`] finds nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segments(Vec<(String, String)>);

impl Segments {
    pub(crate) fn decode(params: &Params<'_, '_>) -> Self {
        let decode = |(name, text): (&str, &str)| {
            Some((name.to_owned(), percent_decode_str(text).decode_utf8().ok()?.into_owned()))
        };
        Self(params.iter().filter_map(decode).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, text)| text.as_str())
    }
}

impl FromRequestParts<AppState> for Segments {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use matchit::Router;

    #[test]
    fn they_are_decoded_and_what_is_not_utf_8_names_nothing() {
        let mut routes = Router::new();
        routes.insert("/users/{user}/sessions/{id}", ()).unwrap();
        let segments = |path| Segments::decode(&routes.at(path).unwrap().params);
        let both = |path| {
            let segments = segments(path);
            ["user", "id"].map(|name| segments.get(name).map(str::to_owned))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(both("/users/%6d%65/sessions/a+b%2fc"), [some("me"), some("a+b/c")]);
        assert_eq!(both("/users/%ff/sessions/%zz"), [None, some("%zz")]);
        assert_eq!(segments("/users/a/sessions/b").get("code"), None);
    }
}
