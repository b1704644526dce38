//! Secrets in password hashes that are not in the database.

use crate::place::{Place, Service};
use serde_json::json;
use vestibule_testkit::{StoreKind, TestStore, both_stores};

both_stores!(r1_only_with_the_pepper_a_password_is_right_and_a_login_brings_it_to_the_newest);

const PASSWORD: &str = "nine green lanterns";
const OLDER: &str = "2025:aUItKWRTiCMJm4vtqRH2nVeBXK4BDxNkI3YUTv6jMYg=";
const NEWER: &str = "2026:7siyaRKuSEgNVUzlVB2tA9WRn9PVGX7Tk7hWof77e7g=";
/// Another secret under the id of the older one.
const MISTAKEN: &str = "2025:Bz+7jQx0m1sR8o5yPpyb0zqv2J1Y4m3n0rVw8kqTtEU=";

/// A place with these peppers.
fn with(store: &TestStore, peppers: &[&str]) -> Place {
    let place = Place::on(&store.url()).with("VESTIBULE_LIMITS__ENABLED", "false");
    if peppers.is_empty() { place } else { place.with("VESTIBULE_PASSWORDS__PEPPERS", &peppers.join(",")) }
}

fn log_in(service: &Service, password: &str) -> u16 {
    service.post("/login", &json!({ "email": "ada@example.com", "password": password }).to_string()).0
}

async fn stored(store: &TestStore) -> String {
    store.column("SELECT phc FROM password_credentials").await.concat()
}

async fn r1_only_with_the_pepper_a_password_is_right_and_a_login_brings_it_to_the_newest(kind: StoreKind) {
    let store = TestStore::create(kind).await;
    let mut service = with(&store, &[OLDER]).start(&["serve"]);
    let ada = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ada" });
    assert_eq!(service.post("/users", &ada.to_string()).0, 201);
    assert_eq!((log_in(&service, PASSWORD), log_in(&service, "nine green lantern")), (200, 401));
    service.end();
    let first = stored(&store).await;
    assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1,keyid=MjAyNQ$"), "{first}");

    // Whoever has the database alone; an operator who lost the pepper, or set a wrong one.
    for (peppers, alerts) in [(&[][..], true), (&[NEWER], true), (&[MISTAKEN], false)] {
        let mut service = with(&store, peppers).start(&["serve"]);
        assert_eq!(log_in(&service, PASSWORD), 401, "{peppers:?}");
        let log = service.end().join("\n");
        let alert = log.contains("ALERT") && log.contains("passwords.peppers has none with the id 2025");
        assert_eq!(alert, alerts, "{log}");
    }
    assert_eq!(stored(&store).await, first, "a failure changes nothing");

    let mut service = with(&store, &[NEWER, OLDER]).start(&["serve"]);
    assert_eq!((log_in(&service, "nine green lantern"), stored(&store).await), (401, first));
    assert_eq!(log_in(&service, PASSWORD), 200);
    let second = stored(&store).await;
    assert!(second.starts_with("$argon2id$v=19$m=19456,t=2,p=1,keyid=MjAyNg$"), "{second}");
    assert_eq!((log_in(&service, PASSWORD), stored(&store).await), (200, second), "once");
    service.end();

    let service = with(&store, &[NEWER]).start(&["serve"]);
    assert_eq!(log_in(&service, PASSWORD), 200);
}
