//! Values of the domain in answers.

use serde::{Serialize, Serializer};
use std::fmt::Display;

/// Shown as it displays, without a string in between.
#[derive(Debug)]
pub(crate) struct Text<T>(pub(crate) T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
