//! Lines on their way to standard error.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What may wait to be written; some thousand lines.
const MAX_BYTES: usize = 1024 * 1024;
/// How long lines are gathered, so that many are one write.
const GATHERING: Duration = Duration::from_millis(2);
/// How long the end of the process waits for whoever reads the log.
const DRAINING: Duration = Duration::from_secs(1);

/// A thread writes what others push. While nobody reads the log, up to [`MAX_BYTES`] wait, and further lines are
/// counted instead: a log that is stuck stops no request.
#[derive(Debug, Clone)]
pub(super) struct Spool(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    is_writing: bool,
    lost: u64,
}

impl Spool {
    pub(super) fn start() -> Self {
        Self::writing_to(io::stderr())
    }

    fn writing_to(sink: impl Write + Send + 'static) -> Self {
        let spool = Self(Arc::default());
        let shared = Arc::clone(&spool.0);
        // Without a thread there is no log, which is no reason not to serve.
        let _ = thread::Builder::new().name("log".to_owned()).spawn(move || shared.write(sink));
        spool
    }

    /// A whole line, or several.
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.0.lock();
        if state.waiting.len() + line.len() > MAX_BYTES {
            state.lost += 1;
            return;
        }
        let was_empty = state.waiting.is_empty();
        state.waiting.extend_from_slice(line);
        drop(state);
        if was_empty {
            self.0.filled.notify_one();
        }
    }

    pub(super) fn drain(&self) {
        let state = self.0.lock();
        let is_busy = |state: &mut State| state.is_writing || !state.waiting.is_empty();
        drop(self.0.emptied.wait_timeout_while(state, DRAINING, is_busy));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, mut sink: impl Write) {
        let mut lines = Vec::new();
        loop {
            let state = self.lock();
            let filled = self.filled.wait_while(state, |state| state.waiting.is_empty());
            let filled = filled.unwrap_or_else(PoisonError::into_inner);
            let is_little = |state: &mut State| state.waiting.len() < MAX_BYTES / 2;
            let gathered = self.filled.wait_timeout_while(filled, GATHERING, is_little);
            let (mut state, _) = gathered.unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut lines, &mut state.waiting);
            state.is_writing = true;
            let lost = std::mem::take(&mut state.lost);
            drop(state);
            // Where standard error cannot be written there is nobody to tell.
            let _ = sink.write_all(&lines);
            if lost > 0 {
                tracing::warn!(lost, "the log was not read in time: lines are missing");
            }
            lines.clear();
            // What a burst needed is given back.
            lines.shrink_to(64 * 1024);
            self.lock().is_writing = false;
            self.emptied.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Takes nothing until it is let.
    struct Gate {
        opened: Receiver<()>,
        taken: Sender<Vec<u8>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.opened.recv().map_err(io::Error::other)?;
            self.taken.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gate() -> (Spool, Sender<()>, Receiver<Vec<u8>>) {
        let ((open, opened), (taken, written)) = (channel(), channel());
        (Spool::writing_to(Gate { opened, taken }), open, written)
    }

    #[test]
    fn lines_are_written_in_their_order_and_all_of_them_by_the_end() {
        let (spool, open, written) = gate();
        for n in 0..100 {
            spool.push(format!("{n}\n").as_bytes());
        }
        for _ in 0..100 {
            open.send(()).unwrap();
        }
        spool.drain();
        let written = String::from_utf8(written.try_iter().flatten().collect()).unwrap();
        let numbers: Vec<usize> = written.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_log_that_nobody_reads_stops_nobody_and_says_how_much_is_missing() {
        let (spool, open, _written) = gate();
        let line = [b'x'; 1024];
        // More than what waits and what is being written.
        for _ in 0..4 * MAX_BYTES / line.len() {
            spool.push(&line);
        }
        let (waiting, lost) = {
            let state = spool.0.lock();
            (state.waiting.len(), state.lost)
        };
        assert!(waiting <= MAX_BYTES && lost > 0, "{waiting} bytes wait, {lost} lines are lost");
        drop(open);
        spool.drain();
        spool.push(&line);
        assert_eq!(spool.0.lock().waiting.len() % line.len(), 0, "no line is torn");
    }
}
