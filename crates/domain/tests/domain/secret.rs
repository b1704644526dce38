use crate::fakes::SeededRng;
use proptest::prelude::*;
use std::collections::HashSet;
use uuid::Uuid;
use vestibule_domain::client::ClientSecret;
use vestibule_domain::session::{DeviceToken, RefreshToken};

/// Every character that could stand in a URL, and some that could not.
const MUTATIONS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.~% \0é";

fn refresh_token(session: u128, family: [u8; 16], secret: [u8; 32]) -> RefreshToken {
    RefreshToken::new(Uuid::from_u128(session).into(), family, secret)
}

/// The text with each other character at each place.
fn changed(text: &str) -> Vec<String> {
    let text: Vec<char> = text.chars().collect();
    let mut all = Vec::new();
    for at in 0..text.len() {
        for c in MUTATIONS.chars().filter(|c| *c != text[at]) {
            let mut changed = text.clone();
            changed[at] = c;
            all.push(changed.into_iter().collect());
        }
    }
    all
}

proptest! {
    #[test]
    fn a_device_token_reads_back(bytes in any::<[u8; 32]>()) {
        let token = DeviceToken::from_bytes(bytes);
        let read = DeviceToken::parse(&token.reveal()).unwrap();
        prop_assert_eq!(read.as_bytes(), &bytes);
        prop_assert_eq!(read.hash(), token.hash());
    }

    #[test]
    fn a_refresh_token_reads_back(session in any::<u128>(), family in any::<[u8; 16]>(), secret in any::<[u8; 32]>()) {
        let token = refresh_token(session, family, secret);
        let read = RefreshToken::parse(&token.reveal()).unwrap();
        prop_assert_eq!(read.hash(), token.hash());
        prop_assert_eq!(read.hash().session.as_uuid(), Uuid::from_u128(session));
        prop_assert_eq!(read.secret(), &secret);
        prop_assert_eq!(token.reveal().len(), 96);
    }

    #[test]
    fn a_device_token_has_one_spelling(text in "vdt_[0-9A-Za-z_+/=-]{41,45}|.{0,60}") {
        if let Ok(token) = DeviceToken::parse(&text) {
            prop_assert_eq!(token.reveal().to_string(), text);
        }
    }

    #[test]
    fn no_form_shows_in_debug_output(bytes in any::<[u8; 32]>()) {
        let (device, refresh) = (DeviceToken::from_bytes(bytes), refresh_token(1, [7; 16], bytes));
        prop_assert_eq!(format!("{device:?} {refresh:?}"), "vdt_[redacted] vrt_[redacted]");
        prop_assert_eq!(format!("{:?}", device.hash()), "TokenHash[redacted]");
        let hash = format!("{:?}", refresh.hash());
        prop_assert!(hash.ends_with(", family: TokenHash[redacted], secret: TokenHash[redacted] }"), "{}", hash);
    }
}

#[test]
fn case_70_every_change_of_one_character_makes_another_token_or_none() {
    let token = DeviceToken::generate(&SeededRng::default());
    for changed in changed(&token.reveal()) {
        if let Ok(other) = DeviceToken::parse(&changed) {
            assert_ne!(other.hash(), token.hash(), "{changed}");
        }
    }
}

/// Else a typing error would be taken for theft.
#[test]
fn case_70_no_change_of_one_character_makes_a_refresh_token() {
    let token = refresh_token(1, [2; 16], [9; 32]);
    for changed in changed(&token.reveal()) {
        assert!(RefreshToken::parse(&changed).is_err(), "{changed}");
    }
}

#[test]
fn case_68_truncated_extended_and_padded_tokens_are_refused() {
    let text = DeviceToken::from_bytes([7; 32]).reveal();
    let truncated = text.strip_suffix('c').expect("the last six bits of 7, 7, 7 …");
    // The last character carries two bits that must be zero: `d` is `c` with one of them set.
    for wrong in [truncated, "", "vdt_", &format!("{truncated}d"), &format!("{}A", *text), &format!("{}=", *text)] {
        assert!(DeviceToken::parse(wrong).is_err(), "{wrong}");
    }
    let text = refresh_token(7, [7; 16], [7; 32]).reveal();
    let mut truncated = text.to_string();
    while truncated.pop().is_some() {
        assert!(RefreshToken::parse(&truncated).is_err(), "{truncated}");
    }
    for more in ["A", "=", "AAAA"] {
        assert!(RefreshToken::parse(&format!("{}{more}", *text)).is_err(), "{more}");
    }
}

#[test]
fn case_64_a_token_of_one_purpose_is_none_of_another() {
    let device = DeviceToken::from_bytes([7; 32]).reveal();
    let refresh = refresh_token(7, [7; 16], [7; 32]).reveal();
    for wrong in [&*device, &device.replace("vdt_", "vrt_"), &refresh.replace("vrt_", "VRT_")] {
        assert!(RefreshToken::parse(wrong).is_err(), "{wrong}");
    }
    for wrong in [&*refresh, &refresh.replace("vrt_", "vdt_")] {
        assert!(DeviceToken::parse(wrong).is_err(), "{wrong}");
    }
    assert!(DeviceToken::parse(&device).is_ok() && RefreshToken::parse(&refresh).is_ok());
}

#[test]
fn the_hash_covers_the_purpose() {
    let (client, device) = (ClientSecret::from_bytes([7; 32]), DeviceToken::from_bytes([7; 32]));
    assert_ne!(client.hash().as_bytes(), device.hash().as_bytes());
}

#[test]
fn case_88_generated_tokens_differ() {
    let rng = SeededRng::default();
    let devices: HashSet<_> = (0..1_000).map(|_| *DeviceToken::generate(&rng).as_bytes()).collect();
    assert_eq!(devices.len(), 1_000);
    let session = Uuid::nil().into();
    let tokens: Vec<_> = (0..100).map(|_| RefreshToken::generate(session, &rng)).collect();
    let hashes = |of: fn(&RefreshToken) -> [u8; 32]| tokens.iter().map(of).collect::<HashSet<_>>().len();
    assert_eq!(hashes(|token| *token.hash().family.as_bytes()), 100);
    assert_eq!(hashes(|token| *token.hash().secret.as_bytes()), 100);
}

#[test]
fn a_child_differs_from_its_parent_in_its_secret_alone() {
    let rng = SeededRng::default();
    let token = RefreshToken::generate(Uuid::from_u128(3).into(), &rng);
    let (before, after) = (token.hash(), token.child(&rng).hash());
    assert_eq!((after.session, after.family), (before.session, before.family));
    assert_ne!(after.secret, before.secret);
}

/// Computed by Python's hashlib and base64.
#[test]
fn another_implementation_writes_and_hashes_a_refresh_token_alike() {
    let text = "vrt_AZC1onw-egCAAAAAAAAAAAICAgICAgICAgICAgICAgIDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA_Gzz0km";
    let token = refresh_token(0x0190_b5a2_7c3e_7a00_8000_0000_0000_0000, [2; 16], [3; 32]);
    assert_eq!(*token.reveal(), text);
    assert_eq!(RefreshToken::parse(text).unwrap().hash(), token.hash());
    let hash = token.hash();
    let family = "292afde3b64e6636d68f1120d9242f1f85e38ef7bf306e4407c2303eb63791ef";
    let secret = "648aa5c579fb30f38af744d97d6ec840c7a91277a499a0d780f3e7314eca090b";
    assert_eq!([hash.family.as_bytes(), hash.secret.as_bytes()].map(hexadecimal), [family, secret]);
}

fn hexadecimal(bytes: &[u8; 32]) -> String {
    let [high, low] = [0, 16].map(|at| u128::from_be_bytes(bytes[at..at + 16].try_into().unwrap()));
    format!("{high:032x}{low:032x}")
}
