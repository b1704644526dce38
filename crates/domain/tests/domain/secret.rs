use crate::fakes::SeededRng;
use proptest::prelude::*;
use vestibule_domain::session::{DeviceToken, RefreshToken};

/// Every character that could stand in a URL, and some that could not.
const MUTATIONS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.~% \0é";

proptest! {
    #[test]
    fn a_token_reads_back(bytes in any::<[u8; 32]>()) {
        let token = RefreshToken::from_bytes(bytes);
        let read = RefreshToken::parse(&token.reveal()).unwrap();
        prop_assert_eq!(read.as_bytes(), &bytes);
        prop_assert_eq!(read.hash(), token.hash());
    }

    #[test]
    fn a_token_has_one_spelling(text in "vrt_[0-9A-Za-z_+/=-]{41,45}|.{0,60}") {
        if let Ok(token) = RefreshToken::parse(&text) {
            prop_assert_eq!(token.reveal().to_string(), text);
        }
    }

    #[test]
    fn neither_form_shows_in_debug_output(bytes in any::<[u8; 32]>()) {
        let token = RefreshToken::from_bytes(bytes);
        prop_assert_eq!(format!("{token:?}"), "vrt_[redacted]");
        prop_assert_eq!(format!("{:?}", token.hash()), "TokenHash[redacted]");
    }
}

#[test]
fn case_70_every_change_of_one_character_makes_another_token_or_none() {
    let token = RefreshToken::generate(&SeededRng::default());
    let text: Vec<char> = token.reveal().chars().collect();
    for at in 0..text.len() {
        for c in MUTATIONS.chars().filter(|c| *c != text[at]) {
            let mut changed = text.clone();
            changed[at] = c;
            let changed: String = changed.into_iter().collect();
            if let Ok(other) = RefreshToken::parse(&changed) {
                assert_ne!(other.hash(), token.hash(), "{changed}");
            }
        }
    }
}

#[test]
fn case_68_truncated_extended_and_padded_tokens_are_refused() {
    let text = RefreshToken::from_bytes([7; 32]).reveal();
    let truncated = text.strip_suffix('c').expect("the last six bits of 7, 7, 7 …");
    // The last character carries two bits that must be zero: `d` is `c` with one of them set.
    for wrong in [truncated, "", "vrt_", &format!("{truncated}d"), &format!("{}A", *text), &format!("{}=", *text)] {
        assert!(RefreshToken::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn case_64_a_token_of_one_purpose_is_none_of_another() {
    let device = DeviceToken::from_bytes([7; 32]).reveal();
    assert!(RefreshToken::parse(&device).is_err());
    assert!(RefreshToken::parse(&device.replace("vdt_", "VRT_")).is_err());
    assert!(DeviceToken::parse(&device).is_ok());
}

#[test]
fn the_hash_covers_the_purpose() {
    let (refresh, device) = (RefreshToken::from_bytes([7; 32]), DeviceToken::from_bytes([7; 32]));
    assert_ne!(refresh.hash().as_bytes(), device.hash().as_bytes());
}

#[test]
fn case_88_generated_tokens_differ() {
    let rng = SeededRng::default();
    let made: std::collections::HashSet<_> = (0..1_000).map(|_| *RefreshToken::generate(&rng).as_bytes()).collect();
    assert_eq!(made.len(), 1_000);
}
