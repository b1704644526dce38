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

    fn write(&self, sink: impl Write) {
        let (mut lines, mut output) = (Vec::new(), Output { sink, is_torn: false, lost: 0, told: 0 });
        loop {
            let state = self.lock();
            let filled = self.filled.wait_while(state, |state| state.waiting.is_empty());
            let filled = filled.unwrap_or_else(PoisonError::into_inner);
            let is_little = |state: &mut State| state.waiting.len() < MAX_BYTES / 2;
            let gathered = self.filled.wait_timeout_while(filled, GATHERING, is_little);
            let (mut state, _) = gathered.unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut lines, &mut state.waiting);
            state.is_writing = true;
            output.lost += std::mem::take(&mut state.lost);
            drop(state);
            if let Some(lost) = output.write(&lines) {
                tracing::warn!(lost, "the log was not read in time, or could not be written: lines are missing");
            }
            lines.clear();
            // What a burst needed is given back.
            lines.shrink_to(16 * 1024);
            self.lock().is_writing = false;
            self.emptied.notify_all();
        }
    }
}

/// Where lines go to, and what did not get there.
struct Output<W> {
    sink: W,
    /// Whether it ends amid a line.
    is_torn: bool,
    /// How many lines are missing without the log saying so.
    lost: u64,
    /// How many of them it says that are missing, as soon as the lines are written that come next.
    told: u64,
}

impl<W: Write> Output<W> {
    /// How many lines are missing, once there is hope that somebody reads it.
    fn write(&mut self, lines: &[u8]) -> Option<u64> {
        if self.is_torn {
            self.is_torn = self.put(b"\n") == 0;
        }
        let written = if self.is_torn { 0 } else { self.put(lines) };
        let (written, missing) = lines.split_at(written);
        self.is_torn |= written.last().is_some_and(|last| *last != b'\n');
        if missing.is_empty() {
            self.told = std::mem::take(&mut self.lost);
            return Some(self.told).filter(|lost| *lost > 0);
        }
        // What was to be told may be among it: rather twice than not at all.
        self.lost += std::mem::take(&mut self.told);
        self.lost += missing.split_inclusive(|byte| *byte == b'\n').count() as u64;
        None
    }

    /// How much of it is written: less than all if the disk is full, or nobody will ever read it.
    fn put(&mut self, bytes: &[u8]) -> usize {
        let mut written = 0;
        while let Some(rest @ [_, ..]) = bytes.get(written..) {
            match self.sink.write(rest) {
                Ok(0) => break,
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A pipe that somebody else made non-blocking: it is full, and read later.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::park_timeout(GATHERING),
                Err(_) => break,
            }
        }
        written
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

    /// Takes as many bytes as it is told, or fails.
    #[derive(Default)]
    struct Scripted {
        script: std::collections::VecDeque<Result<usize, io::ErrorKind>>,
        taken: Vec<u8>,
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let takes = self.script.pop_front().unwrap_or(Ok(bytes.len()))?.min(bytes.len());
            self.taken.extend_from_slice(&bytes[..takes]);
            Ok(takes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn output(script: &[Result<usize, io::ErrorKind>]) -> Output<Scripted> {
        let sink = Scripted { script: script.iter().copied().collect(), taken: Vec::new() };
        Output { sink, is_torn: false, lost: 0, told: 0 }
    }

    #[test]
    fn what_could_not_be_written_is_counted_and_told_and_nothing_is_glued_to_a_torn_line() {
        let full = io::ErrorKind::StorageFull;
        let mut output = output(&[Ok(6), Err(full), Err(full)]);
        assert_eq!(output.write(b"one\ntwo\nthree\n"), None);
        assert_eq!(output.write(b"four\n"), None);
        assert_eq!(output.write(b"five\n"), Some(3));
        output.sink.script.push_back(Err(io::ErrorKind::BrokenPipe));
        assert_eq!(output.write(b"three are missing\n"), None);
        assert_eq!(output.write(b"six\n"), Some(4), "that three are missing was not told");
        assert_eq!(output.write(b"four are missing\n"), None);
        assert_eq!(String::from_utf8(output.sink.taken).unwrap(), "one\ntw\nfive\nsix\nfour are missing\n");
    }

    #[test]
    fn a_pipe_that_is_full_loses_nothing() {
        let full = io::ErrorKind::WouldBlock;
        let mut output = output(&[Ok(6), Err(full), Err(io::ErrorKind::Interrupted), Err(full)]);
        assert_eq!(output.write(b"one\ntwo\nthree\n"), None);
        assert_eq!((output.sink.taken.as_slice(), output.lost), (b"one\ntwo\nthree\n".as_slice(), 0));
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
