//! The one open section: `[roles]` gives each role its permissions.

use super::entry::Entries;
use super::fault::{Fault, Faults};
use super::nearest::suggestion;
use std::collections::BTreeSet;
use vestibule_domain::access::{Permission, RoleCatalog, RoleName};

pub(super) const SECTION: &str = "roles";
pub(crate) const EXAMPLE: &str = "roles.support = [\"users:read\", \"audit:read\"]";

pub(super) fn is_key(key: &str) -> bool {
    key.strip_prefix(SECTION).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'))
}

pub(super) fn read(entries: &Entries, faults: &mut Faults) -> RoleCatalog {
    let mut roles = Vec::new();
    for (role, entry) in entries.under(SECTION) {
        let fault = |reason: String| {
            Fault::new(format!("{SECTION}.{role}"), Some(entry.source.clone()), reason)
                .expecting("a list of permissions, which may be empty")
                .with_example(EXAMPLE)
        };
        match RoleName::parse(role) {
            Ok(name) if name == RoleName::admin() => {
                faults.push(fault("cannot be set: it always has every permission".to_owned()));
            }
            Ok(name) => match permissions(entry.written.joined()) {
                Ok(permissions) => roles.push((name, permissions)),
                Err(reason) => faults.push(fault(reason)),
            },
            Err(error) => faults.push(fault(format!("is not a name for a role: it {}", error.detail))),
        }
    }
    RoleCatalog::new(roles)
}

fn permissions(list: &str) -> Result<BTreeSet<Permission>, String> {
    let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            let near = || suggestion(item, Permission::ALL.map(Permission::as_str));
            Permission::parse(item).ok_or_else(|| format!("names no permission with {item:?}{}", near()))
        })
        .collect()
}
