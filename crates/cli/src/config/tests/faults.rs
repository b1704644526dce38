use super::{KEY, given};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[test]
fn all_faults_are_told_at_once_each_with_source_expectation_and_example() {
    let given = given()
        .file("[http]\nlisten = \"nowhere\"\n\n[tokens]\naccess_ttl = \"5h\"\n\n[lgo]\nlevel = \"info\"\n")
        .variable("VESTIBULE_PASSWORDS__ITERATIONS", "1")
        .variable("VESTIBULE_HTTP_LISTEN", "127.0.0.1:1")
        .flag("log.format", "--log-format", "xml");
    let text = given.load().unwrap_err().to_string();
    let path = given.inputs.file.as_ref().unwrap().display().to_string();
    for part in [
        "the configuration has 6 faults".to_owned(),
        format!("http.listen ({path}:2): \"nowhere\" is not an IP address with a port"),
        "example:  http.listen = \"0.0.0.0:8080\"".to_owned(),
        format!("tokens.access_ttl ({path}:5): \"5h\" is too long"),
        "expected: a duration from 1m to 1h".to_owned(),
        format!("lgo ({path}:7): is not a section; did you mean `log`?"),
        "passwords.iterations (environment variable VESTIBULE_PASSWORDS__ITERATIONS): \"1\" is below 2".to_owned(),
        "example:  VESTIBULE_PASSWORDS__ITERATIONS=2".to_owned(),
        "VESTIBULE_HTTP_LISTEN (environment variable VESTIBULE_HTTP_LISTEN): is not a setting; \
         did you mean `VESTIBULE_HTTP__LISTEN`?"
            .to_owned(),
        "log.format (flag --log-format): \"xml\" is neither text nor json".to_owned(),
        "example:  --log-format json".to_owned(),
    ] {
        assert!(text.contains(&part), "{part:?} is missing in:\n{text}");
    }
}

#[test]
fn unknown_keys_name_the_nearest_one() {
    let fault = given().file("[tokens]\nacess_ttl = \"10m\"").fault();
    assert!(fault.contains("is not a setting; did you mean `tokens.access_ttl`?"), "{fault}");
}

#[test]
fn what_is_like_nothing_gets_no_suggestion() {
    let fault = given().variable("VESTIBULE_COMPLETELY__DIFFERENT_THING", "1").fault();
    assert!(fault.ends_with("is not a setting"), "{fault}");
}

#[test]
fn a_variable_in_lower_case_is_not_a_setting() {
    assert!(given().variable("VESTIBULE_http__listen", "127.0.0.1:1").fault().contains("is not a setting"));
}

#[test]
fn a_setting_outside_its_section_is_not_one() {
    assert!(given().file("listen = \"127.0.0.1:1\"").fault().contains("is not a section"));
    assert!(given().file("http = 1").fault().contains("is not a section"));
}

#[test]
fn broken_toml_is_told_with_its_line_and_without_its_text() {
    let faults = given().file("[http]\nlisten = \"127.0.0.1:1\"\n[tokens]\nsecret = hunter2hunter2\n").faults();
    assert!(faults.iter().any(|(_, text)| text.contains("vestibule.toml:4")), "{faults:?}");
    assert!(!format!("{faults:?}").contains("hunter2"), "{faults:?}");
}

#[test]
fn a_key_given_twice_is_a_fault() {
    assert!(given().file("[http]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"").load().is_err());
}

#[test]
fn a_named_file_must_exist() {
    let mut given = given();
    given.inputs.file = Some("/nonexistent/vestibule.toml".into());
    assert!(given.fault().contains("/nonexistent/vestibule.toml: cannot be read"));
}

#[test]
fn a_list_where_one_value_belongs_is_a_fault() {
    assert!(given().file("[http]\nlisten = [\"127.0.0.1:1\"]").fault().contains("must not be a list"));
}

#[test]
fn values_of_other_kinds_are_faults() {
    for value in ["1.5", "2026-01-01", "{ a = 1 }", "[1, 2]"] {
        assert!(given().file(&format!("[http]\nlisten = {value}")).fault().contains("must be a text"), "{value}");
    }
}

#[test]
fn a_variable_that_is_not_utf8_is_a_fault() {
    let fault = given().variable("VESTIBULE_HTTP__LISTEN", Path::new(OsStr::from_bytes(b"\xff"))).fault();
    assert!(fault.contains("is not UTF-8"), "{fault}");
}

/// R1, R13 and the ranges of the contract.
#[test]
fn values_out_of_range_are_refused() {
    for (variable, values) in [
        ("VESTIBULE_PASSWORDS__MEMORY_KIB", ["19455", "0", "262145", "-1", ""].as_slice()),
        ("VESTIBULE_PASSWORDS__ITERATIONS", &["1", "11", "two"]),
        ("VESTIBULE_PASSWORDS__PARALLELISM", &["0", "17"]),
        ("VESTIBULE_PASSWORDS__MIN_LENGTH", &["7", "65"]),
        ("VESTIBULE_PASSWORDS__HASH_THREADS", &["0", "65"]),
        ("VESTIBULE_PASSWORDS__QUEUE_WAIT", &["61s", "1"]),
        ("VESTIBULE_STORE__MAX_CONNECTIONS", &["0", "21"]),
        ("VESTIBULE_TOKENS__ACCESS_TTL", &["59s", "61m", "10", "m", "-5m", "5 m", "1h30m", "99999999999999999999d"]),
        ("VESTIBULE_TOKENS__REFRESH_GRACE", &["61s", "61000ms"]),
        ("VESTIBULE_TOKENS__REFRESH_IDLE", &["4m", "366d"]),
        ("VESTIBULE_TOKENS__ALGORITHM", &["eddsa", "none", "HS384", ""]),
        ("VESTIBULE_TOKENS__AUDIENCE", &["", " "]),
        ("VESTIBULE_REGISTRATION__MODE", &["Open", "invite"]),
        ("VESTIBULE_LIMITS__ENABLED", &["yes", "1"]),
        ("VESTIBULE_HTTP__LISTEN", &["8080", "localhost:8080", "127.0.0.1", "127.0.0.1:65536", "off"]),
        ("VESTIBULE_HTTP__TRUSTED_PROXIES", &["10.0.0.0/33", "proxy.internal"]),
        ("VESTIBULE_HTTP__FORWARDED_HEADER", &["", "x forwarded for"]),
        (
            "VESTIBULE_STORE__URL",
            &["", "var/vestibule.db", "mysql://h/d", "sqlite://", "sqlite::memory:", "postgres:h"],
        ),
        ("VESTIBULE_MAIL__URL", &["", "http://mail", "smtp://"]),
        ("VESTIBULE_LOG__FORMAT", &["", "JSON "]),
        ("VESTIBULE_LOG__LEVEL", &["", "inof", "info,sqlx", "sqlx=loud"]),
        ("VESTIBULE_ROLES__SUPPORT", &["users:red"]),
        ("VESTIBULE_ROLES__ADMIN", &["users:read"]),
        ("VESTIBULE_ROLES__9LIVES", &["users:read"]),
    ] {
        for value in values {
            let loaded = given().variable(variable, value).load();
            assert!(loaded.is_err(), "{variable}={value:?} was accepted");
        }
    }
}

/// Case 110: an origin that a browser cannot send, or that everybody can, is never configured.
#[test]
fn origins_are_scheme_host_and_port() {
    for origin in [
        "*",
        "https://*",
        "https://*.example.com",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?x",
        "https://user@app.example.com",
        "https://APP.example.com",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "https://app.example.com:",
        "https://",
        "app.example.com",
        "null",
        "ftp://app.example.com",
    ] {
        for variable in ["VESTIBULE_HTTP__CORS_ORIGINS", "VESTIBULE_HTTP__PUBLIC_URL"] {
            assert!(given().variable(variable, origin).load().is_err(), "{variable}={origin} was accepted");
        }
    }
    for origin in
        ["https://app.example.com", "http://localhost:3000", "http://[::1]:3000", "https://app.example.com:8443"]
    {
        let config = given().variable("VESTIBULE_HTTP__CORS_ORIGINS", origin).config();
        assert_eq!(config.http.cors_origins[0].as_str(), origin);
    }
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    let fault = given().variable("VESTIBULE_TOKENS__ALGORITHM", "HS256").fault();
    assert!(fault.starts_with("tokens.secret: is required with HS256"), "{fault}");
    let fault = given().variable("DATABASE_URL", "postgres://db/vestibule").fault();
    assert!(fault.starts_with("tokens.master_key: is required with PostgreSQL"), "{fault}");
    let fault = given().variable("VESTIBULE_TOKENS__REFRESH_ABSOLUTE", "13d").fault();
    assert!(fault.contains("is below tokens.refresh_idle"), "{fault}");
    let fault = given().variable("VESTIBULE_HTTP__OPS_LISTEN", "127.0.0.1:8080").fault();
    assert!(fault.contains("is the address of http.listen"), "{fault}");
    let fault = given().variable("VESTIBULE_MAIL__URL", "smtp://mail.example.com").fault();
    assert!(fault.starts_with("mail.from: is required"), "{fault}");
    let fault = given().variable("VESTIBULE_HTTP__HSTS", "true").fault();
    assert!(fault.contains("needs an http.public_url that is https"), "{fault}");
}

#[test]
fn a_value_that_does_not_parse_is_told_once() {
    let given = given().variable("VESTIBULE_TOKENS__ALGORITHM", "HS256").variable("VESTIBULE_TOKENS__SECRET", "short");
    assert_eq!(given.faults().len(), 1);
}

#[test]
fn a_mistyped_permission_names_the_nearest_one() {
    let fault = given().file("[roles]\nsupport = [\"user:read\"]").fault();
    assert!(fault.contains("did you mean `users:read`?"), "{fault}");
}

#[test]
fn what_goes_together_is_accepted() {
    given()
        .variable("DATABASE_URL", "postgres://u:p@db/vestibule")
        .variable("VESTIBULE_TOKENS__MASTER_KEY", KEY)
        .variable("VESTIBULE_TOKENS__ALGORITHM", "HS256")
        .variable("VESTIBULE_TOKENS__SECRET", super::OTHER_KEY)
        .config();
}
