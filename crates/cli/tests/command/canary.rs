//! Secrets that would be recognised, sent wherever a client can put one: none may be found again.

use crate::place::{MASTER_KEY, Place, Service};
use serde_json::{Value, json};
use std::fmt::Write as _;
use vestibule_testkit::app::UNKNOWN_TOKEN;
use vestibule_testkit::{StoreKind, TestStore, both_stores};

both_stores!(i113_no_secret_reaches_the_log_or_the_database);

const ADDRESS: &str = "canary.address@example.com";
const PASSWORD: &str = "canary password one";
const PEPPER: &str = "7siyaRKuSEgNVUzlVB2tA9WRn9PVGX7Tk7hWof77e7g=";

/// What was sent or handed out, and must not be found.
struct Canaries(Vec<String>);

impl Canaries {
    /// A password that nobody else has.
    fn password(&mut self) -> String {
        let password = format!("canary password {}", self.0.len());
        self.0.push(password.clone());
        password
    }

    fn note(&mut self, tokens: &Value) {
        for member in ["access_token", "refresh_token", "device_token"] {
            if let Some(token) = tokens[member].as_str() {
                // Of a signed token the signature is the secret.
                let secret = token.rsplit_once('.').map_or(token, |(_, signature)| signature);
                self.0.push(secret.to_owned());
            }
        }
    }

    fn assert_none_in(&self, what: &str, text: &str) {
        let folded = text.to_lowercase();
        for canary in &self.0 {
            let found = text.contains(canary.as_str()) || folded.contains(&hexadecimal(canary));
            assert!(!found, "{canary:?} is in {what}: {}", around(text, canary));
        }
    }
}

fn hexadecimal(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// The line that has it.
fn around<'a>(text: &'a str, canary: &str) -> &'a str {
    text.lines().find(|line| line.contains(canary)).unwrap_or("in hexadecimal")
}

fn sent((status, body): (u16, String), expected: u16) -> Value {
    assert_eq!(status, expected, "{body}");
    serde_json::from_str(&body).unwrap_or_default()
}

fn bearer(token: &Value) -> String {
    format!("authorization: Bearer {}\r\n", token.as_str().unwrap())
}

async fn i113_no_secret_reaches_the_log_or_the_database(kind: StoreKind) {
    let store = TestStore::create(kind).await;
    let place = Place::on(&store.url()).with("VESTIBULE_LOG__LEVEL", "trace");
    let place = place.with("VESTIBULE_PASSWORDS__PEPPERS", &format!("2026:{PEPPER}"));
    let mut service = place.start(&["serve"]);
    let mut canaries = Canaries([PASSWORD, MASTER_KEY, PEPPER].map(str::to_owned).to_vec());
    canaries.0.extend(database_password(&store.url()));

    let tokens = use_as_meant(&service, &mut canaries);
    fail(&service, &mut canaries, &tokens);
    put_in_wrong_places(&service, &mut canaries, &tokens);
    over_http2(&service, &mut canaries).await;
    let log = service.end().join("\n");

    assert!(log.contains("TRACE"), "everything is logged that can be");
    canaries.assert_none_in("the log", &log);
    assert!(!log.contains(ADDRESS), "an address is in the log: {}", around(&log, ADDRESS));
    for table in store.tables().await {
        canaries.assert_none_in(&table, &store.dump(&table).await.join("\n"));
    }
    if let Some(path) = store.url().strip_prefix("sqlite://") {
        let file = std::fs::read(path).unwrap();
        canaries.assert_none_in("the file", &String::from_utf8_lossy(&file));
    }
}

/// Of the server of the tests, which is random.
fn database_password(url: &str) -> Option<String> {
    Some(url.rsplit_once('@')?.0.rsplit_once(':')?.1.to_owned())
}

/// Returns the newest tokens.
fn use_as_meant(service: &Service, canaries: &mut Canaries) -> Value {
    let user = json!({ "email": ADDRESS, "password": PASSWORD, "name": "Canary" });
    sent(service.post("/users", &user.to_string()), 201);
    let login = |password: &str| json!({ "email": ADDRESS, "password": password }).to_string();
    let first = sent(service.post("/login", &login(PASSWORD)), 200);
    canaries.note(&first);
    let known = json!({ "email": ADDRESS, "password": PASSWORD, "device_token": first["device_token"] }).to_string();
    canaries.note(&sent(service.post("/login", &known), 200));
    sent(service.request("GET", "/users/me", &bearer(&first["access_token"]), ""), 200);
    let refresh = json!({ "refresh_token": first["refresh_token"] }).to_string();
    let second = sent(service.post("/refresh", &refresh), 200);
    // Again, as after a lost answer: the same child.
    canaries.note(&second);
    canaries.note(&sent(service.post("/refresh", &refresh), 200));

    let new = canaries.password();
    let change = json!({ "current_password": PASSWORD, "new_password": new }).to_string();
    sent(service.request("PUT", "/users/me/password", &bearer(&second["access_token"]), &change), 204);
    let third = sent(service.post("/login", &login(&new)), 200);
    canaries.note(&third);
    sent(service.post("/logout", &json!({ "refresh_token": third["refresh_token"] }).to_string()), 204);
    second
}

fn fail(service: &Service, canaries: &mut Canaries, tokens: &Value) {
    let authorization = bearer(&tokens["access_token"]);
    for email in [ADDRESS, "nobody@example.com", "no address"] {
        let login = json!({ "email": email, "password": canaries.password() });
        assert!([401, 422].contains(&service.post("/login", &login.to_string()).0));
    }
    let taken = json!({ "email": ADDRESS, "password": canaries.password(), "name": "Canary" });
    sent(service.post("/users", &taken.to_string()), 409);
    let change = json!({ "current_password": canaries.password(), "new_password": canaries.password() });
    sent(service.request("PUT", "/users/me/password", &authorization, &change.to_string()), 403);
    let unknown = json!({ "refresh_token": UNKNOWN_TOKEN });
    canaries.0.push(UNKNOWN_TOKEN.to_owned());
    sent(service.post("/refresh", &unknown.to_string()), 401);

    for path in ["/users", "/login", "/refresh", "/logout"] {
        let canary = canaries.password();
        for body in [
            format!(r#"{{"password": "{canary}"#),
            format!(r#"{{"password": "{canary}", "password": "{canary}"}}"#),
            format!(r#"{{"{canary}": 1, "email": ["{canary}"], "password": {{"{canary}": "{canary}"}}}}"#),
            format!(r#"{{"email": "{canary}", "refresh_token": "{canary}", "name": "{canary}", "scope": "{canary}"}}"#),
            format!(r#""{canary}""#),
            format!("password={canary}"),
            format!("{{\"password\": \"{canary}\u{7}\"}}"),
        ] {
            let (status, answer) = service.post(path, &body);
            assert!([400, 422].contains(&status), "{path} {body}: {status} {answer}");
        }
        let type_of_forms = "content-type: application/x-www-form-urlencoded\r\n";
        assert!(service.request("POST", path, type_of_forms, &format!("password={canary}")).0 >= 400);
    }
}

fn put_in_wrong_places(service: &Service, canaries: &mut Canaries, tokens: &Value) {
    let password = canaries.password();
    let encoded = password.replace(' ', "+");
    canaries.0.push(encoded.clone());
    for secret in ["access_token", "refresh_token", "device_token"].iter().filter_map(|member| tokens[member].as_str())
    {
        for path in ["", "users/", "users/me/sessions/", "problems/", "docs/", ".well-known/"] {
            service.get(&format!("/{path}{secret}"));
            service.get(&format!("/{path}?access_token={secret}&password={encoded}&cursor={secret}&limit={secret}"));
            service.request("DELETE", &format!("/{path}{secret}?{secret}={encoded}"), "", "");
        }
        for header in [
            "authorization: Basic",
            "authorization:",
            "authorization: Bearer x",
            "authorization : Bearer ",
            "proxy-authorization: Bearer",
            "x-api-key:",
            "cookie: session=",
            "if-match:",
            "idempotency-key:",
            "x-forwarded-for:",
            "forwarded: for=",
            "origin: https://",
            "accept: application/",
            "content-encoding:",
            "expect:",
            "transfer-encoding:",
        ] {
            service.request("GET", "/users/me", &format!("{header} {secret}\r\n"), "");
            service.request("POST", "/login", &format!("{header} {secret}\r\n"), "{}");
        }
        service.request(secret, "/users/me", "", "");
    }
}

async fn over_http2(service: &Service, canaries: &mut Canaries) {
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let url = |path: &str| format!("http://{}{path}", service.address());
    let (email, password) = ("canary.http2@example.com", canaries.password());
    let user = json!({ "email": email, "password": password, "name": "Canary" });
    assert_eq!(http.post(url("/users")).json(&user).send().await.unwrap().status(), 201);
    let login = json!({ "email": email, "password": password });
    let tokens: Value = http.post(url("/login")).json(&login).send().await.unwrap().json().await.unwrap();
    canaries.note(&tokens);
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(http.get(url("/users/me")).bearer_auth(token).send().await.unwrap().status(), 200);
    let misplaced = http.get(url(&format!("/users/{token}?access_token={token}"))).header("cookie", token);
    assert_eq!(misplaced.send().await.unwrap().status(), 401);
}
