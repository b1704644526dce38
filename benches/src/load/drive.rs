//! The loop that sends, waits and counts.

use super::{Connection, Load, Operation, Outcome, Pace};
use hdrhistogram::Histogram;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::fd::OwnedFd;
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

/// How long the last answers are waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const SLEEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
const POLL: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

pub(super) struct Drive {
    load: Load,
    readiness: OwnedFd,
    connections: Vec<Connection>,
    /// When what each connection is asked now was due.
    due: Vec<Instant>,
    idle: Vec<usize>,
    /// Requests that were due while no connection was free.
    waiting: VecDeque<Instant>,
    counting_from: Instant,
    end: Instant,
    outcome: Outcome,
    request: Vec<u8>,
}

impl Drive {
    pub(super) fn start(load: &Load) -> io::Result<Self> {
        let readiness = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut connections = Vec::with_capacity(load.connections);
        for n in 0..load.connections {
            let connection = Connection::open(load.address)?;
            epoll::add(&readiness, &connection, epoll::EventData::new_u64(n as u64), epoll::EventFlags::IN)?;
            connections.push(connection);
        }
        let counting_from = Instant::now() + load.warm_up;
        // From 1 µs to what nobody waits for, to three digits.
        let latency = Histogram::new_with_bounds(1_000, 120_000_000_000, 3).map_err(io::Error::other)?;
        Ok(Self {
            load: *load,
            readiness,
            due: vec![counting_from; load.connections],
            idle: (0..load.connections).rev().collect(),
            connections,
            waiting: VecDeque::new(),
            counting_from,
            end: counting_from + load.measured,
            outcome: Outcome { answered: 0, failed: 0, measured: load.measured, latency },
            request: Vec::new(),
        })
    }

    pub(super) fn run(mut self, operation: &mut dyn Operation) -> io::Result<Outcome> {
        match self.load.pace {
            Pace::AtOnce => self.at_once(operation)?,
            Pace::PerSecond(rate) => self.on_schedule(operation, Duration::from_secs_f64(1.0 / rate))?,
        }
        Ok(self.outcome)
    }

    fn at_once(&mut self, operation: &mut dyn Operation) -> io::Result<()> {
        while let Some(connection) = self.idle.pop() {
            self.send(operation, connection, Instant::now())?;
        }
        while Instant::now() < self.end {
            self.answers(operation)?;
            while let Some(connection) = self.idle.pop() {
                self.send(operation, connection, Instant::now())?;
            }
        }
        // The operation has to see every answer: there may be a token in it that counts from now on.
        while self.idle.len() < self.connections.len() && Instant::now() < self.end + PATIENCE {
            self.answers(operation)?;
        }
        Ok(())
    }

    fn on_schedule(&mut self, operation: &mut dyn Operation, interval: Duration) -> io::Result<()> {
        let mut next = Instant::now();
        loop {
            let now = Instant::now();
            while next <= now && next < self.end {
                self.waiting.push_back(next);
                next += interval;
            }
            while let Some(connection) = self.idle.pop() {
                let Some(due) = self.waiting.pop_front() else {
                    self.idle.push(connection);
                    break;
                };
                self.send(operation, connection, due)?;
            }
            let is_done = self.waiting.is_empty() && self.idle.len() == self.connections.len();
            if next >= self.end && (is_done || now > self.end + PATIENCE) {
                self.give_up();
                return Ok(());
            }
            self.answers(operation)?;
        }
    }

    fn send(&mut self, operation: &mut dyn Operation, connection: usize, due: Instant) -> io::Result<()> {
        self.request.clear();
        operation.request(connection, &mut self.request);
        if let (Some(connection), Some(slot)) = (self.connections.get_mut(connection), self.due.get_mut(connection)) {
            *slot = due;
            connection.send(&self.request)?;
        }
        Ok(())
    }

    fn answers(&mut self, operation: &mut dyn Operation) -> io::Result<()> {
        let mut events = Vec::with_capacity(self.connections.len());
        let timeout = if self.load.yielding { &SLEEP } else { &POLL };
        epoll::wait(&self.readiness, spare_capacity(&mut events), Some(timeout))?;
        for event in events {
            let n = event.data.u64() as usize;
            let (Some(connection), Some(due)) = (self.connections.get_mut(n), self.due.get(n)) else { continue };
            let Some(is_good) = connection.receive(|answer| operation.answered(n, answer))? else { continue };
            let (now, due) = (Instant::now(), *due);
            self.idle.push(n);
            self.count(due, now, is_good);
        }
        Ok(())
    }

    fn count(&mut self, due: Instant, now: Instant, is_good: bool) {
        let counts = match self.load.pace {
            Pace::AtOnce => self.counting_from <= now && now < self.end,
            Pace::PerSecond(_) => self.counting_from <= due,
        };
        if counts {
            self.outcome.latency.saturating_record((now - due).as_nanos() as u64);
            *(if is_good { &mut self.outcome.answered } else { &mut self.outcome.failed }) += 1;
        }
    }

    /// What was never answered took at least until now.
    fn give_up(&mut self) {
        let now = Instant::now();
        let asked = (0..self.connections.len()).filter(|n| !self.idle.contains(n));
        let unanswered: Vec<_> = asked.filter_map(|n| self.due.get(n).copied()).chain(self.waiting.drain(..)).collect();
        for due in unanswered {
            self.count(due, now, false);
        }
    }
}
