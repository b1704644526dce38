//! Units of work.

use super::Fixture;
use super::fixture::{password, roles};
use crate::StoreKind;
use vestibule_domain::audit::{AuditEvent, AuditKind, AuditRecord};
use vestibule_domain::feed::Change;
use vestibule_domain::id::AuditEventId;
use vestibule_domain::session::{DeviceToken, EndReason};
use vestibule_domain::user::User;
use vestibule_domain::{RequestContext, StoreError, UnitOfWork};

/// One write through every port.
async fn write_everywhere(fixture: &Fixture, work: &mut dyn UnitOfWork, user: &User) -> Result<(), StoreError> {
    let now = fixture.now();
    let context = RequestContext::default();
    assert!(work.insert_user(user, Some(&password("x"))).await?);
    work.set_roles(user.id, &roles(&["support"]), now).await?;
    let session = fixture.session(user.id);
    work.insert_session(&session, &fixture.token(&session).hash()).await?;
    work.insert_device(user.id, &DeviceToken::generate(&fixture.rng).hash(), now, now).await?;
    work.end_sessions(user.id, None, EndReason::Revoked, now).await?;
    let id = AuditEventId::generate(&fixture.clock, &fixture.rng);
    let event = AuditEvent::of(AuditKind::UserRegistered, user.id, &context);
    work.append_audit(&AuditRecord { id, at: now, event }).await?;
    work.append_changes(&[Change::UserChanged(user.id)], now).await
}

async fn rows(fixture: &Fixture) -> usize {
    fixture.rows().await.iter().map(|(_, rows)| rows.len()).sum()
}

pub async fn a_dropped_unit_of_work_leaves_nothing(fixture: &Fixture) {
    let before = rows(fixture).await;
    let user = fixture.user("alice@example.com");
    let mut work = fixture.begin().await;
    write_everywhere(fixture, &mut *work, &user).await.expect("the writes");
    drop(work);
    // The next one comes through only when the dropped one has let go.
    fixture.begin().await.commit().await.expect("a commit");
    assert_eq!(rows(fixture).await, before);
    assert_eq!(fixture.store.user(user.id).await.expect("an answer"), None);
    assert_eq!(fixture.store.newest_change().await.expect("a number"), 0);
    fixture.insert(user).await;
}

pub async fn a_committed_one_is_seen_by_other_handles(fixture: &Fixture) {
    let other = fixture.database.open().await;
    let user = fixture.user("alice@example.com");
    let mut work = fixture.begin().await;
    write_everywhere(fixture, &mut *work, &user).await.expect("the writes");
    assert_eq!(other.user(user.id).await.expect("an answer"), None, "not before the commit");
    work.commit().await.expect("a commit");
    assert_eq!(other.user(user.id).await.expect("an answer"), Some(fixture.stored(user.id).await));
}

pub async fn a_migrated_store_is_healthy(fixture: &Fixture) {
    assert_eq!(fixture.store.check().await.expect("an answer").pending_migrations, 0);
}

pub async fn a_store_tells_its_time_if_it_has_a_clock(fixture: &Fixture) {
    let told = fixture.store.time().await.expect("an answer");
    match fixture.database.kind() {
        StoreKind::Sqlite => assert_eq!(told, None, "this machine's"),
        StoreKind::Postgres => {
            let past = fixture.database.number("SELECT extract(epoch FROM now() - interval '1 minute')::bigint").await;
            let told = told.expect("a time").as_secs();
            assert!((past..past + 120).contains(&told), "{told} is not within a minute of {past}");
        }
    }
}
