//! `PUT /users/{user}/roles`: what a user may do.

use super::user::{self, User};
use crate::error::ApiError;
use crate::extract::{Body, Context, Fields, FreshBearer, ReadJson, TargetUser};
use crate::problem::FieldError;
use crate::state::AppState;
use axum::extract::State;
use axum::response::Response;
use std::borrow::Cow;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use vestibule_domain::access::{Authority, RoleName};
use vestibule_domain::user::{UserError, UserService};

/// More than anyone configures.
const MAX_ROLES: usize = 64;

/// All roles that the user is to have.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleAssignment {
    /// Names of roles of the configuration; `admin`, `support` and `user` are always there.
    #[schema(value_type = Vec<String>, max_items = 64, pattern = "^[a-z][a-z0-9_-]{0,31}$", examples("support"))]
    roles: Vec<RoleName>,
}

impl ReadJson for RoleAssignment {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { roles: fields.required_list("roles", MAX_ROLES, RoleName::parse)? })
    }
}

/// Set a user's roles
///
/// In the place of those that they had. Needs `roles:write`.
#[utoipa::path(
    put,
    path = "/users/{user}/roles",
    tag = "Users",
    params(TargetUser),
    security(("bearer" = [])),
    request_body = RoleAssignment,
    responses(
        (status = 200, description = "The user as it is now.", body = User<'_>, headers(
            ("etag" = String, description = "For `If-Match`."),
        )),
        (status = 403, description = "forbidden"),
        (status = 404, description = "not_found"),
        (status = 409, description = "last_admin"),
    ),
)]
pub(super) async fn set_roles(
    State(state): State<AppState>,
    FreshBearer(caller): FreshBearer,
    TargetUser(id): TargetUser,
    Context(context): Context,
    Body(RoleAssignment { roles }): Body<RoleAssignment>,
) -> Result<Response, ApiError> {
    let set = roles.iter().cloned().collect();
    match state.services.users.set_roles(Authority::User(&caller), id, &set, &context).await {
        Ok(user) => Ok(user::show(&user)),
        Err(UserError::UnknownRole(_)) => Err(ApiError::validation(unknown_roles(&state.services.users, &roles))),
        Err(error) => Err(error.into()),
    }
}

/// The service stops at the first; the client is told all of them, each at its place.
fn unknown_roles(users: &UserService, roles: &[RoleName]) -> Vec<FieldError> {
    let check = |role: &RoleName| users.role_catalog().check(&BTreeSet::from([role.clone()]));
    let faults = roles.iter().enumerate().filter_map(|(index, role)| Some((index, check(role).err()?)));
    faults
        .map(|(index, fault)| FieldError {
            pointer: format!("/roles/{index}"),
            code: "unknown_role",
            detail: Cow::Owned(fault.to_string()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::read_body;

    #[test]
    fn each_fault_is_told_at_its_place() {
        let error = read_body::<RoleAssignment>(r#"{"roles":["admin","A",3,"x y"]}"#).unwrap_err();
        let expected = [("/roles/1", "invalid_role"), ("/roles/2", "invalid_type"), ("/roles/3", "invalid_role")];
        assert_eq!(error.faults(), expected);
    }

    #[test]
    fn no_roles_are_a_list_too() {
        assert!(read_body::<RoleAssignment>(r#"{"roles":[]}"#).unwrap().roles.is_empty());
        assert_eq!(read_body::<RoleAssignment>("{}").unwrap_err().faults(), [("/roles", "required")]);
    }
}
