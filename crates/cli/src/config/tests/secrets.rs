use super::{KEY, OTHER_KEY, given};

const PEPPER: &str = "Bz+7jQx0m1sR8o5yPpyb0zqv2J1Y4m3n0rVw8kqTtEU=";
const PASSWORD: &str = "canary-of-the-database";

#[test]
fn a_secret_comes_from_a_file_without_its_line_break() {
    for content in [format!("{KEY}\n"), format!("{KEY}\r\n"), KEY.to_owned()] {
        let given = given();
        let path = given.path("master_key", &content);
        let config = given.variable("VESTIBULE_TOKENS__MASTER_KEY_FILE", &path).config();
        assert_eq!(*config.tokens.master_key.as_ref().unwrap().to_base64(), KEY);
    }
}

#[test]
fn only_one_line_break_is_cut_off() {
    assert_eq!(super::super::secret_file::without_line_break("a \n\n"), "a \n");
}

#[test]
fn toml_names_files_too() {
    let given = given();
    let path = given.path("url", "postgres://u:p@db/vestibule\n");
    let given = given.file(&format!("[store]\nurl_file = {path:?}\n[tokens]\nmaster_key = \"{KEY}\""));
    assert!(!given.config().is_default("store.url"));
}

#[test]
fn database_url_can_be_in_a_file() {
    let given = given();
    let path = given.path("url", "sqlite:///from-file.db\n");
    let config = given.variable("DATABASE_URL_FILE", &path).config();
    assert!(config.lines().iter().any(|line| line.contains("/from-file.db")));
}

#[test]
fn what_is_no_secret_does_not_come_from_a_file() {
    assert!(given().variable("VESTIBULE_HTTP__LISTEN_FILE", "/dev/null").fault().contains("is not a setting"));
}

#[test]
fn a_secret_and_its_file_together_are_a_fault() {
    let given = given();
    let path = given.path("master_key", KEY);
    let given =
        given.variable("VESTIBULE_TOKENS__MASTER_KEY", OTHER_KEY).variable("VESTIBULE_TOKENS__MASTER_KEY_FILE", &path);
    assert!(given.fault().contains("is given beside VESTIBULE_TOKENS__MASTER_KEY"));
}

#[test]
fn a_missing_secret_file_is_told_with_its_path() {
    let fault = given().variable("VESTIBULE_TOKENS__SECRET_FILE", "/nonexistent/secret").fault();
    assert!(fault.contains("tokens.secret") && fault.contains("/nonexistent/secret cannot be read"), "{fault}");
}

#[test]
fn i117_a_secret_in_a_file_that_everybody_can_read_is_warned_of() {
    let given = given();
    let named = given.path("url", "postgres://u:hunter2@db/vestibule\n");
    let given = given.file(&format!("store.url_file = {named:?}\n[tokens]\nmaster_key = \"{KEY}\""));
    for (mode, warnings) in [(0o604, 1), (0o602, 1), (0o644, 1), (0o640, 0), (0o600, 0)] {
        given.set_mode(mode);
        let found = given.config().warnings;
        assert_eq!(found.len(), warnings, "{mode:o}: {found:?}");
        assert!(found.iter().all(|warning| warning.starts_with("tokens.master_key is a secret")), "{found:?}");
        assert!(!found.concat().contains(KEY));
    }
    let given =
        given.file("store.url = \"postgres://u:hunter2@db/vestibule\"").variable("VESTIBULE_TOKENS__MASTER_KEY", KEY);
    given.set_mode(0o644);
    assert!(given.config().warnings.concat().contains("chmod o= "), "a password in a URL is a secret");
    let given = given.file("store.url = \"postgres://u@db/vestibule\"");
    assert_eq!(given.config().warnings, [""; 0]);
}

#[test]
fn i117_empty_short_and_sample_secrets_are_refused_without_being_shown() {
    for (variable, value) in [
        ("VESTIBULE_TOKENS__MASTER_KEY", ""),
        ("VESTIBULE_TOKENS__MASTER_KEY", "c2hvcnQ="),
        ("VESTIBULE_TOKENS__SECRET", ""),
        ("VESTIBULE_TOKENS__SECRET", "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG+Onbc6mxCcYg="),
        ("VESTIBULE_TOKENS__SECRET", "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZSBhbmQgc28gb24="),
        ("VESTIBULE_TOKENS__SECRET", "<output of: openssl rand -base64 32>"),
        ("VESTIBULE_PASSWORDS__PEPPERS", ""),
        ("VESTIBULE_PASSWORDS__PEPPERS", KEY),
        ("VESTIBULE_PASSWORDS__PEPPERS", "2026:"),
        ("VESTIBULE_PASSWORDS__PEPPERS", "2026:c2hvcnQ="),
        ("VESTIBULE_PASSWORDS__PEPPERS", "2026:hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG+Onbc6mxCcYg="),
        ("VESTIBULE_PASSWORDS__PEPPERS", "2026:Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZSBhbmQgc28gb24="),
        ("VESTIBULE_PASSWORDS__PEPPERS", "2026:<output of: openssl rand -base64 32>"),
    ] {
        let fault = given().variable(variable, value).fault();
        assert!(value.is_empty() || !fault.lines().next().unwrap().contains(value), "{fault}");
    }
}

#[test]
fn r1_peppers_are_a_list_in_toml_and_have_commas_elsewhere() {
    let toml = given().file(&format!("passwords.peppers = [\"2026:{PEPPER}\", \"2025:{KEY}\"]"));
    let text = format!("2026:{PEPPER}, 2025:{KEY}\n");
    let variable = given().variable("VESTIBULE_PASSWORDS__PEPPERS", &text);
    let file = given();
    let path = file.path("peppers", &text);
    let file = file.variable("VESTIBULE_PASSWORDS__PEPPERS_FILE", &path);
    for given in [toml, variable, file] {
        let peppers = given.config().take_secrets().peppers;
        assert_eq!(peppers.current_id(), Some("2026"));
        assert!(peppers.ids().eq(["2026", "2025"]));
    }
}

#[test]
fn r1_of_a_faulty_pepper_the_place_is_told_and_what_is_wrong() {
    let fault = given().variable("VESTIBULE_PASSWORDS__PEPPERS", format!("2026:{PEPPER},2026:{KEY}")).fault();
    for part in [
        "(environment variable VESTIBULE_PASSWORDS__PEPPERS): has an item, number 2, that has the id of an earlier one",
        "expected: ID:SECRET of each, with an ID of 1 to 8 of a-z, 0-9 and -",
        "example:  VESTIBULE_PASSWORDS__PEPPERS=2026:<output of: openssl rand -base64 32>",
    ] {
        assert!(fault.contains(part), "{part:?} is missing in {fault}");
    }
    assert!(!fault.contains(KEY) && !fault.contains(PEPPER), "{fault}");
}

#[test]
fn r28_nothing_that_prints_or_debugs_the_configuration_shows_a_secret() {
    let given = given()
        .variable(
            "DATABASE_URL",
            format!("postgres://user:{PASSWORD}@db:5432/vestibule?password={PASSWORD}&sslmode=require"),
        )
        .variable("VESTIBULE_TOKENS__MASTER_KEY", KEY)
        .variable("VESTIBULE_TOKENS__SECRET", OTHER_KEY)
        .variable("VESTIBULE_PASSWORDS__PEPPERS", format!("2026:{PEPPER}"))
        .variable("VESTIBULE_MAIL__URL", format!("smtps://mailer:{PASSWORD}@mail"))
        .variable("VESTIBULE_MAIL__FROM", "no-reply@example.com");
    let config = given.config();
    let shown = format!("{}\n{config:?}", config.lines().join("\n"));
    for secret in [PASSWORD, KEY, OTHER_KEY, PEPPER] {
        assert!(!shown.contains(secret), "{secret} shows in:\n{shown}");
    }
    let line = "store.url = \"postgres://user:[redacted]@db:5432/vestibule?password=[redacted]&sslmode=require\"  \
                # environment variable DATABASE_URL";
    assert!(shown.contains(line), "{shown}");
}

#[test]
fn a_faulty_url_is_not_shown() {
    let fault = given().variable("DATABASE_URL", format!("mysql://root:{PASSWORD}@db/x")).fault();
    assert!(!fault.contains(PASSWORD), "{fault}");
}

#[test]
fn what_is_printed_is_toml_that_means_the_same() {
    let first = given()
        .file("[http]\ntrusted_proxies = [\"10.0.0.0/8\"]\n[roles]\nhelpdesk = [\"users:read\"]")
        .variable("VESTIBULE_PASSWORDS__MIN_LENGTH", "15");
    let lines = first.config().lines();
    let again = given().file(&lines.join("\n"));
    assert_eq!(values(&again.config().lines()), values(&lines));
}

/// Without the comments, which say where each comes from.
fn values(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| line.split("  # ").next().unwrap_or_default().to_owned()).collect()
}
