//! Tokens made with what an attacker may have: the public key, or a key of another environment.

use super::*;

fn forged(bench: &Bench, secret: &[u8]) -> String {
    let (mut header, claims) = bench.parts();
    header["alg"] = json!("HS256");
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = SigningHalf::symmetric(secret).sign(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Every form in which somebody might take a public key for a secret.
fn forms(bench: &Bench) -> Vec<Vec<u8>> {
    let spki = &bench.key.as_ref().unwrap().public_key;
    let lines: Vec<_> = STANDARD.encode(spki).as_bytes().chunks(64).map(<[u8]>::to_vec).collect();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        String::from_utf8(lines.join(&b'\n')).unwrap()
    );
    let jwk = match bench.codec.public_keys().remove(0).parameters {
        vestibule_domain::token::JwkParameters::Okp { x } => json!({"kty": "OKP", "crv": "Ed25519", "x": x}),
        vestibule_domain::token::JwkParameters::Ec { x, y } => json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}),
        vestibule_domain::token::JwkParameters::Rsa { n, e } => json!({"kty": "RSA", "n": n, "e": e}),
    };
    let raw = spki[spki.len() - 32..].to_vec();
    let texts = [pem, jwk.to_string(), STANDARD.encode(&raw), URL_SAFE_NO_PAD.encode(&raw)];
    let with_newline = texts.iter().map(|text| format!("{text}\n").into_bytes());
    let mut forms: Vec<_> = with_newline.collect();
    forms.extend(texts.iter().map(|text| text.clone().into_bytes()));
    forms.extend([raw, spki.clone(), bench.kid.clone().into_bytes(), Vec::new()]);
    forms
}

#[test]
fn case_58_hs256_with_the_public_key_as_secret_is_refused_cve_2016_10555_cve_2022_29217() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        let bench = Bench::new(algorithm);
        for secret in forms(&bench) {
            assert_eq!(bench.refusal(&forged(&bench, &secret)), TokenFault::Header("alg is not that of the key"));
        }
    }
}

/// RFC 8725, section 3.9; RFC 9700, section 4.3.2.
#[test]
fn case_72_a_token_of_another_environment_with_the_same_key_is_refused() {
    let here = Bench::new(Algorithm::EdDsa);
    let settings = |issuer: &str, audience: &str| JwsSettings {
        algorithm: Algorithm::EdDsa,
        issuer: issuer.to_owned(),
        audience: audience.to_owned(),
        secret: None,
    };
    for (there, refusal) in [
        (settings("https://staging.example.com", AUDIENCE), "iss is somebody else"),
        (settings(ISSUER, "billing"), "aud is somebody else"),
    ] {
        let there = JwsCodec::new(there, Arc::clone(&here.forge), Arc::clone(&here.clock) as Arc<dyn Clock>);
        there.load(&KeySet::new(vec![here.key.clone().unwrap()])).unwrap();
        let token = there.sign(&claims(&*here.clock)).unwrap();
        there.verify(token.reveal(), here.clock.now()).unwrap();
        assert_eq!(here.refusal(token.reveal()), TokenFault::Claims(refusal));
    }
}

#[test]
fn a_token_of_another_key_is_refused() {
    for algorithm in Algorithm::ALL {
        let (here, there) = (Bench::new(algorithm), Bench::new(algorithm));
        assert_eq!(here.refusal(&there.token()), TokenFault::UnknownKey);
        let posing = there.with_header(|header| header["kid"] = json!(here.kid));
        assert_eq!(here.refusal(&posing), TokenFault::Signature);
    }
}

/// ASVS 9.2.2.
#[test]
fn case_64_an_opaque_token_is_no_access_token() {
    use vestibule_domain::session::{DeviceToken, RefreshToken};
    let bench = Bench::new(Algorithm::EdDsa);
    assert_eq!(
        bench.refusal(&RefreshToken::generate(uuid::Uuid::nil().into(), &SystemRng).reveal()),
        TokenFault::Malformed
    );
    assert_eq!(bench.refusal(&DeviceToken::generate(&SystemRng).reveal()), TokenFault::Malformed);
}
