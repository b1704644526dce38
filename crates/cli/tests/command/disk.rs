//! A disk that is full: the kernel lets no file of the service grow.

use crate::place::{Place, Service};
use serde_json::{Value, json};
use std::time::Duration;

const PASSWORD: &str = "nine green lanterns";

pub(crate) fn register(service: &Service, name: &str) -> (u16, String) {
    let user = json!({ "email": format!("{name}@example.com"), "password": PASSWORD, "name": name });
    service.post("/users", &user.to_string())
}

pub(crate) fn log_in(service: &Service, name: &str) -> (u16, String) {
    let credentials = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
    service.post("/login", &credentials.to_string())
}

pub(crate) fn me(service: &Service, tokens: &Value) -> u16 {
    let authorization = format!("authorization: Bearer {}\r\n", tokens["access_token"].as_str().unwrap());
    service.request("GET", "/users/me", &authorization, "").0
}

#[track_caller]
pub(crate) fn assert_unavailable((status, body): (u16, String)) {
    assert_eq!((status, body.contains("\"code\":\"unavailable\"")), (503, true), "{body}");
}

#[test]
fn j127_writes_answer_503_reading_goes_on_nothing_acknowledged_is_lost_and_it_recovers_by_itself() {
    let place = Place::migrated();
    let service = place.start_where_files_may_end(&["serve"]);
    assert_eq!(register(&service, "ada").0, 201);
    let tokens: Value = serde_json::from_str(&log_in(&service, "ada").1).unwrap();
    let refresh = json!({ "refresh_token": tokens["refresh_token"] }).to_string();

    let full = std::fs::metadata(place.path("var/vestibule.db-wal")).unwrap().len();
    service.end_files_at(Some(full));
    for name in ["bob", "eve", "bob"] {
        assert_unavailable(register(&service, name));
        assert_unavailable(log_in(&service, "ada"));
        assert_unavailable(service.post("/refresh", &refresh));
        assert_unavailable(service.post("/logout", &refresh));
    }
    assert_eq!((me(&service, &tokens), service.get("/.well-known/jwks.json").0), (200, 200));
    let (status, checks) = service.get("/health/ready");
    assert_eq!((status, checks.contains("\"store\":\"failing\"")), (503, true), "{checks}");
    let noted = service.log_until("the store fails its readiness check");
    assert!(noted["error"].as_str().unwrap().contains("(code: 778) disk I/O error"), "{noted}");
    assert_eq!(service.get("/health/live").0, 200);

    service.end_files_at(None);
    service.get_until("/health/ready", Duration::from_secs(10), |body| body.contains("\"status\":\"ready\""));
    assert_eq!(service.post("/refresh", &refresh).0, 200, "it was not replaced, nor its session ended");
    assert_eq!((log_in(&service, "ada").0, me(&service, &tokens)), (200, 200));
    // Nothing was half made.
    assert_eq!((register(&service, "bob").0, register(&service, "eve").0), (201, 201));
    drop(service);
    let service = place.start(&["serve"]);
    for name in ["ada", "bob", "eve"] {
        assert_eq!(log_in(&service, name).0, 200, "{name} was acknowledged");
    }
}
