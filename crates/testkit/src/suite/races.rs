//! What must hold when many act at once. Each case runs on two handles, as on two replicas.

use super::Fixture;
use super::duel::{DUELS, against, handles, rounds};
use super::fixture::{address, opening, password, roles, until_settled};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule_domain::access::RoleName;
use vestibule_domain::id::UserId;
use vestibule_domain::session::service::MAX_SESSIONS;
use vestibule_domain::session::store::{Opening, RefreshStanding};
use vestibule_domain::session::{EndReason, RefreshToken, Session};
use vestibule_domain::user::store::{ProfileOutcome, ProfileUpdate};
use vestibule_domain::user::{Status, User};
use vestibule_domain::{RequestContext, Store, StoreError, Timestamp};

async fn register(store: &dyn Store, user: &User) -> Result<bool, StoreError> {
    let mut work = store.begin().await?;
    if !work.insert_user(user, Some(&password("a"))).await? {
        return Ok(false);
    }
    work.commit().await.map(|()| true)
}

pub async fn sixty_four_registrations_of_one_address_make_one_user(fixture: &Fixture) {
    let (handles, turns) = (handles(fixture).await, [fixture.turns(), fixture.turns()]);
    for round in 0..rounds(1) {
        let spellings = ["alice{}@example.com", "ALICE{}@example.com", "Alice{}@EXAMPLE.com", "alice{}@Example.Com"];
        let spellings = spellings.map(|spelling| spelling.replace("{}", &round.to_string()));
        let mut clients = JoinSet::new();
        for n in 0..64 {
            let (store, turns) = (Arc::clone(&handles[n % 2]), Arc::clone(&turns[n % 2]));
            let user = fixture.user(&spellings[n % 4]);
            clients.spawn(async move {
                let _turn = turns.acquire().await;
                let registered = until_settled(async || register(&*store, &user).await).await;
                registered.then_some(user.id)
            });
        }
        let registered: Vec<_> = clients.join_all().await.into_iter().flatten().collect();
        let stored = fixture.store.user_by_email(&address(&spellings[0])).await.expect("an answer");
        assert_eq!(registered, [stored.expect("a user").id], "round {round}");
        let users = fixture.database.number("SELECT count(*) FROM users").await;
        assert_eq!(users, i64::try_from(round + 1).expect("a count"));
    }
}

pub async fn thirty_two_refreshes_of_one_token_make_one_child(fixture: &Fixture) {
    let (handles, turns) = (handles(fixture).await, [fixture.turns(), fixture.turns()]);
    let alice = fixture.register("alice@example.com").await;
    let (session, mut token) = fixture.sign_in(alice.id).await;
    for round in 0..rounds(3) {
        let mut clients = JoinSet::new();
        for n in 0..32 {
            let (store, turns, child) =
                (Arc::clone(&handles[n % 2]), Arc::clone(&turns[n % 2]), token.child(&fixture.rng));
            let rotation = fixture.rotation(&token, &child);
            clients.spawn(async move {
                let _turn = turns.acquire().await;
                let rotated = until_settled(async || store.rotate_refresh(&rotation).await).await;
                rotated.map(|_| child)
            });
        }
        let mut children: Vec<_> = clients.join_all().await.into_iter().flatten().collect();
        assert_eq!(children.len(), 1, "round {round}");
        let child = children.remove(0);
        let found = fixture.store.find_refresh(&child.hash()).await.expect("an answer").expect("the child");
        assert!(matches!(found.standing, RefreshStanding::Current) && !found.ended);
        assert_eq!(found.session.id, session.id);
        token = child;
    }
}

pub async fn nothing_refreshes_after_an_end_that_won(fixture: &Fixture) {
    let handles = handles(fixture).await;
    let alice = fixture.register("alice@example.com").await;
    for _ in 0..rounds(DUELS) {
        let (session, token) = fixture.sign_in(alice.id).await;
        let child = token.child(&fixture.rng);
        let (rotation, now) = (fixture.rotation(&token, &child), fixture.now());
        let [one, other] = handles.clone();
        let refresh = async move { until_settled(async || one.rotate_refresh(&rotation).await).await.is_some() };
        let end = async move {
            until_settled(async || {
                let mut work = other.begin().await?;
                let ended = work.end_session(session.user, session.id, EndReason::LoggedOut, now).await?;
                work.commit().await.map(|()| ended)
            })
            .await
        };
        let (_, ended) = against(refresh, end).await;
        assert!(ended, "the session was alive");
        assert!(fixture.rotate(&token).await.is_none());
        assert!(fixture.rotate(&child).await.is_none());
        assert!(fixture.store.principal(session.id).await.expect("an answer").is_none());
    }
}

/// As the use case does it: look, then write, in one transaction.
async fn demote(store: &dyn Store, id: UserId, now: Timestamp) -> Result<bool, StoreError> {
    let mut work = store.begin().await?;
    if work.is_last_administrator(id).await? {
        return Ok(false);
    }
    work.set_roles(id, &roles(&[]), now).await?;
    work.commit().await.map(|()| true)
}

pub async fn administrators_who_demote_each_other_leave_one(fixture: &Fixture) {
    let handles = handles(fixture).await;
    let alice = fixture.register_admin("alice@example.com").await;
    let bob = fixture.register_admin("bob@example.com").await;
    let now = fixture.now();
    for _ in 0..rounds(DUELS) {
        let [one, other] = handles.clone();
        let of_bob = async move { until_settled(async || demote(&*one, bob.id, now).await).await };
        let of_alice = async move { until_settled(async || demote(&*other, alice.id, now).await).await };
        let (bob_demoted, alice_demoted) = against(of_bob, of_alice).await;
        assert!(bob_demoted ^ alice_demoted, "exactly one is left");
        assert!(fixture.store.has_administrator().await.expect("an answer"));
        let mut work = fixture.begin().await;
        for id in [alice.id, bob.id] {
            work.set_roles(id, &[RoleName::admin()].into(), now).await.expect("an answer");
        }
        work.commit().await.expect("a commit");
    }
}

async fn log_in(store: &dyn Store, user: &User, session: &Session, token: &RefreshToken) -> Result<bool, StoreError> {
    let context = RequestContext::default();
    let opening = Opening { epoch: user.epoch, ..opening(session, token, &context) };
    store.open_session(&opening).await.map(|opened| opened.is_some())
}

/// Lets a login that was verified in the present epoch run against `revoke`; no session may be left.
async fn login_against<F>(fixture: &Fixture, revoke: impl Fn(Arc<dyn Store>, User, Timestamp) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let handles = handles(fixture).await;
    for round in 0..rounds(DUELS) {
        let user = fixture.register(&format!("user{round}@example.com")).await;
        let session = fixture.session(user.id);
        let token = fixture.token(&session);
        let [one, other] = handles.clone();
        let revocation = revoke(other, user.clone(), fixture.now());
        let id = user.id;
        let login = async move { until_settled(async || log_in(&*one, &user, &session, &token).await).await };
        against(login, revocation).await;
        let left = fixture.store.sessions(id, fixture.now()).await.expect("a list");
        assert_eq!(left, [], "a session outlived what ended them all");
    }
}

pub async fn no_login_survives_a_change_of_password(fixture: &Fixture) {
    login_against(fixture, |store, user, now| async move {
        until_settled(async || {
            let mut work = store.begin().await?;
            assert!(work.advance_epoch(user.id, user.epoch).await?);
            work.set_password(user.id, &password("b"), now).await?;
            work.end_sessions(user.id, None, EndReason::PasswordChanged, now).await?;
            work.commit().await
        })
        .await;
    })
    .await;
}

/// Whoever ends all sessions because one is in a stranger's hands must not be outrun by the stranger's new password.
pub async fn no_change_of_password_outlives_its_session(fixture: &Fixture) {
    let handles = handles(fixture).await;
    for round in 0..rounds(DUELS) {
        let user = fixture.register(&format!("user{round}@example.com")).await;
        let ((strangers, _), (owners, _)) = (fixture.sign_in(user.id).await, fixture.sign_in(user.id).await);
        let (id, epoch, session, now) = (user.id, user.epoch, strangers.id, fixture.now());
        let [one, other] = handles.clone();
        let change = async move {
            until_settled(async || {
                let mut work = one.begin().await?;
                assert!(work.advance_epoch(id, epoch).await?);
                if !work.holds_session(id, session).await? {
                    return Ok(false);
                }
                work.end_sessions(id, Some(session), EndReason::PasswordChanged, now).await?;
                work.commit().await.map(|()| true)
            })
            .await
        };
        let end_all = async move {
            until_settled(async || {
                let mut work = other.begin().await?;
                let ended = work.end_sessions(id, None, EndReason::Revoked, now).await?;
                work.commit().await.map(|()| ended)
            })
            .await
        };
        let (changed, ended) = against(change, end_all).await;
        assert!(ended.contains(&session), "the session was alive");
        assert_eq!(changed, !ended.contains(&owners.id), "the change came before the end, or not at all");
    }
}

pub async fn no_login_survives_a_disabling(fixture: &Fixture) {
    login_against(fixture, |store, user, now| async move {
        until_settled(async || {
            let mut work = store.begin().await?;
            work.is_last_administrator(user.id).await?;
            work.set_status(user.id, Status::Disabled, now).await?;
            work.end_sessions(user.id, None, EndReason::UserDisabled, now).await?;
            work.commit().await
        })
        .await;
    })
    .await;
}

async fn move_to(store: &dyn Store, update: &ProfileUpdate) -> Result<bool, StoreError> {
    let mut work = store.begin().await?;
    match work.update_profile(update).await? {
        ProfileOutcome::Updated(_) => work.commit().await.map(|()| true),
        ProfileOutcome::EmailTaken => Ok(false),
        other => panic!("{other:?}"),
    }
}

pub async fn two_users_cannot_move_to_one_address(fixture: &Fixture) {
    let handles = handles(fixture).await;
    let alice = fixture.register("alice@example.com").await;
    let bob = fixture.register("bob@example.com").await;
    for round in 0..rounds(DUELS) {
        fixture.clock.advance(Duration::from_millis(1));
        let now = fixture.now();
        let wanted = address(&format!("wanted{round}@example.com"));
        let update = |id| ProfileUpdate { id, name: None, email: Some(wanted.clone()), version: None, now };
        let (alices, bobs) = (update(alice.id), update(bob.id));
        let [one, other] = handles.clone();
        let alice_moves = async move { until_settled(async || move_to(&*one, &alices).await).await };
        let bob_moves = async move { until_settled(async || move_to(&*other, &bobs).await).await };
        let (first, second) = against(alice_moves, bob_moves).await;
        assert!(first ^ second, "exactly one has it");
    }
}

/// Whichever comes first, the latter's version has what the former did.
pub async fn no_login_that_follows_a_demotion_has_the_roles_of_before(fixture: &Fixture) {
    let handles = handles(fixture).await;
    for round in 0..rounds(DUELS) {
        let user = fixture.register_admin(&format!("user{round}@example.com")).await;
        let (session, now) = (fixture.session(user.id), fixture.now());
        let token = fixture.token(&session);
        let [one, other] = handles.clone();
        let id = user.id;
        let login = async move {
            until_settled(async || {
                let context = RequestContext::default();
                let opening = Opening { epoch: user.epoch, ..opening(&session, &token, &context) };
                one.open_session(&opening).await
            })
            .await
        };
        let demotion = async move {
            until_settled(async || {
                let mut work = other.begin().await?;
                work.set_roles(id, &roles(&[]), now).await?;
                work.commit().await
            })
            .await;
        };
        let (opened, ()) = against(login, demotion).await;
        let (opened, stored) = (opened.expect("a session").user, fixture.stored(id).await);
        let has_been_demoted = opened.version == stored.version;
        assert_eq!(opened.roles.contains(&RoleName::admin()), !has_been_demoted, "version {}", opened.version);
    }
}

pub async fn a_hundred_sessions_are_the_most_also_in_parallel(fixture: &Fixture) {
    let (handles, turns) = (handles(fixture).await, [fixture.turns(), fixture.turns()]);
    let alice = fixture.register("alice@example.com").await;
    let mut work = fixture.begin().await;
    for _ in 0..MAX_SESSIONS {
        let session = fixture.session(alice.id);
        work.insert_session(&session, &fixture.token(&session).hash()).await.expect("a session");
    }
    work.commit().await.expect("a commit");
    fixture.clock.advance(Duration::from_millis(1));
    let mut clients = JoinSet::new();
    for n in 0..16 {
        let (store, turns, user) = (Arc::clone(&handles[n % 2]), Arc::clone(&turns[n % 2]), alice.clone());
        let session = fixture.session(alice.id);
        let token = fixture.token(&session);
        clients.spawn(async move {
            let _turn = turns.acquire().await;
            until_settled(async || log_in(&*store, &user, &session, &token).await).await
        });
    }
    assert!(clients.join_all().await.into_iter().all(|logged_in| logged_in));
    let live = fixture.database.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await;
    assert_eq!(live, i64::from(MAX_SESSIONS));
}
