//! argon2id as crates have it, at the least parameters that Vestibule takes.

use crate::token::random;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use argon2_rust::params::{Memory, TagLen};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::time::{Duration, Instant};

const PASSWORD: &str = "Tr0ub4dor&3-horse";

/// One thread's.
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    memory: Vec<Block>,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        let params = Params::new(19_456, 2, 1, Some(32)).expect("parameters");
        let memory = vec![Block::new(); params.block_count()];
        Self { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params), memory }
    }

    fn tag(&mut self, password: &str, salt: &[u8]) -> [u8; 32] {
        let mut tag = [0; 32];
        let memory = &mut self.memory;
        self.argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut tag, memory).expect("a hash");
        tag
    }

    /// Salt and tag.
    pub(crate) fn hash(&mut self, password: &str) -> String {
        let salt = random::<16>();
        let tag = self.tag(password, &salt);
        format!("{}${}", STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(tag))
    }

    pub(crate) fn verify(&mut self, password: &str, stored: &str) -> bool {
        let Some((salt, tag)) = stored.split_once('$') else { return false };
        let salt = STANDARD_NO_PAD.decode(salt).expect("base64");
        STANDARD_NO_PAD.encode(self.tag(password, &salt)) == tag
    }
}

/// A second: by the crate `argon2`.
pub(crate) fn by_argon2(time: Duration) -> f64 {
    let mut hasher = Hasher::new();
    per_second(time, || drop(hasher.hash(PASSWORD)))
}

/// A second: by the crate `argon2-rust` with its default features, which wipes its memory after each hash and keeps it for
/// the next.
pub(crate) fn by_argon2_rust(time: Duration) -> f64 {
    let params = argon2_rust::Params::builder().memory(Memory::kib(19_456)).passes(2).lanes(1).threads(1);
    let params = params.tag_len(TagLen::bytes(32)).build().expect("parameters");
    let version = argon2_rust::Version::V0x13;
    let mut hasher = argon2_rust::Argon2::new(argon2_rust::Algorithm::Argon2id, version, params).hasher();
    let mut tag = [0; 32];
    per_second(time, || hasher.hash_into(PASSWORD.as_bytes(), &random::<16>(), &mut tag).expect("a hash"))
}

fn per_second(time: Duration, mut hash: impl FnMut()) -> f64 {
    hash();
    let (start, mut done) = (Instant::now(), 0_u32);
    while start.elapsed() < time {
        hash();
        done += 1;
    }
    f64::from(done) / start.elapsed().as_secs_f64()
}
