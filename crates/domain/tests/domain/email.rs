use proptest::prelude::*;
use vestibule_domain::user::Email;

fn canonical(text: &str) -> Option<String> {
    Email::parse(text).ok().map(|email| email.canonical().to_owned())
}

fn code(text: &str) -> &'static str {
    Email::parse(text).unwrap_err().code
}

/// Local parts that RFC 5321 calls dot-strings.
fn dot_string() -> impl Strategy<Value = String> {
    "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,15}(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,15}){0,2}"
}

fn domain() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,15}(\\.[a-z][a-z0-9]{1,10}){1,3}"
}

/// Everything that has confused address parsers, in any order.
fn hostile() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "a",
        "B",
        "k",
        "\u{212a}",
        "ſ",
        "ı",
        "İ",
        "ß",
        "ü",
        "u\u{308}",
        "ａ",
        "＠",
        "@",
        "@",
        ".",
        "。",
        "．",
        "-",
        "--",
        "xn--",
        "xn--bcher-kva",
        "example",
        "com",
        "\"",
        "(c)",
        "[1.2.3.4]",
        " ",
        "\u{a0}",
        "\u{200b}",
        "\u{ad}",
        "\0",
        "\r\n",
        ",",
        ";",
        "<",
        ">",
        "%",
        "+",
        "'",
        "א",
        "١",
        "\u{202e}",
    ];
    prop::collection::vec(prop::sample::select(PIECES), 1..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_ordinary_address_is_taken(local in dot_string(), domain in domain()) {
        let written = format!("{local}@{domain}");
        let email = Email::parse(&written).unwrap();
        prop_assert_eq!(email.as_written(), &written);
        prop_assert_eq!(email.canonical(), written.to_ascii_lowercase());
    }

    #[test]
    fn case_21_case_does_not_make_another_address(local in dot_string(), domain in domain()) {
        let written = format!("{local}@{domain}");
        prop_assert_eq!(canonical(&written), canonical(&written.to_ascii_uppercase()));
    }

    #[test]
    fn addresses_that_differ_in_more_than_case_are_different(a in dot_string(), b in dot_string(), domain in domain()) {
        let same = a.eq_ignore_ascii_case(&b);
        let (a, b) = (canonical(&format!("{a}@{domain}")), canonical(&format!("{b}@{domain}")));
        prop_assert_eq!(a == b, same);
    }

    #[test]
    fn the_canonical_form_is_plain_and_its_own_canonical_form(text in prop_oneof![hostile(), any::<String>(), ".{1,20}@.{1,20}"]) {
        if let Ok(email) = Email::parse(&text) {
            let form = email.canonical();
            prop_assert!(form.bytes().all(|c| c.is_ascii_graphic() && !c.is_ascii_uppercase()), "{}", form);
            prop_assert_eq!(form.matches('@').count(), 1);
            prop_assert!(form.len() <= 254);
            prop_assert_eq!(canonical(form), Some(form.to_owned()));
            prop_assert_eq!(email.as_written(), &text);
        }
    }

    #[test]
    fn case_22_a_look_alike_never_becomes_an_address_of_plain_letters(text in hostile()) {
        if let Ok(email) = Email::parse(&text) {
            let plain = text.is_ascii();
            prop_assert!(plain || email.canonical().contains("xn--"), "{:?} became {}", text, email.canonical());
            prop_assert!(!plain || email.canonical() == text.to_ascii_lowercase());
        }
    }
}

#[test]
fn case_22_letters_that_fold_to_ascii_are_refused() {
    for text in ["m\u{131}ke@example.org", "\u{212a}im@example.org", "mi\u{17f}e@example.org", "MİKE@example.org"] {
        assert_eq!(code(text), "invalid_email", "{text}");
    }
    for text in
        ["mike@examp\u{131}e.org", "kim@\u{212a}im.org", "a@te\u{17f}t.org", "a@ｅxample.org", "a@ex\u{ad}ample.org"]
    {
        let form = canonical(text);
        assert!(form.as_deref().is_none_or(|form| form.contains("@xn--")), "{text} became {form:?}");
    }
}

#[test]
fn case_23_full_width_separators_are_refused() {
    for text in
        ["alice＠example.org", "alice@example．org", "alice@example。org", "alice@example｡org", "alice﹫example.org"]
    {
        assert_eq!(code(text), "invalid_email", "{text}");
    }
}

#[test]
fn case_24_an_international_domain_is_its_a_labels() {
    let form = Some("u@xn--bcher-kva.example".to_owned());
    assert_eq!(canonical("u@bücher.example"), form);
    assert_eq!(canonical("u@BÜCHER.example"), form);
    assert_eq!(canonical("u@bu\u{308}cher.example"), form);
    assert_eq!(canonical("u@xn--bcher-kva.example"), form);
    assert_eq!(canonical("u@XN--BCHER-KVA.EXAMPLE"), form);
    // Non-transitional: a sharp s is a letter of its own (RFC 5892).
    assert_eq!(canonical("u@faß.example"), Some("u@xn--fa-hia.example".to_owned()));
}

/// RUSTSEC-2024-0421: such a label decodes to plain ASCII, or to nothing.
#[test]
fn case_24_labels_that_only_pretend_to_be_international_are_refused() {
    for text in ["u@xn--example-.org", "u@xn--.org", "u@xn--a.org", "u@xn--bcher-kva-.example"] {
        assert_eq!(code(text), "invalid_email", "{text}");
    }
}

#[test]
fn case_25_other_spellings_are_refused() {
    for text in [
        "alice@example.org.",
        ".alice@example.org",
        "alice.@example.org",
        "al..ice@example.org",
        " alice@example.org",
        "alice@example.org ",
        "\u{a0}alice@example.org",
        "alice\u{200b}@example.org",
        "alice@\u{200b}example.org",
        "\u{feff}alice@example.org",
        "\"alice\"@example.org",
        "\"al ice\"@example.org",
        "alice(work)@example.org",
        "alice@example.org(work)",
        "<alice@example.org>",
        "Alice <alice@example.org>",
        "mailto:alice@example.org",
        "alice@[127.0.0.1]",
        "alice@[IPv6:::1]",
        "alice\\@example.org",
        "alice@@example.org",
        "alice@exa_mple.org",
        "alice@-example.org",
        "alice@example-.org",
        "alice@example..org",
        "alice@.org",
        "alice@",
        "@example.org",
        "@",
        "alice",
        "",
    ] {
        assert_eq!(code(text), "invalid_email", "{text:?}");
    }
}

#[test]
fn case_26_a_tag_makes_another_address() {
    assert_ne!(canonical("a+b@example.org"), canonical("a@example.org"));
    assert_ne!(canonical("a.b@example.org"), canonical("ab@example.org"));
}

#[test]
fn case_27_lengths_are_exact() {
    let (l63, l61) = ("d".repeat(63), "d".repeat(61));
    let longest = format!("{}@{l63}.{l63}.{l61}", "a".repeat(64));
    assert_eq!(longest.len(), 254);
    assert_eq!(canonical(&longest), Some(longest.clone()));
    assert_eq!(code(&format!("{longest}d")), "too_long");
    assert_eq!(code(&format!("{}@example.org", "a".repeat(65))), "too_long");
    assert_eq!(code(&format!("a@{l63}d.org")), "invalid_email");
    assert!(canonical(&format!("a@{l63}.org")).is_some());
    // The limits hold for what goes over the wire, the A-label.
    assert_eq!(code(&format!("a@{}.org", "ü".repeat(63))), "invalid_email");
    // Each of these labels is `xn--tda` then.
    let international = |local: usize| format!("{}@{}com", "a".repeat(local), "ü.".repeat(25));
    assert_eq!(canonical(&international(50)).map(|form| form.len()), Some(254));
    assert_eq!(code(&international(51)), "too_long");
    assert_eq!(code(&"a".repeat(1_000_000)), "too_long");
    // UTS 46 drops soft hyphens: only the form that is compared would be short.
    let written = format!("ada@b\u{fc}{}.example", "\u{ad}".repeat(300));
    assert_eq!(code(&written), "too_long");
}

#[test]
fn case_28_line_breaks_and_nul_are_refused() {
    for text in [
        "a@example.org\r\nBcc: b@example.org",
        "a\r\n@example.org",
        "a@example.org\n",
        "a@example.org\0",
        "a\0@example.org",
        "a@exa\0mple.org",
        "a@example.org\u{2028}",
        "a\u{7f}@example.org",
        "a@example.org\u{85}",
    ] {
        assert_eq!(code(text), "invalid_email", "{text:?}");
    }
}

#[test]
fn case_29_two_addresses_are_none() {
    for text in ["victim@x.org,evil@y.org", "victim@x.org;evil@y.org", "victim@x.org evil@y.org", "victim@evil@x.org"] {
        assert_eq!(code(text), "invalid_email", "{text}");
    }
}

#[test]
fn case_30_what_sql_could_read_is_literal_or_refused() {
    assert_eq!(canonical("o'brien--@example.org").as_deref(), Some("o'brien--@example.org"));
    assert_eq!(canonical("%_@example.org").as_deref(), Some("%_@example.org"));
    assert_eq!(code("a@example.org';DROP TABLE users"), "invalid_email");
}

#[test]
fn an_address_does_not_show_in_debug_output() {
    assert_eq!(format!("{:?}", Email::parse("alice@example.org").unwrap()), "Email[redacted]");
}
