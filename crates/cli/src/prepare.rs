//! The store before it serves: its schema, its keys, and the wait for a store that is down.

use crate::failure::{Failure, with_causes};
use crate::process::Shutdown;
use crate::wire::Wired;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};
use vestibule_domain::StoreError;

/// What to do about steps that the schema lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Migrations {
    Apply,
    /// Leave that to `vestibule migrate`, and do not serve before.
    Refuse,
}

/// How long the start waits for the store before it serves what needs none.
const FIRST_LOOK: Duration = Duration::from_millis(500);
const NEXT_LOOK: Duration = Duration::from_millis(500);

/// Why the store cannot be used yet, if it cannot; it may take its time to say so.
pub(crate) async fn first_look(wired: &Wired, migrations: Migrations) -> Result<Option<Failure>, Failure> {
    match timeout(FIRST_LOOK, wired.services.ports.store.check()).await {
        Ok(Ok(_)) => attempt(wired, migrations).await,
        Ok(Err(error)) => Ok(Some(error.into())),
        Err(_) => {
            let source = Some(format!("no answer within {FIRST_LOOK:?}").into());
            Ok(Some(StoreError::Unavailable { context: "first look", source }.into()))
        }
    }
}

/// Looks until the store is there, which is after the `outage`, or until the service is told to end.
pub(crate) async fn prepare_when_up(
    wired: &Wired,
    migrations: Migrations,
    outage: &Failure,
    shutdown: &Shutdown,
) -> Result<(), Failure> {
    let mut causes = Causes::default();
    causes.tell(outage);
    let mut looks = interval(NEXT_LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let look = async {
            looks.tick().await;
            attempt(wired, migrations).await
        };
        match shutdown.graceful.run_until_cancelled(look).await {
            None => return Ok(()),
            Some(Ok(None)) => {
                tracing::info!("the store is there");
                return Ok(());
            }
            Some(Ok(Some(outage))) => causes.tell(&outage),
            Some(Err(failure)) => {
                // There is nothing to finish: nobody could be served.
                shutdown.graceful.cancel();
                shutdown.force.cancel();
                return Err(failure);
            }
        }
    }
}

/// Each cause of an outage is told once, however long it lasts.
#[derive(Default)]
struct Causes(BTreeSet<String>);

impl Causes {
    fn tell(&mut self, outage: &Failure) {
        let error = with_causes(outage);
        if !self.0.contains(&error) {
            tracing::warn!(error, "the store cannot be used: answering 503 until it can");
            self.0.insert(error);
        }
    }
}

/// Why the store cannot be used, if trying again later may help.
async fn attempt(wired: &Wired, migrations: Migrations) -> Result<Option<Failure>, Failure> {
    match prepare(wired, migrations).await {
        Ok(()) => Ok(None),
        Err(failure) if failure.is_outage() => Ok(Some(failure)),
        Err(failure) => Err(failure),
    }
}

/// Sees to it that the schema is this version's and that there is a key to sign with.
pub(crate) async fn prepare(wired: &Wired, migrations: Migrations) -> Result<(), Failure> {
    let pending = wired.services.ports.store.check().await?.pending_migrations;
    match migrations {
        _ if pending == 0 => {}
        Migrations::Apply => {
            wired.database.migrate().await?;
            tracing::info!(steps = pending, "migrated");
        }
        Migrations::Refuse => return Err(Failure::refused(pending_steps(pending))),
    }
    Ok(wired.services.keys.ensure().await?)
}

/// What is wrong with so many steps pending, and what to do.
pub(crate) fn pending_steps(pending: usize) -> String {
    let steps = if pending == 1 { "step is" } else { "steps are" };
    format!(
        "the database lacks what this version needs: {pending} migration {steps} pending\n  \
         apply with `vestibule migrate`, or start with `vestibule serve --migrate`"
    )
}
