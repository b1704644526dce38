//! What the cases of the suite begin with.

use crate::{MovableClock, SeededRng, StoreKind, TestStore, invariants};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use uuid::Uuid;
use vestibule_domain::access::RoleName;
use vestibule_domain::audit::{AuditEvent, AuditKind, AuditRecord};
use vestibule_domain::context::UserAgent;
use vestibule_domain::credential::PasswordHash;
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::session::service::MAX_SESSIONS;
use vestibule_domain::session::store::{Opening, Rotation};
use vestibule_domain::session::{Amr, EndReason, RefreshToken, SealedToken, Session};
use vestibule_domain::user::{Email, Name, Status, User};
use vestibule_domain::{Clock, RequestContext, Store, StoreError, Timestamp, UnitOfWork};

pub(super) const DAY: Duration = Duration::from_hours(24);
pub(super) const MILLISECOND: Duration = Duration::from_millis(1);

/// An empty store, a clock and randomness.
#[derive(Debug)]
pub struct Fixture {
    pub store: Arc<dyn Store>,
    pub clock: MovableClock,
    pub rng: SeededRng,
    pub database: TestStore,
}

impl Fixture {
    pub async fn create(kind: StoreKind) -> Self {
        let database = TestStore::create(kind).await;
        let store = database.open().await;
        Self { store, clock: MovableClock::default(), rng: SeededRng::default(), database }
    }

    pub async fn finish(self) {
        invariants::check_rows(&self.database).await;
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub async fn begin(&self) -> Box<dyn UnitOfWork> {
        self.store.begin().await.expect("a unit of work")
    }

    /// A user who is not in the store yet.
    pub fn user(&self, email: &str) -> User {
        let now = self.now();
        User {
            id: UserId::generate(&self.clock, &self.rng),
            email: address(email),
            email_verified: false,
            name: name("Alice Example"),
            status: Status::Active,
            roles: BTreeSet::new(),
            created_at: now,
            updated_at: now,
            last_login_at: None,
            version: 1,
            epoch: 1,
        }
    }

    pub async fn register(&self, email: &str) -> User {
        self.insert(self.user(email)).await
    }

    pub async fn register_admin(&self, email: &str) -> User {
        self.insert(User { roles: roles(&["admin"]), ..self.user(email) }).await
    }

    pub async fn insert(&self, user: User) -> User {
        let mut work = self.begin().await;
        let inserted = work.insert_user(&user, Some(&password("a"))).await;
        assert!(inserted.expect("an insert"), "the address is taken");
        work.commit().await.expect("a commit");
        user
    }

    /// A session that is not in the store yet: idle for 14 days, at most 30.
    pub fn session(&self, user: UserId) -> Session {
        let now = self.now();
        Session {
            id: SessionId::generate(&self.clock, &self.rng),
            user,
            created_at: now,
            last_seen_at: now,
            authenticated_at: now,
            expires_at: now.plus(30 * DAY),
            idle_expires_at: now.plus(14 * DAY),
            ip: None,
            user_agent: None,
            amr: vec![Amr::Password],
        }
    }

    pub async fn sign_in(&self, user: UserId) -> (Session, RefreshToken) {
        let session = self.session(user);
        let token = self.token(&session);
        let mut work = self.begin().await;
        work.insert_session(&session, &token.hash()).await.expect("a session");
        work.commit().await.expect("a commit");
        (session, token)
    }

    /// For a crowd at one handle: with a turn each, nobody waits for a connection.
    pub(super) fn turns(&self) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(self.database.writers()))
    }

    /// The first one of the session.
    pub fn token(&self, session: &Session) -> RefreshToken {
        RefreshToken::generate(session.id, &self.rng)
    }

    /// The exchange of `presented` for `child`, now.
    pub fn rotation(&self, presented: &RefreshToken, child: &RefreshToken) -> Rotation {
        Rotation {
            presented: presented.hash(),
            child: child.secret_hash(),
            sealed_child: SealedToken::from_bytes(child.secret().iter().rev().copied().collect()),
            now: self.now(),
            idle: 14 * DAY,
        }
    }

    /// The child, if the token rotated.
    pub async fn rotate(&self, presented: &RefreshToken) -> Option<RefreshToken> {
        let child = presented.child(&self.rng);
        let rotated = self.store.rotate_refresh(&self.rotation(presented, &child)).await.expect("an answer");
        rotated.map(|_| child)
    }

    /// All there is, by the names of the tables, in an order of its own.
    pub async fn rows(&self) -> Vec<(String, Vec<String>)> {
        let mut rows = Vec::new();
        for table in self.database.tables().await {
            let mut these = self.database.dump(&table).await;
            these.sort();
            rows.push((table, these));
        }
        rows
    }

    pub async fn stored(&self, user: UserId) -> User {
        self.store.user(user).await.expect("an answer").expect("the user is there")
    }
}

/// A login in the first epoch, from no device, that leaves a hundred sessions.
pub(super) fn opening<'a>(session: &'a Session, token: &RefreshToken, context: &'a RequestContext) -> Opening<'a> {
    let [succeeded, displaced] = [(AuditKind::LoginSucceeded, 0), (AuditKind::SessionsEnded, 1)].map(|(kind, n)| {
        let id = Uuid::from_u128(session.id.as_uuid().as_u128() ^ n).into();
        let event = AuditEvent::of(kind, session.user, context).in_session(session.id);
        AuditRecord { id, at: session.created_at, event }
    });
    let displaced = AuditRecord { event: displaced.event.because(EndReason::Displaced.as_str()), ..displaced };
    Opening { epoch: 1, session, token: token.hash(), keep: MAX_SESSIONS, device: None, succeeded, displaced }
}

/// A request of which everything is known.
pub(super) fn somewhere() -> RequestContext {
    RequestContext {
        ip: Some("2001:db8::7".parse().expect("an address")),
        user_agent: UserAgent::clean("curl/8"),
        request_id: Some("request-1".to_owned()),
    }
}

pub(super) fn address(text: &str) -> Email {
    Email::parse(text).expect("a valid address")
}

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).expect("a valid name")
}

pub(super) fn roles(names: &[&str]) -> BTreeSet<RoleName> {
    names.iter().map(|name| RoleName::parse(name).expect("a valid role")).collect()
}

/// Stores do not look into hashes.
pub(super) fn password(mark: &str) -> PasswordHash {
    PasswordHash::from_phc(format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA${mark}"))
}

/// A race is tried again when it loses, as the use cases do. Anything else is a failure of the store.
pub(super) async fn until_settled<T, F>(attempt: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        match attempt().await {
            Ok(outcome) => return outcome,
            Err(StoreError::Contention) => tokio::task::yield_now().await,
            Err(error) => panic!("{error:?}"),
        }
    }
}
