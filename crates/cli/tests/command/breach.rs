use crate::place::Place;
use serde_json::json;
use std::fs;

const FILTER: &str = "VESTIBULE_PASSWORDS__BREACH_FILTER";
/// Of no password that occurs here.
const LIST: &str = "C8C7A0F3B1C0E7B7E0D6B0D0A0A0A0A0A0A0A0A0:7\r\n";
const PHRASE: &str = "a lantern on the ninth stair";

/// A filter that knows one passphrase.
fn with_filter() -> Place {
    let place = Place::migrated();
    place.write("leaked.txt", &format!("{PHRASE}\n"));
    place.run(&["breach", "build", "leaked.txt", "--plain", "-o", "leaked.filter"]).succeeded();
    place.with(FILTER, "leaked.filter")
}

fn damaged(place: &Place, name: &str, damage: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(place.path(name)).unwrap();
    damage(&mut bytes);
    fs::write(place.path(name), bytes).unwrap();
}

#[test]
fn a_filter_is_built_of_hashes_and_faulty_lines_are_named() {
    let place = Place::empty();
    place.write("list.txt", &format!("{LIST}\nnonsense\n{}", LIST.replace(":7", ":3")));
    let built = place.run(&["breach", "build", "list.txt", "-o", "list.filter"]).succeeded();
    assert_eq!(
        built.stdout,
        "4 lines: 0 too rare, 2 passed over\npasswords: 1, bytes: 92, others taken for one of them: 1 in 65,536\n\
         list.filter\n"
    );
    assert_eq!(
        built.stderr,
        "line 2 is not 40 hexadecimal digits of SHA-1, with or without `:COUNT`\n\
         line 3 is not 40 hexadecimal digits of SHA-1, with or without `:COUNT`\n"
    );
    assert_eq!(fs::metadata(place.path("list.filter")).unwrap().len(), 92);
}

#[test]
fn the_rare_are_left_out_and_nothing_left_is_no_filter() {
    let place = Place::empty();
    place.write("list.txt", LIST);
    let build = |least: &str| place.run(&["breach", "build", "list.txt", "--min-count", least, "-o", "list.filter"]);
    build("8").failed_with(1, "list.txt: there are no passwords to make a filter of");
    assert!(!place.path("list.filter").exists());
    build("7").succeeded();
}

#[test]
fn what_cannot_be_read_or_would_be_overwritten_is_refused() {
    let place = Place::empty();
    let build = |file: &str| place.run(&["breach", "build", file, "--plain", "-o", "list.filter"]);
    build("missing.txt").failed_with(1, "missing.txt: No such file or directory");
    place.write("empty.txt", "");
    build("empty.txt").failed_with(1, "empty.txt: there are no passwords to make a filter of");
    build(".").failed_with(1, "Is a directory");
    place.write("list.txt", PHRASE);
    place.write("list.filter", "precious");
    build("list.txt").failed_with(1, "list.filter exists already");
    assert_eq!(fs::read_to_string(place.path("list.filter")).unwrap(), "precious");
    place.run(&["breach", "build", "list.txt"]).failed_with(2, "--output");
    place
        .run(&["breach", "build", "list.txt", "--plain", "--min-count", "2", "-o", "x"])
        .failed_with(2, "cannot be used");
}

#[test]
fn a_list_comes_from_standard_input_too_and_the_same_list_gives_the_same_bytes() {
    let place = Place::empty();
    place.write("list.txt", "one of them\nanother\n");
    place.run(&["breach", "build", "list.txt", "--plain", "-o", "a"]).succeeded();
    place.run_with_input(&["breach", "build", "-", "--plain", "-o", "b"], "another\none of them\n").succeeded();
    assert_eq!(fs::read(place.path("a")).unwrap(), fs::read(place.path("b")).unwrap());
}

#[test]
fn what_the_filter_knows_is_refused_by_the_service_and_by_commands_beside_what_is_shipped() {
    let place = with_filter();
    let create =
        |email: &str, password: &str| place.run_with_input(&["users", "create", email, "--password-stdin"], password);
    create("ada@example.com", PHRASE).failed_with(1, "the password must not be known from a breach");
    create("ada@example.com", "correcthorsebatterystaple").failed_with(1, "must not be known from a breach");
    create("ada@example.com", "nine green lanterns").succeeded();
    place
        .run_with_input(&["users", "set-password", "ada@example.com", "--password-stdin"], PHRASE)
        .failed_with(1, "the password must not be known from a breach");
    let service = place.start(&["serve"]);
    let body = json!({"email": "bob@example.com", "password": PHRASE, "name": "Bob"}).to_string();
    let (status, answer) = service.post("/users", &body);
    assert!(status == 422 && answer.contains("breached_password"), "{status} {answer}");
}

#[test]
fn what_a_new_filter_knows_is_marked_at_the_next_login() {
    let place = Place::migrated();
    place.run_with_input(&["users", "create", "ada@example.com", "--password-stdin"], PHRASE).succeeded();
    let list = || place.run(&["users", "list"]).succeeded().stdout;
    let listed = || place.run(&["users", "list", "--json"]).succeeded().json();
    assert!(!list().contains("breached") && listed()[0]["password_breached_at"].is_null());
    place.write("leaked.txt", PHRASE);
    place.run(&["breach", "build", "leaked.txt", "--plain", "-o", "leaked.filter"]).succeeded();
    place.write("vestibule.toml", "passwords.breach_filter = \"leaked.filter\"\n");
    let service = place.start(&["serve"]);
    let login = json!({"email": "ada@example.com", "password": PHRASE}).to_string();
    assert_eq!(service.post("/login", &login).0, 200);
    assert!(list().ends_with("(password breached)\n"), "{}", list());
    assert!(listed()[0]["password_breached_at"].is_string());
    place.run(&["users", "set-password", "ada@example.com"]).succeeded();
    assert!(!list().contains("breached"));
}

#[test]
fn a_broken_filter_is_a_fault_of_the_configuration_at_every_start() {
    let place = with_filter();
    damaged(&place, "leaked.filter", |bytes| bytes.truncate(90));
    for command in [["serve"].as_slice(), &["config", "check"], &["users", "list"]] {
        let said = "passwords.breach_filter: leaked.filter: has 90 bytes instead of 92: it was not copied whole";
        place.run(command).failed_with(78, said);
    }
    place.run(&["doctor"]).failed_with(1, "✗ passwords.breach_filter: leaked.filter: has 90 bytes");
    fs::remove_file(place.path("leaked.filter")).unwrap();
    place.run(&["serve"]).failed_with(78, "passwords.breach_filter: leaked.filter: cannot be read: No such file");
    place.write("leaked.filter", LIST);
    place.run(&["serve"]).failed_with(78, "passwords.breach_filter: leaked.filter: is not a filter");
}

#[test]
fn a_damaged_filter_is_found_by_whoever_reads_all_of_it() {
    let place = with_filter();
    place.run(&["config", "check"]).succeeded();
    let doctor = place.run(&["doctor", "--listen", "127.0.0.1:0", "--ops-listen", "off"]);
    assert!(doctor.stdout.contains("✓ passwords.breach_filter: in order, knows 1"), "{}", doctor.stdout);
    damaged(&place, "leaked.filter", |bytes| bytes[80] ^= 1);
    for command in [["serve"].as_slice(), &["dev"], &["config", "check"]] {
        place.run(command).failed_with(78, "leaked.filter: does not fit its checksum: it was damaged");
    }
}
