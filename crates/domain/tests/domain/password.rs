use crate::fakes::policy;
use proptest::prelude::*;
use std::time::{Duration, Instant};
use unicode_normalization::UnicodeNormalization;
use vestibule_domain::credential::{NewPassword, Owner, PasswordAttempt, PasswordPolicy, PasswordSettings};
use vestibule_domain::user::{Email, Name};

fn bytes(text: &str) -> Vec<u8> {
    PasswordAttempt::parse(text).unwrap().as_bytes().to_vec()
}

fn verdict(text: &str) -> Result<(), &'static str> {
    verdict_for(text, Owner::default())
}

fn verdict_for(text: &str, owner: Owner<'_>) -> Result<(), &'static str> {
    code(text, &policy(&[]), owner)
}

/// Where these are the passwords that are known.
fn verdict_beside(known: &[&'static str], text: &str) -> Result<(), &'static str> {
    code(text, &policy(known), Owner::default())
}

fn code(text: &str, policy: &PasswordPolicy, owner: Owner<'_>) -> Result<(), &'static str> {
    NewPassword::parse(text, policy, owner).map(drop).map_err(|fault| fault.code)
}

proptest! {
    #[test]
    fn case_37_composed_and_decomposed_spellings_are_one_password(text in "[ a-zà-žΐ-ώ가-힣]{1,60}") {
        let nfc: String = text.nfc().collect();
        let nfd: String = text.nfd().collect();
        prop_assert_eq!(bytes(&nfc), bytes(&nfd));
    }

    #[test]
    fn an_attempt_is_bounded_and_normal(text in prop_oneof![any::<String>(), "\\PC{200,300}"]) {
        let normal: String = text.nfc().collect();
        let fits = (1..=256).contains(&normal.chars().count()) && normal.len() <= 1_024 && !normal.contains('\0');
        match PasswordAttempt::parse(&text) {
            Ok(attempt) => {
                prop_assert!(fits);
                prop_assert_eq!(attempt.as_bytes(), normal.as_bytes());
            }
            Err(_) => prop_assert!(!fits),
        }
    }

    #[test]
    fn case_36_every_character_counts_to_the_last(length in 1_usize..=256, at in any::<prop::sample::Index>()) {
        let text = "a".repeat(length);
        let mut other = text.clone();
        let at = at.index(length);
        other.replace_range(at..=at, "b");
        prop_assert_ne!(bytes(&text), bytes(&other));
    }

    #[test]
    fn what_is_accepted_as_new_is_what_can_be_attempted(text in "\\PC{8,40}") {
        if let Ok(new) = NewPassword::parse(&text, &policy(&[]), Owner::default()) {
            prop_assert_eq!(new.as_bytes(), bytes(&text));
        }
    }

    #[test]
    fn under_15_characters_every_class_is_needed(text in "[a-zA-Z0-9!-/]{8,14}") {
        let classes: [fn(char) -> bool; 4] =
            [char::is_uppercase, char::is_lowercase, char::is_numeric, |c| c.is_ascii_punctuation()];
        if !classes.into_iter().all(|class| text.contains(class)) {
            prop_assert_eq!(verdict(&text), Err("weak_password"));
        }
    }

    #[test]
    fn the_configured_length_is_the_least(length in 8_usize..=64, least in 8_usize..=64) {
        let text: String = "xQ7$".chars().cycle().take(length).collect();
        let policy = PasswordPolicy { settings: PasswordSettings { min_length: least }, ..policy(&[]) };
        prop_assert_eq!(code(&text, &policy, Owner::default()), if length < least { Err("too_short") } else { Ok(()) });
    }
}

#[test]
fn case_5_nul_is_refused() {
    assert_eq!(PasswordAttempt::parse("pass\0word").unwrap_err().code, "invalid_character");
}

#[test]
fn case_35_a_huge_password_is_refused_before_any_work() {
    let huge = "e\u{301}".repeat(500_000);
    let began = Instant::now();
    assert_eq!(PasswordAttempt::parse(&huge).unwrap_err().code, "too_long");
    assert!(began.elapsed() < Duration::from_millis(5));
}

#[test]
fn case_36_the_longest_passwords_are_taken_whole() {
    for (longest, changed) in [
        ("a".repeat(73), "a".repeat(72) + "b"),
        ("a".repeat(256), "a".repeat(255) + "b"),
        ("🙂".repeat(64), "🙂".repeat(63) + "🙃"),
        ("🙂".repeat(256), "🙂".repeat(255) + "🙃"),
    ] {
        assert_ne!(bytes(&longest), bytes(&changed));
        assert_eq!(verdict(&longest), Ok(()));
    }
    assert_eq!(PasswordAttempt::parse(&"a".repeat(257)).unwrap_err().code, "too_long");
    assert_eq!(PasswordAttempt::parse(&"🙂".repeat(257)).unwrap_err().code, "too_long");
    assert_eq!(PasswordAttempt::parse("").unwrap_err().code, "too_short");
}

#[test]
fn case_36_the_limit_holds_for_the_composed_form() {
    // 256 syllables of three letters each: 2,304 bytes as typed, 768 once composed.
    assert!(PasswordAttempt::parse(&"\u{1100}\u{1161}\u{11a8}".repeat(256)).is_ok());
    // One character of four bytes that has no composed form: three characters of four bytes each.
    assert!(PasswordAttempt::parse(&"\u{1d160}".repeat(85)).is_ok());
    assert_eq!(PasswordAttempt::parse(&"\u{1d160}".repeat(86)).unwrap_err().code, "too_long");
}

#[test]
fn case_37_spaces_count_wherever_they_stand() {
    assert_eq!(bytes(" a b "), b" a b ");
    assert_ne!(bytes("secret"), bytes("secret "));
}

#[test]
fn case_37_the_length_is_counted_in_characters() {
    assert_eq!(verdict(&"é".repeat(7)), Err("too_short"));
    assert_eq!(verdict(&"e\u{301}".repeat(7)), Err("too_short"));
    assert_eq!(verdict("éÉ1!éÉ1!"), Ok(()));
}

#[test]
fn case_38_classes_are_needed_up_to_14_characters_and_not_from_15() {
    assert_eq!(verdict("qzjxvkwpmtgbyd"), Err("weak_password"));
    assert_eq!(verdict("qzjxvkwpmtgbydn"), Ok(()));
    assert_eq!(verdict("839105726483017"), Ok(()));
    assert_eq!(verdict("Qz4!vkwp"), Ok(()));
    for missing in ["qz4!vkwp", "QZ4!VKWP", "Qzx!vkwp", "Qz4xvkwp"] {
        assert_eq!(verdict(missing), Err("weak_password"), "{missing}");
    }
}

#[test]
fn case_38_common_passwords_are_refused_however_dressed() {
    for (known, dressed) in [
        ("password", "Password1!"),
        ("password", "passwordpassword"),
        ("dragon", "!!Dragon11"),
        ("monkey", "Monkey12345678!"),
        ("iloveyou", "Iloveyouiloveyou#7"),
        ("p@ssw0rd", "P@ssw0rd"),
        ("1234567890qwertyuiop", "1234567890QWERTYUIOP"),
        ("пароль", "Пароль-2026"),
    ] {
        assert_eq!(verdict_beside(&[known], dressed), Err("weak_password"), "{dressed}");
        assert_eq!(verdict_beside(&[], dressed), Ok(()), "{dressed}");
    }
}

#[test]
fn case_38_what_has_little_of_a_common_password_is_accepted() {
    let known = ["lamp", "lantern", "correct"];
    for text in ["lamplamplamplamp", "correct horse, battery, staple", "Lanterns4!", "L4ntern-7"] {
        assert_eq!(verdict_beside(&known, text), Ok(()), "{text}");
    }
}

#[test]
fn case_38_breached_passwords_are_refused_as_they_are() {
    let known = ["~Xk3-breached", "~tree house on fire", "~Caf\u{e9}-au-lait1", "common as anything"];
    for text in ["Xk3-breached", "tree house on fire", "Cafe\u{301}-au-lait1", "common as anything"] {
        assert_eq!(verdict_beside(&known, text), Err("breached_password"), "{text}");
    }
    for text in ["xK3-breached", "XK3-BREACHEd", "Tree house on fire", "tree house on fire!", "Xk3-breached1"] {
        assert_eq!(verdict_beside(&known, text), Ok(()), "{text}");
    }
}

#[test]
fn case_38_the_name_of_the_service_is_refused() {
    for text in ["Vestibule1!", "vestIBULE-202x", "my.Vestibule9", "vestibulevestibule"] {
        assert_eq!(verdict(text), Err("weak_password"), "{text}");
    }
    assert_eq!(verdict("the vestibule of the old library"), Ok(()));
}

#[test]
fn case_38_what_is_known_of_the_owner_is_refused() {
    let email = Email::parse("Mika.Talvela+web@example.org").unwrap();
    let name = Name::parse("Aino Korhonen").unwrap();
    let owner = Owner { email: Some(&email), name: Some(&name) };
    for text in [
        "mika.talvela+web@example.org",
        "Mika.Talvela+Web1",
        "Talvela-42",
        "Aino Korhonen1",
        "AinoKorhonen1!",
        "Korhonen#1",
        "1Korhonen!",
    ] {
        assert_eq!(verdict_for(text, owner), Err("weak_password"), "{text}");
        assert_ne!(verdict(text), Err("too_short"), "{text}");
    }
    assert_eq!(verdict_for("Korhonen rides to the moon", owner), Ok(()));
    // The domain is shared with others, and no secret of theirs.
    assert_eq!(verdict_for("Qz4!example", owner), Ok(()));
    assert_eq!(verdict_for("Qz4!vkwp", owner), Ok(()));
}

#[test]
fn case_38_a_name_is_known_in_every_spelling() {
    let name = Name::parse("Zoe\u{308}lla").unwrap();
    let owner = Owner { email: None, name: Some(&name) };
    assert_eq!(verdict_for("Zoëlla-1", owner), Err("weak_password"));
    assert_eq!(verdict_for("Zoe\u{308}lla-1", owner), Err("weak_password"));
}

#[test]
fn a_password_does_not_show_in_debug_output() {
    let new = NewPassword::parse("qzjxvkwpmtgbydn", &policy(&[]), Owner::default()).unwrap();
    assert!(!format!("{new:?}").contains("qzj"));
    assert_eq!(format!("{:?}", PasswordAttempt::parse("secret").unwrap()), "PasswordAttempt[redacted]");
}
