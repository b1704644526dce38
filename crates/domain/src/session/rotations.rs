//! Refreshes that wait for the store go there together.

use super::Session;
use super::store::{Rotation, SessionRotation};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::together::Together;
use crate::user::User;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Rotations(Together<Rotation, (Session, User)>);

impl Rotations {
    pub(super) fn new() -> Self {
        Self(Together::new("refreshes", |_, _| true))
    }

    /// The time of the rotation is that at which its group leaves, by `now`. `None` for a token that may be current all
    /// the same: whoever holds its session is not waited for in a group.
    pub(super) async fn rotate(
        &self,
        store: Arc<dyn SessionRotation>,
        now: &(dyn Fn() -> Timestamp + Send + Sync),
        rotation: Rotation,
    ) -> Result<Option<(Session, User)>, StoreError> {
        let depart = |rotations: Vec<Rotation>| {
            let (store, now) = (Arc::clone(&store), now());
            let rotations: Vec<_> = rotations.into_iter().map(|one| one.leaving_at(now)).collect();
            Box::pin(async move { store.rotate_refreshes(&rotations).await }) as _
        };
        self.0.write(rotation, &depart).await
    }
}

#[cfg(test)]
mod tests;
