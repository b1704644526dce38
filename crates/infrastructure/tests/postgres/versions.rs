//! A refresh makes another version of its session's row in the same page, and writes no index.

use crate::database::{Database, alice, child, insert, rotation, session, token};
use std::time::Duration;
use tokio::time::timeout;
use vestibule_domain::session::store::{Rotation, SessionRotation, SessionUpkeep};
use vestibule_domain::session::{SealedToken, Session};
use vestibule_domain::{Store, Timestamp};

const DAY: Duration = Duration::from_hours(24);

/// Each at a time of its own, with a child of its own. All but the first one after a login, after housekeeping and on a
/// day.
#[tokio::test]
async fn most_refreshes_write_no_index() {
    let database = Database::migrated().await;
    let store = database.store(1);
    insert(&store, &alice()).await;
    let sessions = [1, 2].map(|n| Session { expires_at: Timestamp::EPOCH.plus(30 * DAY), ..session(n) });
    let mut tokens = sessions.each_ref().map(token);
    let mut work = store.begin().await.expect("a transaction");
    for (session, token) in sessions.iter().zip(&tokens) {
        work.insert_session(session, &token.hash()).await.expect("an answer");
    }
    work.commit().await.expect("a commit");
    let mut now = Timestamp::EPOCH;
    for round in 1..=6 {
        now = now.plus(Duration::from_secs(30));
        let sealed_child = SealedToken::from_bytes(vec![round]);
        let group =
            tokens.each_ref().map(|token| Rotation { now, sealed_child: sealed_child.clone(), ..rotation(token) });
        let rotated = if round % 2 == 0 {
            store.rotate_refreshes(&group).await.expect("an answer")
        } else {
            let [one, other] = &group;
            let (one, other) = (store.rotate_refresh(one).await, store.rotate_refresh(other).await);
            vec![one.expect("an answer"), other.expect("an answer")]
        };
        assert!(rotated.iter().all(Option::is_some), "{round}");
        tokens = tokens.map(|token| child(&token));
        if round == 3 {
            let none = store.forget_sealed_children(now.plus(DAY), uuid::Uuid::nil().into(), 10).await;
            assert_eq!(none.expect("an answer"), None);
        }
    }
    // When a connection has ended, the server tells what it has counted.
    store.close().await;
    let mut connection = database.connect().await;
    let told = async {
        loop {
            let counted = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'sessions'";
            let counted: (i64, i64) = sqlx::query_as(counted).fetch_one(&mut connection).await.expect("an answer");
            if counted.0 == 14 {
                return counted.1;
            }
        }
    };
    let hot = timeout(Duration::from_secs(20), told).await.expect("the server counts what is written (track_counts)");
    assert_eq!(hot, 8, "of twelve refreshes, without two that are the first and two after housekeeping");
}
