//! How often the server is asked: from afar that is most of the time that an answer takes.

use crate::database::{Database, alice};
use crate::proxy::Proxy;
use vestibule_domain::Store;
use vestibule_domain::credential::PasswordHash;
use vestibule_domain::user::{Email, User};

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
    let insert = async |user: User| {
        let mut work = store.begin().await.expect("a transaction");
        let before = proxy.round_trips();
        let inserted = work.insert_user(&user, Some(&hash)).await.expect("an answer");
        let spent = proxy.round_trips() - before;
        work.commit().await.expect("a commit");
        (inserted, spent)
    };
    // The first of a connection tells the server the statement too.
    assert!(insert(user(1, "alice@example.com")).await.0);
    assert_eq!(insert(user(2, "bob@example.com")).await, (true, 1));
    assert_eq!(insert(user(3, "alice@example.com")).await, (false, 1));
}
