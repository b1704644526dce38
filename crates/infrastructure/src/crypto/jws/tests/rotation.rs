//! Keys come and go by the clock.

use super::*;
use vestibule_domain::token::KeySet;

fn ids(codec: &JwsCodec) -> Vec<KeyId> {
    codec.public_keys().into_iter().map(|jwk| jwk.id).collect()
}

fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

/// ASVS 11.1.1, 13.3.4.
#[test]
fn case_74_a_key_is_published_before_it_signs_and_verifies_until_its_last_token_has_ended() {
    let bench = Bench::new(Algorithm::EdDsa);
    let mut old = bench.key.clone().unwrap();
    let new = new_key(&bench.forge, Algorithm::EdDsa, 2, bench.clock.now().plus(10 * MINUTE));
    old.retires_at = Some(new.activates_at.plus(16 * MINUTE));
    bench.codec.load(&KeySet::new(vec![old.clone(), new.clone()])).unwrap();

    assert_eq!(ids(&bench.codec), [new.id, old.id], "next and active are published");
    let before = bench.token();
    assert_eq!(kid(&before), old.id.to_string(), "the next one does not sign yet");

    // Nothing is loaded again from here on: time alone moves.
    bench.clock.advance(10 * MINUTE);
    let after = bench.token();
    assert_eq!(kid(&after), new.id.to_string());
    bench.accepts(&before);
    assert_eq!(ids(&bench.codec), [new.id, old.id], "active and retiring are published");

    bench.clock.advance(15 * MINUTE + Duration::from_millis(59_999));
    assert_eq!(bench.refusal(&before), TokenFault::Expired, "its key still verifies");
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.refusal(&before), TokenFault::UnknownKey, "its key has retired");
    assert_eq!(ids(&bench.codec), [new.id]);
}

#[test]
fn case_74_a_token_of_the_next_key_is_accepted_from_a_process_whose_clock_runs_ahead() {
    let bench = Bench::new(Algorithm::EdDsa);
    let next = new_key(&bench.forge, Algorithm::EdDsa, 2, bench.clock.now().plus(MINUTE));
    let keys = KeySet::new(vec![bench.key.clone().unwrap(), next.clone()]);
    bench.codec.load(&keys).unwrap();
    let ahead = Bench { kid: next.id.to_string(), ..Bench::new(Algorithm::EdDsa) };
    let half = SigningHalf::from_pkcs8(Algorithm::EdDsa, &bench.forge.open(&next).unwrap()).unwrap();
    let ahead = Bench { half, ..ahead };
    let token = ahead.with_header(|header| header["kid"] = json!(next.id.to_string()));
    bench.accepts(&token);
}

/// RFC 8725, section 3.5.
#[test]
fn case_75_a_revoked_key_verifies_nothing_more() {
    let bench = Bench::new(Algorithm::EdDsa);
    let (old, token) = (bench.key.clone().unwrap(), bench.token());
    let revoked = SigningKey { revoked_at: Some(bench.clock.now()), ..old };
    let new = new_key(&bench.forge, Algorithm::EdDsa, 2, bench.clock.now());
    bench.codec.load(&KeySet::new(vec![revoked.clone(), new.clone()])).unwrap();
    assert_eq!(bench.refusal(&token), TokenFault::UnknownKey);
    assert_eq!(ids(&bench.codec), [new.id]);
    bench.accepts(&bench.token());

    bench.codec.load(&KeySet::new(vec![revoked])).unwrap();
    assert!(!bench.codec.is_ready());
}

#[test]
fn after_a_change_of_algorithm_the_old_keys_verify_and_do_not_sign() {
    let old = Bench::new(Algorithm::Es256);
    let settings = JwsSettings {
        algorithm: Algorithm::EdDsa,
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        secret: None,
    };
    let codec = JwsCodec::new(settings, Arc::clone(&old.forge), Arc::clone(&old.clock) as Arc<dyn Clock>);
    let old_key = old.key.clone().unwrap();
    codec.load(&KeySet::new(vec![old_key.clone()])).unwrap();
    assert!(!codec.is_ready());
    codec.verify(&old.token(), old.clock.now()).unwrap();
    let new = new_key(&old.forge, Algorithm::EdDsa, 2, old.clock.now());
    codec.load(&KeySet::new(vec![old_key, new.clone()])).unwrap();
    assert_eq!(kid(codec.sign(&claims(&*old.clock)).unwrap().reveal()), new.id.to_string());
    codec.verify(&old.token(), old.clock.now()).unwrap();
}

#[test]
fn a_key_that_does_not_open_is_left_out_and_revocations_beside_it_hold() {
    let bench = Bench::new(Algorithm::EdDsa);
    let own = bench.key.clone().unwrap();
    let foreign = new_key(&KeyForge::new(MasterKey::generate(&SystemRng)), Algorithm::EdDsa, 2, bench.clock.now());
    let token = bench.token();
    let beside = |own: SigningKey| bench.codec.load(&KeySet::new(vec![own, foreign.clone()]));
    assert_eq!(beside(own.clone()), Err(KeyError::Unsealable(foreign.id)));
    bench.accepts(&token);
    assert!(!bench.codec.public_keys().iter().any(|key| key.id == foreign.id));
    assert_eq!(
        beside(SigningKey { revoked_at: Some(bench.clock.now()), ..own }),
        Err(KeyError::Unsealable(foreign.id))
    );
    assert_eq!(bench.codec.verify(&token, bench.clock.now()), Err(TokenFault::UnknownKey));
}

#[test]
fn keys_that_are_over_need_not_open() {
    let bench = Bench::new(Algorithm::EdDsa);
    let foreign = KeyForge::new(MasterKey::generate(&SystemRng));
    let over = |generation| new_key(&foreign, Algorithm::EdDsa, generation, bench.clock.now());
    let retired = SigningKey { retires_at: Some(bench.clock.now()), ..over(2) };
    let revoked = SigningKey { revoked_at: Some(bench.clock.now()), ..over(3) };
    bench.codec.load(&KeySet::new(vec![bench.key.clone().unwrap(), retired, revoked])).unwrap();
    bench.accepts(&bench.token());
}

#[test]
fn rows_whose_parts_were_exchanged_are_refused() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        let bench = Bench::new(algorithm);
        let own = bench.key.clone().unwrap();
        let other = new_key(&bench.forge, algorithm, 2, bench.clock.now());
        let load = |key: SigningKey| bench.codec.load(&KeySet::new(vec![key]));
        let public = SigningKey { public_key: other.public_key.clone(), ..own.clone() };
        assert_eq!(load(public), Err(KeyError::Invalid(own.id)), "the public key of another");
        let private = SigningKey { sealed_private_key: other.sealed_private_key, ..own.clone() };
        assert_eq!(load(private), Err(KeyError::Unsealable(own.id)), "the private key of another");
        for wrong in Algorithm::ALL.into_iter().filter(|wrong| *wrong != algorithm) {
            let relabelled = SigningKey { algorithm: wrong, ..own.clone() };
            assert_eq!(load(relabelled), Err(KeyError::Invalid(own.id)), "{wrong:?} on {algorithm:?}");
        }
        let cut = SigningKey { public_key: own.public_key[..own.public_key.len() - 1].to_vec(), ..own.clone() };
        assert_eq!(load(cut), Err(KeyError::Invalid(own.id)), "a byte is missing");
    }
}

#[test]
fn what_lies_in_the_store_shows_nothing_of_the_private_key() {
    let bench = Bench::new(Algorithm::EdDsa);
    let key = bench.key.unwrap();
    let private = bench.forge.open(&key).unwrap();
    let shows = key.sealed_private_key.windows(8).any(|window| private.windows(8).any(|part| part == window));
    assert!(!shows);
    assert_eq!(bench.forge.generate(key.id, Algorithm::Hs256), Err(KeyError::Generation));
}
