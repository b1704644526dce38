//! Signatures and spellings that are almost right.

use super::*;

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n";

/// GHSA-6mq3-xmgp-pjm5: a shortened token was valid.
#[test]
fn case_68_shortened_and_extended_signatures_are_refused() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::new(algorithm);
        let token = bench.token();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let with = |signature: &[u8]| format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        bench.accepts(&with(&signature));
        for length in 0..signature.len() {
            assert_eq!(bench.refusal(&with(&signature[..length])), TokenFault::Signature, "{length} bytes");
        }
        assert_eq!(bench.refusal(&with(&[&signature[..], &[0]].concat())), TokenFault::Signature);
        assert_eq!(bench.refusal(&with(&[&[0], &signature[..]].concat())), TokenFault::Signature);
        assert_eq!(bench.refusal(&with(&signature.repeat(2))), TokenFault::Signature);
    }
}

#[test]
fn case_68_every_token_has_one_spelling() {
    let bench = Bench::new(Algorithm::EdDsa);
    let token = bench.token();
    // 64 bytes leave four bits of the last character unused: 15 other characters decode to the same signature.
    let (stem, last) = token.split_at(token.len() - 1);
    for character in ALPHABET.chars().filter(|character| *character != last.chars().next().unwrap()) {
        assert!(bench.codec.verify(&format!("{stem}{character}"), bench.clock.now()).is_err(), "{character:?}");
    }
    for spelling in [
        format!("{token}="),
        format!("{token}=="),
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\n"),
        format!("{token}."),
        format!(".{token}"),
        token.replace('.', ".."),
        token.replacen('.', " .", 1),
        format!("Bearer {token}"),
    ] {
        assert_eq!(bench.refusal(&spelling), TokenFault::Malformed, "{spelling}");
    }
}

/// CVE-2025-30204, CVE-2025-27144: splitting cost memory for each dot.
#[test]
fn case_68_ten_thousand_dots_and_other_nothings_are_refused() {
    let bench = Bench::new(Algorithm::EdDsa);
    for token in [&".".repeat(10_000), &".".repeat(8_000), "", ".", "..", "...", "a.b.c", "\0.\0.\0", "ä.ö.ü"] {
        let refusal = bench.refusal(token);
        assert!(matches!(refusal, TokenFault::Malformed | TokenFault::Header(_)), "{refusal} for {token:.20}");
    }
}

/// The order of the base point of Ed25519, little-endian (RFC 8032, section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

#[test]
fn case_69_adding_the_order_to_s_is_refused_rfc8032_5_1_7() {
    let bench = Bench::new(Algorithm::EdDsa);
    let token = bench.token();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_eq!(carry, 0, "S + L fits in 32 bytes");
    assert_eq!(bench.refusal(&format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))), TokenFault::Signature);
}

/// CVE-2022-21449: zeros were a valid ECDSA signature of everything.
#[test]
fn case_69_signatures_of_zeros_and_small_order_points_are_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut order_2 = [0xff; 32];
    (order_2[0], order_2[31]) = (0xec, 0x7f);
    for algorithm in Algorithm::ALL {
        let bench = Bench::new(algorithm);
        let token = bench.token();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let length = URL_SAFE_NO_PAD.decode(signature).unwrap().len();
        let small_order = |r: [u8; 32]| [&r[..], &[0; 32]].concat();
        for signature in [vec![0; length], vec![0xff; length], small_order(identity), small_order(order_2)] {
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
            assert_eq!(bench.refusal(&token), TokenFault::Signature);
        }
    }
}

#[track_caller]
fn refuses_every_change(algorithm: Algorithm) {
    let bench = Bench::new(algorithm);
    let token = bench.token();
    // So that it is remembered.
    bench.accepts(&token);
    let token = token.into_bytes();
    for position in 0..token.len() {
        for character in ALPHABET.bytes().filter(|character| *character != token[position]) {
            let mut changed = token.clone();
            changed[position] = character;
            let changed = String::from_utf8(changed).unwrap();
            assert!(
                bench.codec.verify(&changed, bench.clock.now()).is_err(),
                "{} at {position}",
                char::from(character)
            );
        }
    }
}

#[test]
fn case_70_every_change_of_one_character_is_refused_with_eddsa() {
    refuses_every_change(Algorithm::EdDsa);
}

#[test]
fn case_70_every_change_of_one_character_is_refused_with_es256() {
    refuses_every_change(Algorithm::Es256);
}

#[test]
fn case_70_every_change_of_one_character_is_refused_with_rs256() {
    refuses_every_change(Algorithm::Rs256);
}

#[test]
fn case_70_every_change_of_one_character_is_refused_with_hs256() {
    refuses_every_change(Algorithm::Hs256);
}

#[test]
fn case_71_over_8_kib_nothing_is_parsed() {
    let bench = Bench::new(Algorithm::EdDsa);
    let padded = |bytes: usize| bench.with_claims(|claims| claims["x"] = json!("x".repeat(bytes)));
    let (longest, length) = (padded(5_000), padded(5_000).len());
    bench.accepts(&longest);
    let room = (8 * 1024 - length) / 4 * 3;
    assert!(padded(5_000 + room + 4).len() > 8 * 1024);
    assert_eq!(bench.refusal(&padded(5_000 + room + 4)), TokenFault::Malformed);
}

/// RFC 7515, section 7.2; RFC 7516.
#[test]
fn case_71_other_serializations_are_refused() {
    let bench = Bench::new(Algorithm::EdDsa);
    let token = bench.token();
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("not three parts") };
    let flattened = json!({"protected": header, "payload": claims, "signature": signature}).to_string();
    assert_eq!(bench.refusal(&flattened), TokenFault::Malformed);
    assert_eq!(bench.refusal(&format!("{token}.AAAA.AAAA")), TokenFault::Malformed);
    assert_eq!(bench.refusal(&format!("{header}..{signature}")), TokenFault::Signature);
}
