use proptest::prelude::*;
use vestibule_domain::context::UserAgent;

proptest! {
    #[test]
    fn whatever_arrives_becomes_one_bounded_line(raw in any::<String>()) {
        if let Some(agent) = UserAgent::clean(&raw) {
            prop_assert!(agent.as_str().chars().count() <= 256);
            prop_assert!(!agent.as_str().contains(char::is_control));
            // What was stored reads back as itself.
            prop_assert_eq!(UserAgent::clean(agent.as_str()), Some(agent));
        } else {
            prop_assert!(raw.chars().filter(|c| !c.is_control()).take(256).all(char::is_whitespace));
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is(raw in "[!-~][ -~]{0,255}") {
        let agent = UserAgent::clean(&raw).unwrap();
        prop_assert_eq!(agent.as_str(), raw);
    }
}

#[test]
fn case_114_line_breaks_and_escapes_do_not_reach_a_log() {
    let agent = UserAgent::clean("curl/8\r\nlevel=ERROR \u{1b}[31mred\u{9b}0m\0").unwrap();
    assert_eq!(agent.as_str(), "curl/8level=ERROR [31mred0m");
}

#[test]
fn nothing_printable_is_nothing() {
    assert_eq!(UserAgent::clean(""), None);
    assert_eq!(UserAgent::clean(" \r\n\t\0 "), None);
}
