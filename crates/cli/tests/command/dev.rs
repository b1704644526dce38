use crate::place::Place;
use rustix::process::Signal;
use serde_json::Value;

/// The body of the `curl` line in which `part` stands.
fn body_after(printed: &str, part: &str) -> String {
    let rest = printed.split_once(part).unwrap().1;
    let body = rest.split_once("-d '").unwrap().1;
    body.split_once('\'').unwrap().0.to_owned()
}

#[test]
fn the_printed_lines_work_and_the_administrator_can_log_in() {
    let place = Place::empty();
    let service = place.start(&["dev"]);
    let printed = service.printed_until("/users/me -H");
    let base = format!("http://localhost:{}", service.address().port());
    for line in ["/users -H", "/login -H", "/users/me -H", "/docs"] {
        assert!(printed.contains(&format!("{base}{line}")), "{line:?} is missing in\n{printed}");
    }

    let (status, user) = service.post("/users", &body_after(&printed, "/users -H"));
    assert_eq!(status, 201, "{user}");
    let (status, tokens) = service.post("/login", &body_after(&printed, "/login -H"));
    assert_eq!(status, 200, "{tokens}");
    let tokens: Value = serde_json::from_str(&tokens).unwrap();
    let authorization = format!("authorization: Bearer {}\r\n", tokens["access_token"].as_str().unwrap());
    let (status, me) = service.request("GET", "/users/me", &authorization, "");
    assert_eq!((status, me.contains("ada@example.com")), (200, true), "{me}");

    let password = printed.lines().find_map(|line| line.trim().strip_prefix("password ")).unwrap();
    let password = password.split_whitespace().next().unwrap();
    let login = serde_json::json!({ "email": "admin@example.com", "password": password });
    let (status, tokens) = service.post("/login", &login.to_string());
    assert_eq!(status, 200, "{tokens}");
    assert!(tokens.contains("\"roles\":[\"admin\"]"), "{tokens}");
}

/// The line takes the access token apart as the shell would.
#[test]
fn the_access_token_stands_where_the_printed_sed_looks_for_it() {
    let place = Place::empty();
    let service = place.start(&["dev"]);
    let printed = service.printed_until("/users/me -H");
    service.post("/users", &body_after(&printed, "/users -H"));
    let (_, tokens) = service.post("/login", &body_after(&printed, "/login -H"));
    let script = printed.split_once("| sed -n '").unwrap().1.split_once('\'').unwrap().0;
    let folder = place.write("tokens.json", &tokens);
    let output = std::process::Command::new("sed").args(["-n", script]).arg(folder).output().unwrap();
    let token = String::from_utf8(output.stdout).unwrap();
    assert_eq!(token.trim_end().split('.').count(), 3, "{token:?}");
}

#[test]
fn a_second_run_keeps_everything_and_shows_no_password() {
    let place = Place::empty();
    let mut first = place.start(&["dev"]);
    let printed = first.printed_until("/users/me -H");
    assert!(printed.contains("shown this once"), "{printed}");
    first.post("/users", &body_after(&printed, "/users -H"));
    first.signal(Signal::TERM);
    assert_eq!(first.wait().code(), Some(0));

    let second = place.start(&["dev"]);
    let printed = second.printed_until("/users/me -H");
    assert!(printed.contains("as before; another:") && !printed.contains("shown this once"), "{printed}");
    assert_eq!(second.post("/login", &body_after(&printed, "/login -H")).0, 200);
}

#[test]
fn the_database_of_another_project_is_left_alone() {
    let place = Place::empty().with("DATABASE_URL", "postgres://somebody@127.0.0.1:1/else");
    let service = place.start(&["dev"]);
    assert_eq!(service.get("/health/ready").0, 200);
    assert!(place.path("var/vestibule.db").exists());
}

#[test]
fn links_and_tokens_name_the_port_that_is_used() {
    let place = Place::empty();
    let service = place.start(&["dev"]);
    let (_, problem) = service.get("/nowhere");
    assert!(problem.contains(&format!("http://localhost:{}/problems/", service.address().port())), "{problem}");
}
