//! A store that tells how often it was asked, and that can be lost.

use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use vestibule_domain::audit::AuditRecord;
use vestibule_domain::client::ClientRecord;
use vestibule_domain::client::store::ClientReads;
use vestibule_domain::credential::PasswordHash;
use vestibule_domain::credential::store::{CredentialReads, LoginCandidate};
use vestibule_domain::feed::store::{FeedReads, FeedUpkeep, RevocationReads};
use vestibule_domain::feed::{Principal, Recorded, Run};
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::page::{Page, PageRequest};
use vestibule_domain::session::store::{
    FoundRefresh, Opened, Opening, Rotation, SessionReads, SessionRotation, SessionUpkeep,
};
use vestibule_domain::session::{DeviceTokenHash, RefreshTokenHash, Session};
use vestibule_domain::store::StoreHealth;
use vestibule_domain::throttle::store::{ChangeBuckets, Swap, ThrottleStore};
use vestibule_domain::throttle::{Bucket, BucketKey};
use vestibule_domain::token::KeySet;
use vestibule_domain::token::store::KeyReads;
use vestibule_domain::user::store::{IdempotencyUpkeep, ListedUser, Registration, UserFilter, UserReads};
use vestibule_domain::user::{Email, User};
use vestibule_domain::{Store, StoreError, Timestamp, UnitOfWork};

type Answer<T> = Result<T, StoreError>;

/// What answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Everything,
    /// All but the change feed, for this process.
    NoFeed,
    /// All but what counts attempts.
    NoThrottles,
    /// Like a database that is gone.
    Nothing,
}

#[derive(Debug)]
pub struct CountingStore {
    inner: Arc<dyn Store>,
    calls: Mutex<BTreeMap<&'static str, u64>>,
    reach: AtomicU8,
    /// Up to which change the feed has been read and applied; -1 before the first look.
    followed: AtomicI64,
    /// After which change nobody is told of ends for now, and how many wait for that.
    held: watch::Sender<(Option<i64>, usize)>,
}

impl CountingStore {
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            calls: Mutex::default(),
            reach: AtomicU8::new(Reach::Everything as u8),
            followed: AtomicI64::new(-1),
            held: watch::Sender::default(),
        }
    }

    /// How often each method of the ports was called so far. The change feed is left out: it is read all the time,
    /// whoever asks for what.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns once the follower of this process has applied every change that is there now.
    pub async fn caught_up(&self) {
        let newest = self.inner.newest_change().await.expect("an answer");
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while self.followed.load(Ordering::SeqCst) < newest {
            assert!(Instant::now() < deadline, "nobody follows the feed");
            looks.tick().await;
        }
    }

    /// Whoever asks for the ends after this change waits, until somebody says otherwise.
    pub fn hold_ends(&self, after: Option<i64>) {
        self.held.send_modify(|(held, _)| *held = after);
    }

    /// Returns once somebody waits for the ends that are held.
    pub async fn holds_somebody(&self) {
        let mut held = self.held.subscribe();
        let waits = tokio::time::timeout(Duration::from_secs(10), held.wait_for(|(_, waiting)| *waiting > 0)).await;
        assert!(matches!(waits, Ok(Ok(_))), "nobody asks");
    }

    pub fn set_reach(&self, reach: Reach) {
        self.reach.store(reach as u8, Ordering::SeqCst);
    }

    fn call(&self, method: &'static str) -> Answer<&dyn Store> {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner).entry(method).or_default() += 1;
        self.reachable(self.reach.load(Ordering::SeqCst) != Reach::Nothing as u8)
    }

    fn feed(&self) -> Answer<&dyn Store> {
        let reach = self.reach.load(Ordering::SeqCst);
        self.reachable(reach != Reach::Nothing as u8 && reach != Reach::NoFeed as u8)
    }

    fn throttles(&self, name: &'static str) -> Answer<&dyn Store> {
        self.call(name)?;
        self.reachable(self.reach.load(Ordering::SeqCst) != Reach::NoThrottles as u8)
    }

    fn reachable(&self, reachable: bool) -> Answer<&dyn Store> {
        reachable.then_some(&*self.inner).ok_or(StoreError::Unavailable { context: "lost by the test", source: None })
    }
}

#[async_trait]
impl Store for CountingStore {
    async fn begin(&self) -> Answer<Box<dyn UnitOfWork>> {
        self.call("begin")?.begin().await
    }

    async fn open_session(&self, opening: &Opening<'_>) -> Answer<Option<Opened>> {
        self.call("open_session")?.open_session(opening).await
    }

    async fn register(&self, registration: &Registration<'_>) -> Answer<bool> {
        self.call("register")?.register(registration).await
    }

    async fn record(&self, record: &AuditRecord<'_>) -> Answer<()> {
        self.call("record")?.record(record).await
    }

    async fn check(&self) -> Answer<StoreHealth> {
        self.call("check")?.check().await
    }

    /// None: a test's clock is moved by hand, and the database's is not.
    async fn time(&self) -> Answer<Option<Timestamp>> {
        Ok(None)
    }
}

#[async_trait]
impl UserReads for CountingStore {
    async fn user(&self, id: UserId) -> Answer<Option<User>> {
        self.call("user")?.user(id).await
    }

    async fn user_by_email(&self, email: &Email) -> Answer<Option<User>> {
        self.call("user_by_email")?.user_by_email(email).await
    }

    async fn users(&self, filter: &UserFilter, page: PageRequest, now: Timestamp) -> Answer<Page<ListedUser>> {
        self.call("users")?.users(filter, page, now).await
    }

    async fn has_administrator(&self) -> Answer<bool> {
        self.call("has_administrator")?.has_administrator().await
    }
}

#[async_trait]
impl CredentialReads for CountingStore {
    async fn login_candidate(&self, email: &Email) -> Answer<Option<LoginCandidate>> {
        self.call("login_candidate")?.login_candidate(email).await
    }

    async fn password(&self, user: UserId) -> Answer<Option<PasswordHash>> {
        self.call("password")?.password(user).await
    }
}

#[async_trait]
impl SessionReads for CountingStore {
    async fn principal(&self, id: SessionId) -> Answer<Option<Principal>> {
        self.call("principal")?.principal(id).await
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<Session>> {
        self.call("sessions")?.sessions(user, now).await
    }

    async fn find_refresh(&self, token: &RefreshTokenHash) -> Answer<Option<FoundRefresh>> {
        self.call("find_refresh")?.find_refresh(token).await
    }

    async fn knows_device(&self, user: &Email, device: &DeviceTokenHash, now: Timestamp) -> Answer<bool> {
        self.call("knows_device")?.knows_device(user, device, now).await
    }
}

#[async_trait]
impl SessionRotation for CountingStore {
    async fn rotate_refresh(&self, rotation: &Rotation) -> Answer<Option<(Session, User)>> {
        self.call("rotate_refresh")?.rotate_refresh(rotation).await
    }
    async fn rotate_refreshes(&self, rotations: &[Rotation]) -> Answer<Vec<Option<(Session, User)>>> {
        self.call("rotate_refreshes")?.rotate_refreshes(rotations).await
    }
}

#[async_trait]
impl SessionUpkeep for CountingStore {
    async fn purge_sessions(&self, before: Timestamp, limit: u32) -> Answer<u64> {
        self.call("purge_sessions")?.purge_sessions(before, limit).await
    }

    async fn forget_sealed_children(
        &self,
        before: Timestamp,
        after: SessionId,
        limit: u32,
    ) -> Answer<Option<SessionId>> {
        self.call("forget_sealed_children")?.forget_sealed_children(before, after, limit).await
    }
}

#[async_trait]
impl KeyReads for CountingStore {
    async fn signing_keys(&self) -> Answer<KeySet> {
        self.call("signing_keys")?.signing_keys().await
    }
}

#[async_trait]
impl ClientReads for CountingStore {
    async fn clients(&self) -> Answer<Vec<ClientRecord>> {
        self.call("clients")?.clients().await
    }
}

#[async_trait]
impl FeedReads for CountingStore {
    async fn newest_change(&self) -> Answer<i64> {
        self.feed()?.newest_change().await
    }

    async fn changes(&self, after: i64, missing: &[i64], limit: u32) -> Answer<Vec<Recorded>> {
        // Whoever asks for what comes after a change has applied it.
        self.followed.fetch_max(after, Ordering::SeqCst);
        self.feed()?.changes(after, missing, limit).await
    }

    async fn changed_keys(&self) -> Answer<KeySet> {
        self.feed()?.changed_keys().await
    }
}

#[async_trait]
impl RevocationReads for CountingStore {
    async fn first_change(&self, since: Timestamp) -> Answer<i64> {
        self.call("first_change")?.first_change(since).await
    }

    async fn ends(&self, after: i64, missing: &[i64], limit: u32) -> Answer<Option<Vec<Run>>> {
        self.held.send_modify(|(held, waiting)| *waiting += usize::from(*held == Some(after)));
        self.held.subscribe().wait_for(|(held, _)| *held != Some(after)).await.expect("a sender");
        self.call("ends")?.ends(after, missing, limit).await
    }
}

#[async_trait]
impl FeedUpkeep for CountingStore {
    async fn purge_changes(&self, before: Timestamp, limit: u32) -> Answer<u64> {
        self.call("purge_changes")?.purge_changes(before, limit).await
    }
}

#[async_trait]
impl IdempotencyUpkeep for CountingStore {
    async fn purge_idempotency_keys(&self, before: Timestamp, limit: u32) -> Answer<u64> {
        self.call("purge_idempotency_keys")?.purge_idempotency_keys(before, limit).await
    }
}

#[async_trait]
impl ThrottleStore for CountingStore {
    async fn buckets(&self, keys: &[BucketKey]) -> Answer<Vec<Bucket>> {
        self.throttles("buckets")?.buckets(keys).await
    }

    async fn swap_buckets(&self, keys: &[BucketKey], old: &[Bucket], new: &[Bucket]) -> Answer<Swap> {
        self.throttles("swap_buckets")?.swap_buckets(keys, old, new).await
    }

    async fn change_buckets(&self, keys: &[BucketKey], change: &mut ChangeBuckets<'_>) -> Answer<()> {
        self.throttles("change_buckets")?.change_buckets(keys, change).await
    }

    async fn purge_buckets(&self, before: Timestamp, limit: u32) -> Answer<u64> {
        self.call("purge_buckets")?.purge_buckets(before, limit).await
    }
}
