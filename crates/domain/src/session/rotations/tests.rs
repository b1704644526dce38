use super::*;
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::session::{RefreshToken, SealedToken};
use crate::user::{Email, Name, Status};
use async_trait::async_trait;
use futures_channel::oneshot::Sender;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Answers a group when the test says so.
#[derive(Default)]
struct GatedStore {
    groups: Mutex<Vec<Group>>,
    alone: Mutex<Vec<u8>>,
}

struct Group {
    numbers: Vec<u8>,
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
        idle_expires_at: Timestamp::EPOCH,
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
    async fn rotate_refresh(&self, rotation: &Rotation) -> Answer {
        self.alone.lock().unwrap().push(number(rotation));
        Ok(Some(rotated(number(rotation))))
    }

    async fn rotate_refreshes(&self, rotations: &[Arc<Rotation>]) -> Result<Vec<Option<(Session, User)>>, StoreError> {
        let numbers: Vec<_> = rotations.iter().map(|one| number(one)).collect();
        let (gate, opened) = oneshot::channel();
        self.groups.lock().unwrap().push(Group { numbers: numbers.clone(), gate: Some(gate) });
        let rotate = opened.await.expect("the test opens each gate")?;
        Ok(numbers.into_iter().map(|number| rotate.contains(&number).then(|| rotated(number))).collect())
    }
}

impl GatedStore {
    fn groups(&self) -> Vec<Vec<u8>> {
        self.groups.lock().unwrap().iter().map(|group| group.numbers.clone()).collect()
    }

    /// Answers the newest group.
    fn answer(&self, outcome: Result<Vec<u8>, StoreError>) {
        let mut groups = self.groups.lock().unwrap();
        let gate = groups.last_mut().and_then(|group| group.gate.take());
        assert!(gate.expect("a group").send(outcome).is_ok(), "nobody waits for the group");
    }
}

type Refresh<'a> = Pin<Box<dyn Future<Output = Answer> + 'a>>;

fn refresh<'a>(rotations: &'a Rotations, store: &'a GatedStore, number: u8) -> Refresh<'a> {
    let mut refresh: Refresh<'a> = Box::pin(rotations.rotate(store, rotation(number)));
    assert!(poll(&mut refresh).is_none(), "the store has not answered");
    refresh
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

#[test]
fn one_that_comes_alone_waits_for_nobody_and_those_who_wait_go_together() {
    let (rotations, store) = (Rotations::default(), GatedStore::default());
    let mut first = refresh(&rotations, &store, 1);
    let mut others = [2, 3, 4].map(|number| refresh(&rotations, &store, number));
    assert_eq!(store.groups(), [[1].to_vec()]);
    store.answer(Ok(vec![1]));
    assert_eq!(answered(&mut first), 1);
    assert!(poll(&mut others[1]).is_none(), "it has the turn now");
    assert_eq!(store.groups(), [vec![1], vec![2, 3, 4]]);
    store.answer(Ok(vec![2, 3, 4]));
    // Whoever had the turn hands out the answers.
    assert_eq!([1, 0, 2].map(|n: usize| answered(&mut others[n])), [3, 2, 4]);
    assert_eq!(*store.alone.lock().unwrap(), [0; 0]);
}

#[test]
fn one_that_does_not_rotate_in_a_group_is_asked_for_alone() {
    let (rotations, store) = (Rotations::default(), GatedStore::default());
    let mut refresh = refresh(&rotations, &store, 1);
    store.answer(Ok(Vec::new()));
    assert_eq!(answered(&mut refresh), 1);
    assert_eq!(*store.alone.lock().unwrap(), [1]);
}

#[test]
fn a_client_that_leaves_with_the_turn_takes_nobody_along() {
    let (rotations, store) = (Rotations::default(), GatedStore::default());
    let first = refresh(&rotations, &store, 1);
    let mut others = [2, 3].map(|number| refresh(&rotations, &store, number));
    store.answer(Ok(vec![1]));
    let mut first = first;
    assert_eq!(answered(&mut first), 1);
    assert!(poll(&mut others[0]).is_none());
    let [leader, mut follower] = others;
    drop(leader);
    assert!(poll(&mut follower).is_none(), "asked again");
    assert_eq!(store.groups(), [vec![1], vec![2, 3], vec![3]]);
    store.answer(Ok(vec![3]));
    assert_eq!(answered(&mut follower), 3);
}

#[test]
fn a_client_that_left_while_it_waited_costs_nothing() {
    let (rotations, store) = (Rotations::default(), GatedStore::default());
    let mut first = refresh(&rotations, &store, 1);
    drop(refresh(&rotations, &store, 2));
    let mut third = refresh(&rotations, &store, 3);
    store.answer(Ok(vec![1]));
    assert_eq!(answered(&mut first), 1);
    assert!(poll(&mut third).is_none());
    assert_eq!(store.groups(), [[1], [3]]);
}

#[test]
fn a_store_out_of_reach_is_so_for_all_and_for_the_same_reason() {
    let (rotations, store) = (Rotations::default(), GatedStore::default());
    let mut first = refresh(&rotations, &store, 1);
    let mut others = [2, 3].map(|number| refresh(&rotations, &store, number));
    store.answer(Ok(vec![1]));
    assert_eq!(answered(&mut first), 1);
    assert!(poll(&mut others[0]).is_none());
    store.answer(Err(StoreError::Unavailable { context: "acquire", source: Some("no connection".into()) }));
    for refresh in &mut others {
        let error = poll(refresh).expect("an answer").expect_err("a failure");
        let StoreError::Unavailable { context: "acquire", source: Some(source) } = error else { panic!("{error:?}") };
        assert_eq!(source.to_string(), "no connection");
    }
    assert_eq!(*store.alone.lock().unwrap(), [0; 0]);
}

#[test]
fn what_fails_in_a_group_for_another_reason_is_asked_for_alone() {
    let (rotations, store) = (Rotations::default(), GatedStore::default());
    let mut refresh = refresh(&rotations, &store, 1);
    store.answer(Err(StoreError::Unexpected { context: "rotate_refreshes", source: None }));
    assert_eq!(answered(&mut refresh), 1);
    assert_eq!(*store.alone.lock().unwrap(), [1]);
}

#[test]
fn of_a_crowd_so_many_go_at_a_time_and_all_in_the_order_in_which_they_came() {
    let (rotations, store) = (Rotations::default(), GatedStore::default());
    let mut first = refresh(&rotations, &store, 0);
    let mut crowd: Vec<_> = (1..=100).map(|number| refresh(&rotations, &store, number)).collect();
    store.answer(Ok(vec![0]));
    assert_eq!(answered(&mut first), 0);
    // The last one gets the turn, and is not among those who wait longest.
    let mut last = crowd.pop().unwrap();
    assert!(poll(&mut last).is_none());
    store.answer(Ok((1..=64).collect()));
    assert!(poll(&mut last).is_none());
    store.answer(Ok((65..=100).collect()));
    assert_eq!(answered(&mut last), 100);
    assert_eq!(store.groups(), [vec![0], (1..=64).collect(), (65..=100).collect()]);
    for (refresh, number) in crowd.iter_mut().zip(1..) {
        assert_eq!(answered(refresh), number);
    }
}
