//! Whose turn it is.

use std::collections::{HashSet, VecDeque};
use vestibule_domain::throttle::Network;

/// The networks that wait take turns: start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996) of jobs that all cost
/// the same. So whoever floods the queue makes themselves wait, and nobody else by more than a few jobs; when it is
/// full, they make room. Alone a network may have all of it: it may be everybody, behind a load balancer.
#[derive(Debug)]
pub(super) struct Queue<T> {
    /// By their turns.
    waiting: VecDeque<Waiting<T>>,
    /// The turn that is being served.
    turn: u64,
    /// Who has had it: their next job has a later one, also if it comes when none of theirs is waiting.
    served: HashSet<Option<Network>>,
}

#[derive(Debug)]
struct Waiting<T> {
    turn: u64,
    from: Option<Network>,
    job: T,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), turn: 0, served: HashSet::new() }
    }
}

impl<T> Queue<T> {
    /// Bounds the memory, where each job comes from another network.
    const MOST_SERVED: usize = 1_024;

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Behind everybody whose turn is not later.
    pub(super) fn push(&mut self, from: Option<Network>, job: T) {
        let turn = self.next_turn(from);
        let position = self.waiting.partition_point(|waiting| waiting.turn <= turn);
        self.waiting.insert(position, Waiting { turn, from, job });
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let Waiting { turn, from, job } = self.waiting.pop_front()?;
        if turn > self.turn || self.waiting.is_empty() {
            self.served.clear();
        } else if self.served.len() >= Self::MOST_SERVED {
            self.served.clear();
            self.turn += 1;
        }
        self.turn = self.turn.max(turn);
        self.served.insert(from);
        Some(job)
    }

    /// Takes out the last job, if one of this network would come before it.
    pub(super) fn make_room(&mut self, from: Option<Network>) -> Option<T> {
        let turn = self.next_turn(from);
        let is_later = self.waiting.back().is_some_and(|last| last.turn > turn);
        is_later.then(|| self.waiting.pop_back()).flatten().map(|last| last.job)
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.waiting.retain(|waiting| keep(&waiting.job));
    }

    /// A network's jobs have a turn each.
    fn next_turn(&self, from: Option<Network>) -> u64 {
        let last = self.waiting.iter().rfind(|waiting| waiting.from == from);
        last.map_or_else(|| self.turn + u64::from(self.served.contains(&from)), |last| last.turn + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::net::{IpAddr, Ipv4Addr};

    fn network(n: u8) -> Network {
        Network::of(IpAddr::V4(Ipv4Addr::new(192, 0, 2, n)))
    }

    fn order(queue: &mut Queue<(u8, u32)>) -> Vec<(u8, u32)> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn r10_networks_take_turns() {
        let mut queue = Queue::default();
        for n in 0..4 {
            queue.push(Some(network(1)), (1, n));
        }
        assert_eq!(queue.pop(), Some((1, 0)));
        for n in 0..2 {
            queue.push(Some(network(2)), (2, n));
        }
        queue.push(None, (0, 0));
        assert_eq!(order(&mut queue), [(2, 0), (0, 0), (1, 1), (2, 1), (1, 2), (1, 3)]);
    }

    #[test]
    fn r10_whoever_asks_again_once_served_waits_for_those_who_have_not_been() {
        let mut queue = Queue::default();
        for n in 0..3 {
            queue.push(Some(network(1)), (1, n));
        }
        let mut served = Vec::new();
        for n in 0..4 {
            queue.push(Some(network(2)), (2, n));
            served.extend(queue.pop());
        }
        served.extend(order(&mut queue));
        assert_eq!(served, [(1, 0), (2, 0), (1, 1), (2, 1), (1, 2), (2, 2), (2, 3)]);
    }

    #[test]
    fn who_was_served_is_forgotten_in_time() {
        let mut queue = Queue::default();
        queue.push(None, 0);
        for n in 0..5_000_u32 {
            queue.push(Some(Network::of(IpAddr::V4(Ipv4Addr::from(n)))), n);
            queue.pop();
        }
        assert!(queue.served.len() <= Queue::<u32>::MOST_SERVED, "{}", queue.served.len());
        queue.pop();
        assert_eq!(queue.served.len(), 1);
    }

    #[test]
    fn r10_whoever_has_the_most_makes_room_for_others_and_not_for_themselves() {
        let mut queue = Queue::default();
        for n in 0..10 {
            queue.push(Some(network(1)), (1, n));
        }
        assert_eq!(queue.make_room(Some(network(1))), None);
        for n in 0..5 {
            assert_eq!(queue.make_room(Some(network(2))), Some((1, 9 - n)));
            queue.push(Some(network(2)), (2, n));
        }
        assert_eq!(
            (queue.make_room(Some(network(1))), queue.make_room(Some(network(2)))),
            (None, None),
            "each has half"
        );
        assert!(queue.make_room(Some(network(3))).is_some());
    }

    proptest! {
        /// The order of one network's jobs is kept, and no flood delays another network by more than its share.
        #[test]
        fn r10_a_flood_delays_only_itself(
            before in 0..50_u32,
            flood in 1..200_u32,
            mine in 1..20_u32,
        ) {
            let mut queue = Queue::default();
            for n in 0..before {
                queue.push(Some(network(1)), (1, n));
            }
            for _ in 0..before / 2 {
                queue.pop();
            }
            for n in 0..flood {
                queue.push(Some(network(1)), (1, before + n));
            }
            for n in 0..mine {
                queue.push(Some(network(2)), (2, n));
            }
            let order = order(&mut queue);
            let mut seen = BTreeMap::new();
            for (position, (who, n)) in order.iter().enumerate() {
                if let Some(earlier) = seen.insert(*who, *n) {
                    prop_assert!(earlier < *n, "{order:?}");
                }
                if *who == 2 {
                    prop_assert!(position <= 2 * *n as usize + 2, "{order:?}");
                }
            }
        }
    }
}
