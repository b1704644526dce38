//! Who waits for the change feed to grow, and who reads it in the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use vestibule_domain::throttle::Network;

/// How many can wait at once: each holds a connection.
const PLACES: usize = 1_000;
/// Of one network, so that none takes all of them.
const PLACES_OF_ONE: usize = 100;
/// How many read the store at once. Anybody may ask, and readers that keep up are answered from memory.
const READERS: usize = 2;
/// How long to wait for a turn to read.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shared by all clones.
#[derive(Debug, Clone)]
pub(crate) struct News {
    grown: Arc<watch::Sender<()>>,
    waiting: Arc<Mutex<Waiting>>,
    readers: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Waiting {
    total: usize,
    /// Without those that have nobody.
    of: HashMap<Option<Network>, usize>,
}

/// Held while somebody waits.
#[derive(Debug)]
pub(crate) struct Place {
    waiting: Arc<Mutex<Waiting>>,
    of: Option<Network>,
}

/// Why there is no place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Full {
    ForAll,
    ForNetwork,
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

    /// A place to wait in, as long as it is held. Whose address is not known shares one network's places.
    pub(crate) fn place(&self, of: Option<Network>) -> Result<Place, Full> {
        let mut waiting = lock(&self.waiting);
        let own = waiting.of.get(&of).copied().unwrap_or_default();
        if own >= PLACES_OF_ONE {
            return Err(Full::ForNetwork);
        }
        if waiting.total >= PLACES {
            return Err(Full::ForAll);
        }
        waiting.of.insert(of, own + 1);
        waiting.total += 1;
        Ok(Place { waiting: Arc::clone(&self.waiting), of })
    }

    /// A turn to read the store, as long as it is held; `None` if it does not come within a second.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        timeout(PATIENCE, Arc::clone(&self.readers).acquire_owned()).await.ok()?.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = lock(&self.waiting);
        waiting.total -= 1;
        if let Some(own) = waiting.of.get_mut(&self.of) {
            *own -= 1;
            if *own == 0 {
                waiting.of.remove(&self.of);
            }
        }
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for News {
    fn default() -> Self {
        let readers = Arc::new(Semaphore::new(READERS));
        Self { grown: Arc::default(), waiting: Arc::default(), readers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    fn network(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    fn take(news: &News, many: usize, of: impl Fn(usize) -> String) -> Vec<Place> {
        (0..many).map(|n| news.place(Some(network(&of(n)))).unwrap()).collect()
    }

    #[test]
    fn no_network_takes_more_than_its_share_however_it_is_spelled() {
        let news = News::default();
        let taken = take(&news, 100, |n| format!("2001:db8::{n:x}"));
        assert_eq!(news.place(Some(network("2001:db8:0:0:ffff::1"))).unwrap_err(), Full::ForNetwork);
        drop(taken);
        let taken = take(&news, 100, |_| "192.0.2.1".to_owned());
        assert_eq!(news.place(Some(network("::ffff:192.0.2.1"))).unwrap_err(), Full::ForNetwork);
        assert!(news.place(Some(network("192.0.2.2"))).is_ok() && news.place(None).is_ok());
        drop(taken);
        assert!(news.place(Some(network("192.0.2.1"))).is_ok());
    }

    #[test]
    fn places_are_bounded_and_given_back_and_nothing_is_kept_of_who_had_one() {
        let news = News::default();
        let mut taken = take(&news, 1_000, |n| format!("192.0.2.{}", n % 200));
        assert_eq!(news.place(Some(network("198.51.100.1"))).unwrap_err(), Full::ForAll);
        taken.pop();
        taken.push(news.place(Some(network("198.51.100.1"))).unwrap());
        drop(taken);
        let waiting = lock(&news.waiting);
        assert_eq!((waiting.total, waiting.of.len()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn two_read_at_once_and_others_wait_a_second_for_their_turn() {
        let news = News::default();
        let turns = [news.turn().await, news.turn().await];
        assert!(turns.iter().all(Option::is_some));
        let began = Instant::now();
        assert!(news.turn().await.is_none());
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        let other = news.clone();
        let waiting = tokio::spawn(async move { other.turn().await.is_some() });
        tokio::task::yield_now().await;
        drop(turns);
        assert!(waiting.await.unwrap());
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
