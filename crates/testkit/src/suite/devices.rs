//! Devices that have logged in before.

use super::Fixture;
use super::fixture::{DAY, MILLISECOND, address, opening};
use vestibule_domain::RequestContext;
use vestibule_domain::id::UserId;
use vestibule_domain::session::service::{DEVICE_TTL, MAX_DEVICES};
use vestibule_domain::session::store::Opening;
use vestibule_domain::session::{DeviceToken, DeviceTokenHash};
use vestibule_domain::user::Email;

async fn remember(fixture: &Fixture, user: UserId) -> DeviceTokenHash {
    let device = DeviceToken::generate(&fixture.rng).hash();
    let known = Some((device.clone(), fixture.now().plus(DEVICE_TTL)));
    let (session, context) = (fixture.session(user), RequestContext::default());
    let opening = Opening { keep: 200, device: known, ..opening(&session, &fixture.token(&session), &context) };
    fixture.store.open_session(&opening).await.expect("an answer").expect("a session");
    device
}

async fn knows(fixture: &Fixture, user: &Email, device: &DeviceTokenHash) -> bool {
    fixture.store.knows_device(user, device, fixture.now()).await.expect("an answer")
}

pub async fn a_device_is_known_to_its_user_until_it_expires(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let bob = fixture.register("bob@example.com").await;
    let device = remember(fixture, alice.id).await;
    assert!(knows(fixture, &alice.email, &device).await);
    assert!(knows(fixture, &address("ALICE@example.com"), &device).await);
    assert!(!knows(fixture, &bob.email, &device).await);
    assert!(!knows(fixture, &address("nobody@example.com"), &device).await);
    fixture.clock.advance((180 * DAY).saturating_sub(MILLISECOND));
    assert!(knows(fixture, &alice.email, &device).await);
    fixture.clock.advance(MILLISECOND);
    assert!(!knows(fixture, &alice.email, &device).await);
}

pub async fn the_oldest_devices_are_forgotten(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let mut devices = Vec::new();
    for _ in 0..=MAX_DEVICES {
        fixture.clock.advance(MILLISECOND);
        devices.push(remember(fixture, alice.id).await);
    }
    assert!(!knows(fixture, &alice.email, &devices[0]).await);
    assert!(knows(fixture, &alice.email, &devices[1]).await);
    assert!(knows(fixture, &alice.email, &devices[100]).await);
    assert_eq!(fixture.database.number("SELECT count(*) FROM devices").await, 100);
}
