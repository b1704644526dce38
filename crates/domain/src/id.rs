//! Every kind of id is its own type, so that none can be passed for another.

use crate::{Clock, Rng};
use uuid::{Builder, Uuid};

/// RFC 9562, section 5.7: what is made later sorts later, to the millisecond.
pub fn uuid_v7(clock: &dyn Clock, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(clock.now().as_millis()).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// The text is not an id: 32 lower- or upper-case hex digits in the hyphenated form of RFC 9562.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID like 0190b5a2-7c3e-7a00-8000-000000000000")]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// As [`uuid_v7`] makes them.
            pub fn generate(clock: &dyn Clock, rng: &dyn Rng) -> Self {
                Self(uuid_v7(clock, rng.bytes()))
            }

            /// Takes only the hyphenated form, so that an id has one spelling up to case.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                if text.len() != 36 {
                    return Err(InvalidId);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }

            pub fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    };
}

id!(
    /// A user. Never used again after the user is deleted.
    UserId
);
id!(
    /// A session: one sign-in on one device, from login to logout or expiry.
    SessionId
);
id!(
    /// An access token (`jti`).
    TokenId
);
id!(
    /// A signing key (`kid`).
    KeyId
);
id!(
    /// A client: another service that asks about tokens.
    ClientId
);
id!(
    /// An event of the audit trail.
    AuditEventId
);
