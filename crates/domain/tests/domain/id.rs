use crate::fakes::{HandClock, SeededRng};
use proptest::prelude::*;
use uuid::Uuid;
use vestibule_domain::id::{InvalidId, SessionId, UserId};

proptest! {
    #[test]
    fn an_id_reads_back_in_either_case(bits in any::<u128>()) {
        let id = UserId::from(Uuid::from_u128(bits));
        prop_assert_eq!(UserId::parse(&id.to_string()), Ok(id));
        prop_assert_eq!(UserId::parse(&id.to_string().to_uppercase()), Ok(id));
        prop_assert_eq!(id.as_uuid().as_u128(), bits);
    }

    #[test]
    fn what_parses_is_the_hyphenated_form(text in ".{0,50}|[0-9a-fA-F-]{30,40}") {
        if let Ok(id) = UserId::parse(&text) {
            prop_assert_eq!(id.to_string(), text.to_ascii_lowercase());
        }
    }
}

#[test]
fn case_10_only_the_hyphenated_form_is_an_id() {
    for text in [
        "",
        "me",
        "x",
        "%00",
        "../etc/passwd",
        "0190b5a27c3e7a008000000000000000",
        "{0190b5a2-7c3e-7a00-8000-000000000000}",
        "urn:uuid:0190b5a2-7c3e-7a00-8000-000000000000",
        "0190b5a2-7c3e-7a00-8000-00000000000g",
        "0190b5a2-7c3e-7a00-8000-00000000000é",
        " 190b5a2-7c3e-7a00-8000-000000000000",
        "0190b5a27-c3e-7a00-8000-000000000000",
    ] {
        assert_eq!(UserId::parse(text), Err(InvalidId), "{text}");
    }
    assert_eq!(UserId::parse(&"0".repeat(10_240)), Err(InvalidId));
}

#[test]
fn later_ids_sort_later() {
    let (clock, rng) = (HandClock::default(), SeededRng::default());
    let mut made = Vec::new();
    for _ in 0..100 {
        made.push(SessionId::generate(&clock, &rng));
        clock.advance_millis(1);
    }
    assert!(made.is_sorted());
    assert!(made.iter().all(|id| id.as_uuid().get_version_num() == 7));
}

#[test]
fn case_88_ids_of_one_moment_differ() {
    let (clock, rng) = (HandClock::default(), SeededRng::default());
    let made: std::collections::HashSet<_> = (0..1_000).map(|_| SessionId::generate(&clock, &rng)).collect();
    assert_eq!(made.len(), 1_000);
}
