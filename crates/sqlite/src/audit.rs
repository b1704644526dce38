//! The audit trail.

use crate::error::{bounded, exactly_one};
use crate::unit_of_work::SqliteUnitOfWork;
use async_trait::async_trait;
use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use vestibule_domain::StoreError;
use vestibule_domain::audit::AuditRecord;
use vestibule_domain::audit::store::AuditWrites;
use vestibule_domain::context::UserAgent;
use vestibule_domain::id::{ClientId, KeyId, SessionId, UserId};

pub(crate) fn insertion(record: &AuditRecord<'_>) -> Query<'static, Sqlite, SqliteArguments> {
    let AuditRecord { id, at, event } = record;
    sqlx::query!(
        "INSERT INTO audit_events (id, at, kind, actor, actor_id, subject_id, session_id, key_id, client_id,
                                   reason, ip, user_agent, request_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        id.as_uuid(),
        at.as_millis(),
        event.kind.as_str(),
        event.actor.as_str(),
        event.actor.user().map(UserId::as_uuid),
        event.subject.map(UserId::as_uuid),
        event.session.map(SessionId::as_uuid),
        event.key.map(KeyId::as_uuid),
        event.client.map(ClientId::as_uuid),
        event.reason,
        event.context.ip.map(|ip| ip.to_string()),
        event.context.user_agent.as_ref().map(UserAgent::as_str),
        event.context.request_id.as_deref(),
    )
}

#[async_trait]
impl AuditWrites for SqliteUnitOfWork {
    async fn append_audit(&mut self, record: &AuditRecord<'_>) -> Result<(), StoreError> {
        let query = insertion(record);
        exactly_one("append_audit", &bounded("append_audit", query.execute(self.connection())).await?)
    }
}
