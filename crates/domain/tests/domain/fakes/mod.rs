//! Ports that live in memory and answer at once, and a world of services that stands on them.

mod breach;
mod crypto;
mod store;
mod work;

pub(crate) use breach::{Listed, policy};
pub(crate) use crypto::{PlainCodec, PlainHash, PlainHasher, PlainKeys, XorSealer};
pub(crate) use store::{Audited, MemoryStore, State};

use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake};
use std::time::Duration;
use vestibule_domain::access::{Caller, Freshness, RoleName};
use vestibule_domain::clock::Timer;
use vestibule_domain::credential::{NewPassword, Owner, PasswordAttempt};
use vestibule_domain::feed::Snapshots;
use vestibule_domain::id::SessionId;
use vestibule_domain::session::{Login, RefreshToken, SessionError, SignIn};
use vestibule_domain::user::{Email, Name, Register, User};
use vestibule_domain::{Clock, Ports, RequestContext, Rng, Services, Settings, Timestamp};

/// Whether it has been woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// For as long as it wakes itself.
fn poll<T>(mut future: Pin<&mut (impl Future<Output = T> + ?Sized)>) -> Poll<T> {
    loop {
        let woken = Arc::new(Woken::default());
        let polled = future.as_mut().poll(&mut Context::from_waker(&Arc::clone(&woken).into()));
        if polled.is_ready() || !woken.0.load(Ordering::SeqCst) {
            return polled;
        }
    }
}

/// Finishes a future that never has to wait.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the fakes never wait"),
    }
}

/// A future that has begun and waits for a hasher that is held. Dropped, it is a client that has left.
pub(crate) struct Begun<'a, T>(Pin<Box<dyn Future<Output = T> + 'a>>);

pub(crate) fn begin<'a, T>(future: impl Future<Output = T> + 'a) -> Begun<'a, T> {
    begin_or_end(future).err().expect("nothing held it")
}

/// What comes of it at once, if it does not wait.
pub(crate) fn begin_or_end<'a, T>(future: impl Future<Output = T> + 'a) -> Result<T, Begun<'a, T>> {
    let mut future: Pin<Box<dyn Future<Output = T> + 'a>> = Box::pin(future);
    match poll(future.as_mut()) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err(Begun(future)),
    }
}

impl<T> Begun<'_, T> {
    pub(crate) fn finish(self) -> T {
        now(self)
    }
}

impl<T> Future for Begun<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.0.as_mut().poll(cx)
    }
}

/// Both clocks, moved by hand; they start at a time that has a date.
#[derive(Debug)]
pub(crate) struct HandClock(Arc<AtomicI64>);

impl Default for HandClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(1_700_000_000_000)))
    }
}

impl HandClock {
    pub(crate) fn advance(&self, duration: Duration) {
        self.advance_millis(i64::try_from(duration.as_millis()).unwrap());
    }

    pub(crate) fn advance_millis(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.load(Ordering::SeqCst)).unwrap())
    }

    /// Time goes by while somebody waits.
    fn timer(&self, lasts: Duration) -> Timer {
        let millis = Arc::clone(&self.0);
        let ends = millis.load(Ordering::SeqCst) + i64::try_from(lasts.as_millis()).unwrap();
        Box::pin(async move {
            millis.fetch_max(ends, Ordering::SeqCst);
        })
    }
}

/// `SplitMix64`: even, repeatable, and not for secrets.
#[derive(Debug, Default)]
pub(crate) struct SeededRng(AtomicU64);

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Well formed, and of no session.
pub(crate) fn no_ones_token() -> RefreshToken {
    RefreshToken::new(SessionId::from(uuid::Uuid::from_u128(9)), [9; 16], [9; 32])
}

/// One process and its store.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) services: Services,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) hasher: Arc<PlainHasher>,
    pub(crate) codec: Arc<PlainCodec>,
    pub(crate) breached: Arc<Listed>,
    pub(crate) context: RequestContext,
}

pub(crate) const PASSWORD: &str = "a lamp, a hill, and rain";

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        Self::beside(&Arc::default(), &Arc::default(), settings)
    }

    /// Another process on the same store.
    pub(crate) fn beside(store: &Arc<MemoryStore>, clock: &Arc<HandClock>, settings: Settings) -> Self {
        let (hasher, codec) = (Arc::<PlainHasher>::default(), Arc::<PlainCodec>::default());
        let breached = Arc::<Listed>::default();
        let ports = Ports {
            store: Arc::clone(store) as _,
            clock: Arc::clone(clock) as _,
            rng: Arc::new(SeededRng(AtomicU64::new(Arc::as_ptr(&codec) as u64))),
            hasher: Arc::clone(&hasher) as _,
            breached: Arc::clone(&breached) as _,
            codec: Arc::clone(&codec) as _,
            sealer: Arc::new(XorSealer),
            key_generator: Arc::new(PlainKeys),
            keyed_hash: Arc::new(PlainHash),
            snapshots: Arc::new(Snapshots::default()),
            drift: Arc::default(),
            tally: Arc::default(),
        };
        let services = Services::new(ports, settings);
        let (store, clock, context) = (Arc::clone(store), Arc::clone(clock), RequestContext::default());
        Self { services, store, clock, hasher, codec, breached, context }
    }

    pub(crate) fn register(&self, name: &str, roles: &[&str]) -> User {
        let request =
            Register { email: email(name), name: Name::parse(name).unwrap(), password: new_password(PASSWORD) };
        let roles: BTreeSet<_> = roles.iter().map(|role| RoleName::parse(role).unwrap()).collect();
        now(self.services.users.create(request, roles, &self.context)).unwrap()
    }

    pub(crate) fn try_login(&self, name: &str, password: &str) -> Result<SignIn, SessionError> {
        let password = PasswordAttempt::parse(password).unwrap();
        let login = Login { email: email(name), password, device_token: None };
        now(self.services.sessions.login(login, &self.context)).outcome
    }

    pub(crate) fn login(&self, name: &str) -> SignIn {
        self.try_login(name, PASSWORD).unwrap()
    }

    pub(crate) fn caller(&self, sign_in: &SignIn) -> Caller {
        now(self.services.access.authenticate(sign_in.access_token.reveal(), Freshness::Store)).unwrap()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

pub(crate) fn email(name: &str) -> Email {
    Email::parse(&format!("{name}@example.org")).unwrap()
}

pub(crate) fn new_password(text: &str) -> NewPassword {
    NewPassword::parse(text, &policy(&[]), Owner::default()).unwrap()
}
