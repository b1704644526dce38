//! The port for the audit trail.

use super::AuditRecord;
use crate::error::StoreError;
use async_trait::async_trait;

/// Within a [`UnitOfWork`](crate::UnitOfWork).
#[async_trait]
pub trait AuditWrites: Send {
    async fn append_audit(&mut self, record: &AuditRecord<'_>) -> Result<(), StoreError>;
}
