//! What somebody who has the key may put into a token: header and claims, with a line break between them if there
//! is one and the right header if not.

use crate::issuer::ISSUER_OF_ALL;
use std::collections::BTreeSet;
use std::time::Duration;
use vestibule_domain::id::{SessionId, TokenId, UserId};
use vestibule_domain::session::Amr;
use vestibule_domain::token::AccessClaims;
use vestibule_domain::{Clock, Rng};

/// Whether it is taken.
pub fn check(input: &[u8]) -> bool {
    let issuer = &*ISSUER_OF_ALL;
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let token = match (parts.next(), parts.next()) {
        (Some(header), Some(claims)) => issuer.sign(header, claims),
        _ => issuer.sign(issuer.header().as_bytes(), input),
    };
    if !issuer.accepts(&token) {
        return false;
    }
    issuer.assert_sound(&token);
    // Another character in a place that follows from the input: no longer the same token.
    let mut changed = token.into_bytes();
    let length = changed.len();
    if let Some(character) = changed.get_mut(input.iter().map(|byte| usize::from(*byte)).sum::<usize>() % length) {
        *character = if *character == b'A' { b'B' } else { b'A' };
    }
    let changed = String::from_utf8(changed).expect("ASCII");
    assert!(!issuer.accepts(&changed), "{changed}");
    true
}

pub(crate) fn valid(clock: &dyn Clock, rng: &dyn Rng) -> AccessClaims {
    let now = clock.now();
    AccessClaims {
        subject: UserId::generate(clock, rng),
        session: SessionId::generate(clock, rng),
        id: TokenId::generate(clock, rng),
        issued_at: now,
        expires_at: now.plus(Duration::from_mins(10)),
        authenticated_at: now,
        amr: vec![Amr::Password],
        roles: BTreeSet::new(),
        email: None,
    }
}
