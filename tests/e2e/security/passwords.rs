//! C: passwords.

use serde_json::json;
use std::sync::Arc;
use vestibule_domain::credential::{
    BreachKey, BreachedPasswords, NewPassword, Owner, PasswordHash, PasswordPolicy, PasswordSettings,
};
use vestibule_domain::id::UserId;
use vestibule_domain::{Clock, RequestContext, Store};
use vestibule_testkit::app::{ALICE, Client, PASSWORD, Response, Scene};
use vestibule_testkit::scenes;

scenes!(
    c35_long_passwords_are_refused_before_hashing,
    c36_every_character_counts,
    c37_spaces_count_and_normal_forms_do_not,
    c38_guessable_passwords_are_refused_and_passphrases_are_not,
    c38_breached_passwords_are_refused_at_registration_and_at_change,
    c38_a_login_with_a_breached_password_succeeds_and_marks_it,
    c38_a_wrong_password_marks_nothing,
    c39_hostile_and_malformed_hashes_are_wrong_passwords,
    c39_weaker_hashes_are_upgraded_once,
    c40_a_password_is_changed_only_with_the_current_one,
    c41_a_disabled_account_answers_like_a_wrong_password,
);

async fn register(client: &Client, email: &str, password: &str) -> Response {
    client.post("/users", json!({"email": email, "password": password, "name": "Somebody Else"})).await
}

/// CVE-2013-1443.
async fn c35_long_passwords_are_refused_before_hashing(Scene { app, anonymous, .. }: &Scene) {
    let before = app.hasher.asked();
    let huge = "x".repeat(1_000_000);
    assert_eq!(anonymous.try_log_in(ALICE, &huge).await.status, 413);
    let large = "é".repeat(30_000);
    let login = anonymous.try_log_in(ALICE, &large).await;
    assert_eq!((login.status, login.faults()), (422, vec![("/password", "too_long")]));
    assert_eq!(register(anonymous, "bob@example.com", &large).await.faults(), [("/password", "too_long")]);
    assert_eq!(app.hasher.asked(), before);
}

async fn c36_every_character_counts(Scene { anonymous, .. }: &Scene) {
    let bytes = format!("{}x", "abcdefgh".repeat(9));
    let longest = format!("{}x", "Aa1-".repeat(64).split_at(255).0);
    let emoji = "🦀🐢".repeat(32);
    for (n, password) in [bytes, longest, emoji].into_iter().enumerate() {
        let email = format!("user{n}@example.com");
        assert_eq!(register(anonymous, &email, &password).await.status, 201, "{password}");
        anonymous.log_in(&email, &password).await;
        let mut other = password.clone();
        other.pop();
        assert_eq!(anonymous.try_log_in(&email, &other).await.status, 401);
        other.push('y');
        assert_eq!(anonymous.try_log_in(&email, &other).await.status, 401);
    }
    let beyond = "a".repeat(257);
    assert_eq!(register(anonymous, "bob@example.com", &beyond).await.faults(), [("/password", "too_long")]);
}

async fn c37_spaces_count_and_normal_forms_do_not(Scene { anonymous, .. }: &Scene) {
    assert_eq!(register(anonymous, "space@example.com", "  Tr0ub4dor&3  ").await.status, 201);
    anonymous.log_in("space@example.com", "  Tr0ub4dor&3  ").await;
    assert_eq!(anonymous.try_log_in("space@example.com", "Tr0ub4dor&3").await.status, 401);
    assert_eq!(register(anonymous, "form@example.com", "Ren\u{e9}-caf\u{e9}-99").await.status, 201);
    anonymous.log_in("form@example.com", "Rene\u{301}-cafe\u{301}-99").await;
    // Seven characters, however many bytes; and seven, however many code points they were typed with.
    assert_eq!(register(anonymous, "bob@example.com", "Aa1-🦀🦀🦀").await.faults(), [("/password", "too_short")]);
    let decomposed = "Aa1-e\u{301}e\u{301}e\u{301}";
    assert_eq!(register(anonymous, "bob@example.com", decomposed).await.faults(), [("/password", "too_short")]);
}

async fn c38_guessable_passwords_are_refused_and_passphrases_are_not(Scene { anonymous, .. }: &Scene) {
    let weak = [
        "Password1!",
        "P@ssw0rd",
        "alllowercase",
        "NoDigitsHere!",
        "Vestibule1!",
        "bob@example.com",
        "Bob@example.com1",
    ];
    let mut accepted = Vec::new();
    for password in weak {
        let response = register(anonymous, "bob@example.com", password).await;
        if response.faults() != [("/password", "weak_password")] {
            accepted.push(password);
        }
    }
    assert_eq!(accepted, Vec::<&str>::new(), "guessable, and not refused");
    assert_eq!(register(anonymous, "bob@example.com", "quietly walking").await.status, 201);
}

/// As it stands in lists; longer than the length from which no mix of characters is asked for.
const BREACHED: &str = "correcthorsebatterystaple";

async fn c38_breached_passwords_are_refused_at_registration_and_at_change(scene: &Scene) {
    let Scene { app, anonymous, alice, .. } = scene;
    let hashed = app.hasher.asked();
    for (password, code) in [
        (BREACHED, "breached_password"),
        ("londonbigandbad", "breached_password"),
        ("123456789012345", "breached_password"),
        ("CORRECTHORSEBATTERYSTAPLE", "weak_password"),
        ("CorrectHorseBatteryStaple1!", "weak_password"),
    ] {
        let registered = register(anonymous, "bob@example.com", password).await;
        assert_eq!((registered.status, registered.faults()), (422, vec![("/password", code)]), "{password}");
        let change = json!({"current_password": PASSWORD, "new_password": password});
        let changed = alice.put("/users/me/password", change).await;
        assert_eq!((changed.status, changed.faults()), (422, vec![("/new_password", code)]), "{password}");
    }
    assert_eq!(app.hasher.asked(), hashed, "refused before hashing");
    anonymous.log_in(ALICE, PASSWORD).await;
    let told = register(anonymous, "bob@example.com", BREACHED).await.to_string();
    assert!(told.contains("choose another") && !told.contains(BREACHED), "{told}");
}

/// Takes every password.
#[derive(Debug)]
struct NothingIsKnown;

impl BreachedPasswords for NothingIsKnown {
    fn contains(&self, _: BreachKey) -> bool {
        false
    }

    fn is_common(&self, _: BreachKey) -> bool {
        false
    }
}

/// Gives Alice a password that was not in any list when she chose it.
async fn choose(scene: &Scene, password: &str) {
    let policy = PasswordPolicy { settings: PasswordSettings::default(), breached: Arc::new(NothingIsKnown) };
    let password = NewPassword::parse(password, &policy, Owner::default()).expect("a password");
    let id = UserId::parse(scene.alice.id()).expect("an id");
    let credentials = &scene.app.services.credentials;
    credentials.set_password(id, password, &RequestContext::default()).await.expect("another password");
}

async fn marks(scene: &Scene) -> i64 {
    scene.app.database().number("SELECT count(*) FROM password_credentials WHERE breached_at IS NOT NULL").await
}

async fn findings(scene: &Scene) -> usize {
    let trail = scene.app.trail(scene.alice.id()).await;
    trail.iter().filter(|event| *event == "password.found_breached").count()
}

async fn c38_a_login_with_a_breached_password_succeeds_and_marks_it(scene: &Scene) {
    let Scene { app, anonymous, admin, .. } = scene;
    choose(scene, BREACHED).await;
    assert_eq!((marks(scene).await, findings(scene).await), (0, 0));
    let alice = anonymous.log_in(ALICE, BREACHED).await;
    assert_eq!((marks(scene).await, findings(scene).await), (1, 1));
    let calls = app.store.calls();
    anonymous.log_in(ALICE, BREACHED).await;
    assert_eq!((marks(scene).await, findings(scene).await), (1, 1), "told once");
    let now = app.store.calls();
    let spent = |method| now[method] - calls.get(method).copied().unwrap_or_default();
    let spent = ["login_candidate", "open_session", "begin"].map(spent);
    assert_eq!(spent, [1, 1, 0], "no round trip more");

    // The contract's members and no other.
    let listed = admin.get("/users").await.to_string() + &alice.get("/users/me").await.to_string();
    assert!(!listed.contains("breached"), "{listed}");

    let change = json!({"current_password": BREACHED, "new_password": "an entirely new passphrase"});
    assert_eq!(alice.put("/users/me/password", change).await.status, 204);
    assert_eq!(marks(scene).await, 0);
    anonymous.log_in(ALICE, "an entirely new passphrase").await;
    assert_eq!((marks(scene).await, findings(scene).await), (0, 1));
}

async fn c38_a_wrong_password_marks_nothing(scene: &Scene) {
    choose(scene, BREACHED).await;
    for wrong in ["password123456789", "CORRECTHORSEBATTERYSTAPLE", "Correcthorsebatterystaple", PASSWORD] {
        assert_eq!(scene.anonymous.try_log_in(ALICE, wrong).await.status, 401);
    }
    scene.admin.post(&format!("/users/{}/disable", scene.alice.id()), json!({})).await;
    assert_eq!(scene.anonymous.try_log_in(ALICE, BREACHED).await.status, 401);
    assert_eq!((marks(scene).await, findings(scene).await), (0, 0));
}

/// Puts `phc` in the place of Alice's hash.
async fn plant(scene: &Scene, phc: &str) {
    let id = UserId::parse(scene.alice.id()).expect("an id");
    let mut work = scene.app.store.begin().await.expect("a unit of work");
    let hash = PasswordHash::from_phc(phc.to_owned());
    work.set_password(id, &hash, scene.app.clock().now()).await.expect("a password");
    work.commit().await.expect("a commit");
}

async fn stored(scene: &Scene) -> String {
    scene.app.database().column("SELECT phc FROM password_credentials").await.join("\n")
}

async fn c39_hostile_and_malformed_hashes_are_wrong_passwords(scene: &Scene) {
    let wrong = scene.anonymous.try_log_in(ALICE, "Wr0ng-but-strong").await.to_string();
    for phc in [
        "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=19456,t=4294967295,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=19456,t=2,p=16777215$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA",
        "$2y$10$abcdefghijklmnopqrstuv",
        "$$",
        "$argon2d$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        plant(scene, phc).await;
        assert_eq!(scene.anonymous.try_log_in(ALICE, PASSWORD).await.to_string(), wrong, "{phc}");
        assert!(stored(scene).await.contains(phc), "a failure changes nothing");
    }
}

async fn c39_weaker_hashes_are_upgraded_once(scene: &Scene) {
    // Of PASSWORD, with a quarter of today's memory and half the passes.
    const WEAKER: &str =
        "$argon2id$v=19$m=4864,t=1,p=1$c2l4dGVlbiBieXRlcyBvaw$7IJZ1yBJgEjACmF+w/LCS6aHej+rqqIU3FuWduZBRVk";
    plant(scene, WEAKER).await;
    assert_eq!(scene.anonymous.try_log_in(ALICE, "Wr0ng-but-strong").await.status, 401);
    assert!(stored(scene).await.contains(WEAKER), "a failure upgrades nothing");
    scene.anonymous.log_in(ALICE, PASSWORD).await;
    let upgraded = stored(scene).await;
    assert!(!upgraded.contains(WEAKER));
    assert!(upgraded.lines().all(|phc| phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")), "{upgraded}");
    scene.anonymous.log_in(ALICE, PASSWORD).await;
    assert_eq!(stored(scene).await, upgraded, "once");
}

async fn c40_a_password_is_changed_only_with_the_current_one(Scene { anonymous, alice, .. }: &Scene) {
    let new = "an entirely new passphrase";
    let path = "/users/me/password";
    assert_eq!(alice.put(path, json!({"new_password": new})).await.status, 422);
    let wrong = json!({"current_password": "Wr0ng-but-strong", "new_password": new});
    assert_eq!(alice.put(path, wrong.clone()).await.code(), "wrong_password");
    assert_eq!(anonymous.put(path, wrong).await.status, 401);
    let with_refresh_token = anonymous.with_token(alice.refresh_token());
    let right = json!({"current_password": PASSWORD, "new_password": new});
    assert_eq!(with_refresh_token.put(path, right).await.code(), "invalid_token");
    anonymous.log_in(ALICE, PASSWORD).await;
}

/// CVE-2023-32682: the deactivated could log in.
async fn c41_a_disabled_account_answers_like_a_wrong_password(Scene { anonymous, alice, admin, .. }: &Scene) {
    let wrong = anonymous.try_log_in(ALICE, "Wr0ng-but-strong").await;
    admin.post(&format!("/users/{}/disable", alice.id()), json!({})).await;
    let disabled = anonymous.try_log_in(ALICE, PASSWORD).await;
    assert_eq!(disabled.to_string(), wrong.to_string());
}
