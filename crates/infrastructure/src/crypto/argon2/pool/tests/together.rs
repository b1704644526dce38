//! Answers that leave together.

use super::*;
use std::pin::Pin;
use std::task::{Context, Waker};

/// A job that tells that it has begun, and ends when it is told to.
struct Steered<'a> {
    answer: Pin<Box<dyn Future<Output = Result<(), HashingError>> + 'a>>,
    is_answered: bool,
    begun: mpsc::Receiver<()>,
    end: mpsc::Sender<()>,
}

impl<'a> Steered<'a> {
    fn queue(pool: &'a Pool) -> Self {
        let ((on_begin, begun), (end, ended)) = (mpsc::channel(), mpsc::channel());
        let work = move |_: &mut Arena| {
            on_begin.send(()).unwrap();
            ended.recv().unwrap();
        };
        let mut steered = Self { answer: Box::pin(pool.run(None, work)), is_answered: false, begun, end };
        assert!(!steered.poll_answer());
        steered
    }

    fn poll_answer(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        self.is_answered = self.is_answered || self.answer.as_mut().poll(&mut context).is_ready();
        self.is_answered
    }
}

#[test]
fn answers_leave_together_while_many_wait_and_at_once_when_few_do() {
    let pool = pool(1, LONG);
    let mut jobs: Vec<_> = (0..2 * TOGETHER).map(|_| Steered::queue(&pool)).collect();
    let mut answered = Vec::new();
    for n in 0..2 * TOGETHER {
        jobs[n].begun.recv().unwrap();
        answered.push(jobs.iter_mut().map(Steered::poll_answer).filter(|is_answered| *is_answered).count());
        jobs[n].end.send(()).unwrap();
    }
    assert_eq!(answered, [0, 0, 0, 3, 4, 5], "of six, when each begins");
}

/// Whoever has the others' answers may go before hashing ends, or before they are handed on.
#[test]
fn answers_that_leave_together_reach_those_who_stay() {
    for leaves_early in [true, false] {
        let pool = pool(1, LONG);
        let mut jobs: Vec<_> = (0..2 * TOGETHER).map(|_| Steered::queue(&pool)).collect();
        let end = |job: &Steered<'_>| {
            job.begun.recv().unwrap();
            job.end.send(()).unwrap();
        };
        let mut first = Some(jobs.remove(0));
        let Steered { begun, end: ended, .. } = first.as_ref().unwrap();
        begun.recv().unwrap();
        let ended = ended.clone();
        first = first.filter(|_| !leaves_early);
        ended.send(()).unwrap();
        jobs.iter().take(TOGETHER - 1).for_each(end);
        jobs[TOGETHER - 1].begun.recv().unwrap();
        assert_eq!(jobs[0].poll_answer(), leaves_early, "the first has it, if there is one");
        drop(first);
        assert!(jobs.iter_mut().take(TOGETHER - 1).all(Steered::poll_answer));
        jobs[TOGETHER - 1].end.send(()).unwrap();
        jobs.iter().skip(TOGETHER).for_each(end);
    }
}

#[tokio::test]
async fn an_answer_does_not_wait_for_those_who_left() {
    let pool = pool(1, LONG);
    let running = Steered::queue(&pool);
    running.begun.recv().unwrap();
    let leaving: Vec<_> = (0..2 * TOGETHER).map(|_| Steered::queue(&pool)).collect();
    drop(leaving);
    running.end.send(()).unwrap();
    timeout(Duration::from_mins(1), running.answer).await.expect("an answer").unwrap();
}
