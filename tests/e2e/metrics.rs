//! `/metrics`, for operators.

use serde_json::json;
use vestibule_testkit::app::{Node, Scene};
use vestibule_testkit::scenes;

scenes!(decisions_are_counted_as_the_trail_has_them);

async fn decisions(app: &Node) -> impl Fn(&str) -> u64 {
    let text = app.operator().get("/metrics").await.text;
    move |kind| {
        let series = format!("vestibule_security_events_total{{type=\"{kind}\"}} ");
        text.lines()
            .find_map(|line| line.strip_prefix(&series))
            .expect("each type has a count")
            .parse()
            .expect("a count")
    }
}

async fn decisions_are_counted_as_the_trail_has_them(Scene { app, anonymous, alice, .. }: &Scene) {
    let before = decisions(app).await;
    for password in ["wrong-1", "wrong-2"] {
        anonymous.try_log_in("alice@example.com", password).await;
    }
    let refused = alice.patch("/users/me", json!({"name": ""})).await;
    assert_eq!(refused.status, 422, "what is refused is no decision");
    let after = decisions(app).await;
    assert_eq!(after("login.failed"), before("login.failed") + 2);
    assert_eq!(after("user.profile_changed"), before("user.profile_changed"));
    assert!(before("login.succeeded") >= 1, "of alice");
    let text = app.operator().get("/metrics").await.text;
    assert!(text.lines().any(|line| line == "vestibule_feed_followed 1"), "{text}");
    assert!(!text.contains("alice"), "{text}");
}
