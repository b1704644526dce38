//! Logins that are written together: what becomes of those whose rows others hold or change meanwhile.

use crate::database::{Database, alice, bob, insert, opening, session, token};
use crate::locks::until_somebody_waits;
use crate::proxy::Proxy;
use futures_util::future::{Either, select};
use sqlx::{Connection, Executor};
use std::collections::BTreeSet;
use std::pin::pin;
use vestibule_domain::access::RoleName;
use vestibule_domain::session::service::MAX_DEVICES;
use vestibule_domain::session::store::{Opened, Opening};
use vestibule_domain::session::{DeviceToken, EndReason, Session};
use vestibule_domain::user::User;
use vestibule_domain::{RequestContext, Store, Timestamp};
use vestibule_infrastructure::postgres::PgStore;

/// Logs alice in, with one session for all; what came of it if somebody else commits `change` after the statement has
/// begun, and before it has locked anything.
async fn log_in_during(database: &Database, change: &str) -> Opened {
    let (store, session) = (database.store(4), session(1));
    // The table is behind a view that shows nothing until a lock is free.
    database.execute("ALTER TABLE users RENAME TO all_users").await;
    let gate = "CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN true; END $$";
    database.execute(gate).await;
    database.execute("CREATE VIEW users AS SELECT * FROM all_users WHERE gate()").await;
    let mut other = database.connect().await;
    other.execute("SELECT pg_advisory_lock(1)").await.expect("an answer");
    let login = tokio::spawn(async move {
        let context = RequestContext::default();
        store.open_session(&Opening { keep: 1, ..opening(&session, &context) }).await
    });
    until_somebody_waits(&mut database.connect().await).await;
    database.execute(change).await;
    other.execute("SELECT pg_advisory_unlock(1)").await.expect("an answer");
    login.await.expect("no panic").expect("an answer").expect("a login")
}

/// Nobody held the row when it was locked, but its roles are those of before.
#[tokio::test]
async fn a_login_has_the_roles_of_a_demotion_that_its_statement_has_not_seen() {
    let database = Database::migrated().await;
    insert(&database.store(1), &User { roles: [RoleName::admin(), RoleName::user()].into(), ..alice() }).await;
    let demotion = "WITH demoted AS (DELETE FROM user_roles WHERE role = 'admin')
                    UPDATE all_users SET version = version + 1";
    let opened = log_in_during(&database, demotion).await;
    assert_eq!((opened.user.roles, opened.user.version), ([RoleName::user()].into(), 3));
}

#[tokio::test]
async fn a_login_ends_no_session_that_has_ended_since_its_statement_began() {
    let database = Database::migrated().await;
    let (store, before) = (database.store(1), session(3));
    insert(&store, &alice()).await;
    let mut work = store.begin().await.expect("a transaction");
    work.insert_session(&before, &token(&before).hash()).await.expect("an answer");
    work.commit().await.expect("a commit");
    let reason = EndReason::LoggedOut.as_str();
    let end = format!("UPDATE sessions SET ended_at = created_at, end_reason = '{reason}'");
    assert_eq!(log_in_during(&database, &end).await.displaced, []);
    let ended = "SELECT end_reason FROM sessions WHERE ended_at IS NOT NULL";
    let ended: Vec<String> = sqlx::query_scalar(ended).fetch_all(&mut database.connect().await).await.expect("rows");
    assert_eq!(ended, [reason]);
}

/// A store whose connection knows the statement, and what counts how often the server is asked.
async fn counted(database: &Database) -> (PgStore, Proxy) {
    let proxy = Proxy::to(database.options.get_host(), database.options.get_port()).await;
    let store = database.store_through(&proxy);
    insert(&store, &bob()).await;
    let (session, context) = (Session { user: bob().id, ..session(9) }, RequestContext::default());
    store.open_session(&opening(&session, &context)).await.expect("an answer").expect("a login");
    (store, proxy)
}

/// Whoever holds a user, were it for long, keeps nobody waiting who logs in as another.
#[tokio::test]
async fn logins_in_a_group_wait_for_no_user_that_somebody_holds() {
    let database = Database::migrated().await;
    let (store, proxy) = counted(&database).await;
    insert(&store, &alice()).await;
    let other = database.store(1);
    let mut holder = other.begin().await.expect("a transaction");
    holder.set_roles(alice().id, &BTreeSet::new(), Timestamp::EPOCH).await.expect("an answer");
    let (context, alices, bobs) = (RequestContext::default(), session(1), Session { user: bob().id, ..session(2) });
    let (alices, bobs) = (opening(&alices, &context), opening(&bobs, &context));
    let (mut alice, bob) = (pin!(store.open_session(&alices)), pin!(store.open_session(&bobs)));
    let before = proxy.round_trips();
    // Alice's login is there first, and sees both through.
    assert!(matches!(select(&mut alice, bob).await, Either::Right((Ok(Some(_)), _))));
    assert_eq!(proxy.round_trips() - before, 1, "neither has had to go alone yet");
    holder.commit().await.expect("a commit");
    assert!(alice.await.expect("an answer").is_some());
}

/// One who ends a session has it for several round trips.
#[tokio::test]
async fn logins_in_a_group_wait_for_no_session_that_somebody_holds() {
    let database = Database::migrated().await;
    let (store, proxy) = counted(&database).await;
    let before = session(3);
    insert(&store, &alice()).await;
    let mut work = store.begin().await.expect("a transaction");
    work.insert_session(&before, &token(&before).hash()).await.expect("an answer");
    work.commit().await.expect("a commit");
    let mut holder = database.connect().await;
    let mut holder = holder.begin().await.expect("a transaction");
    holder.execute("SELECT FROM sessions FOR UPDATE").await.expect("an answer");
    let (context, alices, bobs) = (RequestContext::default(), session(1), Session { user: bob().id, ..session(2) });
    let (alices, bobs) = (Opening { keep: 1, ..opening(&alices, &context) }, opening(&bobs, &context));
    let (mut alice, bob) = (pin!(store.open_session(&alices)), pin!(store.open_session(&bobs)));
    let asked = proxy.round_trips();
    assert!(matches!(select(&mut alice, bob).await, Either::Right((Ok(Some(_)), _))));
    assert_eq!(proxy.round_trips() - asked, 1, "neither has had to go alone yet");
    holder.commit().await.expect("a commit");
    assert_eq!(alice.await.expect("an answer").expect("a login").displaced, [before.id]);
}

/// Housekeeping has many at a time.
#[tokio::test]
async fn logins_in_a_group_wait_for_no_device_that_somebody_holds() {
    let database = Database::migrated().await;
    let store = database.store(4);
    insert(&store, &alice()).await;
    let devices = format!(
        "INSERT INTO devices SELECT decode(lpad(to_hex(n), 64, '0'), 'hex'), '{}', 'epoch', 'epoch'
         FROM generate_series(1, {MAX_DEVICES}) AS n",
        alice().id.as_uuid()
    );
    database.execute(&devices).await;
    let mut holder = database.connect().await;
    let mut holder = holder.begin().await.expect("a transaction");
    holder.execute("SELECT FROM devices FOR UPDATE").await.expect("an answer");
    let (context, session) = (RequestContext::default(), session(1));
    let device = Some((DeviceToken::from_bytes([7; 32]).hash(), session.expires_at));
    let opening = Opening { device, ..opening(&session, &context) };
    assert!(store.open_session(&opening).await.expect("nobody is waited for").is_some());
    holder.commit().await.expect("a commit");
}
