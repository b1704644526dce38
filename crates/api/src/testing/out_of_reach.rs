//! A store, and whatever else stands behind a port, that is out of reach.

use async_trait::async_trait;
use std::time::Duration;
use vestibule_domain::client::ClientRecord;
use vestibule_domain::client::store::ClientReads;
use vestibule_domain::clock::{Clock, Timer, Timestamp};
use vestibule_domain::credential::store::{CredentialReads, LoginCandidate};
use vestibule_domain::credential::{
    BreachKey, BreachedPasswords, HashingError, NewPassword, PasswordAttempt, PasswordHash, PasswordHasher, Verdict,
};
use vestibule_domain::feed::store::{FeedReads, FeedUpkeep, RevocationReads};
use vestibule_domain::feed::{Change, Principal, Recorded, Run};
use vestibule_domain::id::{KeyId, SessionId, UserId};
use vestibule_domain::page::{Page, PageRequest};
use vestibule_domain::session::store::{FoundRefresh, Rotation, SessionReads, SessionRotation, SessionUpkeep};
use vestibule_domain::session::{DeviceTokenHash, RefreshSealer, RefreshToken, RefreshTokenHash, SealedToken, Session};
use vestibule_domain::store::StoreHealth;
use vestibule_domain::throttle::store::{ChangeBuckets, Swap, ThrottleStore};
use vestibule_domain::throttle::{Bucket, BucketKey, KeyedHash, Network};
use vestibule_domain::token::store::KeyReads;
use vestibule_domain::token::{
    AccessClaims, AccessToken, Algorithm, Jwk, KeyError, KeyGenerator, KeySet, SigningError, TokenCodec, TokenFault,
    VerifiedToken,
};
use vestibule_domain::user::store::{IdempotencyUpkeep, ListedUser, UserFilter, UserReads};
use vestibule_domain::user::{Email, User};
use vestibule_domain::{Rng, Store, StoreError, UnitOfWork};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutOfReach {
    Refuses,
    IsSilent,
    /// But for its clock.
    Tells(Timestamp),
    /// But for its feed.
    HasNews,
}

fn out_of_reach<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable { context: "secret detail", source: None })
}

#[async_trait]
impl Store for OutOfReach {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        out_of_reach()
    }
    async fn check(&self) -> Result<StoreHealth, StoreError> {
        if *self == Self::IsSilent {
            std::future::pending::<()>().await;
        }
        out_of_reach()
    }
    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        if let Self::Tells(time) = self { Ok(Some(*time)) } else { out_of_reach() }
    }
}

#[async_trait]
impl IdempotencyUpkeep for OutOfReach {
    async fn purge_idempotency_keys(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        out_of_reach()
    }
}

#[async_trait]
impl ThrottleStore for OutOfReach {
    async fn buckets(&self, _: &[BucketKey]) -> Result<Vec<Bucket>, StoreError> {
        out_of_reach()
    }
    async fn swap_buckets(&self, _: &[BucketKey], _: &[Bucket], _: &[Bucket]) -> Result<Swap, StoreError> {
        out_of_reach()
    }
    async fn change_buckets(&self, _: &[BucketKey], _: &mut ChangeBuckets<'_>) -> Result<(), StoreError> {
        out_of_reach()
    }
    async fn purge_buckets(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        out_of_reach()
    }
}

impl KeyedHash for OutOfReach {
    fn digest(&self, _: &'static str, _: &[u8]) -> [u8; 32] {
        [0; 32]
    }
}

#[async_trait]
impl UserReads for OutOfReach {
    async fn user(&self, _: UserId) -> Result<Option<User>, StoreError> {
        out_of_reach()
    }
    async fn user_by_email(&self, _: &Email) -> Result<Option<User>, StoreError> {
        out_of_reach()
    }
    async fn users(&self, _: &UserFilter, _: PageRequest, _: Timestamp) -> Result<Page<ListedUser>, StoreError> {
        out_of_reach()
    }
    async fn has_administrator(&self) -> Result<bool, StoreError> {
        out_of_reach()
    }
}

#[async_trait]
impl CredentialReads for OutOfReach {
    async fn login_candidate(&self, _: &Email) -> Result<Option<LoginCandidate>, StoreError> {
        out_of_reach()
    }
    async fn password(&self, _: UserId) -> Result<Option<PasswordHash>, StoreError> {
        out_of_reach()
    }
}

#[async_trait]
impl SessionReads for OutOfReach {
    async fn principal(&self, _: SessionId) -> Result<Option<Principal>, StoreError> {
        out_of_reach()
    }
    async fn sessions(&self, _: UserId, _: Timestamp) -> Result<Vec<Session>, StoreError> {
        out_of_reach()
    }
    async fn find_refresh(&self, _: &RefreshTokenHash) -> Result<Option<FoundRefresh>, StoreError> {
        out_of_reach()
    }
    async fn knows_device(&self, _: &Email, _: &DeviceTokenHash, _: Timestamp) -> Result<bool, StoreError> {
        out_of_reach()
    }
}

#[async_trait]
impl SessionRotation for OutOfReach {
    async fn rotate_refresh(&self, _: &Rotation) -> Result<Option<(Session, User)>, StoreError> {
        out_of_reach()
    }
    async fn rotate_refreshes(&self, _: &[Rotation]) -> Result<Vec<Option<(Session, User)>>, StoreError> {
        out_of_reach()
    }
}

#[async_trait]
impl SessionUpkeep for OutOfReach {
    async fn purge_sessions(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        out_of_reach()
    }
    async fn forget_sealed_children(
        &self,
        _: Timestamp,
        _: SessionId,
        _: u32,
    ) -> Result<Option<SessionId>, StoreError> {
        out_of_reach()
    }
}

#[async_trait]
impl KeyReads for OutOfReach {
    async fn signing_keys(&self) -> Result<KeySet, StoreError> {
        out_of_reach()
    }
}

#[async_trait]
impl ClientReads for OutOfReach {
    async fn clients(&self) -> Result<Vec<ClientRecord>, StoreError> {
        out_of_reach()
    }
}

#[async_trait]
impl FeedReads for OutOfReach {
    async fn newest_change(&self) -> Result<i64, StoreError> {
        if *self == Self::HasNews { Ok(1) } else { out_of_reach() }
    }
    async fn changes(&self, after: i64, _: &[i64], _: u32) -> Result<Vec<Recorded>, StoreError> {
        let news = Recorded { number: 1, at: Timestamp::EPOCH, change: Some(Change::KeysChanged) };
        match self {
            Self::HasNews if after == 0 => Ok(vec![news]),
            Self::HasNews => Ok(Vec::new()),
            _ => out_of_reach(),
        }
    }
    async fn changed_keys(&self) -> Result<KeySet, StoreError> {
        out_of_reach()
    }
}

#[async_trait]
impl RevocationReads for OutOfReach {
    async fn first_change(&self, _: Timestamp) -> Result<i64, StoreError> {
        out_of_reach()
    }
    async fn ends(&self, _: i64, _: &[i64], _: u32) -> Result<Option<Vec<Run>>, StoreError> {
        if *self == Self::IsSilent {
            std::future::pending::<()>().await;
        }
        out_of_reach()
    }
}

#[async_trait]
impl FeedUpkeep for OutOfReach {
    async fn purge_changes(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        out_of_reach()
    }
}

#[async_trait]
impl PasswordHasher for OutOfReach {
    async fn hash(&self, _: NewPassword, _: Option<Network>) -> Result<PasswordHash, HashingError> {
        Err(HashingError::Overloaded { retry_after: Duration::from_millis(2_500) })
    }
    async fn verify(
        &self,
        _: PasswordAttempt,
        _: Option<&PasswordHash>,
        _: Option<Network>,
    ) -> Result<Verdict, HashingError> {
        Err(HashingError::Stopped)
    }
}

impl BreachedPasswords for OutOfReach {
    fn contains(&self, _: BreachKey) -> bool {
        false
    }
    fn is_common(&self, _: BreachKey) -> bool {
        false
    }
}

impl TokenCodec for OutOfReach {
    fn sign(&self, _: &AccessClaims) -> Result<AccessToken, SigningError> {
        Err(SigningError::NoActiveKey)
    }
    fn verify(&self, token: &str, _: Timestamp) -> Result<VerifiedToken, TokenFault> {
        Err(if token == "expired" { TokenFault::Expired } else { TokenFault::Signature })
    }
    fn load(&self, _: &KeySet) -> Result<(), KeyError> {
        Ok(())
    }
    fn public_keys(&self) -> Vec<Jwk> {
        Vec::new()
    }
    fn issuer(&self) -> &'static str {
        "https://auth.example"
    }
    fn audience(&self) -> &'static str {
        "vestibule"
    }
    fn is_ready(&self) -> bool {
        false
    }
}

impl RefreshSealer for OutOfReach {
    fn seal(&self, _: &RefreshToken, _: &RefreshToken) -> SealedToken {
        SealedToken::from_bytes(Vec::new())
    }
    fn open(&self, _: &RefreshToken, _: &SealedToken) -> Option<RefreshToken> {
        None
    }
}

impl KeyGenerator for OutOfReach {
    fn generate(&self, _: KeyId, _: Algorithm) -> Result<(Vec<u8>, Vec<u8>), KeyError> {
        Err(KeyError::Generation)
    }
}

impl Clock for OutOfReach {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
    fn timer(&self, _: Duration) -> Timer {
        Box::pin(std::future::ready(()))
    }
}

impl Rng for OutOfReach {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}
