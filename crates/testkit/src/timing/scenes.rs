//! Requests whose answers must not tell who has an account. Those that are compared have the same length.

use super::Class;
use crate::app::{Client, PASSWORD, Request, Scene};
use serde_json::json;
use std::time::Duration;

/// As long as [`PASSWORD`].
const WRONG_PASSWORD: &str = "Tr0ub4dor&3-mules";

fn address(n: usize) -> String {
    format!("somebody-{n:05}@example.com")
}

fn login(client: &Client, email: &str, password: &str) -> Request {
    client.post("/login", json!({"email": email, "password": password}))
}

/// Logins that fail, the first one for its password. Limits must be off.
pub async fn logins(scene: &Scene) -> Vec<Class> {
    let Scene { app, admin, .. } = scene;
    let names = ["wrong password", "unknown", "disabled", "deleted", "no password set"];
    for (n, name) in names.into_iter().enumerate().filter(|(_, name)| *name != "unknown") {
        let user = app.register(&address(n), "Somebody", &["user"]).await.id;
        match name {
            "disabled" => assert_eq!(admin.post(&format!("/users/{user}/disable"), json!({})).await.status, 200),
            "deleted" => assert_eq!(admin.delete(&format!("/users/{user}")).await.status, 204),
            "no password set" => {
                let account = format!("SELECT id FROM users WHERE email_canonical = '{}'", address(n));
                let sql = format!("DELETE FROM password_credentials WHERE user_id = ({account})");
                assert_eq!(app.database().execute(&sql).await.expect("deleted"), 1);
            }
            _ => {}
        }
    }
    let class = |(n, name)| {
        let password = if name == "wrong password" { WRONG_PASSWORD } else { PASSWORD };
        let (clock, client, email) = (app.clock().clone(), scene.anonymous.clone(), address(n));
        Class::new(name, 401, move || {
            passes(&clock);
            login(&client, &email, password)
        })
    };
    names.into_iter().enumerate().map(class).collect()
}

/// To see whether an experiment notices: what is no address is refused before any password is hashed.
pub fn unhashed_login(scene: &Scene) -> Class {
    let client = scene.anonymous.clone();
    Class::new("without a hash", 422, move || login(&client, "somebody-00000.example.com", PASSWORD))
}

/// Logins that are refused for those before them, to an account and to none. Limits must be on.
pub async fn throttled_logins(scene: &Scene) -> Vec<Class> {
    let mut classes = Vec::new();
    for (n, name) in ["throttled", "throttled, unknown"].into_iter().enumerate() {
        if n == 0 {
            scene.app.register(&address(n), "Somebody", &["user"]).await;
        }
        let (client, email) = (scene.anonymous.clone(), address(n));
        while login(&client, &email, WRONG_PASSWORD).await.status != 429 {}
        classes.push(Class::new(name, 429, move || login(&client, &email, WRONG_PASSWORD)));
    }
    classes
}

/// Registrations of addresses that are free, and of one that is taken. Limits must be off, and the mode strict.
pub async fn registrations(scene: &Scene) -> Vec<Class> {
    let taken = address(0);
    scene.app.register(&taken, "Somebody", &["user"]).await;
    let mut fresh = 0;
    let class = |name: &'static str, mut email: Box<dyn FnMut() -> String + Send>| {
        let (clock, client) = (scene.app.clock().clone(), scene.anonymous.clone());
        Class::new(name, 202, move || {
            passes(&clock);
            client.post("/users", json!({"email": email(), "password": PASSWORD, "name": "Somebody"}))
        })
    };
    let free = move || {
        fresh += 1;
        address(fresh)
    };
    vec![class("free", Box::new(free)), class("taken", Box::new(move || taken.clone()))]
}

/// So that ids, which begin with the time, are written in their order, as they are in service.
fn passes(clock: &crate::MovableClock) {
    clock.advance(Duration::from_millis(20));
}
