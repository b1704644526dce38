//! From a row's values to the domain's, naming the place of what does not fit.

use uuid::Uuid;
use vestibule_domain::{StoreError, Timestamp};

/// A row, for the error that names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    table: &'static str,
    row: Uuid,
}

impl Place {
    pub(crate) fn new(table: &'static str, row: Uuid) -> Self {
        Self { table, row }
    }

    pub(crate) fn corrupt(self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column, row: self.row.to_string() }
    }

    /// What a column was parsed to, if it could be.
    pub(crate) fn some<T>(self, column: &'static str, parsed: Option<T>) -> Result<T, StoreError> {
        parsed.ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn time(self, column: &'static str, millis: i64) -> Result<Timestamp, StoreError> {
        self.some(column, Timestamp::from_millis(millis))
    }

    pub(crate) fn optional_time(
        self,
        column: &'static str,
        millis: Option<i64>,
    ) -> Result<Option<Timestamp>, StoreError> {
        millis.map(|millis| self.time(column, millis)).transpose()
    }

    /// The SHA-256 of a token.
    pub(crate) fn hash(self, column: &'static str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
        self.some(column, bytes.try_into().ok())
    }
}
