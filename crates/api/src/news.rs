//! Who waits for the change feed to grow.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How many can wait at once: each holds a connection.
const PLACES: usize = 1_000;

/// Shared by all clones.
#[derive(Debug, Clone)]
pub(crate) struct News {
    grown: Arc<watch::Sender<()>>,
    places: Arc<Semaphore>,
}

impl News {
    /// Wakes all who wait.
    pub(crate) fn announce(&self) {
        self.grown.send_replace(());
    }

    /// Misses nothing that is announced from now on.
    pub(crate) fn listen(&self) -> watch::Receiver<()> {
        self.grown.subscribe()
    }

    /// A place to wait in, as long as it is held; `None` if all are taken.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}

impl Default for News {
    fn default() -> Self {
        Self { grown: Arc::default(), places: Arc::new(Semaphore::new(PLACES)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_given_back() {
        let news = News::default();
        let mut taken: Vec<_> = std::iter::from_fn(|| news.clone().place()).collect();
        assert_eq!(taken.len(), 1_000);
        taken.pop();
        assert!(news.place().is_some());
    }

    #[tokio::test]
    async fn all_who_listen_are_woken_by_what_comes_after() {
        let news = News::default();
        news.announce();
        let mut listening = [news.listen(), news.clone().listen()];
        assert!(listening.iter().all(|listener| !listener.has_changed().unwrap()), "that was before");
        news.announce();
        for listener in &mut listening {
            listener.changed().await.unwrap();
        }
    }
}
