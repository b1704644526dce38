use super::*;
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::session::{RefreshToken, SealedToken};
use crate::user::{Email, Name, Status};
use async_trait::async_trait;
use futures_channel::oneshot::Sender;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Waker};
use std::time::Duration;

/// Answers a group when the test says so.
#[derive(Default)]
struct GatedStore {
    groups: Mutex<Vec<Asked>>,
    panics: AtomicBool,
}

struct Asked {
    numbers: Vec<u8>,
    at: Vec<Timestamp>,
    gate: Option<Sender<Result<Vec<u8>, StoreError>>>,
}

fn number(rotation: &Rotation) -> u8 {
    rotation.sealed_child.as_bytes()[0]
}

fn rotation(number: u8) -> Rotation {
    Rotation {
        presented: RefreshToken::from_bytes([number; 32]).hash(),
        child: RefreshToken::from_bytes([!number; 32]).hash(),
        sealed_child: SealedToken::from_bytes(vec![number]),
        now: Timestamp::EPOCH,
        idle: Duration::ZERO,
        most: 1,
    }
}

/// Which tells the number of its rotation.
fn rotated(number: u8) -> (Session, User) {
    let user = User {
        id: UserId::from(uuid::Uuid::from_u128(1)),
        email: Email::parse("ada@example.com").unwrap(),
        email_verified: false,
        name: Name::parse("Ada").unwrap(),
        status: Status::Active,
        roles: [].into(),
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
        last_login_at: None,
        version: 1,
        epoch: 1,
    };
    let session = Session {
        id: SessionId::from(uuid::Uuid::from_u128(number.into())),
        user: user.id,
        created_at: Timestamp::EPOCH,
        last_seen_at: Timestamp::EPOCH,
        authenticated_at: Timestamp::EPOCH,
        expires_at: Timestamp::EPOCH,
        idle_expires_at: Timestamp::EPOCH,
        ip: None,
        user_agent: None,
        amr: Vec::new(),
    };
    (session, user)
}

#[async_trait]
impl SessionRotation for GatedStore {
    async fn rotate_refresh(&self, _: &Rotation) -> Answer {
        panic!("who goes alone does so elsewhere")
    }

    async fn rotate_refreshes(&self, rotations: &[Rotation]) -> Result<Vec<Option<(Session, User)>>, StoreError> {
        assert!(!self.panics.load(Ordering::SeqCst), "told to");
        let numbers: Vec<_> = rotations.iter().map(number).collect();
        let (gate, opened) = oneshot::channel();
        let at = rotations.iter().map(|one| one.now).collect();
        self.groups.lock().unwrap().push(Asked { numbers: numbers.clone(), at, gate: Some(gate) });
        let rotate = opened.await.expect("the test opens each gate")?;
        Ok(numbers.into_iter().map(|number| rotate.contains(&number).then(|| rotated(number))).collect())
    }
}

/// Rotations, and the world that they are in.
struct World {
    rotations: Rotations,
    store: Arc<GatedStore>,
    elapsed: Mutex<Duration>,
}

type Refresh<'a> = Pin<Box<dyn Future<Output = Answer> + 'a>>;

impl World {
    fn new() -> Self {
        Self { rotations: Rotations::new(), store: Arc::default(), elapsed: Mutex::default() }
    }

    fn advance(&self, by: Duration) {
        *self.elapsed.lock().unwrap() += by;
    }

    fn refresh(&self, number: u8) -> Refresh<'_> {
        let store = Arc::clone(&self.store) as Arc<dyn SessionRotation>;
        let mut refresh: Refresh<'_> = Box::pin(async move {
            let now = || Timestamp::EPOCH.plus(*self.elapsed.lock().unwrap());
            self.rotations.rotate(store, &now, rotation(number)).await
        });
        assert!(poll(&mut refresh).is_none(), "the store has not answered");
        refresh
    }

    /// One that has the turn, and others who wait.
    fn crowd<const N: usize>(&self, first: u8, others: [u8; N]) -> (Refresh<'_>, [Refresh<'_>; N]) {
        (self.refresh(first), others.map(|number| self.refresh(number)))
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

fn poll(refresh: &mut Refresh<'_>) -> Option<Answer> {
    match refresh.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// Of which rotation the answer is that has come.
fn answered(refresh: &mut Refresh<'_>) -> u8 {
    let (session, _) = poll(refresh).expect("an answer").expect("no failure").expect("rotated");
    session.id.as_uuid().as_u128().try_into().unwrap()
}

fn failed(refresh: &mut Refresh<'_>) -> StoreError {
    poll(refresh).expect("an answer").expect_err("a failure")
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
fn of_one_that_did_not_rotate_nothing_is_said() {
    let world = World::new();
    let mut refresh = world.refresh(1);
    world.answer(Ok(Vec::new()));
    assert!(matches!(poll(&mut refresh), Some(Ok(None))));
}

#[test]
fn a_token_is_replaced_when_its_group_leaves() {
    let world = World::new();
    let (mut first, mut others) = world.crowd(1, [2]);
    world.advance(Duration::from_millis(700));
    world.answer(Ok(vec![1]));
    assert_eq!(answered(&mut first), 1);
    assert!(poll(&mut others[0]).is_none());
    let groups = world.store.groups.lock().unwrap();
    assert_eq!(groups[0].at, [Timestamp::EPOCH]);
    assert_eq!(groups[1].at, [Timestamp::EPOCH.plus(Duration::from_millis(700))]);
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
    let mut next = world.refresh(3);
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
    for refresh in [&mut first].into_iter().chain(&mut others) {
        let error = failed(refresh);
        let StoreError::Unavailable { context: "acquire", source: Some(source) } = error else { panic!("{error:?}") };
        assert_eq!(source.to_string(), "no connection");
    }
    let mut next = world.refresh(4);
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
    world.answer(Err(StoreError::Unexpected { context: "rotate_refreshes", source: None }));
    assert!(others.iter_mut().all(|refresh| matches!(poll(refresh), Some(Ok(None)))));
}

#[test]
fn a_panic_costs_one_group() {
    let world = World::new();
    world.store.panics.store(true, Ordering::SeqCst);
    let refresh = std::panic::AssertUnwindSafe(|| world.refresh(1));
    assert!(std::panic::catch_unwind(refresh).is_err());
    world.store.panics.store(false, Ordering::SeqCst);
    let mut next = world.refresh(2);
    world.answer(Ok(vec![2]));
    assert_eq!(answered(&mut next), 2);
}

#[test]
fn of_a_crowd_so_many_go_at_a_time_and_all_in_the_order_in_which_they_came() {
    let world = World::new();
    let mut first = world.refresh(0);
    let mut crowd: Vec<_> = (1..=50).map(|number| world.refresh(number)).collect();
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
    for (refresh, number) in crowd.iter_mut().zip(1..) {
        assert_eq!(answered(refresh), number);
    }
}
