//! Following the change feed.

use super::outage::Outage;
use crate::AppState;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use vestibule_domain::feed::Follower;

/// Between two looks at the feed: with the age that snapshots may reach, what is revoked is out within a second.
const FEED: Duration = Duration::from_millis(200);

/// Keeps what is remembered right, and tells those who wait that there is something new.
/// While the feed cannot be read, requests ask the store.
pub(super) async fn follow(state: AppState) {
    let ports = &state.services.ports;
    let mut follower = Follower::default();
    let (mut outage, mut key_outage) = (Outage::new("the change feed"), Outage::new("changed signing keys"));
    let (mut keys_changed, mut told) = (false, 0);
    let mut ticks = interval(FEED);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match follower.poll(&*ports.store, &*ports.clock, &ports.snapshots).await {
            Ok(changed) => {
                keys_changed |= changed;
                let recorded = ports.snapshots.recorded();
                if std::mem::replace(&mut told, recorded) != recorded {
                    state.news.announce();
                }
                outage.over();
            }
            Err(error) => outage.goes_on(&error),
        }
        if keys_changed {
            match state.services.keys.follow().await {
                Ok(()) => {
                    keys_changed = false;
                    key_outage.over();
                }
                Err(error) => key_outage.goes_on(&error),
            }
        }
    }
}
