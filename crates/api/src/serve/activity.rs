//! What a connection is doing, and until when it may.
//!
//! hyper's own header timeout runs from the moment it waits for a request, idle time included, so it cannot be 10
//! seconds for headers and 75 for idleness at once. Here the phases are told apart.

use crate::routes::well_known::revocations;
use std::sync::{Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;
use tokio::time::Instant;

/// From the connection, or from the first byte of a further request, to the end of the request's head
/// (CVE-2007-6750).
const HEAD: Duration = Duration::from_secs(10);
/// Between two requests. Longer than the minute that load balancers keep idle connections for, so that they are the
/// ones to close.
const IDLE: Duration = Duration::from_secs(75);
/// From the start of the newest request, its head included, to the end of an answer. Whatever takes longer than a head
/// and the longest deadline of a request is an answer that its client does not take: with HTTP/2 a window of zero stops
/// it without stopping the socket. If hyper has all of it by then, it is over with [`IDLE`].
const EXCHANGE: Duration = Duration::from_secs(50);
const _: () = assert!(HEAD.as_secs() + revocations::DEADLINE.as_secs() < EXCHANGE.as_secs());
/// How long a write may make no progress: a client that does not read costs memory.
const WRITE: Duration = Duration::from_secs(10);

/// Between two requests, and for what is left of a head, once the service stops.
const LAST: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Connected, and nothing was sent yet.
    Fresh,
    /// A head has begun to arrive.
    Head,
    /// So many requests are being answered.
    Busy(usize),
    Idle,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Since when; `None` if it has begun since the deadline was last asked for, which is at the end of each poll of the
    /// connection: most phases have ended by then, and to read the clock for them would be a hundredth of a request. An
    /// answer of HTTP/2 may end between two polls, and what follows begins with the latter.
    since: Option<Instant>,
    /// Frames that are no request (pings, settings) come and go on HTTP/2; they do not begin a head.
    http2: bool,
    write_stalled: Option<Instant>,
    /// A request is being answered, or what was answered may still be with hyper.
    unflushed: bool,
    stopped: Option<Instant>,
    /// How much of the body of an HTTP/1 request is still to come; `None` if its length is not known beforehand.
    body: Option<u64>,
    /// All of a body whose length was not known has been taken.
    body_ended: bool,
    /// Who waits for the end of the answer.
    waits: Option<Waker>,
}

/// What may be handed over of what arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    /// The head of an HTTP/1 message; `begins` if nothing of it has been handed over.
    Head { begins: bool },
    /// So many bytes of a body.
    Body(u64),
    /// What comes belongs to the next message, whose turn is after the answer.
    Nothing,
    /// Frames of HTTP/2, or a body that tells its own end, which is the last thing on its connection.
    Everything,
}

#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                phase: Phase::Fresh,
                since: Some(Instant::now()),
                http2: false,
                write_stalled: None,
                unflushed: false,
                stopped: None,
                body: Some(0),
                body_ended: false,
                waits: None,
            }),
        }
    }

    /// So much of what arrived was handed over.
    pub(super) fn read(&self, bytes: usize) {
        self.update(|state| match (&mut state.body, state.phase) {
            (Some(body @ 1..), _) => *body = body.saturating_sub(bytes as u64),
            // Still on the clock that runs since the connection.
            (_, Phase::Fresh) => state.phase = Phase::Head,
            (_, Phase::Idle) if !state.http2 => state.enter(Phase::Head),
            (_, Phase::Idle | Phase::Head | Phase::Busy(_)) => {}
        });
    }

    /// A head is complete; with HTTP/1 `body` is the length of what follows it, if that is known.
    pub(super) fn request_began(&self, http2: bool, body: Option<u64>) {
        self.update(|state| {
            state.http2 = http2;
            state.body = body;
            state.body_ended = false;
            state.unflushed = true;
            match state.phase {
                // Its first byte was the start, most often just now.
                Phase::Head => state.phase = Phase::Busy(1),
                _ => state.enter(Phase::Busy(state.running() + 1)),
            }
        });
    }

    /// The end was found of a body whose length was not known.
    pub(super) fn body_ended(&self) {
        self.update(|state| state.body_ended = true);
    }

    /// The last byte of an answer was handed over, or nobody wants it any more.
    pub(super) fn answer_ended(&self) {
        let mut waits = None;
        self.update(|state| match state.running() {
            0 | 1 => {
                state.enter(Phase::Idle);
                waits = state.waits.take();
            }
            running => state.phase = Phase::Busy(running - 1),
        });
        if let Some(waits) = waits {
            waits.wake();
        }
    }

    /// To be woken when the answer has ended.
    pub(super) fn wait_for_end(&self, waits: &Waker) {
        self.update(|state| state.waits = Some(waits.clone()));
    }

    /// A write went through, or has to wait for the client.
    pub(super) fn wrote(&self, stalls: bool) {
        self.update(|state| {
            state.write_stalled = stalls.then(|| state.write_stalled.unwrap_or_else(Instant::now));
        });
    }

    /// hyper has written everything that it had. Says whether only an answer is owed: all of an HTTP/1 request has been
    /// taken, and not all of its answer.
    pub(super) fn flushed(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_running = state.running() > 0;
        state.unflushed &= is_running;
        let is_taken = state.body.map_or(state.body_ended, |left| left == 0);
        is_taken && !state.http2 && is_running
    }

    /// The service stops: from now on only answers are waited for.
    pub(super) fn stop(&self) {
        self.update(|state| state.stopped = Some(Instant::now()));
    }

    /// When the connection is to be closed if nothing happens until then. A phase that has begun since this was last
    /// asked begins now: to be asked at the end of each poll.
    pub(super) fn deadline(&self) -> Instant {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).deadline()
    }

    /// What may be handed over next.
    pub(super) fn admits(&self) -> Admitted {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match (state.body, state.phase) {
            _ if state.http2 => Admitted::Everything,
            (None, _) => Admitted::Everything,
            (Some(left @ 1..), _) => Admitted::Body(left),
            (_, Phase::Fresh | Phase::Idle) => Admitted::Head { begins: true },
            (_, Phase::Head) => Admitted::Head { begins: false },
            (_, Phase::Busy(_)) => Admitted::Nothing,
        }
    }

    /// Whether nothing of an answer is left to be written: whatever is, hyper says by itself.
    pub(super) fn owes_nothing(&self) -> bool {
        !self.state.lock().unwrap_or_else(PoisonError::into_inner).unflushed
    }

    /// Whether closing now would drop a request: part of a head has arrived, or, as nobody connects for nothing, it is
    /// on its way.
    pub(super) fn awaits_head(&self) -> bool {
        let phase = self.state.lock().unwrap_or_else(PoisonError::into_inner).phase;
        matches!(phase, Phase::Fresh | Phase::Head)
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl State {
    fn deadline(&mut self) -> Instant {
        let since = *self.since.get_or_insert_with(Instant::now);
        let of_phase = match (self.phase, self.stopped) {
            (Phase::Busy(_), _) => since + EXCHANGE,
            (_, Some(stopped)) => since.max(stopped) + LAST,
            (Phase::Fresh | Phase::Head, None) => since + HEAD,
            (Phase::Idle, None) => since + IDLE,
        };
        match (self.write_stalled, self.phase) {
            (None, _) => of_phase,
            // What is left of the answer is with hyper.
            (Some(since), Phase::Idle) => since + WRITE,
            (Some(since), _) => of_phase.min(since + WRITE),
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = None;
    }

    fn running(&self) -> usize {
        if let Phase::Busy(running) = self.phase { running } else { 0 }
    }
}

#[cfg(test)]
mod tests;
