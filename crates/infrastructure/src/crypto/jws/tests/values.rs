//! Claims of the wrong kind, of the wrong time, or about somebody else, all signed as they should be.

use super::*;

const WRONG_KIND: TokenFault = TokenFault::Claims("they are not those of an access token");
const REQUIRED: [&str; 10] = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "auth_time", "amr"];

fn setting(bench: &Bench, name: &str, value: Value) -> String {
    bench.with_claims(|claims| claims[name] = value)
}

#[test]
fn case_65_66_every_claim_is_required() {
    let bench = Bench::new(Algorithm::EdDsa);
    for name in REQUIRED {
        let token = bench.with_claims(|claims| drop(claims.as_object_mut().unwrap().remove(name)));
        assert_eq!(bench.refusal(&token), WRONG_KIND, "without {name}");
    }
}

/// CVE-2026-25537: a time of the wrong type counted as none.
#[test]
fn case_65_times_are_whole_seconds_within_the_calendar() {
    let bench = Bench::new(Algorithm::EdDsa);
    for name in ["exp", "nbf", "iat", "auth_time"] {
        let later = i32::try_from(START + 300).unwrap();
        for value in [
            json!(later.to_string()),
            json!(f64::from(later) + 0.5),
            json!(f64::from(later)),
            json!(-1),
            json!(9_223_372_036_854_775_807_i64),
            json!(9_223_372_036_854_775_808_u64),
            json!(u64::MAX),
            json!([later]),
            json!({"at": later}),
            json!(true),
            Value::Null,
        ] {
            assert_eq!(bench.refusal(&setting(&bench, name, value.clone())), WRONG_KIND, "{name}: {value}");
        }
    }
}

#[test]
fn case_65_a_token_ends_with_its_last_second_and_the_leeway() {
    let bench = Bench::new(Algorithm::EdDsa);
    let token = bench.token();
    bench.clock.advance(10 * MINUTE + Duration::from_millis(29_999));
    bench.accepts(&token);
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.refusal(&token), TokenFault::Expired);
    assert_eq!(bench.refusal(&setting(&bench, "exp", json!(0))), TokenFault::Claims("exp is not after iat"));
}

#[test]
fn case_65_what_begins_later_than_the_leeway_is_refused() {
    let bench = Bench::new(Algorithm::EdDsa);
    for name in ["nbf", "iat", "auth_time"] {
        bench.accepts(&setting(&bench, name, json!(START + 30)));
        let refusal = bench.refusal(&setting(&bench, name, json!(START + 31)));
        assert_eq!(refusal, TokenFault::Claims("iat, nbf or auth_time lies ahead"), "{name}");
    }
}

/// CVE-2026-55669: a number or an object for `iss` or `aud` was passed over.
#[test]
fn case_66_issuer_and_audience_are_exactly_the_configured_strings() {
    let bench = Bench::new(Algorithm::EdDsa);
    for (name, right) in [("iss", ISSUER), ("aud", AUDIENCE)] {
        for value in [json!(1), json!({"is": right}), json!([right]), json!([right, "other"]), Value::Null, json!(true)]
        {
            assert_eq!(bench.refusal(&setting(&bench, name, value.clone())), WRONG_KIND, "{name}: {value}");
        }
        let spellings = [format!("{right}/"), right.to_uppercase(), format!(" {right}"), String::new(), "x".to_owned()];
        for value in spellings {
            let refusal = bench.refusal(&setting(&bench, name, json!(value)));
            assert!(matches!(refusal, TokenFault::Claims("iss is somebody else" | "aud is somebody else")), "{value}");
        }
    }
}

#[test]
fn case_67_ids_that_are_none_are_refused() {
    let bench = Bench::new(Algorithm::EdDsa);
    for name in ["sub", "sid", "jti"] {
        for value in [json!(1), json!(["0190b5a2-7c3e-7a00-8000-000000000000"]), json!({}), Value::Null] {
            assert_eq!(bench.refusal(&setting(&bench, name, value.clone())), WRONG_KIND, "{name}: {value}");
        }
        for value in ["", "admin", "0190b5a27c3e7a008000000000000000", "{0190b5a2-7c3e-7a00-8000-000000000000}"] {
            let refusal = bench.refusal(&setting(&bench, name, json!(value)));
            assert!(matches!(refusal, TokenFault::Claims(_)), "{name}: {value}");
        }
    }
}

#[test]
fn case_67_a_claim_that_comes_twice_is_refused_rfc8725_3_8() {
    let bench = Bench::new(Algorithm::EdDsa);
    let (header, claims) = bench.parts();
    let with = |member: String| {
        let claims = claims.to_string();
        bench.signed(&header.to_string(), &format!("{},{member}}}", claims.strip_suffix('}').unwrap()))
    };
    bench.accepts(&with(r#""extra":1"#.to_owned()));
    for name in REQUIRED.into_iter().chain(["roles", "email"]) {
        assert_eq!(bench.refusal(&with(format!(r#""{name}":{}"#, claims[name]))), WRONG_KIND, "{name}");
    }
    assert_eq!(bench.refusal(&with(r#""extra":1,"extra":1"#.to_owned())), WRONG_KIND);
    assert_eq!(bench.refusal(&with(r#""\u0073ub":"x""#.to_owned())), WRONG_KIND, "sub, spelled with an escape");
}

#[test]
fn claims_that_are_no_object_are_refused() {
    let bench = Bench::new(Algorithm::EdDsa);
    let (header, claims) = bench.parts();
    let values: Vec<_> = claims.as_object().unwrap().values().collect();
    let array = json!(values).to_string();
    let trailing = format!("{claims}{claims}");
    for claims in [&array, &trailing, "null", "[]", "{}", "", "\"\"", "{\"iss\":", "\u{0}"] {
        assert_eq!(bench.refusal(&bench.signed(&header.to_string(), claims)), WRONG_KIND, "{claims}");
    }
}
