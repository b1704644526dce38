//! A store in memory. Transactions work on a copy that a commit puts in place, so they must not overlap: what other
//! processes do meanwhile is told with [`MemoryStore::before_next_transaction`].

use super::HandClock;
use super::work::MemoryWork;
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::Duration;
use vestibule_domain::access::RoleName;
use vestibule_domain::audit::{Actor, AuditKind};
use vestibule_domain::client::ClientRecord;
use vestibule_domain::client::store::ClientReads;
use vestibule_domain::credential::PasswordHash;
use vestibule_domain::credential::store::{CredentialReads, LoginCandidate};
use vestibule_domain::feed::store::{FeedReads, FeedUpkeep, MAX_PASSED, RevocationReads};
use vestibule_domain::feed::{Change, Principal, Recorded, Run};
use vestibule_domain::id::{ClientId, KeyId, SessionId, UserId};
use vestibule_domain::page::{Page, PageRequest};
use vestibule_domain::session::store::{
    FoundRefresh, RefreshStanding, Rotation, SessionReads, SessionRotation, SessionUpkeep,
};
use vestibule_domain::session::{
    DeviceTokenHash, EndReason, RefreshSecretHash, RefreshTokenHash, SealedToken, Session,
};
use vestibule_domain::store::StoreHealth;
use vestibule_domain::throttle::store::{ChangeBuckets, Swap, ThrottleStore};
use vestibule_domain::throttle::{Bucket, BucketKey};
use vestibule_domain::token::store::KeyReads;
use vestibule_domain::token::{KeySet, SigningKey};
use vestibule_domain::user::store::{IdempotencyUpkeep, ListedUser, UserFilter, UserReads};
use vestibule_domain::user::{Email, FirstOutcome, Status, User};
use vestibule_domain::{Store, StoreError, Timestamp, UnitOfWork};

#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) users: BTreeMap<UserId, User>,
    pub(crate) passwords: BTreeMap<UserId, PasswordHash>,
    pub(crate) breached: BTreeMap<UserId, Timestamp>,
    pub(crate) sessions: BTreeMap<SessionId, StoredSession>,
    pub(crate) keys: Vec<SigningKey>,
    pub(crate) clients: Vec<ClientRecord>,
    pub(crate) audit: Vec<Audited>,
    pub(crate) changes: Vec<Change>,
    pub(crate) changed_at: Vec<Timestamp>,
    /// Numbers that transactions have taken which are still open.
    pub(crate) taken: BTreeSet<i64>,
    pub(crate) idempotency_keys: BTreeMap<[u8; 32], FirstOutcome>,
    /// With the time until which each is known.
    pub(crate) devices: Vec<(UserId, DeviceTokenHash, Timestamp)>,
}

#[derive(Debug, Clone)]
pub(crate) struct StoredSession {
    pub(crate) session: Session,
    pub(crate) current: RefreshTokenHash,
    pub(crate) parent: Option<(RefreshSecretHash, Timestamp, SealedToken)>,
    pub(crate) ended: Option<EndReason>,
}

impl StoredSession {
    pub(super) fn end(&mut self, reason: EndReason) -> SessionId {
        self.ended = Some(reason);
        self.session.id
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Audited {
    pub(crate) kind: AuditKind,
    pub(crate) actor: Actor,
    pub(crate) subject: Option<UserId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) key: Option<KeyId>,
    pub(crate) client: Option<ClientId>,
    pub(crate) reason: Option<&'static str>,
}

impl State {
    fn visible_changes(&self) -> Vec<Recorded> {
        let recorded =
            |(number, (change, at)): (i64, (&Change, &Timestamp))| Recorded { number, at: *at, change: Some(*change) };
        let all = (1..).zip(self.changes.iter().zip(&self.changed_at)).map(recorded);
        all.filter(|recorded| !self.taken.contains(&recorded.number)).collect()
    }

    /// Active and with the role.
    pub(super) fn administrators(&self) -> impl Iterator<Item = &User> {
        let admin = RoleName::admin();
        self.users.values().filter(move |user| user.status == Status::Active && user.roles.contains(&admin))
    }
}

type Interruption = Box<dyn FnOnce(&mut State) -> Result<(), StoreError> + Send>;

type Delay = Option<(Arc<HandClock>, Duration)>;

/// What time it takes to ask the store for something, on which clock.
#[derive(Clone, Default)]
pub(super) struct RoundTrip(Arc<Mutex<Delay>>);

impl RoundTrip {
    pub(super) fn pass(&self) {
        if let Some((clock, time)) = &*self.0.lock().unwrap() {
            clock.advance(*time);
        }
    }
}

#[derive(Default)]
pub(crate) struct MemoryStore {
    state: Arc<Mutex<State>>,
    round_trip: RoundTrip,
    interruptions: Mutex<Vec<Interruption>>,
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    buckets: Mutex<BTreeMap<BucketKey, Bucket>>,
    spoilt_buckets: Mutex<BTreeSet<BucketKey>>,
    /// What was asked for, and of how many.
    asked_for_buckets: Mutex<Vec<String>>,
    pub(crate) throttles_fail: AtomicBool,
    /// As when a disk is full.
    pub(crate) throttles_are_read_only: AtomicBool,
    /// Whether the next swap fails because somebody is in the way.
    pub(crate) throttles_contend: AtomicBool,
    /// Whether refreshes, though written, are not answered yet.
    pub(crate) refreshes_wait: AtomicBool,
    pub(crate) loses_answers: AtomicBool,
    /// Whether somebody holds all sessions, for whom no group waits.
    pub(crate) sessions_are_held: AtomicBool,
    looks_at_clock: Mutex<Option<Box<dyn Fn() -> Timestamp + Send>>>,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

impl MemoryStore {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What happens between a look-up and the transaction that follows it.
    pub(crate) fn before_next_transaction(
        &self,
        interruption: impl FnOnce(&mut State) -> Result<(), StoreError> + Send + 'static,
    ) {
        self.interruptions.lock().unwrap().push(Box::new(interruption));
    }

    /// What happens while the answer to the next reading of keys, clients or a session is on its way.
    pub(crate) fn while_it_is_read(&self, meanwhile: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(meanwhile));
    }

    fn read_meanwhile(&self) {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
    }

    /// What the store's own clock shows; without it the store has none.
    pub(crate) fn looks_at_clock(&self, look: impl Fn() -> Timestamp + Send + 'static) {
        *self.looks_at_clock.lock().unwrap() = Some(Box::new(look));
    }

    /// How far away transactions are: for those who register.
    pub(crate) fn set_round_trip(&self, clock: &Arc<HandClock>, time: Duration) {
        *self.round_trip.0.lock().unwrap() = Some((Arc::clone(clock), time));
    }

    pub(crate) fn stored_buckets(&self) -> BTreeMap<BucketKey, Bucket> {
        self.buckets.lock().unwrap().clone()
    }

    /// Makes those that are there unreadable.
    pub(crate) fn spoil_buckets(&self) {
        self.spoilt_buckets.lock().unwrap().extend(self.buckets.lock().unwrap().keys().copied());
    }

    /// Since this was last called.
    pub(crate) fn asked_for_buckets(&self) -> Vec<String> {
        mem::take(&mut *self.asked_for_buckets.lock().unwrap())
    }

    fn find_buckets(&self, keys: &[BucketKey]) -> Result<Vec<Bucket>, StoreError> {
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
        if self.throttles_fail.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable { context: "throttles", source: None });
        }
        if !self.spoilt_buckets.lock().unwrap().is_disjoint(&keys.iter().copied().collect()) {
            return Err(StoreError::Unexpected { context: "throttles", source: None });
        }
        let buckets = self.buckets.lock().unwrap();
        Ok(keys.iter().map(|key| buckets.get(key).cloned().unwrap_or_default()).collect())
    }

    pub(crate) fn audited(&self, kind: AuditKind) -> Vec<Audited> {
        self.state().audit.iter().filter(|event| event.kind == kind).cloned().collect()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let interruption = self.interruptions.lock().unwrap().pop();
        if let Some(interruption) = interruption {
            interruption(&mut self.state())?;
        }
        self.round_trip.pass();
        Ok(Box::new(MemoryWork::on(&self.state, &self.round_trip)))
    }

    async fn check(&self) -> Result<StoreHealth, StoreError> {
        Ok(StoreHealth { pending_migrations: 0 })
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.looks_at_clock.lock().unwrap().as_ref().map(|look| look()))
    }
}

#[async_trait]
impl UserReads for MemoryStore {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.state().users.get(&id).cloned())
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        Ok(self.state().users.values().find(|user| user.email.canonical() == email.canonical()).cloned())
    }

    async fn users(&self, _: &UserFilter, page: PageRequest, _: Timestamp) -> Result<Page<ListedUser>, StoreError> {
        let state = self.state();
        let listed = |user: &User| ListedUser {
            user: user.clone(),
            active_sessions: 0,
            password_breached_at: state.breached.get(&user.id).copied(),
        };
        let rows = state.users.values().map(listed).collect();
        Ok(Page::from_rows(rows, page.limit, |row| row.user.id.as_uuid()))
    }

    async fn has_administrator(&self) -> Result<bool, StoreError> {
        Ok(self.state().administrators().next().is_some())
    }
}

#[async_trait]
impl CredentialReads for MemoryStore {
    async fn login_candidate(&self, email: &Email) -> Result<Option<LoginCandidate>, StoreError> {
        let user = self.user_by_email(email).await?;
        let state = self.state();
        Ok(user.map(|user| LoginCandidate {
            password: state.passwords.get(&user.id).cloned(),
            is_marked_breached: state.breached.contains_key(&user.id),
            user,
        }))
    }

    async fn password(&self, user: UserId) -> Result<Option<PasswordHash>, StoreError> {
        Ok(self.state().passwords.get(&user).cloned())
    }
}

#[async_trait]
impl SessionReads for MemoryStore {
    async fn principal(&self, id: SessionId) -> Result<Option<Principal>, StoreError> {
        let state = self.state().clone();
        self.read_meanwhile();
        let live = state.sessions.get(&id).filter(|stored| stored.ended.is_none());
        Ok(live.map(|stored| Principal::new(stored.session.clone(), state.users[&stored.session.user].clone())))
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let live = |stored: &&StoredSession| stored.ended.is_none() && !stored.session.is_expired(now);
        let state = self.state();
        let sessions = state.sessions.values().rev().filter(live).map(|stored| stored.session.clone());
        Ok(sessions.filter(|session| session.user == user).collect())
    }

    async fn find_refresh(&self, token: &RefreshTokenHash) -> Result<Option<FoundRefresh>, StoreError> {
        let state = self.state();
        let found = state.sessions.get(&token.session).filter(|stored| stored.current.family == token.family);
        Ok(found.map(|stored| {
            let standing = match &stored.parent {
                _ if stored.current.secret == token.secret => RefreshStanding::Current,
                Some((parent, replaced_at, child)) if *parent == token.secret => {
                    RefreshStanding::Parent { replaced_at: *replaced_at, child: Some(child.clone()) }
                }
                _ => RefreshStanding::Spent,
            };
            let (session, user) = (stored.session.clone(), state.users[&stored.session.user].clone());
            FoundRefresh { session, user, ended: stored.ended.is_some(), standing }
        }))
    }

    async fn knows_device(&self, user: &Email, device: &DeviceTokenHash, now: Timestamp) -> Result<bool, StoreError> {
        let state = self.state();
        let is_theirs = |owner: &UserId| state.users[owner].email == *user;
        Ok(state.devices.iter().any(|(owner, known, until)| known == device && is_theirs(owner) && now < *until))
    }
}

#[async_trait]
impl ThrottleStore for MemoryStore {
    async fn buckets(&self, keys: &[BucketKey]) -> Result<Vec<Bucket>, StoreError> {
        self.asked_for_buckets.lock().unwrap().push(format!("read {}", keys.len()));
        self.find_buckets(keys)
    }

    async fn swap_buckets(&self, keys: &[BucketKey], old: &[Bucket], new: &[Bucket]) -> Result<Swap, StoreError> {
        self.asked_for_buckets.lock().unwrap().push(format!("swap {}", keys.len()));
        let found = self.find_buckets(keys)?;
        if self.throttles_contend.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Contention);
        }
        if self.throttles_are_read_only.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable { context: "throttles", source: None });
        }
        if found != old {
            return Ok(Swap::Lost(found));
        }
        self.buckets.lock().unwrap().extend(keys.iter().copied().zip(new.iter().cloned()));
        Ok(Swap::Done)
    }

    async fn change_buckets(&self, keys: &[BucketKey], change: &mut ChangeBuckets<'_>) -> Result<(), StoreError> {
        let mut touched = self.find_buckets(keys)?;
        change(&mut touched);
        self.buckets.lock().unwrap().extend(keys.iter().copied().zip(touched));
        Ok(())
    }

    async fn purge_buckets(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[async_trait]
impl SessionRotation for MemoryStore {
    async fn rotate_refresh(&self, rotation: &Rotation) -> Result<Option<(Session, User)>, StoreError> {
        let State { sessions, users, .. } = &mut *self.state();
        let current = sessions.values_mut().find(|stored| {
            stored.current == rotation.presented
                && stored.ended.is_none()
                && !stored.session.is_expired(rotation.now)
                && users[&stored.session.user].status == Status::Active
        });
        Ok(current.map(|stored| {
            stored.current.secret = rotation.child.clone();
            stored.parent = Some((rotation.presented.secret.clone(), rotation.now, rotation.sealed_child.clone()));
            stored.session.last_seen_at = rotation.now;
            stored.session.idle_expires_at = rotation.idle_expires_at().min(stored.session.expires_at);
            (stored.session.clone(), users[&stored.session.user].clone())
        }))
    }

    async fn rotate_refreshes(&self, rotations: &[Rotation]) -> Result<Vec<Option<(Session, User)>>, StoreError> {
        if self.sessions_are_held.load(Ordering::SeqCst) {
            return Ok(vec![None; rotations.len()]);
        }
        let mut rotated = Vec::new();
        for rotation in rotations {
            rotated.push(self.rotate_refresh(rotation).await?);
        }
        poll_fn(|_| if self.refreshes_wait.load(Ordering::SeqCst) { Poll::Pending } else { Poll::Ready(()) }).await;
        if self.loses_answers.load(Ordering::SeqCst) {
            rotated.fill(None);
        }
        Ok(rotated)
    }
}

#[async_trait]
impl SessionUpkeep for MemoryStore {
    async fn purge_sessions(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn forget_sealed_children(
        &self,
        _: Timestamp,
        _: SessionId,
        _: u32,
    ) -> Result<Option<SessionId>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl IdempotencyUpkeep for MemoryStore {
    async fn purge_idempotency_keys(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[async_trait]
impl KeyReads for MemoryStore {
    async fn signing_keys(&self) -> Result<KeySet, StoreError> {
        let keys = KeySet::new(self.state().keys.clone());
        self.read_meanwhile();
        Ok(keys)
    }
}

#[async_trait]
impl ClientReads for MemoryStore {
    async fn clients(&self) -> Result<Vec<ClientRecord>, StoreError> {
        let clients = self.state().clients.clone();
        self.read_meanwhile();
        Ok(clients)
    }
}

#[async_trait]
impl FeedReads for MemoryStore {
    async fn newest_change(&self) -> Result<i64, StoreError> {
        Ok(self.state().visible_changes().last().map_or(0, |recorded| recorded.number))
    }

    async fn changes(&self, after: i64, missing: &[i64], limit: u32) -> Result<Vec<Recorded>, StoreError> {
        let visible = self.state().visible_changes().into_iter();
        let wanted = visible.filter(|recorded| recorded.number > after || missing.contains(&recorded.number));
        Ok(wanted.take(limit as usize).collect())
    }

    async fn changed_keys(&self) -> Result<KeySet, StoreError> {
        self.signing_keys().await
    }
}

#[async_trait]
impl RevocationReads for MemoryStore {
    async fn first_change(&self, since: Timestamp) -> Result<i64, StoreError> {
        let visible = self.state().visible_changes();
        let first = visible.iter().find(|recorded| recorded.at >= since).or(visible.last());
        Ok(first.map_or(0, |recorded| recorded.number))
    }

    async fn ends(&self, after: i64, missing: &[i64], limit: u32) -> Result<Option<Vec<Run>>, StoreError> {
        let (old, new): (Vec<_>, Vec<_>) =
            self.state().visible_changes().into_iter().partition(|recorded| recorded.number <= after);
        if old.last().or(new.last()).map_or(0, |newest| newest.number) < after {
            return Ok(None);
        }
        let late = old.into_iter().filter(|recorded| missing.contains(&recorded.number));
        let mut runs: Vec<Run> = Vec::new();
        for recorded in late.chain(new.into_iter().take(MAX_PASSED as usize)) {
            match runs.last_mut() {
                Some(run) if run.last.number + 1 == recorded.number && !is_end(&run.last) => {
                    *run = Run { length: run.length + 1, last: recorded };
                }
                _ => runs.push(recorded.into()),
            }
        }
        runs.truncate(limit as usize);
        Ok(Some(runs))
    }
}

fn is_end(recorded: &Recorded) -> bool {
    matches!(recorded.change, Some(Change::SessionEnded { .. } | Change::UserGone(_)))
}

#[async_trait]
impl FeedUpkeep for MemoryStore {
    async fn purge_changes(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }
}
