mod together;

use super::*;
use crate::crypto::argon2::choice::Implementation;
use crate::crypto::argon2::cost::Cost;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::Poll;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;
use vestibule_argon2id::Input;

const LONG: Duration = Duration::from_hours(1);
const MEAN: Duration = Duration::from_millis(100);
/// Longer than any test.
const REST: Rest = Rest { until_wiped: LONG, until_released: LONG };
const AT_ONCE: Duration = Duration::ZERO;

fn pool(threads: u32, longest_wait: Duration) -> Arc<Pool> {
    Arc::new(Pool::start(threads, longest_wait, MEAN, REST, arena).unwrap())
}

fn arena() -> Arena {
    Arena::new(Implementation::Reference, 8)
}

fn hash(arena: &mut Arena) {
    let cost = Cost { memory_kib: 8, iterations: 1, parallelism: 1 };
    arena.hash(cost, Input::new(b"password", b"somesalt"), &mut [0; 32]).unwrap();
}

/// Keeps one thread of the pool busy until it is dropped.
struct Occupied {
    _release: mpsc::Sender<()>,
}

async fn occupy(pool: &Arc<Pool>, running: &mut JoinSet<()>) -> Occupied {
    let (release, released) = mpsc::channel::<()>();
    let (on_start, started) = oneshot::channel();
    let pool = Arc::clone(pool);
    running.spawn(async move {
        let work = move |_: &mut Arena| {
            on_start.send(()).unwrap();
            let _ = released.recv();
        };
        pool.run(None, work).await.unwrap();
    });
    started.await.unwrap();
    Occupied { _release: release }
}

#[tokio::test]
async fn j136_no_more_run_at_once_than_there_are_threads_and_all_that_fit_the_wait_run() {
    let pool = pool(3, LONG);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut jobs = JoinSet::new();
    for _ in 0..200 {
        let (pool, now, most) = (Arc::clone(&pool), Arc::clone(&now), Arc::clone(&most));
        jobs.spawn(async move {
            let work = move |_: &mut Arena| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                now.fetch_sub(1, Ordering::SeqCst);
            };
            pool.run(None, work).await
        });
    }
    assert!(jobs.join_all().await.into_iter().all(|outcome| outcome == Ok(())));
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)));
}

#[tokio::test]
async fn j136_beyond_the_wait_a_job_is_refused_at_once_and_told_when_to_come_back() {
    let (pool, mut running) = (pool(1, MEAN), JoinSet::new());
    let occupied = occupy(&pool, &mut running).await;
    // One behind the running one waits as long as is allowed, the next would wait longer.
    let waiting = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.run(None, |_| ()).await }
    });
    while pool.shared.lock().jobs.is_empty() {
        yield_now().await;
    }
    let refused = pool.run(None, |_| ()).await;
    assert_eq!(refused, Err(HashingError::Overloaded { retry_after: Duration::from_secs(1) }));
    drop(occupied);
    waiting.await.unwrap().ok();
    running.join_all().await;
}

#[tokio::test]
async fn with_no_wait_allowed_a_free_thread_still_takes_a_job() {
    let (pool, mut running) = (pool(1, Duration::ZERO), JoinSet::new());
    assert_eq!(pool.run(None, |_| 1).await, Ok(1));
    let occupied = occupy(&pool, &mut running).await;
    assert!(matches!(pool.run(None, |_| 2).await, Err(HashingError::Overloaded { .. })));
    drop(occupied);
    running.join_all().await;
}

#[tokio::test]
async fn a_job_that_waited_too_long_after_all_is_refused_and_not_run() {
    let (pool, mut running) = (pool(1, MEAN), JoinSet::new());
    let occupied = occupy(&pool, &mut running).await;
    let ran = Arc::new(AtomicUsize::new(0));
    let late = tokio::spawn({
        let (pool, ran) = (Arc::clone(&pool), Arc::clone(&ran));
        async move { pool.run(None, move |_| ran.fetch_add(1, Ordering::SeqCst)).await }
    });
    while pool.shared.lock().jobs.is_empty() {
        yield_now().await;
    }
    let accepted_before = Instant::now();
    while accepted_before.elapsed() <= MEAN {
        yield_now().await;
    }
    drop(occupied);
    assert!(matches!(late.await.unwrap(), Err(HashingError::Overloaded { .. })));
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    running.join_all().await;
}

#[tokio::test]
async fn j137_clients_that_leave_cost_nothing_and_keep_nobody_out() {
    let (pool, mut running) = (pool(1, MEAN * 10), JoinSet::new());
    let occupied = occupy(&pool, &mut running).await;
    let ran = Arc::new(AtomicUsize::new(0));
    for _ in 0..1_000 {
        let ran = Arc::clone(&ran);
        let mut leaving = Box::pin(pool.run(None, move |_| ran.fetch_add(1, Ordering::SeqCst)));
        let polled = std::future::poll_fn(|context| Poll::Ready(leaving.as_mut().poll(context))).await;
        assert!(polled.is_pending(), "those who left before must not keep this one out");
    }
    drop(occupied);
    assert_eq!(pool.run(None, |_| ()).await, Ok(()));
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    running.join_all().await;
}

#[tokio::test]
async fn j137_a_client_that_leaves_during_its_hash_keeps_the_thread_until_the_hash_is_done() {
    let (pool, mut running) = (pool(1, Duration::ZERO), JoinSet::new());
    let occupied = occupy(&pool, &mut running).await;
    running.abort_all();
    while running.join_next().await.is_some() {}
    assert!(matches!(pool.run(None, |_| ()).await, Err(HashingError::Overloaded { .. })));
    drop(occupied);
    while pool.shared.lock().busy > 0 {
        yield_now().await;
    }
    assert_eq!(pool.run(None, |_| ()).await, Ok(()));
}

#[tokio::test]
async fn a_panic_costs_one_answer_and_no_thread() {
    let pool = pool(1, LONG);
    for _ in 0..3 {
        let outcome: Result<(), _> = pool.run(None, |_| panic!("injected")).await;
        assert_eq!(outcome, Err(HashingError::Stopped));
    }
    assert_eq!(pool.run(None, |_| 7).await, Ok(7));
    let hash_and_panic = |arena: &mut Arena| {
        hash(arena);
        panic!("injected")
    };
    let outcome: Result<(), _> = pool.run(None, hash_and_panic).await;
    assert_eq!(outcome, Err(HashingError::Stopped));
    assert_eq!(pool.run(None, |arena| arena.holds_memory()).await, Ok(false), "what it left is gone");
}

#[tokio::test]
async fn dropping_the_pool_ends_its_threads_and_answers_nothing_more() {
    let pool = Pool::start(2, LONG, MEAN, REST, arena).unwrap();
    let shared = Arc::downgrade(&pool.shared);
    assert_eq!(pool.run(None, |_| 1).await, Ok(1));
    drop(pool);
    assert!(shared.upgrade().is_none(), "a thread still holds the queue");
}

/// Until it answers true. Whoever asks too soon keeps the thread from resting.
async fn after_rest(pool: &Pool, is_done: fn(&Arena) -> bool) {
    let asked = async { while !pool.run(None, move |arena| is_done(arena)).await.unwrap() {} };
    timeout(Duration::from_mins(1), asked).await.expect("the thread does something while it has no job");
}

#[tokio::test]
async fn memory_is_kept_for_the_next_hash_until_it_has_been_quiet() {
    let busy = Pool::start(1, LONG, MEAN, Rest { until_wiped: AT_ONCE, ..REST }, arena).unwrap();
    busy.run(None, hash).await.unwrap();
    after_rest(&busy, Arena::is_clean).await;
    assert_eq!(busy.run(None, |arena| arena.holds_memory()).await, Ok(true));

    let quiet = Pool::start(1, LONG, MEAN, Rest { until_wiped: AT_ONCE, until_released: AT_ONCE }, arena).unwrap();
    quiet.run(None, hash).await.unwrap();
    after_rest(&quiet, |arena| !arena.holds_memory()).await;
    quiet.run(None, hash).await.unwrap();
}

#[tokio::test]
async fn r28_memory_is_wiped_once_no_other_hash_follows() {
    let busy = Pool::start(1, LONG, MEAN, REST, arena).unwrap();
    busy.run(None, hash).await.unwrap();
    assert_eq!(busy.run(None, |arena| arena.is_clean()).await, Ok(false), "the next hash overwrites it");

    let resting = Pool::start(1, LONG, MEAN, Rest { until_wiped: AT_ONCE, ..REST }, arena).unwrap();
    for _ in 0..2 {
        resting.run(None, hash).await.unwrap();
        after_rest(&resting, Arena::is_clean).await;
    }
}

fn network(n: u8) -> Network {
    Network::of([192, 0, 2, n].into())
}

/// Whoever floods the queue.
const FLOOD: u8 = 1;

type Outcomes = JoinSet<(u8, Result<(), HashingError>)>;

/// When it returns the job is in the queue, or refused.
async fn ask(pool: &Arc<Pool>, clients: &mut Outcomes, from: u8, order: &Arc<Mutex<Vec<u8>>>) {
    let (pool, order) = (Arc::clone(pool), Arc::clone(order));
    let mut job =
        Box::pin(async move { (from, pool.run(Some(network(from)), move |_| order.lock().unwrap().push(from)).await) });
    match std::future::poll_fn(|context| Poll::Ready(job.as_mut().poll(context))).await {
        Poll::Ready(outcome) => clients.spawn(std::future::ready(outcome)),
        Poll::Pending => clients.spawn(job),
    };
}

#[tokio::test]
async fn r10_a_full_queue_has_room_for_others_than_whoever_filled_it() {
    let (pool, mut running) = (pool(1, LONG * 8), JoinSet::new());
    // Eight fit, however slow the machine is.
    pool.shared.lock().mean = LONG;
    let occupied = occupy(&pool, &mut running).await;
    let (mut clients, order) = (JoinSet::new(), Arc::default());
    for _ in 0..20 {
        ask(&pool, &mut clients, FLOOD, &order).await;
    }
    assert_eq!(pool.shared.lock().jobs.len(), 8, "alone it may have all of it");
    for other in 2..8 {
        ask(&pool, &mut clients, other, &order).await;
        assert_eq!(pool.shared.lock().jobs.len(), 8);
    }
    drop(occupied);
    let outcomes = clients.join_all().await;
    let served = |from: u8| outcomes.iter().filter(|outcome| **outcome == (from, Ok(()))).count();
    assert_eq!((2..8).map(served).collect::<Vec<_>>(), [1; 6], "nobody else was refused");
    assert_eq!(served(FLOOD), 2, "and the flood has a quarter of it");
    let refused = outcomes.iter().filter(|(_, outcome)| matches!(outcome, Err(HashingError::Overloaded { .. })));
    assert_eq!(refused.count(), 18);
    assert_eq!(order.lock().unwrap().last(), Some(&FLOOD));
    running.join_all().await;
}
