//! Lists of users: pages, filters and counts.

use super::Fixture;
use super::fixture::{DAY, address, name, roles};
use std::time::Duration;
use vestibule_domain::id::UserId;
use vestibule_domain::page::{Cursor, Limit, PageRequest};
use vestibule_domain::session::EndReason;
use vestibule_domain::user::store::UserFilter;
use vestibule_domain::user::{Status, User};

fn limit(n: u16) -> Limit {
    Limit::parse(&n.to_string()).expect("a limit within the range")
}

/// All pages of a list, each of `size`.
async fn walk(fixture: &Fixture, filter: &UserFilter, size: u16) -> Vec<Vec<UserId>> {
    let mut pages = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let request = PageRequest { limit: limit(size), after };
        let page = fixture.store.users(filter, request, fixture.now()).await.expect("a page");
        pages.push(page.data.iter().map(|listed| listed.user.id).collect());
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

/// Whom the filter finds, by the local part of their addresses.
async fn found(fixture: &Fixture, filter: UserFilter) -> Vec<String> {
    let request = PageRequest { limit: limit(200), after: None };
    let page = fixture.store.users(&filter, request, fixture.now()).await.expect("a page");
    let local = |user: &User| user.email.canonical().split('@').next().unwrap_or_default().to_owned();
    page.data.iter().map(|listed| local(&listed.user)).collect()
}

pub async fn pages_are_complete_and_in_order(fixture: &Fixture) {
    let mut ids = Vec::new();
    for n in 0..7 {
        fixture.clock.advance(Duration::from_millis(1));
        ids.push(fixture.register(&format!("user{n}@example.com")).await.id);
    }
    let all = UserFilter::default();
    assert_eq!(walk(fixture, &all, 3).await, [&ids[..3], &ids[3..6], &ids[6..]]);
    assert_eq!(walk(fixture, &all, 7).await, [&ids[..]], "a full page is the last if nothing follows");
    assert_eq!(walk(fixture, &all, 200).await, [&ids[..]]);
    let listed = fixture.store.users(&all, PageRequest::default(), fixture.now()).await.expect("a page").data;
    assert_eq!(listed[0].user, fixture.stored(ids[0]).await);
}

pub async fn filters_hold_together(fixture: &Fixture) {
    let admin = User { roles: roles(&["admin", "support"]), ..fixture.user("admin@example.com") };
    fixture.insert(admin).await;
    let off = fixture.insert(User { roles: roles(&["support"]), ..fixture.user("off@example.com") }).await;
    fixture.register("plain@example.com").await;
    let mut work = fixture.begin().await;
    work.set_status(off.id, Status::Disabled, fixture.now()).await.expect("an answer");
    work.commit().await.expect("a commit");

    let role = |role: &str| roles(&[role]).pop_first();
    let mut supporters = found(fixture, UserFilter { role: role("support"), ..UserFilter::default() }).await;
    supporters.sort();
    assert_eq!(supporters, ["admin", "off"]);
    let active = UserFilter { role: role("support"), status: Some(Status::Active), ..UserFilter::default() };
    assert_eq!(found(fixture, active).await, ["admin"]);
    let disabled = UserFilter { status: Some(Status::Disabled), ..UserFilter::default() };
    assert_eq!(found(fixture, disabled).await, ["off"]);
    let by_address = UserFilter { email: Some(address("PLAIN@example.com")), ..UserFilter::default() };
    assert_eq!(found(fixture, by_address.clone()).await, ["plain"]);
    assert_eq!(found(fixture, UserFilter { role: role("admin"), ..by_address }).await, Vec::<String>::new());
    assert_eq!(walk(fixture, &UserFilter { role: role("unknown"), ..UserFilter::default() }, 1).await, [vec![]]);
}

pub async fn prefixes_are_literal(fixture: &Fixture) {
    for (email, text) in [
        ("a_c@example.com", "Zoë Åström"),
        ("abc@example.com", "zOË other"),
        ("percent%@example.com", "100% sure"),
        ("dotted.i@example.com", "İstanbul"),
        ("last@example.com", "\u{10ffff}tail"),
    ] {
        fixture.insert(User { name: name(text), ..fixture.user(email) }).await;
    }
    let by_prefix = async |prefix: &str| {
        let mut locals = found(fixture, UserFilter { prefix: Some(prefix.to_owned()), ..UserFilter::default() }).await;
        locals.sort();
        locals
    };
    assert_eq!(by_prefix("a").await, ["a_c", "abc"]);
    assert_eq!(by_prefix("a_").await, ["a_c"], "an underscore is no wildcard");
    assert_eq!(by_prefix("percent%").await, ["percent%"]);
    assert_eq!(by_prefix("%").await, Vec::<String>::new());
    assert_eq!(by_prefix("zoë").await, ["a_c", "abc"], "names are folded outside ASCII too");
    assert_eq!(by_prefix("100%").await, ["percent%"]);
    assert_eq!(by_prefix("' or 1=1--").await, Vec::<String>::new());
    assert_eq!(by_prefix("\u{10ffff}").await, ["last"]);
    assert_eq!(by_prefix("b").await, Vec::<String>::new(), "a prefix is no substring");
}

pub async fn counts_only_live_sessions(fixture: &Fixture) {
    // Away from midnight: who expires then has the whole day before them.
    fixture.clock.advance(Duration::from_hours(1));
    let alice = fixture.register("alice@example.com").await;
    let bob = fixture.register("bob@example.com").await;
    let (idle, _) = fixture.sign_in(alice.id).await;
    let (_, kept_alive) = fixture.sign_in(alice.id).await;
    let (ended, _) = fixture.sign_in(alice.id).await;
    let mut work = fixture.begin().await;
    work.end_session(alice.id, ended.id, EndReason::LoggedOut, fixture.now()).await.expect("an answer");
    work.commit().await.expect("a commit");
    let counts = async || {
        let page = fixture.store.users(&UserFilter::default(), PageRequest::default(), fixture.now()).await;
        let mut counts: Vec<_> =
            page.expect("a page").data.iter().map(|listed| (listed.user.id, listed.active_sessions)).collect();
        counts.sort();
        counts
    };
    let expected = |alices| {
        let mut counts = [(alice.id, alices), (bob.id, 0)];
        counts.sort();
        counts
    };
    assert_eq!(counts().await, expected(2));
    fixture.clock.advance(13 * DAY);
    fixture.rotate(&kept_alive).await.expect("the token rotates");
    fixture.clock.advance(DAY.saturating_sub(Duration::from_millis(1)));
    assert_eq!(counts().await, expected(2));
    fixture.clock.advance(Duration::from_millis(1));
    assert!(idle.is_expired(fixture.now()));
    assert_eq!(counts().await, expected(1));
    fixture.clock.advance(16 * DAY);
    assert_eq!(counts().await, expected(0));
}

pub async fn pages_never_lose_or_repeat_a_row_while_others_register(fixture: &Fixture) {
    let mut before = Vec::new();
    for n in 0..40 {
        before.push(fixture.register(&format!("before{n}@example.com")).await.id);
    }
    fixture.clock.advance(Duration::from_millis(1));
    let writer = async {
        for n in 0..20 {
            fixture.register(&format!("during{n}@example.com")).await;
        }
    };
    let all = UserFilter::default();
    let (pages, ()) = tokio::join!(walk(fixture, &all, 3), writer);
    let seen: Vec<_> = pages.into_iter().flatten().collect();
    assert!(seen.is_sorted_by(|one, next| one < next), "in order, none twice");
    assert!(before.iter().all(|id| seen.contains(id)), "none lost");
}
