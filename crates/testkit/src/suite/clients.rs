//! Clients.

use super::Fixture;
use super::fixture::{MILLISECOND, name};
use vestibule_domain::client::{Client, ClientRecord, ClientSecret};
use vestibule_domain::id::ClientId;

async fn insert(fixture: &Fixture, named: &str) -> ClientRecord {
    fixture.clock.advance(MILLISECOND);
    let id = ClientId::generate(&fixture.clock, &fixture.rng);
    let client = Client { id, name: name(named), created_at: fixture.now() };
    let record = ClientRecord { client, secret: ClientSecret::generate(&fixture.rng).hash() };
    let mut work = fixture.begin().await;
    work.insert_client(&record).await.expect("an insert");
    work.commit().await.expect("a commit");
    record
}

async fn delete(fixture: &Fixture, id: ClientId) -> bool {
    let mut work = fixture.begin().await;
    let deleted = work.delete_client(id).await.expect("an answer");
    work.commit().await.expect("a commit");
    deleted
}

pub async fn keeps_every_field_of_a_client(fixture: &Fixture) {
    let (first, second) = (insert(fixture, "Bücher & Shop").await, insert(fixture, "Bücher & Shop").await);
    assert_eq!(fixture.store.clients().await.expect("the clients"), [first, second], "the oldest first");
}

pub async fn a_client_is_deleted_once(fixture: &Fixture) {
    let (gone, stays) = (insert(fixture, "gone").await, insert(fixture, "stays").await);
    assert!(delete(fixture, gone.client.id).await);
    assert!(!delete(fixture, gone.client.id).await);
    assert_eq!(fixture.store.clients().await.expect("the clients"), [stays]);
}
