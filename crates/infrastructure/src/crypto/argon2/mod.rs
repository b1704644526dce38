//! Passwords are hashed with argon2id (RFC 9106) on threads of their own.

mod arena;
mod avx2;
mod check;
mod choice;
mod cost;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod pepper;
mod phc;
mod pool;
mod recipe;
mod reference;
mod self_check;
mod suggestion;
mod trial;
mod vectorized;

pub use arena::ComputationError;
pub use choice::{Choice, Hashing, Implementation};
pub use cost::Cost;
pub use pepper::{PepperError, Peppers, PeppersError};
pub use suggestion::suggest;
pub use trial::Trial;

use arena::Arena;
use async_trait::async_trait;
use phc::{SALT_BYTES, StoredHash, UnusableHash};
use pool::{Pool, Rest};
use recipe::Recipe;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use vestibule_domain::Rng;
use vestibule_domain::credential::{HashingError, NewPassword, PasswordAttempt, PasswordHash, PasswordHasher, Verdict};
use vestibule_domain::throttle::Network;

#[derive(Debug, Clone)]
pub struct Argon2Settings {
    pub hashing: Hashing,
    /// Of new hashes. Its memory is kept for each thread from a hash on until none came for a minute.
    pub cost: Cost,
    pub peppers: Peppers,
    /// How many passwords are hashed at once; at least 1.
    pub threads: u32,
    /// How long a password may wait for a thread. Zero means that none waits.
    pub queue_wait: Duration,
}

/// Why hashing cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Argon2Error {
    #[error("`passwords.{setting}` is {given}, which is too cheap to guess against: the minimum is {minimum}")]
    TooCheap { setting: &'static str, given: u32, minimum: u32 },
    #[error("`passwords.{setting}` is {given}, which would cost a login too much: the maximum is {maximum}")]
    TooCostly { setting: &'static str, given: u32, maximum: u32 },
    #[error("`passwords.hash_threads` is 0: the minimum is 1")]
    NoThreads,
    #[error("the hashing threads could not be started")]
    Threads(#[source] std::io::Error),
    #[error("a first hash could not be computed")]
    Calibration(#[source] ComputationError),
}

/// Memory is wiped late enough that a client that logs in again at once comes before.
const REST: Rest = Rest { until_wiped: Duration::from_millis(100), until_released: Duration::from_mins(1) };

/// Dropping it waits for the hashes that are being computed.
pub struct Argon2Hasher {
    pool: Pool,
    current: Recipe,
    peppers: Peppers,
    rng: Arc<dyn Rng>,
}

impl Argon2Hasher {
    /// Computes a few hashes, to know which implementation to use and how long it takes.
    pub fn start(settings: Argon2Settings, rng: Arc<dyn Rng>) -> Result<Self, Argon2Error> {
        let Argon2Settings { hashing, cost, peppers, threads, queue_wait } = settings;
        let cost = cost.check()?;
        if threads == 0 {
            return Err(Argon2Error::NoThreads);
        }
        let choice = Implementation::choose(hashing, cost).map_err(Argon2Error::Calibration)?;
        let arena = move || Arena::new(choice.implementation, cost.memory_kib);
        let pool = Pool::start(threads, queue_wait, choice.first_hash, REST, arena).map_err(Argon2Error::Threads)?;
        Ok(Self { pool, current: Recipe { cost, pepper: peppers.current() }, peppers, rng })
    }

    async fn run<T, F>(&self, from: Option<Network>, work: F) -> Result<T, HashingError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Arena) -> Result<T, ComputationError> + Send + 'static,
    {
        self.pool.run(from, work).await?.map_err(|error| {
            tracing::error!(%error, "a password could not be hashed");
            HashingError::Stopped
        })
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: NewPassword, from: Option<Network>) -> Result<PasswordHash, HashingError> {
        let (recipe, salt) = (self.current.clone(), self.rng.bytes());
        self.run(from, move |arena| Ok(StoredHash::compute(arena, recipe, password.as_bytes(), salt)?.to_phc())).await
    }

    async fn verify(
        &self,
        attempt: PasswordAttempt,
        hash: Option<&PasswordHash>,
        from: Option<Network>,
    ) -> Result<Verdict, HashingError> {
        let stored = hash.and_then(|hash| usable(hash, &self.peppers));
        let (current, fresh_salt) = (self.current.clone(), self.rng.bytes::<SALT_BYTES>());
        self.run(from, move |arena| check::check(arena, &current, attempt.as_bytes(), stored.as_ref(), fresh_salt))
            .await
    }
}

impl fmt::Debug for Argon2Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon2Hasher")
            .field("current", &self.current)
            .field("peppers", &self.peppers)
            .finish_non_exhaustive()
    }
}

/// A hash that must not be run counts as none: the login fails as any other, and somebody is told.
fn usable(hash: &PasswordHash, peppers: &Peppers) -> Option<StoredHash> {
    let alert = |reason: &UnusableHash| {
        tracing::error!(%reason, "ALERT: a stored password hash was not run; was the store altered, or a pepper lost?");
    };
    StoredHash::parse(hash, peppers).inspect_err(alert).ok()
}

#[cfg(test)]
mod tests;
