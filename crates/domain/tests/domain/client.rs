use crate::fakes::{State, World, now};
use std::sync::Arc;
use std::time::Duration;
use vestibule_domain::audit::{Actor, AuditKind};
use vestibule_domain::client::{Client, ClientError, ClientSecret, Credentials};
use vestibule_domain::feed::Follower;
use vestibule_domain::id::ClientId;
use vestibule_domain::user::Name;
use vestibule_domain::{Settings, StoreError};
use zeroize::Zeroizing;

fn create(world: &World) -> (Client, ClientSecret) {
    now(world.services.clients.create(Name::parse("shop").unwrap())).unwrap()
}

fn authenticate(world: &World, id: &str, secret: &str) -> Result<ClientId, ClientError> {
    let presented = Credentials { id: id.to_owned(), secret: Zeroizing::new(secret.to_owned()) };
    now(world.services.clients.authenticate(&presented))
}

/// What a process does five times a second.
fn follow(world: &World, follower: &mut Follower) {
    now(follower.poll(&*world.store, &*world.clock, &world.services.ports.snapshots)).unwrap();
}

#[test]
fn only_the_right_secret_of_a_known_client_counts() {
    let world = World::default();
    let ((shop, secret), (other, others)) = (create(&world), create(&world));
    let (id, secret) = (shop.id.to_string(), secret.reveal());
    assert_eq!(authenticate(&world, &id, &secret).unwrap(), shop.id);
    assert_eq!(authenticate(&world, &id.to_uppercase(), &secret).unwrap(), shop.id, "ids have one meaning in any case");
    let (other, others) = (other.id.to_string(), others.reveal());
    let unknown = "0190b5a2-7c3e-7a00-8000-000000000000";
    // What a secret that is none is compared as.
    let zeros = ClientSecret::from_bytes([0; 32]).reveal();
    for (id, presented) in [
        (id.as_str(), others.as_str()),
        (&other, &secret),
        (unknown, &secret),
        (unknown, &zeros),
        (&id, &zeros),
        (&id, ""),
        (&id, secret.strip_prefix("vcs_").unwrap()),
        (&id, &secret.to_uppercase()),
        ("", &secret),
        ("shop", &secret),
    ] {
        let refused = authenticate(&world, id, presented);
        assert!(matches!(refused, Err(ClientError::InvalidClient)), "{id} {presented}: {refused:?}");
    }
}

#[test]
fn a_secret_is_stored_as_its_hash_and_told_by_no_debug_output() {
    let world = World::default();
    let (_, secret) = create(&world);
    assert!(world.store.state().clients[0].secret == secret.hash());
    let presented = Credentials { id: "x".to_owned(), secret: secret.reveal() };
    for shown in [format!("{secret:?}"), format!("{presented:?}"), format!("{:?}", world.store.state().clients)] {
        assert!(!shown.contains(&**secret.reveal()), "{shown}");
    }
}

#[test]
fn what_a_process_remembers_of_clients_the_feed_keeps_right() {
    let world = World::default();
    let beside = World::beside(&world.store, &world.clock, Settings::default());
    let mut follower = Follower::default();
    follow(&beside, &mut follower);
    let (shop, secret) = create(&world);
    let (id, secret) = (shop.id.to_string(), secret.reveal());
    follow(&beside, &mut follower);
    assert!(authenticate(&beside, &id, &secret).is_ok());
    let stored = std::mem::take(&mut world.store.state().clients);
    assert!(authenticate(&beside, &id, &secret).is_ok(), "it remembers");
    world.store.state().clients = stored;
    now(world.services.clients.delete(shop.id)).unwrap();
    assert!(authenticate(&world, &id, &secret).is_err(), "where it was deleted it is gone at once");
    follow(&beside, &mut follower);
    assert!(authenticate(&beside, &id, &secret).is_err());
}

#[test]
fn a_process_that_is_cut_off_from_the_feed_remembers_no_client() {
    let world = World::default();
    let (shop, secret) = create(&world);
    follow(&world, &mut Follower::default());
    assert!(authenticate(&world, &shop.id.to_string(), &secret.reveal()).is_ok());
    world.store.state().clients.clear();
    world.clock.advance(Duration::from_millis(699));
    assert!(authenticate(&world, &shop.id.to_string(), &secret.reveal()).is_ok());
    world.clock.advance_millis(1);
    assert!(authenticate(&world, &shop.id.to_string(), &secret.reveal()).is_err());
}

#[test]
fn whoever_begins_to_follow_another_feed_remembers_no_client() {
    let world = World::default();
    let (shop, secret) = create(&world);
    follow(&world, &mut Follower::default());
    assert!(authenticate(&world, &shop.id.to_string(), &secret.reveal()).is_ok());
    let restored = State { users: world.store.state().users.clone(), ..State::default() };
    *world.store.state() = restored;
    follow(&world, &mut Follower::default());
    assert!(authenticate(&world, &shop.id.to_string(), &secret.reveal()).is_err());
}

#[test]
fn what_was_read_before_a_client_was_deleted_is_not_remembered_after_it() {
    let world = World::default();
    create(&world);
    let snapshots = &world.services.ports.snapshots;
    follow(&world, &mut Follower::default());
    let (generation, read_at) = (snapshots.generation(), Duration::from_secs(1));
    snapshots.apply(vestibule_domain::feed::Change::ClientsChanged);
    snapshots.insert_clients(&Arc::default(), generation, read_at);
    assert!(snapshots.clients(read_at).is_none());
}

#[test]
fn a_client_that_is_deleted_while_clients_are_read_is_not_remembered() {
    let world = World::default();
    let (shop, secret) = create(&world);
    let (id, secret) = (shop.id.to_string(), secret.reveal());
    follow(&world, &mut Follower::default());
    let clients = world.services.clients.clone();
    world.store.while_it_is_read(move || now(clients.delete(shop.id)).unwrap());
    assert!(authenticate(&world, &id, &secret).is_ok(), "it was read before");
    assert!(authenticate(&world, &id, &secret).is_err());
}

#[test]
fn making_and_deleting_is_in_the_trail() {
    let world = World::default();
    let (shop, _) = create(&world);
    assert_eq!(now(world.services.clients.list()).unwrap(), std::slice::from_ref(&shop));
    now(world.services.clients.delete(shop.id)).unwrap();
    assert!(matches!(now(world.services.clients.delete(shop.id)), Err(ClientError::NotFound)));
    assert_eq!(now(world.services.clients.list()).unwrap(), []);
    for kind in [AuditKind::ClientCreated, AuditKind::ClientDeleted] {
        let events = world.store.audited(kind);
        assert_eq!(events.iter().map(|event| event.actor).collect::<Vec<_>>(), [Actor::Operator], "{kind:?}");
    }
}

#[test]
fn a_transaction_that_lost_to_another_is_tried_again() {
    let world = World::default();
    world.store.before_next_transaction(|_| Err(StoreError::Contention));
    let (shop, _) = create(&world);
    assert_eq!(now(world.services.clients.list()).unwrap(), [shop]);
}
