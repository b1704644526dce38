use proptest::prelude::*;
use std::collections::BTreeSet;
use vestibule_domain::access::{Permission, RoleCatalog, RoleName};

fn role(name: &str) -> RoleName {
    RoleName::parse(name).unwrap()
}

fn roles(names: &[&str]) -> BTreeSet<RoleName> {
    names.iter().copied().map(role).collect()
}

proptest! {
    #[test]
    fn a_role_name_is_a_short_word(text in "[a-z][a-z0-9_-]{0,31}") {
        let name = RoleName::parse(&text).unwrap();
        prop_assert_eq!(name.as_str(), text);
    }

    #[test]
    fn nothing_else_is_a_role_name(text in any::<String>()) {
        if let Ok(name) = RoleName::parse(&text) {
            prop_assert_eq!(name.as_str(), &text);
            prop_assert!((1..=32).contains(&text.len()));
            prop_assert!(text.starts_with(|c: char| c.is_ascii_lowercase()));
            prop_assert!(text.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')));
        }
    }
}

#[test]
fn role_names_that_are_refused() {
    for text in ["", "Admin", "1st", "-a", "_a", "a b", "a\0", "ädmin", "admin\n", "a'--", &"a".repeat(33)] {
        assert_eq!(RoleName::parse(text).unwrap_err().code, "invalid_role", "{text:?}");
    }
}

#[test]
fn the_built_in_roles_carry_what_the_contract_says() {
    let catalog = RoleCatalog::default();
    let granted = |names: &[&str]| -> Vec<_> {
        Permission::ALL.into_iter().filter(|permission| catalog.allow(&roles(names), *permission)).collect()
    };
    assert_eq!(granted(&["admin"]), Permission::ALL);
    assert_eq!(granted(&["support"]), [Permission::AuditRead, Permission::UsersRead]);
    assert_eq!(granted(&["user"]), []);
    assert_eq!(granted(&[]), []);
}

#[test]
fn configuration_adds_and_replaces_roles_but_never_weakens_admin() {
    let nothing = BTreeSet::new;
    let catalog = RoleCatalog::new([
        (role("admin"), nothing()),
        (role("support"), nothing()),
        (role("auditor"), BTreeSet::from([Permission::AuditRead])),
    ]);
    assert!(Permission::ALL.into_iter().all(|permission| catalog.allow(&roles(&["admin"]), permission)));
    assert!(!catalog.allow(&roles(&["support"]), Permission::UsersRead));
    assert!(catalog.allow(&roles(&["auditor", "user"]), Permission::AuditRead));
    assert!(!catalog.allow(&roles(&["auditor"]), Permission::UsersRead));
}

#[test]
fn a_role_that_left_the_configuration_gives_nothing() {
    let catalog = RoleCatalog::default();
    assert!(!catalog.allow(&roles(&["owner"]), Permission::UsersRead));
    let error = catalog.check(&roles(&["admin", "owner"])).unwrap_err();
    assert_eq!(error.unknown, role("owner"));
    assert_eq!(error.known, "admin, support, user");
    assert_eq!(catalog.check(&roles(&["admin", "support", "user"])), Ok(()));
}

#[test]
fn permissions_have_one_name_each() {
    for permission in Permission::ALL {
        assert_eq!(Permission::parse(permission.as_str()), Some(permission));
    }
    assert_eq!(Permission::parse("users:*"), None);
    assert_eq!(Permission::parse("USERS:READ"), None);
}
