use proptest::prelude::*;
use vestibule_domain::user::Name;

proptest! {
    #[test]
    fn case_32_a_name_that_is_taken_is_kept_as_written(text in any::<String>()) {
        if let Ok(name) = Name::parse(&text) {
            prop_assert_eq!(name.as_str(), &text);
            prop_assert!((1..=200).contains(&text.chars().count()));
            prop_assert!(!text.contains(char::is_control));
            prop_assert_eq!(text.trim(), &text);
            // What was stored reads back.
            prop_assert_eq!(Name::parse(name.as_str()), Ok(name));
        }
    }

    #[test]
    fn letters_of_any_script_make_a_name(text in "\\p{L}[\\p{L}\\p{M}'. -]{0,150}\\p{L}") {
        prop_assert!(Name::parse(&text).is_ok());
    }

    #[test]
    fn ascii_case_does_not_matter_to_the_folded_form(text in "[a-zA-Z][a-zA-Z ]{0,50}[a-zA-Z]") {
        let folded = |text: &str| Name::parse(text).unwrap().folded();
        prop_assert_eq!(folded(&text.to_uppercase()), folded(&text.to_lowercase()));
        prop_assert_eq!(folded(&text), folded(&folded(&text)));
    }

    #[test]
    fn case_5_and_28_no_control_character_gets_in(before in "[a-z]{1,5}", c in "\\p{Cc}", after in "[a-z]{1,5}") {
        prop_assert_eq!(Name::parse(&format!("{before}{c}{after}")).unwrap_err().code, "invalid_name");
    }
}

#[test]
fn the_length_is_counted_in_characters() {
    assert!(Name::parse("é").is_ok());
    assert!(Name::parse(&"🙂".repeat(200)).is_ok());
    assert_eq!(Name::parse(&"🙂".repeat(201)).unwrap_err().code, "too_long");
    for empty in ["", " ", "\u{a0}\u{2003}", "\n"] {
        assert_eq!(Name::parse(empty).unwrap_err().code, "too_short", "{empty:?}");
    }
}

#[test]
fn a_name_has_no_spaces_at_its_ends() {
    for text in [" alice", "alice ", "\u{a0}alice", "alice\u{3000}"] {
        assert_eq!(Name::parse(text).unwrap_err().code, "invalid_name", "{text:?}");
    }
}

#[test]
fn case_28_a_name_can_be_seen() {
    for text in ["\u{200b}", "\u{200f}", "\u{ad}\u{feff}", "\u{3164}", "\u{2800}", "\u{200d} \u{200d}"] {
        assert_eq!(Name::parse(text).unwrap_err().code, "invalid_name", "{text:?}");
    }
    for text in ["\u{200e}محمد", "می\u{200c}خواهم", "👩\u{200d}🚀", "ｱﾞ", "-"] {
        assert_eq!(Name::parse(text).unwrap().as_str(), text);
    }
}

#[test]
fn case_31_text_that_looks_like_code_is_literal_and_reordered_text_is_refused() {
    for text in ["{{7*7}}", "<script>alert(1)</script>", "Robert'); DROP TABLE users;--", "${jndi:ldap://x}"] {
        assert_eq!(Name::parse(text).unwrap().as_str(), text);
    }
    for text in ["a\u{202e}b", "a\u{2066}b", "a\u{2028}b", "a\u{2029}b", "\u{1b}[31mred", "a\u{9b}31m"] {
        assert_eq!(Name::parse(text).unwrap_err().code, "invalid_name", "{text:?}");
    }
}

#[test]
fn a_name_does_not_show_in_debug_output() {
    assert_eq!(format!("{:?}", Name::parse("Alice").unwrap()), "Name[redacted]");
}
