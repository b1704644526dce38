use super::*;
use crate::crypto::argon2::choice::Implementation;
use crate::crypto::argon2::cost::Cost;
use crate::crypto::argon2::input::Input;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

const LONG: Duration = Duration::from_hours(1);
const MEAN: Duration = Duration::from_millis(100);

fn pool(threads: u32, longest_wait: Duration) -> Arc<Pool> {
    Arc::new(Pool::start(threads, longest_wait, MEAN, LONG, arena).unwrap())
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
        pool.run(work).await.unwrap();
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
            pool.run(work).await
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
        async move { pool.run(|_| ()).await }
    });
    while pool.shared.lock().jobs.is_empty() {
        yield_now().await;
    }
    let refused = pool.run(|_| ()).await;
    assert_eq!(refused, Err(HashingError::Overloaded { retry_after: Duration::from_secs(1) }));
    drop(occupied);
    waiting.await.unwrap().ok();
    running.join_all().await;
}

#[tokio::test]
async fn with_no_wait_allowed_a_free_thread_still_takes_a_job() {
    let (pool, mut running) = (pool(1, Duration::ZERO), JoinSet::new());
    assert_eq!(pool.run(|_| 1).await, Ok(1));
    let occupied = occupy(&pool, &mut running).await;
    assert!(matches!(pool.run(|_| 2).await, Err(HashingError::Overloaded { .. })));
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
        async move { pool.run(move |_| ran.fetch_add(1, Ordering::SeqCst)).await }
    });
    while pool.shared.lock().jobs.front().is_none_or(|queued| queued.accepted_at.elapsed() <= MEAN) {
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
        let mut leaving = Box::pin(pool.run(move |_| ran.fetch_add(1, Ordering::SeqCst)));
        let polled = std::future::poll_fn(|context| std::task::Poll::Ready(leaving.as_mut().poll(context))).await;
        assert!(polled.is_pending(), "those who left before must not keep this one out");
    }
    drop(occupied);
    assert_eq!(pool.run(|_| ()).await, Ok(()));
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    running.join_all().await;
}

#[tokio::test]
async fn j137_a_client_that_leaves_during_its_hash_keeps_the_thread_until_the_hash_is_done() {
    let (pool, mut running) = (pool(1, Duration::ZERO), JoinSet::new());
    let occupied = occupy(&pool, &mut running).await;
    running.abort_all();
    while running.join_next().await.is_some() {}
    assert!(matches!(pool.run(|_| ()).await, Err(HashingError::Overloaded { .. })));
    drop(occupied);
    while pool.shared.lock().busy > 0 {
        yield_now().await;
    }
    assert_eq!(pool.run(|_| ()).await, Ok(()));
}

#[tokio::test]
async fn a_panic_costs_one_answer_and_no_thread() {
    let pool = pool(1, LONG);
    for _ in 0..3 {
        let outcome: Result<(), _> = pool.run(|_| panic!("injected")).await;
        assert_eq!(outcome, Err(HashingError::Stopped));
    }
    assert_eq!(pool.run(|_| 7).await, Ok(7));
}

#[tokio::test]
async fn dropping_the_pool_ends_its_threads_and_answers_nothing_more() {
    let pool = Pool::start(2, LONG, MEAN, LONG, arena).unwrap();
    let shared = Arc::downgrade(&pool.shared);
    assert_eq!(pool.run(|_| 1).await, Ok(1));
    drop(pool);
    assert!(shared.upgrade().is_none(), "a thread still holds the queue");
}

#[tokio::test]
async fn memory_is_kept_for_the_next_hash_until_it_has_been_quiet() {
    let busy = Pool::start(1, LONG, MEAN, LONG, arena).unwrap();
    busy.run(hash).await.unwrap();
    assert_eq!(busy.run(|arena| arena.holds_memory()).await, Ok(true));

    let quiet = Pool::start(1, LONG, MEAN, Duration::from_millis(1), arena).unwrap();
    quiet.run(hash).await.unwrap();
    // Whoever asks too soon keeps the thread from being quiet.
    let given_back = async { while quiet.run(|arena| arena.holds_memory()).await.unwrap() {} };
    timeout(Duration::from_mins(1), given_back).await.expect("the memory is given back");
    quiet.run(hash).await.unwrap();
}
