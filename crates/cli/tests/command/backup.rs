use crate::place::{Place, Service};
use serde_json::{Value, json};

#[test]
fn a_copy_made_beside_a_service_is_whole_private_and_never_overwritten() {
    let place = Place::migrated();
    place.run(&["users", "create", "ada@example.com"]).succeeded();
    let service = place.start(&["serve"]);
    place.run(&["backup", "copy.db"]).succeeded();
    drop(service);
    assert_eq!(place.mode("copy.db"), 0o600);
    let restored = place.run(&["users", "list", "--store-url", "sqlite://copy.db"]).succeeded();
    assert!(restored.stdout.contains("ada@example.com"), "{}", restored.stdout);
    place.run(&["backup", "copy.db"]).failed_with(1, "exists already");
}

#[test]
fn what_cannot_be_copied_is_told_with_the_name_that_was_given() {
    let place = Place::migrated();
    place.run(&["backup", "nowhere/copy.db"]).failed_with(1, "nowhere/copy.db cannot be written: No such file");
    let postgres = Place::on("postgres://nobody@127.0.0.1:1/none");
    postgres.run(&["backup", "copy.db"]).failed_with(1, "use `pg_dump` for PostgreSQL");
}

/// A backup comes before a migration.
#[test]
fn a_database_that_lacks_steps_is_copied_as_it_is() {
    let place = Place::empty();
    place.run(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", "off"]).failed_with(1, "pending");
    place.run(&["backup", "copy.db"]).succeeded();
    place.run(&["users", "list", "--store-url", "sqlite://copy.db"]).failed_with(1, "apply with `vestibule migrate`");
}

fn log_in(service: &Service) -> Value {
    let credentials = json!({ "email": "ada@example.com", "password": "nine green lanterns" });
    let (status, tokens) = service.post("/login", &credentials.to_string());
    assert_eq!(status, 200, "{tokens}");
    serde_json::from_str(&tokens).unwrap()
}

fn refresh(service: &Service, tokens: &Value) -> u16 {
    service.post("/refresh", &json!({ "refresh_token": tokens["refresh_token"] }).to_string()).0
}

fn me(service: &Service, tokens: &Value) -> u16 {
    let authorization = format!("authorization: Bearer {}\r\n", tokens["access_token"].as_str().unwrap());
    service.request("GET", "/users/me", &authorization, "").0
}

/// That rows hold hashes and ciphertext alone is an invariant of the test bench, checked after every end-to-end test.
#[test]
fn i118_from_a_backup_logins_work_and_what_was_revoked_stays_revoked() {
    let place = Place::migrated();
    let create = ["users", "create", "ada@example.com", "--password-stdin"];
    place.run_with_input(&create, "nine green lanterns").succeeded();
    let service = place.start(&["serve"]);
    let (live, ended) = (log_in(&service), log_in(&service));
    assert_eq!(service.post("/logout", &json!({ "refresh_token": ended["refresh_token"] }).to_string()).0, 204);
    place.run(&["backup", "copy.db"]).succeeded();
    drop(service);
    std::fs::copy(place.path("var/master.key"), place.path("master.key")).unwrap();

    let restored = place.start(&["serve", "--store-url", "sqlite://copy.db"]);
    assert_eq!((me(&restored, &ended), refresh(&restored, &ended)), (401, 401));
    assert_eq!((me(&restored, &live), refresh(&restored, &live)), (200, 200));
    log_in(&restored);
}
