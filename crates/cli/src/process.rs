//! The process itself: its threads, its signals, its limits.

use crate::c_library;
use crate::failure::Failure;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use std::io;
use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Less than the default of 2 MiB: handlers are shallow, and every thread has one.
const STACK_BYTES: usize = 1024 * 1024;
const GIVING_BACK: Duration = Duration::from_secs(30);

/// Memory holds keys and passwords: it must not be written to a disk.
pub(crate) fn forbid_core_dumps() {
    // Where a limit cannot be lowered there is none to lower.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // The limit does not hold where a program collects the dumps (core(5), «Piping core dumps to a program»).
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// For a service: one thread for each core.
pub(crate) fn serve<F>(work: F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    // With so many threads seldom wait for each other's.
    c_library::limit_heaps(available_parallelism().unwrap_or(NonZero::<usize>::MIN));
    Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build()?.block_on(work)
}

/// What the process holds is what it needs, not what it once needed: for its start, or before a crowd had gone.
pub(crate) async fn give_memory_back(forget: impl AsyncFn()) {
    loop {
        forget().await;
        c_library::give_free_memory_back();
        if let Err(error) = c_library::let_go_of_the_program() {
            tracing::debug!(%error, "the program stays in memory");
        }
        sleep(GIVING_BACK).await;
    }
}

/// For a command that does one thing and ends.
pub(crate) fn command<F>(work: F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// How a service is told to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    /// Finish what runs.
    pub(crate) graceful: CancellationToken,
    /// Drop what runs.
    pub(crate) force: CancellationToken,
}

impl Shutdown {
    /// SIGTERM or SIGINT ends the service, a second one at once.
    pub(crate) fn on_signals() -> io::Result<Self> {
        let shutdown = Self::default();
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let told = shutdown.clone();
        tokio::spawn(async move {
            for token in [&told.graceful, &told.force] {
                tokio::select! {
                    _ = terminate.recv() => tracing::info!(signal = "SIGTERM", "shutting down"),
                    _ = interrupt.recv() => tracing::info!(signal = "SIGINT", "shutting down"),
                }
                token.cancel();
            }
        });
        Ok(shutdown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{dumpable_behavior, getrlimit};

    #[test]
    fn r28_neither_the_kernel_nor_a_program_gets_a_core_dump() {
        forbid_core_dumps();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        assert!(matches!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable)));
    }

    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    mod memory {
        use super::*;
        use std::cell::Cell;
        use std::fs;
        use std::os::unix::fs::FileExt;
        use tokio::time::timeout;

        fn resident_pages() -> usize {
            let pages = fs::read_to_string("/proc/self/statm").unwrap();
            pages.split(' ').nth(1).unwrap().parse().unwrap()
        }

        /// What is in memory of this program's code and constants.
        fn resident_program_kib() -> usize {
            let maps = fs::read_to_string("/proc/self/smaps").unwrap();
            let program = std::env::current_exe().unwrap();
            let lines = maps.lines().scan(false, |is_counted, line| {
                if line.contains("-p ") || line.contains("xp ") {
                    *is_counted = line.ends_with(program.to_str().unwrap()) && line.contains(" r-");
                }
                Some(line.strip_prefix("Rss:").filter(|_| *is_counted))
            });
            lines.flatten().map(|size| size.trim_end_matches("kB").trim().parse::<usize>().unwrap()).sum()
        }

        /// The kernel maps what it is to read.
        fn touch_the_code() {
            let maps = fs::read_to_string("/proc/self/maps").unwrap();
            let program = std::env::current_exe().unwrap();
            let of_code = |line: &&str| line.contains(" r-xp ") && line.ends_with(program.to_str().unwrap());
            let (begin, end) = maps.lines().find(of_code).unwrap().split_once(' ').unwrap().0.split_once('-').unwrap();
            let [begin, end] = [begin, end].map(|address| u64::from_str_radix(address, 16).unwrap());
            let mut code = vec![0; usize::try_from(end - begin).unwrap()];
            fs::File::open("/proc/self/mem").unwrap().read_exact_at(&mut code, begin).unwrap();
        }

        #[tokio::test(start_paused = true)]
        async fn what_is_below_memory_in_use_is_given_back_and_the_program_that_does_not_run() {
            let (times, freed, program) = (Cell::new(0), Cell::new(0), Cell::new(0));
            let mut blocks = vec![vec![7_u8; 1024]; 262_144];
            let last = blocks.pop();
            let blocks = Cell::new(blocks);
            let forget = async || {
                times.set(times.get() + 1);
                if times.get() == 1 {
                    touch_the_code();
                    program.set(resident_program_kib());
                } else {
                    drop(blocks.take());
                    freed.set(resident_pages());
                }
            };
            timeout(GIVING_BACK + Duration::from_secs(1), give_memory_back(forget)).await.unwrap_err();
            assert_eq!(times.get(), 2, "at once, and after half a minute");
            let returned = freed.get().saturating_sub(resident_pages());
            // Other tests take and free some of their own meanwhile.
            assert!(returned >= 40_960, "{returned} pages of 65,536");
            drop(last);
            // No other test lets go of it.
            let left = resident_program_kib();
            assert!(left < program.get() / 2, "{} KiB, then {left}", program.get());
        }
    }
}
