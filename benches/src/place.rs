//! Processes, and the cores they run on.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Whatever is measured, its database included.
pub const SERVICE_CORE: usize = 0;
/// The load generator.
pub const LOAD_CORE: usize = 1;

/// From now on this thread, and what it starts, runs there.
///
/// # Errors
/// If the machine has no such core.
pub fn pin(cores: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// A running process that ends with this.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pub started: Instant,
}

/// Resident memory in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    pub now: u64,
    /// Of that, what is its own: the rest are pages of files, its binary above all, which the kernel may take back.
    pub own: u64,
    /// The most since the process began, or since [`Process::forget_peak`].
    pub peak: u64,
}

impl Process {
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &mut Command, cores: &[usize]) -> io::Result<Self> {
        pin(cores)?;
        let child = command.stdin(Stdio::null()).spawn();
        pin(&[LOAD_CORE])?;
        Ok(Self { child: child?, started: Instant::now() })
    }

    /// The first line that it prints; its output must be piped.
    ///
    /// # Errors
    /// If it ends before that.
    pub fn first_line(&mut self) -> io::Result<String> {
        let output = self.child.stdout.take().ok_or(io::ErrorKind::Unsupported)?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        Ok(line)
    }

    /// # Errors
    /// If it has ended.
    pub fn memory(&self) -> io::Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.trim_end_matches("kB").trim().parse().ok()).ok_or(io::ErrorKind::InvalidData)
        };
        Ok(Memory { now: field("VmRSS:")?, own: field("RssAnon:")?, peak: field("VmHWM:")? })
    }

    /// See `proc_pid_clear_refs(5)`.
    ///
    /// # Errors
    /// If it has ended, or the kernel does not let us.
    pub fn forget_peak(&self) -> io::Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")
    }

    /// As an operator in a hurry: the second signal waits for no load balancer.
    ///
    /// # Errors
    /// If it cannot be told.
    pub fn stop(mut self) -> io::Result<()> {
        let pid = Pid::from_child(&self.child);
        for _ in 0..2 {
            match kill_process(pid, Signal::TERM) {
                Ok(()) | Err(Errno::SRCH) => pause(Duration::from_millis(50)),
                Err(error) => return Err(error.into()),
            }
        }
        self.child.wait().map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Does nothing, for at least so long.
pub fn pause(time: Duration) {
    let start = Instant::now();
    while let Some(left) = time.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}
