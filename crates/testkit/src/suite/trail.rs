//! The audit trail.

use super::Fixture;
use super::fixture::somewhere;
use std::time::Duration;
use vestibule_domain::RequestContext;
use vestibule_domain::audit::{Actor, AuditEvent, AuditKind, AuditRecord};
use vestibule_domain::id::{AuditEventId, ClientId, KeyId, SessionId, UserId};

async fn append(fixture: &Fixture, event: AuditEvent<'_>) -> AuditEventId {
    let id = AuditEventId::generate(&fixture.clock, &fixture.rng);
    fixture.store.record(&AuditRecord { id, at: fixture.now(), event }).await.expect("an event");
    id
}

pub async fn the_trail_is_appended_with_all_it_knows(fixture: &Fixture) {
    fixture.clock.advance(Duration::from_millis(5));
    let (user, actor) =
        (UserId::generate(&fixture.clock, &fixture.rng), UserId::generate(&fixture.clock, &fixture.rng));
    let session = SessionId::generate(&fixture.clock, &fixture.rng);
    let client = ClientId::generate(&fixture.clock, &fixture.rng);
    let context = somewhere();
    let event = AuditEvent::of(AuditKind::SessionEnded, user, &context)
        .with_actor(Actor::User(actor))
        .in_session(session)
        .of_client(client)
        .because("revoked");
    let id = append(fixture, event).await;
    append(fixture, AuditEvent::anonymous(AuditKind::LoginFailed, &RequestContext::default())).await;
    let key = KeyId::generate(&fixture.clock, &fixture.rng);
    append(fixture, AuditEvent::of_key(AuditKind::KeyRevoked, key, &RequestContext::default())).await;
    let rows = fixture.database.dump("audit_events").await;
    assert_eq!(rows.len(), 3);
    let compact = |id: String| id.replace('-', "");
    for word in ["session.ended", "revoked", "2001:db8::7", "curl/8", "request-1"] {
        assert!(rows[0].contains(word), "{word} is missing in {}", rows[0]);
    }
    for id in [id.to_string(), user.to_string(), actor.to_string(), session.to_string(), client.to_string()] {
        assert!(compact(rows[0].to_lowercase()).contains(&compact(id.clone())), "{id} is missing in {}", rows[0]);
    }
    assert!(compact(rows[2].to_lowercase()).contains(&compact(key.to_string())), "{key} is missing in {}", rows[2]);
}

pub async fn the_trail_cannot_be_altered(fixture: &Fixture) {
    append(fixture, AuditEvent::anonymous(AuditKind::LoginFailed, &RequestContext::default())).await;
    let before = fixture.database.dump("audit_events").await;
    for sql in ["UPDATE audit_events SET kind = 'login.succeeded'", "DELETE FROM audit_events"] {
        assert!(fixture.database.execute(sql).await.is_err(), "{sql} went through");
    }
    assert_eq!(fixture.database.dump("audit_events").await, before);
}
