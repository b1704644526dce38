//! Which settings hold while something is written.

use crate::database::{Database, alice, insert, rotation, session, token};
use crate::locks::{bucket, fail};
use vestibule_domain::Store;
use vestibule_domain::session::store::SessionRotation;
use vestibule_domain::throttle::store::{Swap, ThrottleStore};

impl Database {
    /// Keeps what the setting was whenever somebody writes to one of the tables.
    async fn note(&self, setting: &str, tables: &[&str]) {
        let function = "CREATE TABLE noted (value text);
                        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
                            BEGIN INSERT INTO noted VALUES (current_setting(TG_ARGV[0])); RETURN NULL; END $$";
        self.execute(function).await;
        for table in tables {
            let trigger =
                format!("CREATE TRIGGER note AFTER INSERT OR UPDATE ON {table} EXECUTE FUNCTION note('{setting}')");
            self.execute(&trigger).await;
        }
    }

    /// Since the last time, each value once.
    async fn noted(&self) -> Vec<String> {
        let taken = "WITH taken AS (DELETE FROM noted RETURNING value) SELECT DISTINCT value FROM taken";
        sqlx::query_scalar(taken).fetch_all(&mut self.connect().await).await.expect("an answer")
    }
}

#[tokio::test]
async fn attempts_are_not_waited_for_and_what_follows_on_their_connection_is() {
    let database = Database::migrated().await;
    database.note("synchronous_commit", &["throttles", "users"]).await;
    let store = database.store(1);
    store.change_buckets(&bucket(1), &mut fail).await.expect("an answer");
    assert_eq!(database.noted().await, ["off"]);
    let old = store.buckets(&bucket(1)).await.expect("an answer");
    let mut new = old.clone();
    fail(&mut new);
    assert_eq!(store.swap_buckets(&bucket(1), &old, &new).await.expect("an answer"), Swap::Done);
    assert_eq!(database.noted().await, ["off"]);
    insert(&store, &alice()).await;
    assert_eq!(database.noted().await, ["on"]);
}

#[tokio::test]
async fn refreshes_have_one_plan_in_a_group_as_alone() {
    let database = Database::migrated().await;
    let store = database.store(1);
    insert(&store, &alice()).await;
    let tokens = [1, 2, 3].map(|n| token(&session(n)));
    let mut work = store.begin().await.expect("a transaction");
    for (n, token) in (1..).zip(&tokens) {
        work.insert_session(&session(n), &token.hash()).await.expect("an answer");
    }
    work.commit().await.expect("a commit");
    database.note("plan_cache_mode", &["sessions"]).await;
    let [first, second, alone] = tokens.map(|token| rotation(&token));
    assert!(store.rotate_refreshes(&[first, second]).await.expect("an answer").iter().all(Option::is_some));
    assert_eq!(database.noted().await, ["force_generic_plan"]);
    assert!(store.rotate_refreshes(&[alone]).await.expect("an answer").iter().all(Option::is_some));
    assert_eq!(database.noted().await, ["force_generic_plan"]);
}
