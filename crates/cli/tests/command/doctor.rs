use crate::place::{MASTER_KEY, Place};

/// On ports that nobody else uses.
const DOCTOR: &[&str] = &["doctor", "--listen", "127.0.0.1:0", "--ops-listen", "off"];

#[test]
fn what_is_in_order_is_said_to_be() {
    let place = Place::migrated();
    place.run(&["users", "create", "ada@example.com", "--role", "admin"]).succeeded();
    place.run(&["keys", "rotate", "--now"]).succeeded();
    let outcome = place.run(DOCTOR).succeeded();
    assert!(outcome.stdout.lines().all(|line| line.starts_with('✓')), "{}", outcome.stdout);
    assert_eq!(outcome.stdout.lines().count(), 5, "{}", outcome.stdout);
}

#[test]
fn nothing_is_made_where_nothing_is() {
    let place = Place::empty();
    place.run(DOCTOR).failed_with(1, "✗ store: there is no var/vestibule.db\n    make it with `vestibule migrate`");
    assert!(!place.path("var").exists());
}

#[test]
fn a_faulty_configuration_is_a_finding() {
    let place = Place::empty().with("VESTIBULE_LOG__LEVEL", "loud");
    place.run(DOCTOR).failed_with(1, "✗ the configuration has a fault");
}

#[test]
fn exposed_files_are_found() {
    let place = Place::migrated();
    place.set_mode("var/vestibule.db", 0o644);
    place.run(DOCTOR).failed_with(1, "✗ files: others can use var/vestibule.db (mode 644)\n    run `chmod 600");
}

#[test]
fn a_lost_master_key_is_found_and_no_other_is_made() {
    let place = Place::migrated();
    std::fs::remove_file(place.path("var/master.key")).unwrap();
    place.run(DOCTOR).failed_with(1, "✗ master key: there is no var/master.key");
    assert!(!place.path("var/master.key").exists());
}

#[test]
fn a_wrong_master_key_is_found() {
    let place = Place::migrated();
    place.run(&["keys", "rotate", "--now"]).succeeded();
    let place = place.with("VESTIBULE_TOKENS__MASTER_KEY", MASTER_KEY);
    place.run(DOCTOR).failed_with(1, "✗ keys: the private key");
}

#[test]
fn r1_peppers_are_told_by_their_ids() {
    let secrets = ["7siyaRKuSEgNVUzlVB2tA9WRn9PVGX7Tk7hWof77e7g=", "aUItKWRTiCMJm4vtqRH2nVeBXK4BDxNkI3YUTv6jMYg="];
    let place =
        Place::migrated().with("VESTIBULE_PASSWORDS__PEPPERS", &format!("2026:{},2025:{}", secrets[0], secrets[1]));
    let outcome = place.run(DOCTOR).succeeded();
    let told = "✓ passwords.peppers: new hashes have 2026; known are 2026, 2025, hashes with others do not verify\n";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
    assert!(secrets.iter().all(|secret| !outcome.stdout.contains(secret)), "{}", outcome.stdout);
}

#[test]
fn an_unreachable_database_is_found() {
    let place = Place::on("postgres://nobody@127.0.0.1:1/none");
    place.run(DOCTOR).failed_with(1, "✗ store: the store is unavailable");
}

#[test]
fn a_running_service_is_recognised_and_a_stranger_too() {
    let place = Place::migrated();
    let service = place.start(&["serve"]);
    let ours = service.address().to_string();
    let outcome = place.run(&["doctor", "--listen", &ours, "--ops-listen", "off"]).succeeded();
    assert!(outcome.stdout.contains(&format!("a service answers on {ours}")), "{}", outcome.stdout);
    drop(service);

    let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = stranger.local_addr().unwrap().to_string();
    let answering = std::thread::spawn(move || drop(stranger.accept()));
    place
        .run(&["doctor", "--listen", &address, "--ops-listen", "off"])
        .failed_with(1, &format!("{address} is in use by something else"));
    answering.join().unwrap();
}
