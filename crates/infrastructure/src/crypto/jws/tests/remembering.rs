//! A token that was checked before: what its signature proved is remembered, and nothing else is taken for granted.

use super::*;
use crate::crypto::jws::verified::{Signer, VerifiedTokens};
use vestibule_domain::token::KeySet;

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn remembered(bench: &Bench) -> usize {
    bench.codec.keyring().verified.len()
}

#[test]
fn each_token_is_remembered_once_and_only_if_it_verified() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::new(algorithm);
        let token = bench.token();
        for garbage in [
            "",
            "a.b.c",
            token.split_at(1).1,
            &format!("{token}A"),
            &bench.with_header(|header| header["alg"] = json!("none")),
        ] {
            bench.refusal(garbage);
        }
        bench.refusal(&bench.with_claims(|claims| claims["aud"] = json!("another")));
        let over = bench.with_claims(|claims| (claims["iat"], claims["exp"]) = (json!(START - 60), json!(START - 30)));
        assert_eq!(bench.refusal(&over), TokenFault::Expired);
        assert_eq!(remembered(&bench), 0, "{algorithm:?}");
        for _ in 0..3 {
            bench.accepts(&token);
        }
        assert_eq!(remembered(&bench), 1, "{algorithm:?}");
    }
}

/// The last character of a signature has bits that decode to nothing, so that others decode to the same signature.
#[test]
fn case_70_no_other_spelling_of_a_remembered_token_is_taken_for_it() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::new(algorithm);
        let token = bench.token();
        bench.accepts(&token);
        let (rest, last) = token.split_at(token.len() - 1);
        for other in ALPHABET.iter().map(|&byte| char::from(byte)).filter(|other| !last.starts_with(*other)) {
            bench.refusal(&format!("{rest}{other}"));
        }
        for other in [format!("{token}="), format!("{token} "), format!(" {token}")] {
            assert_eq!(bench.refusal(&other), TokenFault::Malformed);
        }
        // What is left of it decodes if the last bits of the left part happen to be zeros.
        bench.refusal(rest);
        bench.accepts(&token);
    }
}

#[test]
fn case_65_time_counts_for_a_remembered_token() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::new(algorithm);
        let token = bench.token();
        bench.accepts(&token);
        bench.clock.advance(10 * MINUTE + Duration::from_millis(29_999));
        bench.accepts(&token);
        bench.clock.advance(Duration::from_millis(1));
        assert_eq!(bench.refusal(&token), TokenFault::Expired, "{algorithm:?}");
        assert_eq!(remembered(&bench), 0, "{algorithm:?}");
        // Set back beyond the leeway, before the token began.
        bench.clock.0.store((START - 31) * 1_000, Ordering::SeqCst);
        bench.refusal(&token);
    }
}

#[test]
fn case_65_a_remembered_token_ahead_of_a_clock_that_was_set_back_is_refused() {
    let bench = Bench::new(Algorithm::EdDsa);
    let token = bench.token();
    bench.accepts(&token);
    bench.clock.0.store((START - 31) * 1_000, Ordering::SeqCst);
    assert_eq!(bench.refusal(&token), TokenFault::Claims("iat, nbf or auth_time lies ahead"));
    assert_eq!(remembered(&bench), 1, "from memory");
}

/// RFC 8725, section 3.5.
#[test]
fn case_75_a_revoked_key_verifies_nothing_that_is_remembered() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        let bench = Bench::new(algorithm);
        let (old, token) = (bench.key.clone().unwrap(), bench.token());
        bench.accepts(&token);
        let revoked = SigningKey { revoked_at: Some(bench.clock.now()), ..old };
        bench.codec.load(&KeySet::new(vec![revoked])).unwrap();
        assert_eq!(bench.refusal(&token), TokenFault::UnknownKey);
        assert_eq!(remembered(&bench), 0);
    }
}

#[test]
fn case_75_a_key_that_retires_meanwhile_verifies_nothing_that_is_remembered() {
    let bench = Bench::new(Algorithm::EdDsa);
    let old = bench.key.clone().unwrap();
    let new = new_key(&bench.forge, Algorithm::EdDsa, 2, bench.clock.now().plus(MINUTE));
    let retiring = SigningKey { retires_at: Some(bench.clock.now().plus(2 * MINUTE)), ..old };
    bench.codec.load(&KeySet::new(vec![retiring, new])).unwrap();
    let token = bench.token();
    bench.accepts(&token);
    bench.clock.advance(2 * MINUTE);
    assert_eq!(bench.refusal(&token), TokenFault::UnknownKey);
}

/// As when a check that began before a revocation ends after it.
#[test]
fn case_75_what_an_old_set_of_keys_remembers_late_is_not_asked() {
    let bench = Bench::new(Algorithm::EdDsa);
    let (old, token, before) = (bench.key.clone().unwrap(), bench.token(), bench.codec.keyring());
    let revoked = SigningKey { revoked_at: Some(bench.clock.now()), ..old };
    bench.codec.load(&KeySet::new(vec![revoked])).unwrap();
    let verified = bench.codec.check(&before, &token, bench.clock.now()).unwrap();
    before.verified.insert(before.verified.tag(&token).unwrap(), verified, bench.clock.now());
    assert_eq!(bench.refusal(&token), TokenFault::UnknownKey);
}

/// Else anybody could reckon which strings have the tag of a token.
#[test]
fn each_table_has_a_key_of_its_own() {
    let [one, other] = [VerifiedTokens::default(), VerifiedTokens::default()];
    assert!(one.tag("a") == one.tag("a") && one.tag("a") != one.tag("b"));
    assert!(one.tag("a") != other.tag("a"));
}

#[test]
fn the_same_keys_again_keep_what_is_remembered_and_drop_what_has_expired() {
    let bench = Bench::new(Algorithm::EdDsa);
    let keys = KeySet::new(vec![bench.key.clone().unwrap()]);
    bench.accepts(&bench.token());
    bench.codec.load(&keys).unwrap();
    assert_eq!(remembered(&bench), 1);
    bench.clock.advance(11 * MINUTE);
    bench.codec.load(&keys).unwrap();
    assert_eq!(remembered(&bench), 0);
}

/// However many tokens whoever signs in again and again can get.
#[test]
fn what_is_remembered_is_bounded() {
    let bench = Bench::new(Algorithm::EdDsa);
    let (token, now) = (bench.token(), bench.clock.now());
    let verified = bench.codec.check(&bench.codec.keyring(), &token, now).unwrap();
    assert_eq!(verified.signer, Signer::Key(bench.key.clone().unwrap().id));
    let tokens = VerifiedTokens::default();
    for n in 0..50_000 {
        tokens.insert(tokens.tag(&format!("{token}{n}")).unwrap(), verified, now);
    }
    assert!((5_000..=7_168).contains(&tokens.len()), "{}", tokens.len());
    let newest = tokens.tag(&format!("{token}49999")).unwrap();
    assert!(tokens.get(newest).is_some(), "the newest has a place");
    tokens.forget_expired(now.plus(11 * MINUTE));
    assert_eq!(tokens.len(), 0);
}

#[test]
fn what_has_expired_makes_room_before_anything_that_has_not() {
    let bench = Bench::new(Algorithm::EdDsa);
    let at = |now| bench.codec.check(&bench.codec.keyring(), &bench.token(), now).unwrap();
    let now = bench.clock.now();
    let (old, tokens) = (at(now), VerifiedTokens::default());
    let tag = |n: i32| tokens.tag(&n.to_string()).unwrap();
    bench.clock.advance(5 * MINUTE);
    let young = at(bench.clock.now());
    for n in 0..100 {
        tokens.insert(tag(n), young, now);
    }
    for n in 100..50_000 {
        tokens.insert(tag(n), old, now.plus(11 * MINUTE));
    }
    assert!((0..100).all(|n| tokens.get(tag(n)).is_some()));
}
