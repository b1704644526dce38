//! A codec with one key, and what every token that it takes must be.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use uuid::Uuid;
use vestibule_domain::clock::Timer;
use vestibule_domain::token::{Algorithm, TokenCodec};
use vestibule_domain::{Clock, Rng, Timestamp};
use vestibule_infrastructure::crypto::{HmacSecret, JwsCodec, JwsSettings, KeyForge, MasterKey};

/// Of this crate alone.
const SECRET: &str = "tFScttzri762RuZ6021gSGA5b9+0gPr0T32GNRJEeq4=";
const ISSUER: &str = "https://auth.example.com";
const AUDIENCE: &str = "vestibule";
/// 2001-09-09T01:46:40Z
const NOW: u64 = 1_000_000_000;
const LEEWAY: u64 = 30;
const MAX_BYTES: usize = 8 * 1024;

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000_000_000).expect("a time")
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn timer(&self, _: Duration) -> Timer {
        Box::pin(std::future::ready(()))
    }
}

impl Rng for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

pub(crate) struct Issuer {
    codec: JwsCodec,
    key: hmac::Key,
    kid: String,
}

pub(crate) static ISSUER_OF_ALL: LazyLock<Issuer> = LazyLock::new(|| {
    let settings = JwsSettings {
        algorithm: Algorithm::Hs256,
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        secret: Some(HmacSecret::from_base64(SECRET).expect("a good secret")),
    };
    let codec = JwsCodec::new(settings, Arc::new(KeyForge::new(MasterKey::generate(&Fixed))), Arc::new(Fixed));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(SECRET).expect("base64"));
    let token = codec.sign(&crate::claims::valid(&Fixed, &Fixed)).expect("a key");
    let header = token.reveal().split('.').next().and_then(json).expect("a header");
    Issuer { codec, key, kid: text(&header, "kid").to_owned() }
});

impl Issuer {
    /// The header that its tokens have.
    pub(crate) fn header(&self) -> String {
        format!(r#"{{"alg":"HS256","kid":"{}","typ":"at+jwt"}}"#, self.kid)
    }

    pub(crate) fn accepts(&self, token: &str) -> bool {
        self.codec.verify(token, Fixed.now()).is_ok()
    }

    /// As whoever has the key would sign it, whatever it says.
    pub(crate) fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, message.as_bytes())))
    }

    /// Takes a token that was accepted apart, by other means than the codec's.
    pub(crate) fn assert_sound(&self, token: &str) {
        assert!(token.len() <= MAX_BYTES);
        let (message, signature) = token.rsplit_once('.').expect("a signature");
        let tag = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        assert!(hmac::verify(&self.key, message.as_bytes(), &tag).is_ok(), "not signed with the key");
        let mut parts = message.split('.');
        let (header, claims) = (parts.next().and_then(json).expect("JSON"), parts.next().and_then(json).expect("JSON"));
        assert_eq!(parts.next(), None);

        assert_eq!(header.as_object().map(serde_json::Map::len), Some(3), "{header}");
        assert_eq!((text(&header, "alg"), text(&header, "kid")), ("HS256", self.kid.as_str()));
        let typ = text(&header, "typ").to_ascii_lowercase();
        assert!(["at+jwt", "application/at+jwt"].contains(&typ.as_str()), "{header}");

        assert_eq!((text(&claims, "iss"), text(&claims, "aud")), (ISSUER, AUDIENCE));
        for id in ["sub", "sid", "jti"] {
            assert!(Uuid::try_parse(text(&claims, id)).is_ok(), "{claims}");
        }
        let [iat, nbf, exp, auth_time] =
            ["iat", "nbf", "exp", "auth_time"].map(|name| claims.get(name).and_then(Value::as_u64).expect("seconds"));
        assert!(iat.max(nbf).max(auth_time) <= NOW + LEEWAY, "{claims} lies ahead");
        assert!(exp > iat && exp + LEEWAY > NOW, "{claims} is over");
    }
}

fn json(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).expect("a string")
}
