//! The port for the audit trail.

use super::AuditEvent;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::AuditEventId;
use async_trait::async_trait;

/// Within a [`UnitOfWork`](crate::UnitOfWork).
#[async_trait]
pub trait AuditWrites: Send {
    async fn append_audit(&mut self, id: AuditEventId, at: Timestamp, event: &AuditEvent<'_>)
    -> Result<(), StoreError>;
}
