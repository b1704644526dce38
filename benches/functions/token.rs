//! Tokens, beside the bare signature that they cannot cost less than.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use criterion::{BatchSize, Criterion};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use vestibule_domain::access::RoleName;
use vestibule_domain::id::{KeyId, SessionId, TokenId, UserId};
use vestibule_domain::session::{Amr, RefreshSealer, RefreshToken};
use vestibule_domain::token::{AccessClaims, Algorithm, KeyGenerator, KeySet, SigningKey, TokenCodec};
use vestibule_domain::{Clock, Rng};
use vestibule_infrastructure::crypto::{AeadSealer, HmacSecret, JwsCodec, JwsSettings, KeyForge, MasterKey};
use vestibule_infrastructure::system::{SystemClock, SystemRng};

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

fn claims() -> AccessClaims {
    let (clock, rng, now) = (&*clock(), &SystemRng as &dyn Rng, clock().now());
    AccessClaims {
        subject: UserId::generate(clock, rng),
        session: SessionId::generate(clock, rng),
        id: TokenId::generate(clock, rng),
        issued_at: now,
        expires_at: now.plus(Duration::from_hours(1)),
        authenticated_at: now,
        amr: vec![Amr::Password],
        roles: BTreeSet::from([RoleName::user()]),
        email: Some("ada@example.com".to_owned()),
    }
}

fn codec(algorithm: Algorithm) -> JwsCodec {
    let forge = Arc::new(KeyForge::new(MasterKey::generate(&SystemRng)));
    let text = MasterKey::generate(&SystemRng).to_base64();
    let settings = JwsSettings {
        algorithm,
        issuer: "https://auth.example.com".to_owned(),
        audience: "vestibule".to_owned(),
        secret: HmacSecret::from_base64(&text).ok(),
    };
    let codec = JwsCodec::new(settings, Arc::clone(&forge), clock());
    if algorithm != Algorithm::Hs256 {
        codec.load(&KeySet::new(vec![key(&forge, algorithm)])).expect("a key");
    }
    codec
}

fn key(forge: &KeyForge, algorithm: Algorithm) -> SigningKey {
    let now = clock().now();
    let id = KeyId::generate(&*clock(), &SystemRng);
    let (public_key, sealed_private_key) = forge.generate(id, algorithm).expect("a key");
    SigningKey {
        id,
        algorithm,
        generation: 1,
        public_key,
        sealed_private_key,
        created_at: now,
        activates_at: now,
        retires_at: None,
        revoked_at: None,
    }
}

pub(crate) fn tokens(c: &mut Criterion) {
    let claims = claims();
    for algorithm in Algorithm::ALL {
        let codec = codec(algorithm);
        let token = codec.sign(&claims).expect("a token");
        let name = algorithm.as_str();
        c.bench_function(&format!("token/{name}/sign"), |b| b.iter(|| codec.sign(black_box(&claims))));
        let now = clock().now();
        c.bench_function(&format!("token/{name}/verify"), |b| b.iter(|| codec.verify(black_box(token.reveal()), now)));
    }
}

/// The floor: a signature over as many bytes as a token has.
pub(crate) fn signatures(c: &mut Criterion) {
    let message = [7; 700];
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .and_then(|pkcs8| Ok(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref())?))
        .expect("a key");
    let signature = pair.sign(&message);
    let public = UnparsedPublicKey::new(&ED25519, pair.public_key());
    c.bench_function("floor/Ed25519/sign", |b| b.iter(|| pair.sign(black_box(&message))));
    c.bench_function("floor/Ed25519/verify", |b| b.iter(|| public.verify(black_box(&message), signature.as_ref())));
}

pub(crate) fn refresh_tokens(c: &mut Criterion) {
    let fresh = || RefreshToken::generate(uuid::Uuid::nil().into(), &SystemRng);
    let pair = || (fresh(), fresh());
    c.bench_function("refresh/hash", |b| b.iter_batched(fresh, |token| token.hash(), BatchSize::SmallInput));
    c.bench_function("refresh/seal", |b| {
        b.iter_batched(pair, |(parent, child)| AeadSealer.seal(&parent, &child), BatchSize::SmallInput);
    });
}
