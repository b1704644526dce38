//! A thread with a runtime of its own, for what must not wait until requests have had their turn.

use std::io;
use std::thread::{Builder, JoinHandle};
use tokio::runtime;
use tokio::sync::oneshot;

/// As much as the threads have that serve requests.
const STACK_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct OwnThread {
    handle: JoinHandle<()>,
    /// Closed when nothing is left to do but to join.
    ended: oneshot::Receiver<()>,
}

impl OwnThread {
    /// Runs `work` to its end. Sockets that it opens are of use to its runtime alone.
    pub(super) fn start(name: &str, work: impl Future<Output = ()> + Send + 'static) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (ending, ended) = oneshot::channel();
        let run = move || {
            let _ending = ending;
            runtime.block_on(work);
            // The system may take seconds to look a name up, for which nobody waits any more.
            runtime.shutdown_background();
        };
        let handle = Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(run)?;
        Ok(Self { handle, ended })
    }

    /// Waits until its work has ended, without holding up whoever shares the caller's thread.
    pub(super) async fn ended(self) {
        let _ = self.ended.await;
        if self.handle.join().is_err() {
            tracing::error!("a thread in the background panicked");
        }
    }
}
