//! The audit trail.

use crate::error::{bounded, exactly_one};
use crate::unit_of_work::SqliteUnitOfWork;
use async_trait::async_trait;
use vestibule_domain::StoreError;
use vestibule_domain::audit::store::AuditWrites;
use vestibule_domain::audit::{Actor, AuditRecord};
use vestibule_domain::context::UserAgent;
use vestibule_domain::id::{ClientId, KeyId, SessionId, UserId};

#[async_trait]
impl AuditWrites for SqliteUnitOfWork {
    async fn append_audit(&mut self, record: &AuditRecord<'_>) -> Result<(), StoreError> {
        let AuditRecord { id, at, event } = record;
        let actor_id = match event.actor {
            Actor::User(id) => Some(id.as_uuid()),
            Actor::Client | Actor::Operator | Actor::Anonymous | Actor::Service => None,
        };
        let query = sqlx::query!(
            "INSERT INTO audit_events (id, at, kind, actor, actor_id, subject_id, session_id, key_id, client_id,
                                       reason, ip, user_agent, request_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            id.as_uuid(),
            at.as_millis(),
            event.kind.as_str(),
            event.actor.as_str(),
            actor_id,
            event.subject.map(UserId::as_uuid),
            event.session.map(SessionId::as_uuid),
            event.key.map(KeyId::as_uuid),
            event.client.map(ClientId::as_uuid),
            event.reason,
            event.context.ip.map(|ip| ip.to_string()),
            event.context.user_agent.as_ref().map(UserAgent::as_str),
            event.context.request_id.as_deref(),
        );
        exactly_one("append_audit", &bounded("append_audit", query.execute(self.connection())).await?)
    }
}
