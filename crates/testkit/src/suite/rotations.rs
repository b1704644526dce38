//! Rotation of many refresh tokens in one commit.

use super::Fixture;
use super::duel::{DUELS, against, handles, rounds};
use super::fixture::{DAY, until_settled};
use crate::StoreKind;
use vestibule_domain::session::store::{RefreshStanding, Rotation};
use vestibule_domain::session::{EndReason, RefreshToken, Session};
use vestibule_domain::user::{Status, User};
use vestibule_domain::{Store, StoreError};

type Rotated = Vec<Option<(Session, User)>>;

async fn rotate(fixture: &Fixture, rotations: Vec<Rotation>) -> Rotated {
    fixture.store.rotate_refreshes(&rotations).await.expect("an answer")
}

async fn is_current(fixture: &Fixture, token: &RefreshToken) -> bool {
    let found = fixture.store.find_refresh(&token.hash()).await.expect("an answer");
    found.is_some_and(|found| matches!(found.standing, RefreshStanding::Current))
}

pub async fn each_of_a_group_rotates_as_it_would_alone(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let bob = fixture.register("bob@example.com").await;
    let (_, expired) = fixture.sign_in(alice.id).await;
    fixture.clock.advance(15 * DAY);
    let (ended_session, ended) = fixture.sign_in(alice.id).await;
    let (first_session, first) = fixture.sign_in(alice.id).await;
    let (second_session, second) = fixture.sign_in(alice.id).await;
    let (bobs_session, disabled) = fixture.sign_in(bob.id).await;
    let parent = fixture.sign_in(alice.id).await.1;
    let current = fixture.rotate(&parent).await.expect("the token rotates");
    let mut work = fixture.begin().await;
    let now = fixture.now();
    work.end_session(alice.id, ended_session.id, EndReason::LoggedOut, now).await.expect("an answer");
    // Without the end of the session, which the use case would add: the user's status alone must be enough.
    work.set_status(bob.id, Status::Disabled, now).await.expect("an answer");
    work.commit().await.expect("a commit");

    fixture.clock.advance(DAY);
    let unknown = fixture.token(&fixture.session(alice.id));
    let presented = [&second, &expired, &ended, &unknown, &disabled, &parent, &first];
    let children = presented.map(|token| token.child(&fixture.rng));
    let rotations: Vec<_> = std::iter::zip(presented, &children).map(|(p, c)| fixture.rotation(p, c)).collect();
    let rotated = rotate(fixture, rotations).await;

    let sessions: Vec<_> = rotated.iter().map(|one| one.as_ref().map(|(session, _)| session.id)).collect();
    let (second_id, first_id) = (Some(second_session.id), Some(first_session.id));
    assert_eq!(sessions, [second_id, None, None, None, None, None, first_id]);
    for (one, child) in [(&rotated[0], &children[0]), (&rotated[6], &children[6])] {
        let (session, user) = one.as_ref().expect("it rotated");
        let found = fixture.store.find_refresh(&child.hash()).await.expect("an answer").expect("the child");
        assert_eq!((&found.session, &found.user), (session, user));
        assert_eq!((session.last_seen_at, session.idle_expires_at), (fixture.now(), fixture.now().plus(14 * DAY)));
        assert!(matches!(found.standing, RefreshStanding::Current));
    }
    for (token, child) in [(&second, &children[0]), (&first, &children[6])] {
        let found = fixture.store.find_refresh(&token.hash()).await.expect("an answer").expect("the parent");
        let RefreshStanding::Parent { replaced_at, child: Some(sealed) } = found.standing else {
            panic!("{:?}", found.standing)
        };
        assert_eq!((replaced_at, sealed), (fixture.now(), fixture.rotation(token, child).sealed_child));
    }
    assert!(is_current(fixture, &current).await, "nothing happened to it");
    let mut work = fixture.begin().await;
    work.end_session(bob.id, bobs_session.id, EndReason::UserDisabled, fixture.now()).await.expect("an answer");
    work.commit().await.expect("a commit");
}

pub async fn a_token_twice_in_a_group_rotates_once(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (_, token) = fixture.sign_in(alice.id).await;
    let children = [token.child(&fixture.rng), token.child(&fixture.rng)];
    let rotated = rotate(fixture, children.iter().map(|child| fixture.rotation(&token, child)).collect()).await;
    assert_eq!(rotated.iter().flatten().count(), 1);
    for (rotated, child) in std::iter::zip(&rotated, &children) {
        assert_eq!(rotated.is_some(), is_current(fixture, child).await);
    }
}

/// As the next version might write it.
pub async fn a_session_that_cannot_be_read_is_nobody_elses_trouble(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let (_, one) = fixture.sign_in(alice.id).await;
    let (strange, unreadable) = fixture.sign_in(alice.id).await;
    let hex = strange.id.as_uuid().simple();
    let id = match fixture.database.kind() {
        StoreKind::Postgres => format!("'{hex}'"),
        StoreKind::Sqlite => format!("x'{hex}'"),
    };
    let rewrite = async |amr: &str| {
        let sql = format!("UPDATE sessions SET amr = '{amr}' WHERE id = {id}");
        assert_eq!(fixture.database.execute(&sql).await.expect("an answer"), 1);
    };
    rewrite("tarot").await;
    let children = [&one, &unreadable].map(|token| token.child(&fixture.rng));
    let group = std::iter::zip([&one, &unreadable], &children).map(|(token, child)| fixture.rotation(token, child));
    let rotated = rotate(fixture, group.collect()).await;
    assert_eq!(rotated.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
    let trouble = fixture.store.find_refresh(&unreadable.hash()).await;
    assert!(matches!(trouble, Err(StoreError::Corrupt { column: "amr", .. })), "{trouble:?}");
    rewrite("pwd").await;
}

/// As the use case does it: in a group, and then alone.
async fn rotate_all(store: &dyn Store, rotations: &[Rotation]) -> Result<Vec<bool>, StoreError> {
    let mut all = Vec::new();
    for (rotated, rotation) in std::iter::zip(store.rotate_refreshes(rotations).await?, rotations) {
        let alone = async || until_settled(async || store.rotate_refresh(rotation).await).await;
        all.push(rotated.is_some() || alone().await.is_some());
    }
    Ok(all)
}

pub async fn groups_of_the_same_tokens_make_one_child_of_each(fixture: &Fixture) {
    let handles = handles(fixture).await;
    let alice = fixture.register("alice@example.com").await;
    let mut tokens = Vec::new();
    for _ in 0..8 {
        tokens.push(fixture.sign_in(alice.id).await.1);
    }
    for round in 0..rounds(DUELS) {
        let group = |tokens: &[RefreshToken]| {
            let children: Vec<_> = tokens.iter().map(|token| token.child(&fixture.rng)).collect();
            let rotations = std::iter::zip(tokens, &children).map(|(token, child)| fixture.rotation(token, child));
            (rotations.collect::<Vec<_>>(), children)
        };
        let (one_group, mut one_children) = group(&tokens);
        let (mut other_group, mut other_children) = group(&tokens);
        // In the opposite order, in which two that wait for each other would never end.
        other_group.reverse();
        let [one, other] = handles.clone();
        let (one, mut other) =
            against(async move { rotate_all(&*one, &one_group).await.expect("no failure") }, async move {
                rotate_all(&*other, &other_group).await.expect("no failure")
            })
            .await;
        other.reverse();
        tokens.clear();
        for (one, other) in std::iter::zip(one, other) {
            assert!(one ^ other, "round {round}: one child of each");
            let (ours, theirs) = (one_children.remove(0), other_children.remove(0));
            tokens.push(if one { ours } else { theirs });
        }
        for token in &tokens {
            assert!(is_current(fixture, token).await, "round {round}");
        }
    }
}

pub async fn nothing_refreshes_in_a_group_after_an_end_that_won(fixture: &Fixture) {
    let handles = handles(fixture).await;
    let alice = fixture.register("alice@example.com").await;
    for _ in 0..rounds(DUELS) {
        let (session, token) = fixture.sign_in(alice.id).await;
        let (_, bystander) = fixture.sign_in(alice.id).await;
        let children = [&token, &bystander].map(|token| token.child(&fixture.rng));
        let group = [(&token, &children[0]), (&bystander, &children[1])];
        let group = group.map(|(token, child)| fixture.rotation(token, child));
        let [one, other] = handles.clone();
        let now = fixture.now();
        let refresh = async move { rotate_all(&*one, &group).await.expect("no failure") };
        let end = async move {
            until_settled(async || {
                let mut work = other.begin().await?;
                let ended = work.end_session(session.user, session.id, EndReason::LoggedOut, now).await?;
                work.commit().await.map(|()| ended)
            })
            .await
        };
        let (rotated, ended) = against(refresh, end).await;
        assert!(ended && rotated[1], "the end concerns one of them");
        for token in [&token, &children[0]] {
            assert!(fixture.rotate(token).await.is_none());
        }
        assert!(fixture.store.principal(session.id).await.expect("an answer").is_none());
    }
}
