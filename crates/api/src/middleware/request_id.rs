//! One id for a request, its log lines, its audit events and its answer.

use crate::state::AppState;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;
use vestibule_domain::id::uuid_v7;
use vestibule_domain::{Clock, Rng};

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// 1 to 128 of letters, digits, `.`, `_` and `-`: safe in a log line and in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    const MAX_BYTES: usize = 128;

    fn parse(text: &str) -> Option<Self> {
        let is_sane = (1..=Self::MAX_BYTES).contains(&text.len())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c));
        is_sane.then(|| Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many ids are made of what is drawn at once.
const DRAWN: usize = 64;

/// Asks the system for randomness once for many ids: nothing is kept secret by them.
#[derive(Debug, Default)]
pub(crate) struct RequestIds(Mutex<Vec<[u8; 10]>>);

impl RequestIds {
    fn next(&self, clock: &dyn Clock, rng: &dyn Rng) -> RequestId {
        let mut drawn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let random = drawn.pop().unwrap_or_else(|| {
            drawn.resize(DRAWN, [0; 10]);
            rng.fill(drawn.as_flattened_mut());
            drawn.pop().unwrap_or_default()
        });
        drop(drawn);
        RequestId((&*uuid_v7(clock, random).hyphenated().encode_lower(&mut Uuid::encode_buffer())).into())
    }
}

/// Takes the client's id if it is sane and the only one, so that a request can be followed through several services.
pub(super) fn assign(request: &mut Request, state: &AppState) -> RequestId {
    let mut sent = request.headers().get_all(X_REQUEST_ID).iter();
    let only = sent.next().filter(|_| sent.next().is_none());
    let ports = &state.services.ports;
    let id = only
        .and_then(|value| RequestId::parse(value.to_str().ok()?))
        .unwrap_or_else(|| state.request_ids.next(&*ports.clock, &*ports.rng));
    request.extensions_mut().insert(id.clone());
    id
}

pub(super) fn tell(id: &RequestId, response: &mut Response) {
    if let Ok(header) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(X_REQUEST_ID, header);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use vestibule_domain::Timestamp;
    use vestibule_domain::clock::Timer;

    #[derive(Debug)]
    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::EPOCH
        }

        fn monotonic(&self) -> std::time::Duration {
            std::time::Duration::ZERO
        }

        fn timer(&self, _: std::time::Duration) -> Timer {
            Box::pin(std::future::pending())
        }
    }

    /// Never says the same twice.
    #[derive(Debug, Default)]
    struct Counting(AtomicU64);

    impl Rng for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for piece in bytes.chunks_mut(10) {
                let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                piece[2..].copy_from_slice(&number);
            }
        }
    }

    #[test]
    fn no_two_ids_are_alike() {
        let (ids, rng) = (RequestIds::default(), Counting::default());
        let some = || (0..10_000).map(|_| ids.next(&Still, &rng).as_str().to_owned()).collect::<Vec<_>>();
        let made: Vec<_> = thread::scope(|scope| {
            let makers = [(); 4].map(|()| scope.spawn(some));
            makers.into_iter().flat_map(|maker| maker.join().unwrap()).collect()
        });
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), 40_000);
        assert_eq!(rng.0.into_inner(), 40_000, "as many are drawn as are made");
        for id in made {
            assert_eq!(Uuid::parse_str(&id).unwrap().get_version_num(), 7, "{id}");
            assert_eq!(RequestId::parse(&id).unwrap().as_str(), id);
        }
    }

    #[test]
    fn only_a_sane_id_is_taken() {
        for sane in ["a", "0190b5a2-7c3e-7a00-8000-000000000000", "A.b_c-9", &"x".repeat(128)] {
            assert_eq!(RequestId::parse(sane).unwrap().as_str(), sane);
        }
        for insane in ["", "a b", "a\tb", "a,b", "a/b", "ü", "a\u{1b}[31m", &"x".repeat(129)] {
            assert_eq!(RequestId::parse(insane), None, "{insane:?}");
        }
    }
}
