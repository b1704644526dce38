//! An address has one canonical form, which is an address itself and fits every limit.

use vestibule_domain::user::Email;

/// Whether it is taken.
pub fn check(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let Ok(email) = Email::parse(text) else { return false };
    let canonical = email.canonical();
    assert_eq!(email.as_written(), text);
    assert!(canonical.bytes().all(|c| c.is_ascii_graphic() && !c.is_ascii_uppercase()), "{canonical}");
    // RFC 5321, section 4.5.3.1; RFC 1035, section 2.3.4.
    let (local, domain) = canonical.split_once('@').expect("an @");
    assert!((1..=64).contains(&local.len()) && canonical.len() <= 254, "{canonical}");
    assert!(domain.split('.').all(|label| (1..=63).contains(&label.len())), "{canonical}");
    assert!(!local.contains(['"', '(', ')', ',', ':', ';', '<', '>', '@', '[', '\\', ']']), "{canonical}");
    assert!(!text.contains(|c: char| c.is_whitespace() || c.is_control()));
    for spelling in [canonical.to_owned(), text.to_ascii_uppercase(), text.to_ascii_lowercase()] {
        let again = Email::parse(&spelling).expect("a spelling of an address is an address");
        assert_eq!(again.canonical(), canonical, "{spelling}");
    }
    // CVE-2019-19844: only what is written in ASCII becomes an ASCII address.
    assert!(text.is_ascii() || canonical.contains("xn--"), "{text} is {canonical}");
    true
}
