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
