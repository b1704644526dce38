use super::*;
use tokio::time::advance;

const SECOND: Duration = Duration::from_secs(1);

fn left(activity: &Activity) -> Duration {
    activity.deadline() - Instant::now()
}

/// As [`Timed`](super::super::timed::Timed) does.
fn end_poll(activity: &Activity) {
    activity.deadline();
}

#[tokio::test(start_paused = true)]
async fn the_first_head_is_on_the_clock_from_the_connection() {
    let activity = Activity::new();
    advance(4 * SECOND).await;
    activity.read(1);
    assert_eq!(left(&activity), 6 * SECOND);
    advance(5 * SECOND).await;
    activity.read(1);
    assert_eq!(left(&activity), SECOND, "a byte now and then buys no time");
}

#[tokio::test(start_paused = true)]
async fn a_further_head_is_on_the_clock_from_its_first_byte() {
    let activity = Activity::new();
    activity.request_began(false, Some(0));
    activity.answer_ended();
    assert_eq!(left(&activity), IDLE);
    advance(60 * SECOND).await;
    activity.read(1);
    assert!(activity.awaits_head());
    assert_eq!(left(&activity), HEAD);
}

#[tokio::test(start_paused = true)]
async fn an_exchange_is_on_the_clock_from_the_first_byte_of_its_head() {
    let activity = Activity::new();
    activity.request_began(false, Some(0));
    activity.answer_ended();
    end_poll(&activity);
    advance(60 * SECOND).await;
    activity.read(1);
    end_poll(&activity);
    advance(9 * SECOND).await;
    activity.request_began(false, Some(0));
    assert_eq!(left(&activity) + 9 * SECOND, EXCHANGE);
}

#[tokio::test(start_paused = true)]
async fn frames_that_are_no_request_do_not_end_idleness() {
    let activity = Activity::new();
    activity.request_began(true, None);
    activity.answer_ended();
    end_poll(&activity);
    advance(70 * SECOND).await;
    activity.read(1);
    assert_eq!(left(&activity), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn it_is_idle_only_when_all_answers_have_ended() {
    let activity = Activity::new();
    activity.request_began(true, None);
    activity.request_began(true, None);
    activity.answer_ended();
    assert_eq!(left(&activity), EXCHANGE);
    activity.answer_ended();
    assert_eq!(left(&activity), IDLE);
}

#[tokio::test(start_paused = true)]
async fn a_write_must_make_progress() {
    let activity = Activity::new();
    activity.request_began(false, Some(0));
    activity.wrote(true);
    advance(7 * SECOND).await;
    activity.wrote(true);
    assert_eq!(left(&activity), 3 * SECOND);
    activity.wrote(false);
    activity.wrote(true);
    assert_eq!(left(&activity), WRITE);
}

#[test]
fn an_answer_is_owed_until_its_last_byte_is_written() {
    let activity = Activity::new();
    assert!(activity.owes_nothing());
    activity.request_began(false, Some(0));
    activity.flushed();
    assert!(!activity.owes_nothing(), "it has not even begun");
    activity.answer_ended();
    assert!(!activity.owes_nothing(), "hyper may have all of it");
    activity.flushed();
    assert!(activity.owes_nothing());
}

#[tokio::test(start_paused = true)]
async fn once_stopped_only_answers_are_waited_for() {
    let activity = Activity::new();
    activity.stop();
    assert_eq!(left(&activity), LAST);
    activity.read(1);
    assert_eq!(left(&activity), LAST);
    activity.request_began(false, Some(0));
    assert_eq!(left(&activity), EXCHANGE);
    activity.wrote(true);
    activity.answer_ended();
    assert_eq!(left(&activity), WRITE, "not taken yet");
    activity.wrote(false);
    assert_eq!(left(&activity), LAST);
}
