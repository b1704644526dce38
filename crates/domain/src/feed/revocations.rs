//! What services that check tokens by themselves must know: which sessions and users are over.

use super::{Change, Gaps, Recorded, Run};
use crate::clock::Timestamp;
use crate::fault::Fault;
use crate::id::{SessionId, UserId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::collections::BTreeMap;
use std::time::Duration;

/// The end of one session, or of a user and with them of all their sessions. Other changes are none of theirs: a token
/// stays good, whatever the user is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    pub user: UserId,
    /// `None` if the user is gone, whose id is never used again.
    pub session: Option<SessionId>,
    pub at: Timestamp,
}

impl Revocation {
    fn of(recorded: &Recorded) -> Option<Self> {
        let (user, session) = match recorded.change? {
            Change::SessionEnded { user, session } => (user, Some(session)),
            Change::UserGone(user) => (user, None),
            Change::UserChanged(_) | Change::KeysChanged | Change::ClientsChanged => return None,
        };
        Some(Self { user, session, at: recorded.at })
    }
}

/// How far a service has read the feed: up to which number, and which lower ones it has not seen, because their
/// transactions were open or came to nothing. The service keeps it, so that it means the same to every process; hence
/// the times in it are calendar time, and whatever is read from it is bounded. Opaque to clients.
#[derive(Debug, Clone)]
pub struct RevocationCursor(Gaps);

impl RevocationCursor {
    /// How many numbers can be missing, and in how many stretches: 14 bytes each, so that it fits a URL. What is beyond
    /// is read again: told twice rather than not at all.
    const MAX_MISSING: usize = 2_000;
    const MAX_STRETCHES: usize = 128;

    pub(super) fn starting_before(number: i64) -> Self {
        Self(Gaps::starting_before(number))
    }

    pub(super) fn gaps(&self) -> &Gaps {
        &self.0
    }

    /// Takes what was read at `now`, in order, until `revocations` has `most`; whether that was all of it.
    pub(super) fn note(
        &mut self,
        read: impl IntoIterator<Item = Run>,
        now: Timestamp,
        revocations: &mut Vec<Revocation>,
        most: usize,
    ) -> bool {
        for run in read {
            if revocations.len() >= most {
                return false;
            }
            self.0.saw_all(run.numbers(), since_1970(now));
            revocations.extend(Revocation::of(&run.last));
        }
        true
    }

    /// To be called once all that is missing has been looked for.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        self.0.forget_old(since_1970(now));
    }

    pub fn encode(&self) -> String {
        let (stretches, newest) = self.stretches();
        let mut bytes = newest.to_be_bytes().to_vec();
        for Stretch { first, length, since } in stretches {
            bytes.extend(first.to_be_bytes());
            bytes.extend(length.to_be_bytes());
            bytes.extend(since.to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Takes only what [`Self::encode`] could have made.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let cursor = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| Self::from_bytes(&bytes));
        let fault = Fault::new("invalid_cursor", "must be a `next_cursor` of this list, unchanged");
        cursor.filter(|cursor| cursor.encode() == text).ok_or(fault)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (newest, stretches) = bytes.split_first_chunk()?;
        let newest = i64::from_be_bytes(*newest);
        let (stretches, rest) = stretches.as_chunks::<14>();
        if newest < 0 || !rest.is_empty() || stretches.len() > Self::MAX_STRETCHES {
            return None;
        }
        let mut missing = BTreeMap::new();
        for stretch in stretches {
            let stretch = Stretch::from_bytes(stretch)?;
            let end = stretch.end();
            if stretch.first < 1
                || end > newest.saturating_add(1)
                || missing.len() + usize::from(stretch.length) > Self::MAX_MISSING
            {
                return None;
            }
            let since = Duration::from_secs(stretch.since.into());
            missing.extend((stretch.first..end).map(|number| (number, since)));
        }
        Some(Self(Gaps::new(newest, missing)))
    }

    /// As much as a cursor holds of what is missing, and up to which number that is all.
    fn stretches(&self) -> (Vec<Stretch>, i64) {
        let mut stretches: Vec<Stretch> = Vec::new();
        for (count, (&number, since)) in self.0.missing_since().iter().enumerate() {
            let since = u32::try_from(since.as_secs()).unwrap_or(u32::MAX);
            let is_full = stretches.len() >= Self::MAX_STRETCHES;
            match stretches.last_mut() {
                _ if count >= Self::MAX_MISSING => return (stretches, number - 1),
                Some(last) if last.since == since && last.end() == number => last.length += 1,
                _ if is_full => return (stretches, number - 1),
                _ => stretches.push(Stretch { first: number, length: 1, since }),
            }
        }
        (stretches, self.0.newest())
    }
}

/// Missing numbers in a row.
struct Stretch {
    first: i64,
    length: u16,
    /// In whole seconds since 1970.
    since: u32,
}

impl Stretch {
    fn end(&self) -> i64 {
        self.first.saturating_add(self.length.into())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        Some(Self {
            first: i64::from_be_bytes(*first),
            length: u16::from_be_bytes(*length),
            since: u32::from_be_bytes(*rest.first_chunk()?),
        })
    }
}

/// Rounded down, as it is in a cursor.
fn since_1970(now: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(now.as_secs()).unwrap_or_default())
}
