//! What must be refused, each case named after its number in the catalogue of attacks.

mod forgery;
mod header;
mod issuing;
mod remembering;
mod rotation;
mod signature;
mod values;
mod wycheproof;

use super::*;
use crate::crypto::secrets::MasterKey;
use crate::system::{SystemClock, SystemRng};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use vestibule_domain::Timestamp;
use vestibule_domain::clock::Timer;
use vestibule_domain::id::{KeyId, SessionId, TokenId, UserId};
use vestibule_domain::session::Amr;
use vestibule_domain::token::{KeyGenerator, SigningKey};

const ISSUER: &str = "https://auth.example.com";
const AUDIENCE: &str = "vestibule";
const MINUTE: Duration = Duration::from_mins(1);
/// 2001-09-09T01:46:40Z: a library that asked the system's clock would find every token expired.
const START: i64 = 1_000_000_000;

#[derive(Debug)]
struct MovableClock(AtomicI64);

impl MovableClock {
    fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst).unsigned_abs())
    }

    fn timer(&self, _: Duration) -> Timer {
        Box::pin(std::future::ready(()))
    }
}

/// A codec with one active key, and that key in the hands of an attacker who can sign what the codec never would.
struct Bench {
    codec: JwsCodec,
    clock: Arc<MovableClock>,
    forge: Arc<KeyForge>,
    key: Option<SigningKey>,
    half: SigningHalf,
    kid: String,
}

impl Bench {
    fn new(algorithm: Algorithm) -> Self {
        Self::of_audience(algorithm, ISSUER, AUDIENCE)
    }

    fn of_audience(algorithm: Algorithm, issuer: &str, audience: &str) -> Self {
        let clock = Arc::new(MovableClock(AtomicI64::new(START * 1_000)));
        let forge = Arc::new(KeyForge::new(MasterKey::generate(&SystemRng)));
        let secret = MasterKey::generate(&SystemRng).to_base64();
        let settings = JwsSettings {
            algorithm,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            secret: Some(HmacSecret::from_base64(&secret).unwrap()),
        };
        let codec = JwsCodec::new(settings, Arc::clone(&forge), Arc::clone(&clock) as Arc<dyn Clock>);
        if algorithm == Algorithm::Hs256 {
            let symmetric = codec.symmetric.as_ref().unwrap();
            let (kid, half) = (symmetric.id.clone(), SigningHalf::symmetric(&STANDARD.decode(&*secret).unwrap()));
            return Self { codec, clock, forge, key: None, half, kid };
        }
        let key = new_key(&forge, algorithm, 1, clock.now());
        codec.load(&KeySet::new(vec![key.clone()])).unwrap();
        let half = SigningHalf::from_pkcs8(algorithm, &forge.open(&key).unwrap()).unwrap();
        Self { codec, clock, forge, kid: key.id.to_string(), key: Some(key), half }
    }

    fn token(&self) -> String {
        self.codec.sign(&claims(&*self.clock)).unwrap().reveal().to_owned()
    }

    /// The header and the claims of a valid token.
    fn parts(&self) -> (Value, Value) {
        let token = self.token();
        let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
        let mut json = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
        (json(), json())
    }

    /// Signed as it should be, whatever it says.
    fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.half.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn with_header(&self, change: impl FnOnce(&mut Value)) -> String {
        let (mut header, claims) = self.parts();
        change(&mut header);
        self.signed(&header.to_string(), &claims.to_string())
    }

    fn with_claims(&self, change: impl FnOnce(&mut Value)) -> String {
        let (header, mut claims) = self.parts();
        change(&mut claims);
        self.signed(&header.to_string(), &claims.to_string())
    }

    #[track_caller]
    fn refusal(&self, token: &str) -> TokenFault {
        self.codec.verify(token, self.clock.now()).expect_err("a token that must be refused was accepted")
    }

    #[track_caller]
    fn accepts(&self, token: &str) {
        self.codec.verify(token, self.clock.now()).expect("a token that must be accepted was refused");
    }
}

fn new_key(forge: &KeyForge, algorithm: Algorithm, generation: i64, activates_at: Timestamp) -> SigningKey {
    let id = KeyId::generate(&SystemClock::new(), &SystemRng);
    let (public_key, sealed_private_key) = forge.generate(id, algorithm).unwrap();
    SigningKey {
        id,
        algorithm,
        generation,
        public_key,
        sealed_private_key,
        created_at: activates_at,
        activates_at,
        retires_at: None,
        revoked_at: None,
    }
}

fn claims(clock: &dyn Clock) -> AccessClaims {
    let now = clock.now();
    AccessClaims {
        subject: UserId::generate(clock, &SystemRng),
        session: SessionId::generate(clock, &SystemRng),
        id: TokenId::generate(clock, &SystemRng),
        issued_at: now,
        expires_at: now.plus(10 * MINUTE),
        authenticated_at: now,
        amr: vec![Amr::Password],
        roles: BTreeSet::new(),
        email: Some("alice@example.com".to_owned()),
    }
}
