//! Refresh tokens sealed with their parents.

use super::aead::Sealer;
use vestibule_domain::session::{RefreshSealer, RefreshToken, SealedToken};

const PURPOSE: &[u8] = b"vestibule refresh token child v1";

/// The key comes from the parent token, of which the store has only a hash: neither a copy of the store nor the
/// master key opens a sealed token. One parent may seal several children, when calls race, each under a random nonce.
#[derive(Debug, Clone, Copy, Default)]
pub struct AeadSealer;

impl RefreshSealer for AeadSealer {
    fn seal(&self, parent: &RefreshToken, child: &RefreshToken) -> SealedToken {
        let sealed = Sealer::derive(parent.secret(), PURPOSE).and_then(|key| key.seal(&[], child.secret()));
        // An empty one opens with nothing: the parent then has no grace, which harms nobody.
        SealedToken::from_bytes(sealed.unwrap_or_default())
    }

    fn open(&self, parent: &RefreshToken, sealed: &SealedToken) -> Option<RefreshToken> {
        let key = Sealer::derive(parent.secret(), PURPOSE).ok()?;
        let secret = key.open(&[], sealed.as_bytes()).ok()?;
        secret.as_slice().try_into().ok().map(|secret| parent.with_secret(secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemRng;
    use uuid::Uuid;

    fn token() -> RefreshToken {
        RefreshToken::generate(Uuid::nil().into(), &SystemRng)
    }

    #[test]
    fn r16_the_parent_opens_the_child_and_no_other_token_does() {
        let parent = token();
        let child = parent.child(&SystemRng);
        let sealed = AeadSealer.seal(&parent, &child);
        let opened = AeadSealer.open(&parent, &sealed).expect("its parent opens it");
        assert_eq!(*opened.reveal(), *child.reveal());
        assert!(AeadSealer.open(&child, &sealed).is_none());
        assert!(AeadSealer.open(&token(), &sealed).is_none());
    }

    #[test]
    fn r16_what_lies_in_the_store_shows_nothing_of_the_child() {
        let child = token();
        let sealed = AeadSealer.seal(&token(), &child);
        let reveals = sealed.as_bytes().windows(8).any(|window| child.secret().windows(8).any(|part| part == window));
        assert!(!reveals);
    }

    #[test]
    fn a_damaged_or_empty_one_opens_with_nothing() {
        let parent = token();
        let mut bytes = AeadSealer.seal(&parent, &token()).as_bytes().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        assert!(AeadSealer.open(&parent, &SealedToken::from_bytes(bytes)).is_none());
        assert!(AeadSealer.open(&parent, &SealedToken::from_bytes(Vec::new())).is_none());
    }
}
