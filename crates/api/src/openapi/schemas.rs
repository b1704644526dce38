//! What the schemas of the document have in common and no endpoint says of itself: objects take no other members than
//! theirs, what a format of JSON Schema leaves open is said, and headers that are always there are required.

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::Response;
use utoipa::openapi::schema::{
    AdditionalProperties, AllOf, ArrayItems, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{Components, RefOr};

/// What this service means by a format: less than JSON Schema means by it, or what JSON Schema does not know.
const FORMATS: [(&str, &str); 4] = [
    ("date-time", "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"),
    // A dot-string (RFC 5321, section 4.1.2), and a domain: of ASCII only what a label can have. `idn-email` would
    // be narrower, as it knows no domains beyond IDNA 2008.
    (
        "email-address",
        "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\
         @[^\\u0000-,./:-@\\[-`{-\\u00a0]+(\\.[^\\u0000-,./:-@\\[-`{-\\u00a0]+)*$",
    ),
    ("password", "^[^\\u0000]*$"),
    ("uuid", "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"),
];

/// Where an answer is said to have one of these, it always has it.
const ALWAYS: [&str; 5] = ["cache-control", "etag", "location", "retry-after", "www-authenticate"];

/// The schemas that have names. Those that are put together from others (by flattening) become one, because a closed
/// object does not let another add members.
pub(super) fn tighten_components(components: &mut Components) {
    let named = components.schemas.clone();
    for schema in components.schemas.values_mut() {
        if let RefOr::T(Schema::AllOf(parts)) = schema {
            *schema = RefOr::T(Schema::Object(merge(parts, &|name| named.get(name))));
        }
        tighten(schema);
    }
    for response in components.responses.values_mut().filter_map(solid) {
        tighten_response(response);
    }
}

pub(super) fn tighten_operation(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten().filter_map(solid) {
        parameter.schema.iter_mut().for_each(tighten);
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for content in body.content.values_mut().filter_map(solid) {
            content.schema.iter_mut().for_each(without_null);
        }
    }
    for response in operation.responses.responses.values_mut().filter_map(solid) {
        tighten_response(response);
    }
}

/// A body may be left out, but `null` is none.
fn without_null(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::OneOf(options)) = schema else { return };
    let is_null =
        |option: &RefOr<Schema>| matches!(option, RefOr::T(Schema::Object(o)) if o.schema_type == Type::Null.into());
    options.items.retain(|option| !is_null(option));
    if let [only] = options.items.as_slice() {
        *schema = only.clone();
    }
}

fn tighten_response(response: &mut Response) {
    for (_, header) in response.headers.iter_mut().filter(|(name, _)| ALWAYS.contains(&name.as_str())) {
        if let RefOr::T(header) = header {
            require(header);
        }
    }
}

/// The builder has no word for it.
fn require(header: &mut Header) {
    header.extensions.get_or_insert_default().merge(Extensions::from_iter([("required", true)]));
}

fn tighten(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => tighten_object(object),
        RefOr::T(Schema::Array(array)) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                tighten(items);
            }
        }
        _ => {}
    }
}

fn tighten_object(object: &mut Object) {
    object.properties.values_mut().for_each(tighten);
    if !object.properties.is_empty() && object.additional_properties.is_none() {
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    }
    if object.pattern.is_none() {
        let format = object.format.as_ref().and_then(name);
        let known = FORMATS.into_iter().find(|(name, _)| Some(*name) == format);
        object.pattern = known.map(|(_, pattern)| pattern.to_owned());
    }
}

fn name(format: &SchemaFormat) -> Option<&str> {
    match format {
        SchemaFormat::KnownFormat(KnownFormat::DateTime) => Some("date-time"),
        SchemaFormat::KnownFormat(KnownFormat::Password) => Some("password"),
        SchemaFormat::KnownFormat(_) => None,
        SchemaFormat::Custom(name) => Some(name),
    }
}

/// One object with the members of all.
fn merge<'a>(parts: &AllOf, named: &impl Fn(&str) -> Option<&'a RefOr<Schema>>) -> Object {
    let mut whole = ObjectBuilder::new().schema_type(Type::Object).description(parts.description.clone()).build();
    for part in &parts.items {
        let part = match part {
            RefOr::Ref(reference) => reference.ref_location.rsplit('/').next().and_then(named),
            RefOr::T(_) => Some(part),
        };
        if let Some(RefOr::T(Schema::Object(part))) = part {
            whole.properties.extend(part.properties.clone());
            whole.required.extend_from_slice(&part.required);
        }
    }
    whole
}

fn solid<T>(item: &mut RefOr<T>) -> Option<&mut T> {
    match item {
        RefOr::T(item) => Some(item),
        RefOr::Ref(_) => None,
    }
}
