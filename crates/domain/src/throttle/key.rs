//! Whose bucket it is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The port for hashes that only the holder of the service's secret can make or check: whoever has the store alone
/// cannot find out by trying which addresses are in it.
pub trait KeyedHash: Send + Sync + fmt::Debug {
    /// For one `purpose` the same for the same `data` on every replica, for another another.
    fn digest(&self, purpose: &'static str, data: &[u8]) -> [u8; 32];
}

/// Names a bucket. Ordered, so that all take hold of buckets in one order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketKey([u8; 32]);

impl BucketKey {
    pub fn new(hash: &dyn KeyedHash, purpose: &'static str, data: &[u8]) -> Self {
        Self(hash.digest(purpose, data))
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Enough to tell a few dozen from one another.
    pub(super) fn tag(&self) -> u64 {
        self.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

impl fmt::Debug for BucketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BucketKey[{:016x}]", self.tag())
    }
}

/// Who shares the budget of an address: one IPv4 address, however it is written, or one IPv6 /64, which is the least
/// that a customer gets (CVE-2026-45364).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(IpAddr::V4(v4)),
            IpAddr::V6(v6) => match v6.segments() {
                // A translator speaks for all of IPv4 from one /96 (RFC 6052, section 2.1): by the rule below all of it
                // would share a budget.
                [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
                    let [.., a, b, c, d] = v6.octets();
                    Self(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
                }
                [a, b, c, d, ..] => Self(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))),
            },
        }
    }

    pub(super) fn octets(self) -> Vec<u8> {
        match self.0 {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        }
    }
}
