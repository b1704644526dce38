//! What tokens say.

use super::*;
use vestibule_domain::access::RoleName;

#[test]
fn a_token_says_what_the_contract_promises_and_verifies_with_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::new(algorithm);
        let mut claims = claims(&*bench.clock);
        claims.roles = ["admin", "support"].into_iter().map(|role| RoleName::parse(role).unwrap()).collect();
        let token = bench.codec.sign(&claims).unwrap();
        let json: Vec<Value> = token
            .reveal()
            .split('.')
            .take(2)
            .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
            .collect();
        assert_eq!(json[0], json!({"alg": algorithm.as_str(), "kid": bench.kid, "typ": "at+jwt"}));
        assert_eq!(
            json[1],
            json!({
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": claims.subject.to_string(),
                "sid": claims.session.to_string(),
                "jti": claims.id.to_string(),
                "iat": START,
                "nbf": START,
                "exp": START + 600,
                "auth_time": START,
                "amr": ["pwd"],
                "roles": ["admin", "support"],
                "email": "alice@example.com",
            })
        );
        let verified = bench.codec.verify(token.reveal(), bench.clock.now()).unwrap();
        let expected = VerifiedToken {
            subject: claims.subject,
            session: claims.session,
            id: claims.id,
            issued_at: claims.issued_at,
            expires_at: claims.expires_at,
        };
        assert_eq!(verified, expected);
    }
}

#[test]
fn an_address_that_is_not_given_is_not_in_the_token() {
    let bench = Bench::new(Algorithm::EdDsa);
    let token = bench.codec.sign(&AccessClaims { email: None, ..claims(&*bench.clock) }).unwrap();
    let payload = URL_SAFE_NO_PAD.decode(token.reveal().split('.').nth(1).unwrap()).unwrap();
    assert!(serde_json::from_slice::<Value>(&payload).unwrap().get("email").is_none());
}

#[test]
fn r11_no_token_is_longer_than_1_kib_and_all_verify() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::new(algorithm);
        let roles = |count: u32| (0..count).map(|n| RoleName::parse(&format!("{n:r>32}")).unwrap()).collect();
        for (address, count) in [(17, 1), (254, 3), (1_016, 3), (254, 40), (17, 40)] {
            let email = Some(format!("{}@example.com", "a".repeat(address - 12)));
            let claims = AccessClaims { email, roles: roles(count), ..claims(&*bench.clock) };
            let token = bench.codec.sign(&claims).unwrap();
            assert!(token.reveal().len() <= 1024, "{} bytes", token.reveal().len());
            bench.accepts(token.reveal());
        }
    }
}

#[test]
fn a_list_of_roles_is_whole_or_absent() {
    let bench = Bench::new(Algorithm::EdDsa);
    let read = |count: u32, address: usize| {
        let roles: BTreeSet<_> = (0..count).map(|n| RoleName::parse(&format!("{n:r>32}")).unwrap()).collect();
        let email = Some("a".repeat(address));
        let token = bench.codec.sign(&AccessClaims { email, roles, ..claims(&*bench.clock) }).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(token.reveal().split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        (claims.get("roles").and_then(Value::as_array).map(Vec::len), claims.get("email").is_some())
    };
    assert_eq!(read(2, 100), (Some(2), true));
    assert_eq!(read(2, 400), (Some(2), false), "the address goes first");
    assert_eq!(read(40, 100), (None, false));
}

#[test]
fn hs256_publishes_nothing_and_its_key_id_changes_with_the_secret_without_telling_it() {
    let (one, two) = (Bench::new(Algorithm::Hs256), Bench::new(Algorithm::Hs256));
    assert!(one.codec.public_keys().is_empty());
    assert!(one.codec.is_ready());
    assert_ne!(one.kid, two.kid);
    assert_eq!(one.kid.len(), 16);
}

#[test]
fn hs256_without_a_secret_is_not_ready_and_no_other_algorithm_takes_its_tokens() {
    let hs256 = Bench::new(Algorithm::Hs256);
    let settings =
        |algorithm| JwsSettings { algorithm, issuer: ISSUER.to_owned(), audience: AUDIENCE.to_owned(), secret: None };
    for algorithm in Algorithm::ALL {
        let clock = Arc::clone(&hs256.clock) as Arc<dyn Clock>;
        let codec = JwsCodec::new(settings(algorithm), Arc::clone(&hs256.forge), clock);
        assert!(!codec.is_ready());
        assert_eq!(codec.sign(&claims(&*hs256.clock)).unwrap_err(), SigningError::NoActiveKey);
        assert_eq!(codec.verify(&hs256.token(), hs256.clock.now()), Err(TokenFault::UnknownKey));
    }
}

#[test]
fn case_74_published_keys_are_public_and_of_the_right_shape() {
    use vestibule_domain::token::JwkParameters;
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap().len();
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        let bench = Bench::new(algorithm);
        let jwk = bench.codec.public_keys().remove(0);
        assert_eq!((jwk.id.to_string(), jwk.algorithm), (bench.kid.clone(), algorithm));
        match (algorithm, &jwk.parameters) {
            (Algorithm::EdDsa, JwkParameters::Okp { x }) => assert_eq!(bytes(x), 32),
            (Algorithm::Es256, JwkParameters::Ec { x, y }) => assert_eq!((bytes(x), bytes(y)), (32, 32)),
            (Algorithm::Rs256, JwkParameters::Rsa { n, e }) => assert_eq!((bytes(n), e.as_str()), (256, "AQAB")),
            (_, parameters) => panic!("{parameters:?} for {algorithm:?}"),
        }
    }
}

/// RFC 8037, appendix A.2.
#[test]
fn the_jwk_of_the_specification_comes_from_its_public_key() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let spki = [&b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"[..], &URL_SAFE_NO_PAD.decode(x).unwrap()].concat();
    let key = public::PublicKey::from_spki(Algorithm::EdDsa, &spki).unwrap();
    assert_eq!(key.parameters, vestibule_domain::token::JwkParameters::Okp { x: x.to_owned() });
    // RFC 8037, appendix A.4.
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert!(key.verifying.verifies(message, &URL_SAFE_NO_PAD.decode(signature).unwrap()));
}
