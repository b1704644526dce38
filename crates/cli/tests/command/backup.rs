use crate::place::Place;

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
