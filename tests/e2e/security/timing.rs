//! D: who has an account does not show in the time of an answer either. `make bench-timing` measures it finely.

use vestibule_testkit::app::Scene;
use vestibule_testkit::{scenes, timing};

scenes!(d43_every_account_answers_in_the_same_time);

async fn d43_every_account_answers_in_the_same_time(scene: &Scene) {
    let mut classes = timing::logins(scene).await;
    classes.push(timing::unhashed_login(scene));
    let mut comparisons = timing::compare(classes, 60).await;
    let table = timing::table(&comparisons);
    let control = comparisons.pop().expect("the last class");
    assert!(control.is_plainly_different(), "this machine cannot tell:\n{table}");
    for comparison in comparisons {
        assert!(!comparison.is_plainly_different(), "{}:\n{table}", comparison.name);
    }
}
