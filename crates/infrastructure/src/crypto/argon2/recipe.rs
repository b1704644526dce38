//! How a hash is made.

use super::arena::{Arena, ComputationError};
use super::cost::Cost;
use super::pepper::Pepper;
use std::sync::Arc;
use vestibule_argon2id::Input;

/// All that a hash depends on but the password and the salt. A pepper costs no time: argon2
/// hashes it once, before it fills its memory.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    pub(super) cost: Cost,
    pub(super) pepper: Option<Arc<Pepper>>,
}

impl Recipe {
    pub(super) fn hash(
        &self,
        arena: &mut Arena,
        password: &[u8],
        salt: &[u8],
        tag: &mut [u8],
    ) -> Result<(), ComputationError> {
        let secret = self.pepper.as_ref().map_or(&[][..], |pepper| pepper.as_bytes());
        arena.hash(self.cost, Input { secret, ..Input::new(password, salt) }, tag)
    }

    pub(super) fn has_the_pepper_of(&self, other: &Self) -> bool {
        let id = |recipe: &Self| recipe.pepper.as_ref().map(|pepper| pepper.id().clone());
        id(self) == id(other)
    }
}
