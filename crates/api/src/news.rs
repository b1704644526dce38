//! Who waits for the change feed to grow, and who reads it in the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
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
/// Of one network, which so takes its turns among the others: with however many old cursors it comes, it holds no
/// more than one reader, and nobody waits behind more than one of its requests.
const READERS_OF_ONE: usize = 1;
/// How long to wait for a turn to read.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shared by all clones.
#[derive(Debug, Clone)]
pub(crate) struct News {
    grown: Arc<watch::Sender<()>>,
    waiting: Arc<Mutex<Waiting>>,
    readers: Arc<Semaphore>,
    readers_of: Arc<Mutex<HashMap<Option<Network>, Weak<Semaphore>>>>,
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

/// Held while somebody reads the store.
#[derive(Debug)]
pub(crate) struct Turn {
    _own: OwnedSemaphorePermit,
    _reader: OwnedSemaphorePermit,
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

    /// A turn to read the store, as long as it is held; `None` if it does not come within a second. Whose address is
    /// not known shares one network's turns.
    pub(crate) async fn turn(&self, of: Option<Network>) -> Option<Turn> {
        let turn = async {
            let own = self.readers_of(of).acquire_owned().await.ok()?;
            let reader = Arc::clone(&self.readers).acquire_owned().await.ok()?;
            Some(Turn { _own: own, _reader: reader })
        };
        timeout(PATIENCE, turn).await.ok()?
    }

    /// Kept as long as one of the network reads or waits.
    fn readers_of(&self, of: Option<Network>) -> Arc<Semaphore> {
        let mut all = lock(&self.readers_of);
        if let Some(readers) = all.get(&of).and_then(Weak::upgrade) {
            return readers;
        }
        all.retain(|_, readers| readers.strong_count() > 0);
        let readers = Arc::new(Semaphore::new(READERS_OF_ONE));
        all.insert(of, Arc::downgrade(&readers));
        readers
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

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for News {
    fn default() -> Self {
        let readers = Arc::new(Semaphore::new(READERS));
        Self { grown: Arc::default(), waiting: Arc::default(), readers, readers_of: Arc::default() }
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

    fn nth(n: u32) -> Network {
        Network::of(std::net::Ipv4Addr::from(n).into())
    }

    #[tokio::test(start_paused = true)]
    async fn two_read_at_once_and_others_wait_a_second_for_their_turn() {
        let news = News::default();
        let turns = [news.turn(Some(nth(1))).await, news.turn(None).await];
        assert!(turns.iter().all(Option::is_some));
        let began = Instant::now();
        assert!(news.turn(Some(nth(2))).await.is_none());
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        let other = news.clone();
        let waiting = tokio::spawn(async move { other.turn(Some(nth(2))).await.is_some() });
        tokio::task::yield_now().await;
        drop(turns);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn networks_take_turns_to_read_however_many_readers_they_have() {
        let news = News::default();
        let served = Arc::<Mutex<Vec<u32>>>::default();
        let mut readers = tokio::task::JoinSet::new();
        for n in [vec![1; 300], vec![2; 300], vec![3, 4, 5]].concat() {
            let (news, served) = (news.clone(), Arc::clone(&served));
            readers.spawn(async move {
                let Some(_turn) = news.turn(Some(nth(n))).await else { return };
                lock(&served).push(n);
                tokio::time::advance(Duration::from_millis(10)).await;
            });
        }
        readers.join_all().await;
        let served = std::mem::take(&mut *lock(&served));
        assert!(served.len() > 50, "{served:?}");
        for n in [3, 4, 5] {
            let before = served.iter().take_while(|served| **served != n).count();
            assert!(before <= 6, "{n} waited for {before} others: {served:?}");
        }
        assert!(lock(&news.readers_of).values().all(|readers| readers.strong_count() == 0));
        drop(news.turn(Some(nth(6))).await);
        assert_eq!(lock(&news.readers_of).len(), 1, "nothing is kept of who has read");
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
