use proptest::prelude::*;
use uuid::Uuid;
use vestibule_domain::page::{Cursor, Limit, Page};

fn limit(text: &str) -> Option<u16> {
    Limit::parse(text).ok().map(Limit::get)
}

proptest! {
    #[test]
    fn a_limit_is_a_number_from_1_to_200(n in any::<i64>()) {
        let expected = u16::try_from(n).ok().filter(|n| (1..=200).contains(n));
        prop_assert_eq!(limit(&n.to_string()), expected);
    }

    #[test]
    fn a_limit_has_one_spelling(text in ".{0,6}|[+0]{0,2}[0-9]{0,4}") {
        if let Some(n) = limit(&text) {
            prop_assert_eq!(n.to_string(), text);
        }
    }

    #[test]
    fn a_cursor_reads_back(bits in any::<u128>()) {
        let cursor = Cursor::after(Uuid::from_u128(bits));
        prop_assert_eq!(Cursor::parse(&cursor.encode()), Ok(cursor));
        prop_assert_eq!(cursor.id().as_u128(), bits);
    }

    #[test]
    fn a_cursor_has_one_spelling(text in "[0-9A-Za-z_+/=-]{20,24}|.{0,40}") {
        if let Ok(cursor) = Cursor::parse(&text) {
            prop_assert_eq!(cursor.encode(), text);
        }
    }

    #[test]
    fn pages_show_every_row_once(rows in 0_usize..500, limit in 1_u16..=200) {
        let limit = Limit::parse(&limit.to_string()).unwrap();
        let table: Vec<Uuid> = (1..=rows as u128).map(Uuid::from_u128).collect();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let from = table.partition_point(|id| after.is_some_and(|cursor: Cursor| *id <= cursor.id()));
            let rows = table[from..].iter().copied().take(usize::from(limit.get()) + 1).collect();
            let page = Page::from_rows(rows, limit, |id| *id);
            prop_assert!(page.data.len() <= usize::from(limit.get()));
            seen.extend(page.data);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        prop_assert_eq!(seen, table);
    }
}

#[test]
fn case_9_numbers_that_are_no_limit() {
    for text in [
        "",
        "0",
        "201",
        "-1",
        "+5",
        "05",
        "1.0",
        "1e2",
        "1e9",
        " 5",
        "5 ",
        "٥",
        "\u{ff15}",
        "65537",
        "18446744073709551616",
    ] {
        assert_eq!(Limit::parse(text).unwrap_err().code, "out_of_range", "{text}");
    }
    assert_eq!(Limit::default().get(), 50);
}

#[test]
fn case_30_a_cursor_is_nothing_but_a_cursor() {
    for text in ["", "' OR 1=1--", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAA", "%00"]
    {
        assert_eq!(Cursor::parse(text).unwrap_err().code, "invalid_cursor", "{text}");
    }
    assert!(Cursor::parse(&"A".repeat(100_000)).is_err());
}
