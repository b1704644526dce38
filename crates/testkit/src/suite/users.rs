//! Users: records, addresses, versions and epochs.

use super::Fixture;
use super::fixture::{DAY, address, name, password, roles, somewhere};
use std::time::Duration;
use vestibule_domain::audit::{AuditEvent, AuditKind, AuditRecord};
use vestibule_domain::id::{AuditEventId, UserId};
use vestibule_domain::session::DeviceToken;
use vestibule_domain::user::store::{DeleteOutcome, ProfileOutcome, ProfileUpdate, Registration};
use vestibule_domain::user::{Status, User};
use vestibule_domain::{RequestContext, UnitOfWork};

/// A change of nothing, to be filled in.
fn update(fixture: &Fixture, id: UserId) -> ProfileUpdate {
    ProfileUpdate { id, name: None, email: None, version: None, now: fixture.now() }
}

async fn updated(fixture: &Fixture, update: ProfileUpdate) -> ProfileOutcome {
    let mut work = fixture.begin().await;
    let outcome = work.update_profile(&update).await.expect("an answer");
    work.commit().await.expect("a commit");
    outcome
}

async fn set_status(fixture: &Fixture, id: UserId, status: Status) -> Option<User> {
    let mut work = fixture.begin().await;
    let user = work.set_status(id, status, fixture.now()).await.expect("an answer");
    work.commit().await.expect("a commit");
    user
}

pub async fn keeps_every_field_to_the_millisecond(fixture: &Fixture) {
    fixture.clock.advance(Duration::from_millis(987));
    let now = fixture.now();
    let user = User {
        email_verified: true,
        roles: roles(&["admin", "support"]),
        updated_at: now.plus(Duration::from_millis(1)),
        last_login_at: Some(now.plus(Duration::from_millis(2))),
        version: 41,
        epoch: 7,
        ..fixture.user("Alice.Example@Bücher.example")
    };
    fixture.insert(user.clone()).await;
    assert_eq!(fixture.stored(user.id).await, user);
    let same = fixture.store.user_by_email(&address("alice.example@xn--bcher-kva.example")).await.expect("an answer");
    assert_eq!(same.as_ref(), Some(&user));
    assert_eq!(same.expect("the user").email.as_written(), "Alice.Example@Bücher.example");
}

pub async fn one_user_for_all_spellings_of_an_address(fixture: &Fixture) {
    let alice = fixture.register("alice@bücher.example").await;
    for spelling in ["alice@bücher.example", "ALICE@Bücher.Example", "alice@xn--bcher-kva.example"] {
        let mut work = fixture.begin().await;
        let inserted = work.insert_user(&fixture.user(spelling), Some(&password("b"))).await;
        assert!(!inserted.expect("an answer"), "{spelling} counts as free");
        let found = fixture.store.user_by_email(&address(spelling)).await.expect("an answer");
        assert_eq!(found.map(|user| user.id), Some(alice.id), "{spelling}");
    }
    let tagged = fixture.register("alice+tag@bücher.example").await;
    assert_ne!(tagged.id, alice.id);
}

pub async fn profile_updates_follow_the_version(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    fixture.clock.advance(Duration::from_millis(1));
    let rename = |version| ProfileUpdate { name: Some(name("Alicia")), version, ..update(fixture, alice.id) };
    let ProfileOutcome::Updated(renamed) = updated(fixture, rename(Some(1))).await else {
        panic!("the version was right");
    };
    assert_eq!(renamed, User { name: name("Alicia"), version: 2, updated_at: fixture.now(), ..alice.clone() });
    assert_eq!(fixture.stored(alice.id).await, renamed);
    assert!(matches!(updated(fixture, rename(Some(1))).await, ProfileOutcome::Stale));
    assert!(matches!(updated(fixture, rename(None)).await, ProfileOutcome::Updated(user) if user.version == 3));
    let nobody = UserId::generate(&fixture.clock, &fixture.rng);
    assert!(matches!(updated(fixture, update(fixture, nobody)).await, ProfileOutcome::Missing));
}

pub async fn an_address_can_be_changed_but_not_taken(fixture: &Fixture) {
    let alice = fixture.insert(User { email_verified: true, ..fixture.user("alice@example.com") }).await;
    fixture.register("bob@example.com").await;
    let take = ProfileUpdate { email: Some(address("BOB@example.com")), ..update(fixture, alice.id) };
    assert!(matches!(updated(fixture, take).await, ProfileOutcome::EmailTaken));
    assert_eq!(fixture.stored(alice.id).await, alice);
    let moved = ProfileUpdate { email: Some(address("alice@example.org")), ..update(fixture, alice.id) };
    let ProfileOutcome::Updated(moved) = updated(fixture, moved).await else { panic!("the address was free") };
    assert_eq!(moved.email, address("alice@example.org"));
    assert!(!moved.email_verified, "a new address is unverified");
    assert_eq!(fixture.store.user_by_email(&address("alice@example.com")).await.expect("an answer"), None);
    fixture.register("alice@example.com").await;
}

pub async fn an_own_address_can_be_spelled_anew(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let respell = ProfileUpdate { email: Some(address("Alice@Example.com")), ..update(fixture, alice.id) };
    let ProfileOutcome::Updated(user) = updated(fixture, respell).await else { panic!("it is the user's own") };
    assert_eq!(user.email.as_written(), "Alice@Example.com");
}

pub async fn disabling_advances_the_epoch_and_enabling_does_not(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    fixture.clock.advance(Duration::from_secs(1));
    let disabled = set_status(fixture, alice.id, Status::Disabled).await.expect("the user");
    let updated_at = fixture.now();
    assert_eq!(disabled, User { status: Status::Disabled, version: 2, epoch: 2, updated_at, ..alice.clone() });
    assert_eq!(fixture.stored(alice.id).await, disabled);
    let enabled = set_status(fixture, alice.id, Status::Active).await.expect("the user");
    assert_eq!(enabled, User { status: Status::Active, version: 3, ..disabled });
    let nobody = UserId::generate(&fixture.clock, &fixture.rng);
    assert_eq!(set_status(fixture, nobody, Status::Disabled).await, None);
}

pub async fn a_status_that_is_already_so_changes_nothing(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    assert_eq!(set_status(fixture, alice.id, Status::Active).await, Some(alice.clone()));
    let disabled = set_status(fixture, alice.id, Status::Disabled).await;
    fixture.clock.advance(DAY);
    assert_eq!(set_status(fixture, alice.id, Status::Disabled).await, disabled);
    assert_eq!(Some(fixture.stored(alice.id).await), disabled);
}

pub async fn roles_are_replaced_as_a_whole(fixture: &Fixture) {
    let alice = fixture.insert(User { roles: roles(&["support"]), ..fixture.user("alice@example.com") }).await;
    fixture.clock.advance(Duration::from_secs(1));
    let mut work = fixture.begin().await;
    let set = work.set_roles(alice.id, &roles(&["admin", "user"]), fixture.now()).await.expect("an answer");
    work.commit().await.expect("a commit");
    let expected = User { roles: roles(&["admin", "user"]), version: 2, updated_at: fixture.now(), ..alice.clone() };
    assert_eq!(set, Some(expected.clone()));
    assert_eq!(fixture.stored(alice.id).await, expected);
    let mut work = fixture.begin().await;
    let cleared = work.set_roles(alice.id, &roles(&[]), fixture.now()).await.expect("an answer");
    assert_eq!(cleared.map(|user| user.roles), Some(roles(&[])));
    let nobody = UserId::generate(&fixture.clock, &fixture.rng);
    assert_eq!(work.set_roles(nobody, &roles(&["user"]), fixture.now()).await.expect("an answer"), None);
}

pub async fn deletion_takes_everything_but_the_trail(fixture: &Fixture) {
    let alice = fixture.register_admin("alice@example.com").await;
    let (session, token) = fixture.sign_in(alice.id).await;
    fixture.rotate(&token).await.expect("the token rotates");
    let device = DeviceToken::generate(&fixture.rng).hash();
    let context = RequestContext::default();
    let mut work = fixture.begin().await;
    work.insert_device(alice.id, &device, fixture.now(), fixture.now().plus(DAY)).await.expect("a device");
    let event = AuditEvent::of(AuditKind::UserRegistered, alice.id, &context);
    let id = AuditEventId::generate(&fixture.clock, &fixture.rng);
    work.append_audit(&AuditRecord { id, at: fixture.now(), event }).await.expect("an event");
    assert_eq!(work.delete_user(alice.id, None).await.expect("an answer"), DeleteOutcome::Deleted);
    work.commit().await.expect("a commit");

    let store = &fixture.store;
    assert_eq!(store.user(alice.id).await.expect("an answer"), None);
    assert_eq!(store.user_by_email(&alice.email).await.expect("an answer"), None);
    assert!(store.login_candidate(&alice.email).await.expect("an answer").is_none());
    assert!(store.password(alice.id).await.expect("an answer").is_none());
    assert!(store.principal(session.id).await.expect("an answer").is_none());
    assert!(store.find_refresh(&token.hash()).await.expect("an answer").is_none());
    assert!(!store.knows_device(&alice.email, &device, fixture.now()).await.expect("an answer"));
    for table in ["users", "user_roles", "password_credentials", "sessions", "devices"] {
        assert_eq!(fixture.database.dump(table).await, Vec::<String>::new(), "{table}");
    }
    assert_eq!(fixture.database.dump("audit_events").await.len(), 1);
    assert_ne!(fixture.register("alice@example.com").await.id, alice.id);
}

pub async fn a_registration_leaves_the_same_in_one_go_and_step_by_step(fixture: &Fixture) {
    let context = somewhere();
    let mut rows = Vec::new();
    for in_one_go in [true, false] {
        let world = Fixture::create(fixture.database.kind()).await;
        for (spelling, is_free) in [("alice@example.com", true), ("ALICE@example.com", false)] {
            let user = User { roles: roles(&["admin", "user"]), ..world.user(spelling) };
            // More than the use cases say today, so that nothing of it is left out.
            let record = |kind, reason, at: u64| {
                let id = AuditEventId::generate(&world.clock, &world.rng);
                let event = AuditEvent::of(kind, user.id, &context).because(reason);
                AuditRecord { id, at: world.now().plus(Duration::from_millis(at)), event }
            };
            let registered = record(AuditKind::UserRegistered, "invited", 1);
            let refused = record(AuditKind::RegistrationRefused, "email_taken", 2);
            let registration = Registration { user: &user, password: &password("a"), registered, refused };
            let outcome = if in_one_go {
                world.store.register(&registration).await
            } else {
                let mut work = world.begin().await;
                let outcome = work.register(&registration).await;
                work.commit().await.expect("a commit");
                outcome
            };
            assert_eq!(outcome.expect("an answer"), is_free);
        }
        rows.push(world.rows().await);
        world.finish().await;
    }
    assert_eq!(rows[0], rows[1]);
}

pub async fn deletion_follows_the_version(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let mut work = fixture.begin().await;
    assert_eq!(work.delete_user(alice.id, Some(2)).await.expect("an answer"), DeleteOutcome::Stale);
    assert_eq!(work.delete_user(alice.id, Some(1)).await.expect("an answer"), DeleteOutcome::Deleted);
    assert_eq!(work.delete_user(alice.id, Some(1)).await.expect("an answer"), DeleteOutcome::Missing);
    work.commit().await.expect("a commit");
}

pub async fn a_login_is_recorded_only_in_its_epoch(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    fixture.clock.advance(Duration::from_millis(5));
    let now = fixture.now();
    let mut work = fixture.begin().await;
    let user = work.record_login(alice.id, 1, now).await.expect("an answer").expect("the login counts");
    work.commit().await.expect("a commit");
    assert_eq!((user.last_login_at, user.version, user.epoch), (Some(now), 2, 1));
    assert_eq!(fixture.stored(alice.id).await, user);

    let mut work = fixture.begin().await;
    assert!(work.advance_epoch(alice.id, 1).await.expect("an answer"));
    assert_eq!(work.record_login(alice.id, 1, now).await.expect("an answer"), None, "of an older epoch");
    assert!(work.record_login(alice.id, 2, now).await.expect("an answer").is_some());
    let disabled = work.set_status(alice.id, Status::Disabled, now).await.expect("an answer").expect("the user");
    assert_eq!(work.record_login(alice.id, disabled.epoch, now).await.expect("an answer"), None, "of the disabled");
    let nobody = UserId::generate(&fixture.clock, &fixture.rng);
    assert_eq!(work.record_login(nobody, 1, now).await.expect("an answer"), None, "of nobody");
}

pub async fn the_epoch_advances_once_for_each_proof(fixture: &Fixture) {
    let alice = fixture.register("alice@example.com").await;
    let mut work = fixture.begin().await;
    assert!(work.advance_epoch(alice.id, 1).await.expect("an answer"));
    assert!(!work.advance_epoch(alice.id, 1).await.expect("an answer"));
    work.commit().await.expect("a commit");
    assert_eq!(fixture.stored(alice.id).await.epoch, 2);
    let nobody = UserId::generate(&fixture.clock, &fixture.rng);
    assert!(!fixture.begin().await.advance_epoch(nobody, 1).await.expect("an answer"));
}

async fn is_last(work: &mut Box<dyn UnitOfWork>, id: UserId) -> bool {
    work.is_last_administrator(id).await.expect("an answer")
}

pub async fn only_active_users_with_the_role_are_administrators(fixture: &Fixture) {
    let has_administrator = async || fixture.store.has_administrator().await.expect("an answer");
    let support = fixture.insert(User { roles: roles(&["support"]), ..fixture.user("carol@example.com") }).await;
    assert!(!has_administrator().await);
    let alice = fixture.register_admin("alice@example.com").await;
    assert!(has_administrator().await);
    let mut work = fixture.begin().await;
    assert!(is_last(&mut work, alice.id).await);
    assert!(!is_last(&mut work, support.id).await);
    drop(work);
    let bob = fixture.register_admin("bob@example.com").await;
    assert!(!is_last(&mut fixture.begin().await, alice.id).await);
    set_status(fixture, bob.id, Status::Disabled).await;
    let mut work = fixture.begin().await;
    assert!(is_last(&mut work, alice.id).await, "a disabled administrator is none");
    assert!(!is_last(&mut work, bob.id).await);
    drop(work);
    set_status(fixture, alice.id, Status::Disabled).await;
    assert!(!has_administrator().await);
}

pub async fn text_comes_back_as_it_was(fixture: &Fixture) {
    let names = [
        "Robert'); DROP TABLE users;--",
        "100% _wild_ \\ \"quoted\" 'quoted' `quoted` $1 ?1 :x {{7*7}} <script>",
        "👩‍👩‍👧‍👦 ﷽ Ω≈ç√∫ 田中さん نص עברית",
        "e\u{301} é \u{feff}x \u{200b}y \u{fffd} \u{10ffff} \u{e000}",
        "ı İ ß ẞ ſ K",
    ];
    for (n, text) in names.into_iter().enumerate() {
        let user = User { name: name(text), ..fixture.user(&format!("name{n}@example.com")) };
        fixture.insert(user.clone()).await;
        assert_eq!(fixture.stored(user.id).await, user);
    }
}
