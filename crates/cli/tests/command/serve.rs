use crate::place::{MASTER_KEY, Place};
use rustix::process::Signal;
use std::net::TcpListener;

#[test]
fn j130_a_second_service_on_the_same_file_is_refused_and_the_first_goes_on() {
    let place = Place::migrated();
    let first = place.start(&["serve"]);
    place
        .run(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", "off"])
        .failed_with(1, "is being served by another process");
    assert_eq!(first.get("/health/ready").0, 200);
}

#[test]
fn commands_work_beside_a_service() {
    let place = Place::migrated();
    let service = place.start(&["serve"]);
    place.run(&["users", "create", "ada@example.com"]).succeeded();
    assert_eq!(place.run(&["users", "list"]).succeeded().stdout.lines().count(), 1);
    assert_eq!(service.get("/health/ready").0, 200);
}

#[test]
fn pending_migrations_are_refused_with_what_to_run_or_applied_when_told() {
    let place = Place::empty();
    place.run(&["migrate", "--check"]).failed_with(1, "make it with `vestibule migrate`");
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", "off"]);
    refused.failed_with(1, "start with `vestibule serve --migrate`");
    place.run(&["migrate", "--check"]).failed_with(1, "apply with `vestibule migrate`");
    assert_eq!(place.start(&["serve", "--migrate"]).get("/health/ready").0, 200);
    assert_eq!(place.run(&["migrate", "--check"]).succeeded().stdout, "nothing is pending\n");
}

#[test]
fn a_taken_port_is_named_with_a_way_out() {
    let place = Place::migrated();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    place
        .run(&["serve", "--listen", &address])
        .failed_with(1, &format!("{address} is in use by another process"))
        .failed_with(1, "choose another address with `--listen");
}

#[test]
fn i117_a_master_key_that_others_can_read_is_refused() {
    let place = Place::migrated();
    place.set_mode("var/master.key", 0o640);
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", "off"]);
    refused.failed_with(1, "can be read by others than its owner (mode 640): run `chmod 600");
}

#[test]
fn what_lies_on_the_disk_is_for_its_owner_only() {
    let place = Place::migrated();
    let _service = place.start(&["serve"]);
    for file in ["var/vestibule.db", "var/vestibule.db-wal", "var/master.key"] {
        assert_eq!(place.mode(file), 0o600, "{file}");
    }
    assert_eq!(place.mode("var"), 0o700);
}

#[test]
fn another_master_key_is_refused() {
    let place = Place::migrated();
    place.run(&["keys", "rotate", "--now"]).succeeded();
    let place = place.with("VESTIBULE_TOKENS__MASTER_KEY", MASTER_KEY);
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", "off"]);
    refused.failed_with(1, "does not open with this master key");
}

#[test]
fn j119_without_a_database_it_lives_is_not_ready_and_ends_when_told() {
    // Nobody listens there any more.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let place = Place::on(&format!("postgres://nobody@127.0.0.1:{port}/none"));
    let mut service = place.start(&["serve"]);
    assert_eq!(service.get("/health/live").0, 200);
    assert_eq!(service.get("/health/ready").0, 503);
    let login = service.post("/login", r#"{"email": "ada@example.com", "password": "x"}"#);
    assert_eq!(login.0, 503, "{login:?}");
    let address = service.address().to_string();
    place.run(&["healthcheck", "--listen", &address]).succeeded();
    place.run(&["healthcheck", "--ready", "--listen", &address]).failed_with(1, "/health/ready: 503");
    service.signal(Signal::TERM);
    service.log_until("shutting down");
    service.signal(Signal::TERM);
    assert_eq!(service.wait().code(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once_and_in_order() {
    let place = Place::migrated();
    let mut service = place.start(&["serve"]);
    service.signal(Signal::INT);
    service.log_until("shutting down");
    service.signal(Signal::TERM);
    assert_eq!(service.wait().code(), Some(0));
}

#[test]
fn healthcheck_fails_where_nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    Place::empty()
        .run(&["healthcheck", "--listen", &format!("127.0.0.1:{port}")])
        .failed_with(1, "/health/live: Connection refused")
        .failed_with(1, "see whether the service runs, and whether it listens there (http.listen)");
}

/// CVE-2025-58160.
#[test]
fn i114_what_clients_send_can_neither_forge_a_log_line_nor_steer_a_terminal() {
    for format in ["json", "text"] {
        let place = Place::migrated().with("VESTIBULE_LOG__FORMAT", format).with("VESTIBULE_LOG__LEVEL", "trace");
        let mut service = place.start(&["serve"]);
        let headers = "user-agent: \u{9b}31m\u{85}forged\r\nx-request-id: a\tb\r\nx-forwarded-for: \u{9b}2J\r\n";
        service.request("GET", "/%0d%0a%1b%5b31mforged?%0d%0aforged", headers, "");
        for email in [r"a@b\r\nforged: 1", r"\u001b[31mforged@example.com", r"\u009b2J\u2028forged@example.com"] {
            let body =
                format!(r#"{{"email": "{email}", "password": "nine green lanterns", "name": "\u001b[2J\nforged"}}"#);
            assert_eq!(service.request("POST", "/users", headers, &body).0, 422);
            service.request("POST", "/login", headers, &body);
        }
        let log = service.end();
        assert!(log.iter().any(|line| line.contains("answered")));
        for line in log {
            assert!(!line.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
            let is_one = match format {
                "json" => serde_json::from_str::<serde_json::Value>(&line).is_ok_and(|event| event.is_object()),
                _ => line.starts_with("20"),
            };
            assert!(is_one, "{line:?}");
        }
    }
}

/// What operators and developers may see is nowhere near clients.
#[test]
fn i116_metrics_debugging_and_profiling_are_not_on_the_public_listener() {
    let place = Place::migrated();
    let service = place.start(&["serve"]);
    for path in [
        "/metrics",
        "/prometheus",
        "/debug",
        "/debug/pprof/",
        "/debug/pprof/profile",
        "/debug/pprof/heap",
        "/debug/vars",
        "/profile",
        "/trace",
        "/heap",
        "/tasks",
        "/console",
        "/admin",
        "/internal",
        "/actuator",
        "/actuator/env",
        "/server-status",
        "/status",
        "/config",
        "/env",
        "/.env",
        "/.git/config",
        "/vestibule.toml",
        "/var/vestibule.db",
    ] {
        for path in [path.to_owned(), format!("/{path}"), format!("/users/..{path}")] {
            assert_eq!(service.get(&path).0, 404, "{path}");
        }
    }
}

#[test]
fn i117_serve_makes_no_account() {
    let place = Place::migrated();
    let service = place.start(&["serve"]);
    assert_eq!(service.get("/health/ready").0, 200);
    assert_eq!(place.run(&["users", "list"]).succeeded().stdout, "");
}

#[test]
fn i117_a_secret_in_a_file_that_everybody_can_read_is_warned_of() {
    let place = Place::migrated();
    place.write("vestibule.toml", &format!("tokens.master_key = \"{MASTER_KEY}\""));
    place.set_mode("vestibule.toml", 0o644);
    let warning =
        "tokens.master_key is a secret in a file that everybody can use (mode 644): run `chmod o= vestibule.toml`";
    place.run(&["config", "check"]).succeeded().failed_with(0, &format!("warning: {warning}"));
    let mut service = place.start(&["serve"]);
    assert!(service.end().iter().any(|line| line.contains(warning) && line.contains("WARN")));
}

#[test]
fn r28_no_core_dump_is_written() {
    let place = Place::migrated();
    let service = place.start(&["serve"]);
    let limits = service.limits();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>(), ["Max", "core", "file", "size", "0", "0", "bytes"]);
}
