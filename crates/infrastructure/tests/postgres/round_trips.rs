//! How often the server is asked: from afar that is most of the time that an answer takes.

use crate::database::{Database, alice, insert, opening, session};
use crate::locks::{bucket, fail};
use crate::proxy::Proxy;
use vestibule_domain::audit::{AuditEvent, AuditKind, AuditRecord};
use vestibule_domain::credential::PasswordHash;
use vestibule_domain::throttle::store::{Swap, ThrottleStore};
use vestibule_domain::user::store::Registration;
use vestibule_domain::user::{Email, User};
use vestibule_domain::{RequestContext, Store, Timestamp};

#[tokio::test]
async fn d44_a_taken_address_takes_as_many_round_trips_as_a_free_one() {
    let database = Database::migrated().await;
    let proxy = Proxy::to(database.options.get_host(), database.options.get_port()).await;
    let store = database.store_through(&proxy);
    let hash = PasswordHash::from_phc("$a$b".to_owned());
    let user = |id, email| User {
        id: uuid::Uuid::from_u128(id).into(),
        email: Email::parse(email).expect("an address"),
        roles: [vestibule_domain::access::RoleName::user()].into(),
        ..alice()
    };
    let context = RequestContext::default();
    let register = async |user: User, n: u128| {
        let record = |id, event| AuditRecord { id: uuid::Uuid::from_u128(id).into(), at: Timestamp::EPOCH, event };
        let registration = Registration {
            user: &user,
            password: &hash,
            registered: record(n * 2, AuditEvent::of(AuditKind::UserRegistered, user.id, &context)),
            refused: record(n * 2 + 1, AuditEvent::anonymous(AuditKind::RegistrationRefused, &context)),
        };
        let before = proxy.round_trips();
        let registered = store.register(&registration).await.expect("an answer");
        (registered, proxy.round_trips() - before)
    };
    // The first of a connection tells the server the statement too.
    assert!(register(user(1, "alice@example.com"), 1).await.0);
    assert_eq!(register(user(2, "bob@example.com"), 2).await, (true, 1));
    assert_eq!(register(user(3, "alice@example.com"), 3).await, (false, 1));
}

#[tokio::test]
async fn all_that_a_login_leaves_behind_takes_one_round_trip() {
    let database = Database::migrated().await;
    let proxy = Proxy::to(database.options.get_host(), database.options.get_port()).await;
    let store = database.store_through(&proxy);
    insert(&store, &alice()).await;
    let context = RequestContext::default();
    let log_in = async |n| {
        let (session, before) = (session(n), proxy.round_trips());
        let opened = store.open_session(&opening(&session, &context)).await.expect("an answer");
        assert!(opened.is_some());
        proxy.round_trips() - before
    };
    // The first of a connection tells the server the statement too.
    log_in(1).await;
    assert_eq!(log_in(2).await, 1);
}

#[tokio::test]
async fn attempts_are_read_in_one_round_trip_and_counted_in_one() {
    let database = Database::migrated().await;
    let proxy = Proxy::to(database.options.get_host(), database.options.get_port()).await;
    let store = database.store_through(&proxy);
    let keys = [bucket(1)[0], bucket(2)[0], bucket(3)[0]];
    let count = async || {
        let before = proxy.round_trips();
        let old = store.buckets(&keys).await.expect("an answer");
        let read = proxy.round_trips() - before;
        let mut new = old.clone();
        fail(&mut new);
        assert_eq!(store.swap_buckets(&keys, &old, &new).await.expect("an answer"), Swap::Done);
        (read, proxy.round_trips() - before - read)
    };
    // The first of a connection tells the server the statements too.
    count().await;
    assert_eq!(count().await, (1, 1));
}
