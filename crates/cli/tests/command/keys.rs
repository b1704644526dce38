use crate::place::Place;
use serde_json::Value;
use std::time::Duration;

fn keys(place: &Place) -> Vec<(String, String)> {
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    let listed = place.run(&["keys", "list", "--json"]).succeeded().json();
    listed.iter().map(|key| (text(key, "kid"), text(key, "state"))).collect()
}

fn states(place: &Place) -> Vec<String> {
    keys(place).into_iter().map(|(_, state)| state).collect()
}

#[test]
fn a_new_key_is_published_before_it_signs() {
    let place = Place::migrated();
    place.run(&["keys", "rotate"]).succeeded();
    assert_eq!(states(&place), ["next", "active"]);
}

#[test]
fn a_new_key_can_sign_at_once() {
    let place = Place::migrated();
    place.run(&["keys", "rotate"]).succeeded();
    place.run(&["keys", "rotate", "--now"]).succeeded();
    assert_eq!(states(&place), ["active", "retiring", "retiring"], "the second waits for nothing any more");
}

#[test]
fn a_revoked_key_is_followed_by_another_one() {
    let place = Place::migrated();
    place.run(&["keys", "rotate", "--now"]).succeeded();
    let (active, _) = keys(&place).remove(0);
    place.run(&["keys", "revoke", &active]).succeeded();
    let after = keys(&place);
    assert!(after.contains(&(active.clone(), "revoked".to_owned())), "{after:?}");
    assert_eq!(after.iter().filter(|(_, state)| state == "active").count(), 1, "{after:?}");
    place.run(&["keys", "revoke", &active]).failed_with(1, "`vestibule keys list` shows them all");
    place.run(&["keys", "revoke", "1"]).failed_with(2, "as in `vestibule keys list`");
}

/// The contract says within a second; the rest is the slowness of a busy machine.
#[test]
fn e75_a_running_service_follows() {
    let place = Place::migrated();
    let service = place.start(&["serve"]);
    let (first, _) = keys(&place).remove(0);
    assert!(service.get("/.well-known/jwks.json").1.contains(&first));
    place.run(&["keys", "rotate", "--now"]).succeeded();
    let (second, _) = keys(&place).remove(0);
    let within = Duration::from_secs(5);
    service.get_until("/.well-known/jwks.json", within, |set| set.contains(&second));
    place.run(&["keys", "revoke", &first]).succeeded();
    service.get_until("/.well-known/jwks.json", within, |set| !set.contains(&first));
}

#[test]
fn with_hs256_there_is_nothing_to_rotate() {
    let place = Place::migrated()
        .with("VESTIBULE_TOKENS__ALGORITHM", "HS256")
        .with("VESTIBULE_TOKENS__SECRET", "Bz+7jQx0m1sR8o5yPpyb0zqv2J1Y4m3n0rVw8kqTtEU=");
    place.run(&["keys", "rotate"]).failed_with(1, "HS256 signs with `tokens.secret`");
}
