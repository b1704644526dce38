use crate::place::Place;

const SECRET: &str = "Bz+7jQx0m1sR8o5yPpyb0zqv2J1Y4m3n0rVw8kqTtEU=";

#[test]
fn faults_end_every_command_with_78_and_are_told_together() {
    let place = Place::empty().with("VESTIBULE_TOKENS__ACCESS_TTL", "2d").with("VESTIBULE_HTTP__LISTENER", "x");
    place.write("vestibule.toml", "[store]\nurl = \"oracle://db\"\n");
    for command in [
        ["config", "check"].as_slice(),
        &["config", "print"],
        &["serve"],
        &["dev"],
        &["migrate"],
        &["users", "list"],
        &["keys", "list"],
        &["healthcheck"],
    ] {
        let outcome = place.run(command).failed_with(78, "the configuration has 3 faults");
        for part in ["vestibule.toml:2", "VESTIBULE_TOKENS__ACCESS_TTL", "did you mean `VESTIBULE_HTTP__LISTEN`?"] {
            assert!(outcome.stderr.contains(part), "{part:?} is missing in {outcome:?}");
        }
        assert!(outcome.stdout.is_empty(), "{outcome:?}");
    }
    assert!(!place.path("var").exists(), "nothing is touched");
}

/// RFC 7518 §3.2, RFC 8725 §3.5.
#[test]
fn e73_with_a_secret_that_can_be_guessed_nothing_starts() {
    for (guessable, why) in [
        ("c2hvcnQ=", "short"),
        ("Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZSBhbmQgc28gb24=", "words"),
        ("hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG+Onbc6mxCcYg=", "published as a sample"),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", "a pattern"),
    ] {
        let place =
            Place::empty().with("VESTIBULE_TOKENS__ALGORITHM", "HS256").with("VESTIBULE_TOKENS__SECRET", guessable);
        let outcome = place.run(&["serve"]).failed_with(78, "tokens.secret");
        assert!(outcome.stdout.is_empty() && !place.path("var").exists(), "{why}: {outcome:?}");
    }
}

#[test]
fn a_configuration_that_is_in_order_is_said_to_be() {
    let outcome = Place::empty().run(&["config", "check"]).succeeded();
    assert_eq!(outcome.stdout, "the configuration is in order\n");
}

#[test]
fn print_shows_values_and_sources_but_no_secret() {
    let place =
        Place::empty().with("VESTIBULE_TOKENS__MASTER_KEY", SECRET).with("DATABASE_URL", "postgres://u:hunter2@db/v");
    place.write("other.toml", "log.level = \"warn\"\n");
    let outcome = place.run(&["--config", "other.toml", "config", "print", "--listen", "127.0.0.1:7"]).succeeded();
    for line in [
        "http.listen = \"127.0.0.1:7\"  # flag --listen",
        "log.level = \"warn\"  # other.toml:1",
        "store.url = \"postgres://u:[redacted]@db/v\"  # environment variable DATABASE_URL",
        "tokens.master_key = \"[redacted]\"  # environment variable VESTIBULE_TOKENS__MASTER_KEY",
        "tokens.access_ttl = \"10m\"  # default",
        "# tokens.issuer is not set: `http.public_url`",
    ] {
        assert!(outcome.stdout.lines().any(|printed| printed == line), "{line:?} is missing in\n{}", outcome.stdout);
    }
    assert!(!outcome.stdout.contains("hunter2") && !outcome.stdout.contains(SECRET), "{}", outcome.stdout);
}

#[test]
fn the_file_can_be_named_in_the_environment() {
    let place = Place::empty().with("VESTIBULE_CONFIG", "missing.toml");
    place.run(&["config", "check"]).failed_with(78, "missing.toml: cannot be read");
}

#[test]
fn the_openapi_document_needs_no_configuration() {
    let outcome = Place::empty().with("VESTIBULE_NONSENSE", "1").run(&["openapi"]).succeeded();
    let document: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert!(document["paths"]["/login"]["post"].is_object());
}
