//! A refresh writes the page in which its session's row is, and no index.

use crate::fixture::{Directory, insert, user};
use std::time::Duration;
use uuid::Uuid;
use vestibule_domain::session::store::{Rotation, SessionRotation, SessionUpkeep};
use vestibule_domain::session::{Amr, RefreshToken, SealedToken, Session};
use vestibule_domain::{Store, Timestamp};
use vestibule_sqlite::SqliteStore;

const DAY: Duration = Duration::from_hours(24);
/// A frame of the write-ahead log: a page and its header (<https://sqlite.org/fileformat2.html#the_write_ahead_log>).
const FRAME: u64 = 4096 + 24;

/// A hundred of one user: neither their rows nor an index of them fit into one page.
async fn open_sessions(store: &SqliteStore) -> Vec<RefreshToken> {
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

/// How many pages are written meanwhile.
async fn pages(directory: &Directory, meanwhile: impl Future<Output = ()>) -> u64 {
    let wal = directory.path().join("vestibule.db-wal");
    let length = || wal.metadata().unwrap().len();
    let before = length();
    meanwhile.await;
    (length() - before) / FRAME
}

async fn refresh(store: &SqliteStore, token: &mut RefreshToken, now: Timestamp) {
    let child = token.with_secret(token.secret().map(|byte| byte.wrapping_add(1)));
    let rotation = Rotation {
        presented: token.hash(),
        child: child.secret_hash(),
        sealed_child: SealedToken::from_bytes(child.secret().to_vec()),
        now,
        idle: 14 * DAY,
    };
    assert!(store.rotate_refresh(&rotation).await.unwrap().is_some(), "{now:?}");
    *token = child;
}

#[tokio::test]
async fn a_refresh_writes_one_page_and_an_index_if_that_has_to_know() {
    let directory = Directory::new();
    let store = directory.serve().await;
    let token = &mut open_sessions(&store).await[50];
    let begun = user(1).created_at;
    let after = |minutes| begun.plus(Duration::from_mins(minutes));
    // The first one makes the row longer, which may not fit into its page.
    assert!(pages(&directory, refresh(&store, token, after(2))).await > 1);
    assert_eq!(pages(&directory, refresh(&store, token, after(3))).await, 1);
    // The sealed child and its mark.
    let housekeeping = async || {
        let last = store.forget_sealed_children(begun.plus(2 * DAY), Uuid::nil().into(), 1000).await;
        assert_eq!(last.unwrap(), None);
    };
    assert_eq!(pages(&directory, housekeeping()).await, 2);
    assert_eq!(pages(&directory, refresh(&store, token, after(4))).await, 2);
    assert_eq!(pages(&directory, refresh(&store, token, after(5))).await, 1);
    // The day, in two indexes.
    assert_eq!(pages(&directory, refresh(&store, token, after(6).plus(DAY))).await, 3);
    assert_eq!(pages(&directory, refresh(&store, token, after(7).plus(DAY))).await, 1);
}
