//! `If-Match` (RFC 9110, section 13.1.1), against lost updates.

use crate::error::ApiError;
use crate::problem::Code;
use crate::state::AppState;
use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::IF_MATCH;
use http::request::Parts;
use utoipa::IntoParams;

/// No record has it: versions begin at 1.
const NO_VERSION: i64 = 0;

/// The version that the record must still have; `None` without the header, or with `*`.
///
/// Of several versions only the highest counts, though RFC 9110 lets any of them match: versions only grow, and
/// whoever names several has seen them all, so no other can still be the record's. One version is what the store
/// compares in the statement that changes the record; to choose by the record first would leave a gap between the two.
/// A list in which nothing can match (weak tags, tags of another form) gives a version that no record has, so that the
/// answer is `stale` after all other refusals have had their turn.
///
/// Fails with 400 `malformed_request` for what is no list of entity tags.
#[derive(Debug, PartialEq, Eq, IntoParams)]
#[into_params(names("If-Match"), parameter_in = Header)]
pub(crate) struct IfMatch(
    /// The `ETag` of the record as it was read: change it only if nobody else did.
    #[param(value_type = String, required = false, example = "\"3\"",
        pattern = "^(\\*|[ \\t,]*(W/)?\"[!#-~]*\"([ \\t]*,[ \\t,]*(W/)?\"[!#-~]*\")*[ \\t,]*)$")]
    pub(crate) Option<i64>,
);

impl FromRequestParts<AppState> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        parse(&parts.headers).ok_or_else(|| {
            ApiError::new(Code::MalformedRequest).detail("If-Match must be * or a list of entity tags like \"3\".")
        })
    }
}

pub(super) fn parse(headers: &HeaderMap) -> Option<IfMatch> {
    if !headers.contains_key(IF_MATCH) {
        return Some(IfMatch(None));
    }
    // Several headers are one list (RFC 9110, section 5.3).
    let lines: Option<Vec<&str>> = headers.get_all(IF_MATCH).iter().map(|line| line.to_str().ok()).collect();
    let list = lines?.join(",");
    if list.trim() == "*" {
        return Some(IfMatch(None));
    }
    let mut highest = None;
    let mut rest = after_gap(&list);
    while !rest.is_empty() {
        let (version, after) = entity_tag(rest)?;
        highest = highest.max(Some(version));
        rest = after_gap(after);
        let is_separated = after.trim_start().starts_with(',');
        if !rest.is_empty() && !is_separated {
            return None;
        }
    }
    highest.map(|version| IfMatch(Some(version)))
}

/// Elements of a list may be empty (RFC 9110, section 5.6.1.2).
fn after_gap(list: &str) -> &str {
    list.trim_start_matches([' ', '\t', ','])
}

/// One tag from the start of the text, and what follows it. Compared strongly, a weak one matches nothing.
fn entity_tag(text: &str) -> Option<(i64, &str)> {
    let (weak, quoted) = text.strip_prefix("W/").map_or((false, text), |quoted| (true, quoted));
    let (tag, rest) = quoted.strip_prefix('"')?.split_once('"')?;
    let well_formed = tag.bytes().all(|c| matches!(c, b'!'..=b'~'));
    // Only the one spelling that was handed out.
    let version = tag.parse().ok().filter(|version: &i64| !weak && *version > 0 && version.to_string() == tag);
    well_formed.then_some((version.unwrap_or(NO_VERSION), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn parsed(lines: &[&str]) -> Option<IfMatch> {
        parse(&lines.iter().map(|line| (IF_MATCH, HeaderValue::from_str(line).unwrap())).collect())
    }

    fn version(version: i64) -> IfMatch {
        IfMatch(Some(version))
    }

    #[test]
    fn without_a_condition_any_version_will_do() {
        assert_eq!(parsed(&[]), Some(IfMatch(None)));
        assert_eq!(parsed(&["*"]), Some(IfMatch(None)));
    }

    #[test]
    fn of_several_versions_only_the_highest_can_match() {
        assert_eq!(parsed(&["\"3\""]), Some(version(3)));
        assert_eq!(parsed(&["\"3\" , \"12\",\"4\""]), Some(version(12)));
        assert_eq!(parsed(&["\"3\"", "\"5\""]), Some(version(5)));
        assert_eq!(parsed(&["W/\"9\", \"2\""]), Some(version(2)));
    }

    #[test]
    fn empty_elements_of_a_list_are_none() {
        for line in ["\"7\",", ",\"7\"", "\"5\",,\"7\"", " , \"7\" ,\t, \"5\" ,", ",W/\"9\",\"7\""] {
            assert_eq!(parsed(&[line]), Some(version(7)), "{line}");
        }
        assert_eq!(parsed(&["", "\"7\"", ""]), Some(version(7)));
    }

    #[test]
    fn what_cannot_match_matches_nothing() {
        for tag in ["W/\"3\"", "\"abc\"", "\"\"", "\"03\"", "\"+3\"", "\"-3\"", "\"0\"", "\"9223372036854775808\""] {
            assert_eq!(parsed(&[tag]), Some(version(NO_VERSION)), "{tag}");
        }
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for line in [
            "",
            "3",
            "\"3",
            "\"3\" \"4\"",
            "\"3\"\"4\"",
            ",",
            " , ,",
            "*, \"3\"",
            "*,",
            "\"3\", *",
            "w/\"3\"",
            "\"a b\"",
        ] {
            assert_eq!(parsed(&[line]), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn every_version_is_read_back(version in 1_i64..) {
            prop_assert_eq!(parsed(&[&format!("\"{version}\"")]), Some(IfMatch(Some(version))));
        }

        #[test]
        fn any_header_is_taken_or_refused(line in "[ -~]{0,40}") {
            let _ = parsed(&[&line]);
        }
    }
}
