//! `/health`.

use vestibule_testkit::app::Scene;
use vestibule_testkit::counting::Reach;
use vestibule_testkit::scenes;

scenes!(a_sound_process_is_ready, a_process_without_its_store_lives_but_is_not_ready);

async fn a_sound_process_is_ready(Scene { app, anonymous, .. }: &Scene) {
    let before = app.store.calls();
    assert_transcript!(anonymous.get("/health/live").await, @r#"
    200
    cache-control: no-store
    content-type: application/json

    {
      "status": "live"
    }
    "#);
    assert_eq!(app.store.calls(), before, "liveness touches nothing");
    assert_transcript!(anonymous.get("/health/ready").await, @r#"
    200
    cache-control: no-store
    content-type: application/json

    {
      "checks": {
        "clock": "passing",
        "migrations": "passing",
        "signing_key": "passing",
        "store": "passing"
      },
      "status": "ready"
    }
    "#);
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(app.operator().get(path).await.to_string(), anonymous.get(path).await.to_string());
    }
}

async fn a_process_without_its_store_lives_but_is_not_ready(Scene { app, anonymous, .. }: &Scene) {
    app.store.set_reach(Reach::Nothing);
    assert_eq!(anonymous.get("/health/live").await.status, 200);
    let ready = anonymous.get("/health/ready").await;
    assert_eq!(ready.status, 503);
    assert!(ready.header("retry-after").is_some());
    assert_transcript!(ready.text, @r#"{"status":"not_ready","checks":{"store":"failing","migrations":"unknown","signing_key":"passing","clock":"passing"}}"#);
    app.store.set_reach(Reach::Everything);
    assert_eq!(anonymous.get("/health/ready").await.status, 200, "it comes back by itself");
}
