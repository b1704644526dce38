//! The trail is only ever added to.

use crate::fixture::{Directory, user};
use uuid::Uuid;
use vestibule_domain::audit::{AuditEvent, AuditKind, AuditRecord};
use vestibule_domain::id::AuditEventId;
use vestibule_domain::{RequestContext, Store};

#[tokio::test]
async fn no_event_is_changed_deleted_or_replaced() {
    let directory = Directory::new();
    let store = directory.serve().await;
    let context = RequestContext::default();
    let event = AuditEvent::of(AuditKind::UserRegistered, user(1).id, &context);
    let id = AuditEventId::from(Uuid::from_u128(1));
    store.record(&AuditRecord { id, at: user(1).created_at, event }).await.unwrap();

    for forbidden in [
        "UPDATE audit_events SET kind = 'nothing.happened'",
        "DELETE FROM audit_events",
        "REPLACE INTO audit_events (id, at, kind, actor) SELECT id, 0, 'nothing.happened', 'service' FROM audit_events",
        "INSERT INTO audit_events (id, at, kind, actor) SELECT id, 0, 'nothing.happened', 'service' FROM audit_events
         WHERE true ON CONFLICT (id) DO UPDATE SET kind = excluded.kind",
    ] {
        let refusal = directory.execute(forbidden).await.expect_err(forbidden).to_string();
        assert!(refusal.contains("audit_events is append-only"), "{forbidden}: {refusal}");
    }
    assert_eq!(directory.number("SELECT count(*) FROM audit_events WHERE kind = 'user.registered'").await, 1);
}
