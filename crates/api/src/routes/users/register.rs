//! `POST /users`: registration.

use super::user::{self, User};
use crate::error::ApiError;
use crate::extract::{Body, Context, Fields, Idempotency, ReadJson};
use crate::rate_limit;
use crate::state::AppState;
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{StatusCode, request};
use serde::Serialize;
use std::convert::identity;
use utoipa::ToSchema;
use vestibule_domain::credential::{NewPassword, Owner};
use vestibule_domain::throttle::Limited;
use vestibule_domain::user::{Email, Name, Register, RegistrationMode, UserError};

/// Who wants to register.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registration {
    /// Two spellings of one address, as by case, are one account.
    #[schema(value_type = String, format = "email-address", max_length = 254, examples("ada@example.com"))]
    email: Email,
    /// At least 8 characters (or what the operator decided); under 15, all of upper case, lower case, digit and other.
    /// At most 1,024 bytes. Neither a common password, nor one known from a breach, nor one made of the address or the
    /// name.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 256,
        examples("correct horse battery staple"), write_only)]
    password: NewPassword,
    #[schema(schema_with = user::name_schema)]
    name: Name,
}

impl ReadJson for Registration {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let email = fields.required("email", Email::parse);
        let name = fields.required("name", Name::parse);
        let policy = fields.policy();
        let owner = Owner { email: email.as_ref(), name: name.as_ref() };
        let password = fields.required("password", |text| NewPassword::parse(text, policy, owner));
        Some(Self { email: email?, password: password?, name: name? })
    }
}

/// What strict registration answers, whether or not the address has an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    #[schema(pattern = "^accepted$", examples("accepted"))]
    status: &'static str,
}

/// Refuses everything, before the body is read, where registration is closed.
#[derive(Debug)]
pub(crate) struct RegistrationIsOpen;

impl FromRequestParts<AppState> for RegistrationIsOpen {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut request::Parts, state: &AppState) -> Result<Self, ApiError> {
        match state.services.users.registration_mode() {
            RegistrationMode::Closed => Err(UserError::RegistrationClosed.into()),
            RegistrationMode::Open | RegistrationMode::Strict => Ok(Self),
        }
    }
}

/// Register a user
///
/// Where the operator chose strict registration, the answer is always 202 and never tells whether the address has an
/// account. With an `Idempotency-Key` a registration whose answer was lost can be sent again.
#[utoipa::path(
    post,
    path = "/users",
    tag = "Users",
    params(Idempotency),
    request_body = Registration,
    responses(
        (status = 201, description = "The new user.", body = User<'_>, headers(
            ("location" = String, description = "The path of the user."),
            ("etag" = String, description = "For `If-Match`."),
        )),
        (status = 202, description = "Strict registration: what follows comes by mail.", body = Accepted),
        (status = 403, description = "registration_closed"),
        (status = 409, description = "email_taken"),
        (status = 422, description = "validation_failed, idempotency_key_reused"),
        (status = 429, description = "rate_limited"),
        (status = 503, description = "overloaded"),
    ),
)]
pub(super) async fn register_user(
    _: RegistrationIsOpen,
    State(state): State<AppState>,
    Context(context): Context,
    Idempotency(idempotency_key): Idempotency,
    Body(Registration { email, password, name }): Body<Registration>,
) -> Response {
    let strict = state.services.users.registration_mode() == RegistrationMode::Strict;
    let Limited { outcome, standing } =
        state.services.users.register(Register { email, name, password }, idempotency_key.as_ref(), &context).await;
    let response = match outcome {
        Ok(_) | Err(UserError::EmailTaken) if strict => {
            Ok((StatusCode::ACCEPTED, Json(Accepted { status: "accepted" })).into_response())
        }
        Ok(user) => {
            let location = [(LOCATION, format!("/users/{}", user.id))];
            Ok((StatusCode::CREATED, location, user::show(&user)).into_response())
        }
        Err(error) => Err(error),
    };
    rate_limit::answer(Limited { outcome: response, standing }, identity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::read_body;

    fn faults(body: &str) -> Vec<(String, String)> {
        let error = read_body::<Registration>(body).unwrap_err();
        error.faults().into_iter().map(|(pointer, code)| (pointer.to_owned(), code.to_owned())).collect()
    }

    fn fault(pointer: &str, code: &str) -> (String, String) {
        (pointer.to_owned(), code.to_owned())
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let body = r#"{"email":"ada","password":"short","name":"","role":"admin","is~a/dmin":true}"#;
        let expected = [
            fault("/email", "invalid_email"),
            fault("/name", "too_short"),
            fault("/password", "too_short"),
            fault("/is~0a~1dmin", "unknown_field"),
            fault("/role", "unknown_field"),
        ];
        assert_eq!(faults(body), expected);
        let missing = ["/email", "/name", "/password"].map(|pointer| fault(pointer, "required"));
        assert_eq!(faults("{}"), missing);
    }

    #[test]
    fn a_field_of_another_type_is_a_fault() {
        let body = r#"{"email":["a@example.com","b@example.com"],"password":null,"name":7}"#;
        assert_eq!(faults(body), ["/email", "/name", "/password"].map(|pointer| fault(pointer, "invalid_type")));
    }

    #[test]
    fn a_password_made_of_the_name_or_the_address_is_weak_even_beside_other_faults() {
        let named = r#"{"email":"nobody","password":"Lovelace-1843","name":"Lovelace"}"#;
        assert_eq!(faults(named), [fault("/email", "invalid_email"), fault("/password", "weak_password")]);
        let addressed = r#"{"email":"lovelace@example.com","password":"Lovelace-1843","name":"\n"}"#;
        let expected = [fault("/name", "too_short"), fault("/password", "weak_password")];
        assert_eq!(faults(addressed), expected);
    }

    #[test]
    fn what_is_right_is_taken() {
        let body = r#"{"email":"Ada@example.com","password":"correct horse battery staple","name":"Ada"}"#;
        let registration = read_body::<Registration>(body).unwrap();
        assert_eq!(registration.email.canonical(), "ada@example.com");
        assert_eq!(registration.name.as_str(), "Ada");
    }
}
