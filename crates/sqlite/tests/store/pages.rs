//! A refresh writes the page in which its session's row is, and no index.

use crate::fixture::{Directory, insert, user};
use std::time::Duration;
use uuid::Uuid;
use vestibule_domain::session::store::{Rotation, SessionRotation, SessionUpkeep};
use vestibule_domain::session::{Amr, RefreshToken, SealedToken, Session};
use vestibule_domain::{Store, Timestamp};
use vestibule_sqlite::SqliteStore;

const DAY: Duration = Duration::from_hours(24);
/// A page, and what the log says of it (<https://sqlite.org/fileformat2.html#the_write_ahead_log>).
const FRAME: u64 = 4096 + 24;

/// Of a user's hundred, as many as do not fit in one page.
async fn log_in(store: &SqliteStore) -> Vec<RefreshToken> {
    insert(store, &user(1)).await.unwrap();
    let mut work = store.begin().await.unwrap();
    let mut tokens = Vec::new();
    for n in 0..100_u8 {
        let at = user(1).created_at.plus(Duration::from_secs(n.into()));
        let session = Session {
            id: Uuid::from_u128(n.into()).into(),
            user: user(1).id,
            created_at: at,
            last_seen_at: at,
            authenticated_at: at,
            expires_at: at.plus(30 * DAY),
            idle_expires_at: at.plus(14 * DAY),
            ip: None,
            user_agent: None,
            amr: vec![Amr::Password],
        };
        let token = RefreshToken::new(session.id, [n; 16], [n; 32]);
        work.insert_session(&session, &token.hash()).await.unwrap();
        tokens.push(token);
    }
    work.commit().await.unwrap();
    tokens
}

/// How many pages that wrote.
async fn refresh(directory: &Directory, store: &SqliteStore, token: &mut RefreshToken, now: Timestamp) -> u64 {
    let log = directory.path().join("vestibule.db-wal");
    let length = || log.metadata().unwrap().len();
    let child = token.with_secret(token.secret().map(|byte| byte.wrapping_add(1)));
    let rotation = Rotation {
        presented: token.hash(),
        child: child.secret_hash(),
        sealed_child: SealedToken::from_bytes(child.secret().to_vec()),
        now,
        idle: 14 * DAY,
    };
    let before = length();
    assert!(store.rotate_refresh(&rotation).await.unwrap().is_some(), "{now:?}");
    *token = child;
    (length() - before) / FRAME
}

/// All but the first one after a login, on a day, and after housekeeping.
#[tokio::test]
async fn most_refreshes_write_one_page() {
    let directory = Directory::new();
    let store = directory.serve().await;
    let mut tokens = log_in(&store).await;
    // After midnight.
    let begun = user(1).created_at.plus(DAY);
    let mut pages = Vec::new();
    for minute in 1..=3 {
        pages.push(refresh(&directory, &store, &mut tokens[50], begun.plus(Duration::from_mins(minute))).await);
    }
    assert!(pages[0] > 1 && pages[1..] == [1, 1], "{pages:?}");
    // What was forgotten is written again, to the index of what there is to forget.
    let forgotten = store.forget_sealed_children(begun.plus(DAY), Uuid::nil().into(), 1000).await;
    assert_eq!(forgotten.unwrap(), None);
    let mut at = begun.plus(Duration::from_mins(4));
    pages = vec![refresh(&directory, &store, &mut tokens[50], at).await];
    pages.push(refresh(&directory, &store, &mut tokens[50], at.plus(Duration::from_secs(1))).await);
    assert!(pages[0] > 1 && pages[1] == 1, "{pages:?}");
    at = at.plus(DAY);
    pages = vec![refresh(&directory, &store, &mut tokens[50], at).await];
    pages.push(refresh(&directory, &store, &mut tokens[50], at.plus(Duration::from_secs(1))).await);
    assert!(pages[0] > 1 && pages[1] == 1, "{pages:?}");
}
