//! Headers that lie, or ask for something.

use super::*;

const UNEXPECTED: TokenFault = TokenFault::Header("it is not alg, kid and typ alone, as strings");
const WRONG_ALGORITHM: TokenFault = TokenFault::Header("alg is not that of the key");

fn adding(bench: &Bench, name: &str, value: Value) -> String {
    bench.with_header(|header| header[name] = value)
}

#[test]
fn case_57_alg_none_in_any_spelling_is_refused_cve_2015_2951_cve_2020_28042() {
    let bench = Bench::new(Algorithm::EdDsa);
    for alg in ["none", "None", "nOnE", "NONE", ""] {
        let token = adding(&bench, "alg", json!(alg));
        assert_eq!(bench.refusal(&token), WRONG_ALGORITHM, "{alg}");
        let (message, _) = token.rsplit_once('.').unwrap();
        assert_eq!(bench.refusal(&format!("{message}.")), WRONG_ALGORITHM, "{alg}, no signature");
    }
    let absent = bench.with_header(|header| drop(header.as_object_mut().unwrap().remove("alg")));
    assert_eq!(bench.refusal(&absent), UNEXPECTED);
}

#[test]
fn case_57_a_good_header_without_a_signature_is_refused_for_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::new(algorithm);
        let token = bench.token();
        let (message, _) = token.rsplit_once('.').unwrap();
        assert_eq!(bench.refusal(&format!("{message}.")), TokenFault::Signature);
        assert_eq!(bench.refusal(message), TokenFault::Malformed);
    }
}

#[test]
fn case_59_another_algorithm_under_a_known_kid_is_refused_rfc8725_3_1() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::new(algorithm);
        for alg in ["HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519", "Ed448"] {
            let token = adding(&bench, "alg", json!(alg));
            if alg == algorithm.as_str() {
                bench.accepts(&token);
            } else {
                assert_eq!(bench.refusal(&token), WRONG_ALGORITHM, "{alg} for {}", algorithm.as_str());
            }
        }
    }
}

#[test]
fn case_60_a_header_that_brings_or_points_to_a_key_is_refused_cve_2018_0114() {
    let bench = Bench::new(Algorithm::EdDsa);
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("http://127.0.0.1:9/jwks.json")),
        ("x5u", json!("http://127.0.0.1:9/x.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("dGh1bWI")),
        ("x5t#S256", json!("dGh1bWI")),
    ] {
        assert_eq!(bench.refusal(&adding(&bench, name, value)), UNEXPECTED, "{name}");
    }
}

#[test]
fn case_61_hostile_kids_are_unknown_rfc8725_3_10() {
    let bench = Bench::new(Algorithm::EdDsa);
    let long = "k".repeat(5_000);
    let upper = bench.kid.to_uppercase();
    for kid in ["../../dev/null", "' OR 1=1--", "", "\0", "00000000-0000-7000-8000-000000000000", &long, &upper] {
        assert_eq!(bench.refusal(&adding(&bench, "kid", json!(kid))), TokenFault::UnknownKey, "{kid:?}");
    }
    for kid in [json!([bench.kid]), json!(1), Value::Null, json!({})] {
        assert_eq!(bench.refusal(&adding(&bench, "kid", kid)), UNEXPECTED);
    }
    let absent = bench.with_header(|header| drop(header.as_object_mut().unwrap().remove("kid")));
    assert_eq!(bench.refusal(&absent), UNEXPECTED);
}

#[test]
fn case_62_crit_is_refused_rfc7515_4_1_11() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::new(algorithm);
        for crit in [json!(["x"]), json!([]), json!(["exp"]), Value::Null] {
            assert_eq!(bench.refusal(&adding(&bench, "crit", crit)), UNEXPECTED);
        }
    }
}

#[test]
fn case_62_b64_false_is_refused_cve_2025_59420() {
    let bench = Bench::new(Algorithm::EdDsa);
    assert_eq!(bench.refusal(&adding(&bench, "b64", json!(false))), UNEXPECTED);
    let both = bench.with_header(|header| {
        header["b64"] = json!(false);
        header["crit"] = json!(["b64"]);
    });
    assert_eq!(bench.refusal(&both), UNEXPECTED);
}

#[test]
fn case_63_only_access_tokens_are_accepted_rfc9068_4() {
    let bench = Bench::new(Algorithm::EdDsa);
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        bench.accepts(&adding(&bench, "typ", json!(typ)));
    }
    for typ in ["JWT", "jwt", "", "at", "rt+jwt", "id+jwt", "mfa+jwt", "at+jwt ", "text/at+jwt", "application/"] {
        let refusal = bench.refusal(&adding(&bench, "typ", json!(typ)));
        assert_eq!(refusal, TokenFault::Header("typ is not at+jwt"), "{typ}");
    }
    let absent = bench.with_header(|header| drop(header.as_object_mut().unwrap().remove("typ")));
    assert_eq!(bench.refusal(&absent), UNEXPECTED);
}

#[test]
fn case_67_a_header_with_a_member_twice_is_refused_rfc7515_4() {
    let bench = Bench::new(Algorithm::EdDsa);
    let (_, claims) = bench.parts();
    let kid = &bench.kid;
    for header in [
        format!(r#"{{"alg":"EdDSA","alg":"EdDSA","kid":"{kid}","typ":"at+jwt"}}"#),
        format!(r#"{{"alg":"none","kid":"{kid}","typ":"at+jwt","alg":"EdDSA"}}"#),
        format!(r#"{{"alg":"EdDSA","kid":"x","kid":"{kid}","typ":"at+jwt"}}"#),
    ] {
        assert_eq!(bench.refusal(&bench.signed(&header, &claims.to_string())), UNEXPECTED, "{header}");
    }
}

#[test]
fn a_header_that_is_no_object_is_refused() {
    let bench = Bench::new(Algorithm::EdDsa);
    let (_, claims) = bench.parts();
    let array = format!(r#"["EdDSA","{}","at+jwt"]"#, bench.kid);
    for header in [&array, "null", "\"at+jwt\"", "", "{", "{}", "\u{feff}{}"] {
        assert_eq!(bench.refusal(&bench.signed(header, &claims.to_string())), UNEXPECTED, "{header}");
    }
}

#[test]
fn case_71_compression_is_refused_cve_2024_33664() {
    let bench = Bench::new(Algorithm::EdDsa);
    assert_eq!(bench.refusal(&adding(&bench, "zip", json!("DEF"))), UNEXPECTED);
    assert_eq!(bench.refusal(&adding(&bench, "enc", json!("A256GCM"))), UNEXPECTED);
}
