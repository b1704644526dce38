use super::*;
use futures_channel::oneshot::Sender;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Waker};

/// Writes groups of numbers when the test says so.
#[derive(Default)]
struct GatedStore {
    groups: Mutex<Vec<Asked>>,
    panics: AtomicBool,
}

struct Asked {
    numbers: Vec<u8>,
    gate: Option<Sender<Result<Vec<u8>, StoreError>>>,
}

/// Those that are written, and the store.
struct World {
    together: Together<u8, u8>,
    store: Arc<GatedStore>,
}

type Write<'a> = Pin<Box<dyn Future<Output = Answer<u8>> + 'a>>;

impl GatedStore {
    async fn write(&self, numbers: Vec<u8>) -> Result<Vec<Option<u8>>, StoreError> {
        assert!(!self.panics.load(Ordering::SeqCst), "told to");
        let (gate, opened) = oneshot::channel();
        self.groups.lock().unwrap().push(Asked { numbers: numbers.clone(), gate: Some(gate) });
        let written = opened.await.expect("the test opens each gate")?;
        Ok(numbers.into_iter().map(|number| written.contains(&number).then_some(number)).collect())
    }
}

impl World {
    /// Of two numbers that are the same modulo 100 one waits.
    fn new() -> Self {
        let may_go = |group: &[u8], one: &u8| group.iter().all(|other| other % 100 != one % 100);
        Self { together: Together::new("numbers", may_go), store: Arc::default() }
    }

    fn write(&self, number: u8) -> Write<'_> {
        let mut write = self.begin(number);
        assert!(poll(&mut write).is_none(), "the store has not answered");
        write
    }

    fn begin(&self, number: u8) -> Write<'_> {
        let store = Arc::clone(&self.store);
        let depart = move |numbers| -> Departure<u8> {
            let store = Arc::clone(&store);
            Box::pin(async move { store.write(numbers).await })
        };
        Box::pin(async move { self.together.write(number, &depart).await })
    }

    /// One that has the turn, and others who wait.
    fn crowd<const N: usize>(&self, first: u8, others: [u8; N]) -> (Write<'_>, [Write<'_>; N]) {
        (self.write(first), others.map(|number| self.write(number)))
    }

    fn groups(&self) -> Vec<Vec<u8>> {
        self.store.groups.lock().unwrap().iter().map(|group| group.numbers.clone()).collect()
    }

    /// Answers the newest group.
    fn answer(&self, outcome: Result<Vec<u8>, StoreError>) {
        let mut groups = self.store.groups.lock().unwrap();
        let gate = groups.last_mut().and_then(|group| group.gate.take());
        assert!(gate.expect("a group").send(outcome).is_ok(), "nobody sees the group through");
    }
}

fn poll_once(write: &mut Write<'_>) -> Option<Answer<u8>> {
    match write.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// Twice, as whoever gets the turn lets others come first.
fn poll(write: &mut Write<'_>) -> Option<Answer<u8>> {
    poll_once(write).or_else(|| poll_once(write))
}

/// Which write the answer is of that has come.
fn answered(write: &mut Write<'_>) -> u8 {
    poll(write).expect("an answer").expect("no failure").expect("written")
}

fn failed(write: &mut Write<'_>) -> StoreError {
    poll(write).expect("an answer").expect_err("a failure")
}

#[test]
fn one_that_comes_alone_waits_for_nobody_and_those_who_wait_go_together() {
    let world = World::new();
    let (mut first, mut others) = world.crowd(1, [2, 3, 4]);
    assert_eq!(world.groups(), [[1]]);
    world.answer(Ok(vec![1]));
    assert_eq!(answered(&mut first), 1);
    assert!(poll(&mut others[1]).is_none(), "it has the turn now");
    assert_eq!(world.groups(), [vec![1], vec![2, 3, 4]]);
    world.answer(Ok(vec![2, 3, 4]));
    // Whoever had the turn hands out the answers.
    assert_eq!([1, 0, 2].map(|n: usize| answered(&mut others[n])), [3, 2, 4]);
}

#[test]
fn those_who_are_woken_with_the_first_go_along() {
    let world = World::new();
    let mut writes = [1, 2, 3].map(|number| world.begin(number));
    assert!(writes.iter_mut().all(|write| poll_once(write).is_none()));
    assert_eq!(world.groups(), Vec::<Vec<u8>>::new());
    assert!(poll_once(&mut writes[0]).is_none());
    assert_eq!(world.groups(), [[1, 2, 3]]);
}

#[test]
fn of_one_that_was_not_written_nothing_is_said() {
    let world = World::new();
    let mut write = world.write(1);
    world.answer(Ok(Vec::new()));
    assert!(matches!(poll(&mut write), Some(Ok(None))));
}

#[test]
fn when_whoever_saw_a_group_through_leaves_the_next_one_goes_on() {
    let world = World::new();
    let (leader, [mut second, mut third]) = {
        let (mut first, others) = world.crowd(1, [2, 3, 4]);
        world.answer(Ok(vec![1]));
        assert_eq!(answered(&mut first), 1);
        let [mut leader, second, third] = others;
        assert!(poll(&mut leader).is_none());
        (leader, [second, third])
    };
    drop(leader);
    assert!(poll(&mut second).is_none());
    assert_eq!(world.groups(), [vec![1], vec![2, 3, 4]], "nothing is asked twice");
    world.answer(Ok(vec![2, 3, 4]));
    assert_eq!((answered(&mut second), answered(&mut third)), (3, 4));
}

#[test]
fn when_all_have_left_nothing_is_kept_of_the_store() {
    let world = World::new();
    let (first, others) = world.crowd(1, [2]);
    drop((first, others));
    assert!(world.store.groups.lock().unwrap()[0].gate.as_ref().unwrap().is_canceled());
    let mut next = world.write(3);
    world.answer(Ok(vec![3]));
    assert_eq!(answered(&mut next), 3);
}

#[test]
fn a_client_that_left_while_it_waited_costs_nothing() {
    let world = World::new();
    let (mut first, [second, mut third]) = world.crowd(1, [2, 3]);
    drop(second);
    world.answer(Ok(vec![1]));
    assert_eq!(answered(&mut first), 1);
    assert!(poll(&mut third).is_none());
    assert_eq!(world.groups(), [[1], [3]]);
}

#[test]
fn a_store_out_of_reach_is_so_for_all_who_wait_and_for_the_same_reason() {
    let world = World::new();
    let (mut first, mut others) = world.crowd(1, [2, 3]);
    world.answer(Err(StoreError::Unavailable { context: "acquire", source: Some("no connection".into()) }));
    for write in [&mut first].into_iter().chain(&mut others) {
        let error = failed(write);
        let StoreError::Unavailable { context: "acquire", source: Some(source) } = error else { panic!("{error:?}") };
        assert_eq!(source.to_string(), "no connection");
    }
    let mut next = world.write(4);
    assert_eq!(world.groups(), [[1], [4]], "whoever comes later looks anew");
    world.answer(Ok(vec![4]));
    assert_eq!(answered(&mut next), 4);
}

#[test]
fn another_failure_of_a_group_is_held_against_none_of_it() {
    let world = World::new();
    let (mut first, mut others) = world.crowd(1, [2, 3, 4]);
    world.answer(Ok(vec![1]));
    assert_eq!(answered(&mut first), 1);
    assert!(poll(&mut others[0]).is_none());
    world.answer(Err(StoreError::Unexpected { context: "rotate_writes", source: None }));
    assert!(others.iter_mut().all(|write| matches!(poll(write), Some(Ok(None)))));
}

#[test]
fn a_panic_costs_one_group() {
    let world = World::new();
    world.store.panics.store(true, Ordering::SeqCst);
    let write = std::panic::AssertUnwindSafe(|| world.write(1));
    assert!(std::panic::catch_unwind(write).is_err());
    world.store.panics.store(false, Ordering::SeqCst);
    let mut next = world.write(2);
    world.answer(Ok(vec![2]));
    assert_eq!(answered(&mut next), 2);
}

#[test]
fn of_a_crowd_so_many_go_at_a_time_and_all_in_the_order_in_which_they_came() {
    let world = World::new();
    let mut first = world.write(0);
    let mut crowd: Vec<_> = (1..=50).map(|number| world.write(number)).collect();
    world.answer(Ok(vec![0]));
    assert_eq!(answered(&mut first), 0);
    // The last one gets the turn, and is not among those who wait longest.
    let mut last = crowd.pop().unwrap();
    assert!(poll(&mut last).is_none());
    world.answer(Ok((1..=32).collect()));
    assert!(poll(&mut last).is_none());
    world.answer(Ok((33..=50).collect()));
    assert_eq!(answered(&mut last), 50);
    assert_eq!(world.groups(), [vec![0], (1..=32).collect(), (33..=50).collect()]);
    for (write, number) in crowd.iter_mut().zip(1..) {
        assert_eq!(answered(write), number);
    }
}

#[test]
fn one_that_may_not_go_with_another_waits_for_the_next_group() {
    let world = World::new();
    let (mut first, mut others) = world.crowd(1, [2, 102, 3, 202]);
    world.answer(Ok(vec![1]));
    assert_eq!(answered(&mut first), 1);
    assert!(poll(&mut others[0]).is_none());
    world.answer(Ok(vec![2, 3]));
    assert_eq!([0, 2].map(|n: usize| answered(&mut others[n])), [2, 3]);
    assert!(poll(&mut others[1]).is_none(), "it has the turn now");
    world.answer(Ok(vec![102]));
    assert_eq!(answered(&mut others[1]), 102);
    assert!(poll(&mut others[3]).is_none());
    world.answer(Ok(vec![202]));
    assert_eq!(answered(&mut others[3]), 202);
    assert_eq!(world.groups(), [vec![1], vec![2, 3], vec![102], vec![202]]);
}
