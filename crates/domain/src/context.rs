//! Where a request came from: for sessions and the audit trail.

use crate::throttle::Network;
use std::net::IpAddr;

/// Facts about the request, none of them trusted for a decision.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// The client's address as far as trusted proxies vouch for it; none on the command line.
    pub ip: Option<IpAddr>,
    pub user_agent: Option<UserAgent>,
    /// Ties the audit event to the log lines and the answer.
    pub request_id: Option<String>,
}

impl RequestContext {
    /// Whom the client shares budgets and turns with.
    pub(crate) fn network(&self) -> Option<Network> {
        self.ip.map(Network::of)
    }
}

/// What the client calls itself, cut to 256 characters, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent(String);

impl UserAgent {
    const MAX_CHARS: usize = 256;

    /// `None` if nothing printable is left.
    pub fn clean(raw: &str) -> Option<Self> {
        let text: String = raw.chars().filter(|c| !c.is_control()).take(Self::MAX_CHARS).collect();
        (!text.trim().is_empty()).then_some(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
