//! Roles and the permissions they carry.

use crate::fault::Fault;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    AuditRead,
    RolesWrite,
    UsersRead,
    UsersWrite,
}

impl Permission {
    pub const ALL: [Self; 4] = [Self::AuditRead, Self::RolesWrite, Self::UsersRead, Self::UsersWrite];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuditRead => "audit:read",
            Self::RolesWrite => "roles:write",
            Self::UsersRead => "users:read",
            Self::UsersWrite => "users:write",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == text)
    }
}

/// 1 to 32 of `a-z`, `0-9`, `_` and `-`, beginning with a letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(String);

impl RoleName {
    const ADMIN: &str = "admin";
    const SUPPORT: &str = "support";
    const USER: &str = "user";

    pub fn parse(text: &str) -> Result<Self, Fault> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if text.len() <= 32 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Fault::new("invalid_role", "must be 1 to 32 of a-z, 0-9, _ and -, beginning with a letter"))
        }
    }

    /// The role that may do everything and that someone must always have.
    pub fn admin() -> Self {
        Self(Self::ADMIN.to_owned())
    }

    /// The role of whoever registers.
    pub fn user() -> Self {
        Self(Self::USER.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The roles that the configuration knows.
#[derive(Debug, Clone)]
pub struct RoleCatalog {
    roles: BTreeMap<RoleName, BTreeSet<Permission>>,
}

/// A role that the configuration does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no role {unknown}; there are: {known}")]
pub struct UnknownRole {
    pub unknown: RoleName,
    /// The known ones, separated by commas.
    pub known: String,
}

impl RoleCatalog {
    /// `admin` (everything), `support` (reading) and `user` (nothing), with `configured` added or put in the place
    /// of the latter two; `admin` stays as it is.
    pub fn new(configured: impl IntoIterator<Item = (RoleName, BTreeSet<Permission>)>) -> Self {
        let support = BTreeSet::from([Permission::UsersRead, Permission::AuditRead]);
        let mut roles =
            BTreeMap::from([(RoleName(RoleName::SUPPORT.to_owned()), support), (RoleName::user(), BTreeSet::new())]);
        roles.extend(configured);
        roles.insert(RoleName::admin(), Permission::ALL.into());
        Self { roles }
    }

    pub fn allow(&self, roles: &BTreeSet<RoleName>, permission: Permission) -> bool {
        roles.iter().filter_map(|role| self.roles.get(role)).any(|permissions| permissions.contains(&permission))
    }

    pub fn check(&self, roles: &BTreeSet<RoleName>) -> Result<(), UnknownRole> {
        match roles.iter().find(|role| !self.roles.contains_key(*role)) {
            None => Ok(()),
            Some(unknown) => {
                let known: Vec<_> = self.roles.keys().map(RoleName::as_str).collect();
                Err(UnknownRole { unknown: unknown.clone(), known: known.join(", ") })
            }
        }
    }
}

impl Default for RoleCatalog {
    fn default() -> Self {
        Self::new([])
    }
}
