//! Lists in pages by keyset: the cursor says after which id to go on, so that a page costs the same at any depth
//! and rows that come and go between two pages make no other row appear twice or never.

use crate::fault::Fault;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

/// How many rows a page has: 1 to 200, 50 unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u16);

impl Limit {
    pub const MAX: u16 = 200;

    pub fn parse(text: &str) -> Result<Self, Fault> {
        match text.parse() {
            // A sign or leading zeros would be a second spelling.
            Ok(n @ 1..=Self::MAX) if !text.starts_with(['+', '0']) => Ok(Self(n)),
            _ => Err(Fault::new("out_of_range", "must be a whole number from 1 to 200")),
        }
    }

    pub fn get(self) -> u16 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

/// The last row of the page before. Opaque to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(Uuid);

impl Cursor {
    pub fn after(id: Uuid) -> Self {
        Self(id)
    }

    pub fn parse(text: &str) -> Result<Self, Fault> {
        let mut bytes = [0; 16];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(16) => Ok(Self(Uuid::from_bytes(bytes))),
            _ => Err(Fault::new("invalid_cursor", "must be a `next_cursor` of this list, unchanged")),
        }
    }

    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub fn id(self) -> Uuid {
        self.0
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct PageRequest {
    pub limit: Limit,
    pub after: Option<Cursor>,
}

#[derive(Debug, Clone)]
pub struct Page<T> {
    pub data: Vec<T>,
    /// `None` on the last page.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// From up to `limit + 1` rows: the extra one only tells that there is a next page.
    pub fn from_rows(mut rows: Vec<T>, limit: Limit, id: impl Fn(&T) -> Uuid) -> Self {
        let limit = usize::from(limit.get());
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|last| Cursor::after(id(last)));
        Self { data: rows, next }
    }
}
