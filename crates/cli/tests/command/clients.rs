use crate::place::{Place, Service};
use serde_json::Value;
use std::time::{Duration, Instant};

fn create(place: &Place, name: &str) -> (String, String) {
    let created = place.run(&["clients", "create", name, "--json"]).succeeded().json().remove(0);
    assert_eq!(created["name"], name);
    let text = |member: &str| created[member].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

fn introspect(service: &Service, (id, secret): &(String, String)) -> (u16, Value) {
    let form = format!("token=nonsense&client_id={id}&client_secret={secret}");
    let (status, body) = service.post_form("/introspect", &form);
    (status, serde_json::from_str(&body).unwrap())
}

#[test]
fn a_client_is_made_listed_and_deleted_beside_a_running_service() {
    let place = Place::migrated();
    let service = place.start(&["serve"]);
    let (shop, other) = (create(&place, "Shop & Söhne"), create(&place, "other"));
    // The contract says within a second; the rest is the slowness of a busy machine.
    let becomes = |client, expected| {
        let began = Instant::now();
        while introspect(&service, client).0 != expected {
            assert!(began.elapsed() < Duration::from_secs(5), "still not {expected}");
        }
    };
    becomes(&shop, 200);
    becomes(&other, 200);
    assert_eq!(introspect(&service, &shop).1, serde_json::json!({"active": false}));

    let listed = place.run(&["clients", "list", "--json"]).succeeded().json();
    assert_eq!(listed.iter().map(|client| &client["id"]).collect::<Vec<_>>(), [&shop.0, &other.0]);
    assert!(listed.iter().all(|client| client.get("secret").is_none()), "{listed:?}");
    assert!(place.run(&["clients", "list"]).succeeded().stdout.contains("Shop & Söhne"));

    place.run(&["clients", "delete", &shop.0]).succeeded();
    becomes(&shop, 401);
    assert_eq!(introspect(&service, &other).0, 200);
    place.run(&["clients", "delete", &shop.0]).failed_with(1, "no such client");
}

#[test]
fn the_secret_is_printed_once_and_stored_nowhere() {
    let place = Place::migrated();
    let printed = place.run(&["clients", "create", "shop"]).succeeded().stdout;
    let secret = printed.split_whitespace().find(|word| word.starts_with("vcs_")).unwrap();
    assert_eq!(secret.len(), 47);
    let stored = std::fs::read(place.path("var/vestibule.db")).unwrap();
    assert!(!stored.windows(secret.len()).any(|window| window == secret.as_bytes()));
}

#[test]
fn what_the_rules_forbid_fails_and_says_why() {
    let place = Place::migrated();
    place.run(&["clients", "create", ""]).failed_with(2, "must not be empty");
    place.run(&["clients", "create", "two\nlines"]).failed_with(2, "must not contain line breaks");
    place.run(&["clients", "delete", "shop"]).failed_with(2, "must be a UUID");
    Place::empty().run(&["clients", "list"]).failed_with(1, "make it with `vestibule migrate`");
}
