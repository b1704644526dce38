//! A service that starts before its PostgreSQL does.

use crate::place::{Place, Service};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpSocket;
use vestibule_testkit::{StoreKind, TestStore, Way};

fn start(way: &Way) -> Service {
    let service = Place::on(way.url()).start(&["serve"]);
    assert_eq!((service.get("/health/live").0, service.get("/health/ready").0), (200, 503));
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn j119_it_comes_up_unaided_when_the_database_does() {
    let store = TestStore::create(StoreKind::Postgres).await;
    let mut way = Way::closed(&store.url());
    let service = start(&way);
    way.open();
    service.get_until("/health/ready", Duration::from_secs(10), |body| body.contains("\"status\":\"ready\""));
    let user = r#"{"email": "ada@example.com", "password": "nine green lanterns", "name": "Ada"}"#;
    let (status, body) = service.post("/users", user);
    assert_eq!(status, 201, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_migration_ends_it_when_the_database_comes_up() {
    let store = TestStore::create(StoreKind::Postgres).await;
    let newest = "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    assert_eq!(store.execute(newest).await.unwrap(), 1);
    let mut way = Way::closed(&store.url());
    let mut service = start(&way);
    way.open();
    assert_eq!(service.wait().code(), Some(1));
    let log = service.whole_log().join("\n");
    assert!(log.contains("1 migration step is pending"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_an_operator_can_mend_is_told_once_with_what_to_do_and_without_the_password() {
    let store = TestStore::create(StoreKind::Postgres).await;
    let url = store.url();
    let (user, rest) = url.rsplit_once('@').unwrap();
    let (server, _) = rest.split_once('/').unwrap();
    let (scheme_and_user, password) = user.rsplit_once(':').unwrap();
    for (url, password, found) in [
        (
            format!("{scheme_and_user}:canary-password@{rest}"),
            "canary-password",
            "(SQLSTATE 28P01): the user or the password in store.url is wrong",
        ),
        (
            format!("{user}@{server}/nowhere"),
            password,
            "(SQLSTATE 3D000): make the database that store.url names (`createdb`), or put the name right",
        ),
    ] {
        let place = Place::on(&url);
        let mut service = place.start(&["serve"]);
        let message = "the store cannot be used: answering 503 until it can";
        // A slow server may have been told of before.
        while !service.log_until(message)["error"].as_str().unwrap().ends_with(found) {}
        assert_eq!((service.get("/health/ready").0, service.get("/health/live").0), (503, 200));
        assert_eq!(service.post("/login", r#"{"email": "ada@example.com", "password": "x"}"#).0, 503);
        let log = service.end();
        let told = |line: &&String| line.contains(message) && line.contains(found);
        assert_eq!(log.iter().filter(told).count(), 1, "{log:?}");
        assert!(!log.concat().contains(password), "{log:?}");
        let outcome = place.run(&["doctor", "--listen", "127.0.0.1:0", "--ops-listen", "off"]).failed_with(1, found);
        assert!(!outcome.stdout.contains(password), "{outcome:?}");
        let outcome = place.run(&["users", "list"]).failed_with(1, found).failed_with(1, "`vestibule doctor`");
        assert!(!outcome.stderr.contains(password), "{outcome:?}");
    }
}

#[tokio::test]
async fn i113_lines_about_a_store_out_of_reach_have_its_cause_and_not_its_password() {
    let reserved = TcpSocket::new_v4().unwrap();
    reserved.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let server = reserved.local_addr().unwrap();
    let place = Place::on(&format!("postgres://vestibule:canary-password@{server}/vestibule?password=canary-password"))
        .with("VESTIBULE_LOG__LEVEL", "trace");
    let mut service = place.start(&["serve"]);
    assert_eq!(service.get("/health/ready").0, 503);
    assert_eq!(service.post("/login", r#"{"email": "ada@example.com", "password": "x"}"#).0, 503);
    let messages = [
        "the store cannot be used: answering 503 until it can",
        "the store fails its readiness check",
        "the request failed",
        "the change feed cannot be read, trying on",
        "the signing keys cannot be read, trying on",
    ];
    service.log_has(&messages);
    let log = service.end();
    for message in messages {
        let line = log.iter().find(|line| line.contains(message)).unwrap_or_else(|| panic!("{message} is not told"));
        assert!(line.contains("Connection refused"), "{line}");
    }
    assert!(!log.concat().contains("canary-password"), "{log:?}");
}
