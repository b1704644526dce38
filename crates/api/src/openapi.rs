//! The OpenAPI document: what each endpoint says of itself, completed by what holds for all of them.

mod errors;
mod schemas;

use crate::problem::{FieldError, Problem};
use crate::routes;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr, ServerBuilder};
use utoipa_axum::router::OpenApiRouter;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Vestibule",
        description = include_str!("docs/introduction.md"),
        license(name = "MIT", identifier = "MIT"),
    ),
    tags(
        (name = "Users", description = "Registration, profiles and administration."),
        (name = "Sessions", description = "Logging in, staying logged in, logging out."),
        (name = "Services", description = "For your other services: what a token is worth, and what is over."),
        (name = "Keys", description = "For services that verify access tokens themselves."),
        (name = "Health", description = "For load balancers and orchestrators."),
        (name = "Documentation", description = "This document, and pages for people."),
    ),
    components(schemas(Problem, FieldError)),
)]
struct Outline;

/// The document, from what the code says: to be committed ([`crate::DOCUMENT`]). Its server is wherever it is read from.
pub fn openapi() -> OpenApi {
    complete(OpenApiRouter::with_openapi(Outline::openapi()).merge(routes::described()).into_openapi())
}

/// Adds what no endpoint says of itself: the server, how to authenticate, and what errors look like.
fn complete(mut document: OpenApi) -> OpenApi {
    document.servers = Some(vec![ServerBuilder::new().url("/").build()]);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("The `access_token` of `POST /login` or `POST /refresh`."))
        .build();
    let basic = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some(
            "Id and secret of a client, from `vestibule clients create`, each encoded like a form first (RFC 6749, \
             section 2.3.1). Both can stand in the form instead, as `client_id` and `client_secret`.",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        errors::describe(operation, components);
        schemas::tighten_operation(operation, components);
    }
    schemas::tighten_components(components);
    for (name, scheme) in [("bearer", bearer), ("client", basic)] {
        components.security_schemes.insert(name.to_owned(), RefOr::T(SecurityScheme::Http(scheme)));
    }
    document
}

/// The schema of one of a few words.
pub(crate) fn one_of<T>(words: &[(&'static str, T)]) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.iter().map(|(word, _)| *word)))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let methods = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
    methods.into_iter().filter_map(Option::as_mut)
}

#[cfg(test)]
mod pattern_tests;
#[cfg(test)]
mod tests;
