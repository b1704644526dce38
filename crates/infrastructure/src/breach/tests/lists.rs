use super::super::{LineFault, List, ListForm};
use proptest::prelude::*;
use vestibule_domain::credential::BreachKey;

const HASHES: ListForm = ListForm::Hashes { min_count: 1 };
/// Of «password».
const HASH: &str = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8";

fn read(text: impl AsRef<[u8]>, form: ListForm) -> List {
    List::read(text.as_ref(), form).unwrap()
}

#[test]
fn hashes_are_those_of_the_passwords() {
    let list = read(format!("{HASH}:10434004\r\n{}:1\n{HASH}\n", HASH.to_lowercase()), HASHES);
    assert_eq!(list.keys, [BreachKey::of("password"); 3]);
    assert_eq!((list.lines, list.rare, list.faulty), (3, 0, 0));
    assert_eq!(read("password", ListForm::Plain).keys, [BreachKey::of("password")]);
}

#[test]
fn a_plain_list_is_in_the_form_in_which_passwords_are_compared() {
    let list = read("e\u{301}t\u{e9} 2026!\r\n p a d \n", ListForm::Plain);
    assert_eq!(list.keys, [BreachKey::of("\u{e9}t\u{e9} 2026!"), BreachKey::of(" p a d ")]);
}

#[test]
fn the_rare_are_left_out() {
    let list = read(format!("{HASH}:9\n{HASH}:10\n{HASH}:11\n{HASH}\n"), ListForm::Hashes { min_count: 10 });
    assert_eq!((list.keys.len(), list.rare), (2, 1));
    assert_eq!(list.faults, [(4, LineFault::NoCount)]);
}

#[test]
fn faulty_lines_are_numbered_and_passed_over() {
    let ntlm = "8846F7EAEE8FB117AD06BDD830B7586C:12";
    let text = format!("{HASH}:1\n\n{ntlm}\n{HASH}:\n{HASH}:+7\n{HASH}1\n{}\n{HASH}:2", HASH.replace('5', "G"));
    let list = read(text, HASHES);
    assert_eq!((list.keys.len(), list.lines, list.faulty), (2, 8, 6));
    let expected = [
        (2, LineFault::NoHash),
        (3, LineFault::NoHash),
        (4, LineFault::NoCount),
        (5, LineFault::NoCount),
        (6, LineFault::NoHash),
    ];
    assert_eq!(list.faults, expected);
    let plain = read([b"\xff\xfe", b"\n".as_slice(), &b"x".repeat(9_000), b"\nlast"].concat(), ListForm::Plain);
    assert_eq!(plain.faults, [(1, LineFault::NoPassword), (2, LineFault::NoPassword)]);
    assert_eq!(plain.keys, [BreachKey::of("last")]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_the_end(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        for form in [HASHES, ListForm::Plain] {
            let list = read(&bytes, form);
            let lines = bytes.split(|byte| *byte == b'\n').count() - usize::from(bytes.is_empty() || bytes.ends_with(b"\n"));
            prop_assert_eq!(list.lines, lines as u64);
            prop_assert_eq!(list.keys.len() as u64 + list.rare + list.faulty, list.lines);
        }
    }
}
