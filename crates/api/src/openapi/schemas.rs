//! What the schemas of the document have in common and no endpoint says of itself: objects take no other members than
//! theirs, what may be left out is never `null`, what a format of JSON Schema leaves open is said, and headers that are
//! always there are required.

use super::errors::FORM;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::Response;
use utoipa::openapi::schema::{
    AdditionalProperties, AllOf, ArrayItems, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Components, Ref, RefOr};

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

/// Comes before [`tighten_components`].
pub(super) fn tighten_operation(operation: &mut Operation, components: &mut Components) {
    for parameter in operation.parameters.iter_mut().flatten().filter_map(solid) {
        parameter.schema.iter_mut().for_each(without_null);
        parameter.schema.iter_mut().for_each(tighten);
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for (media_type, content) in &mut body.content {
            let Some(schema) = solid(content).and_then(|content| content.schema.as_mut()) else { continue };
            without_null(schema);
            if media_type == FORM {
                open(schema, components);
            }
        }
    }
    for response in operation.responses.responses.values_mut().filter_map(solid) {
        tighten_response(response);
    }
}

/// Parameters that nobody knows are ignored in a form, but none occurs twice (RFC 6749, section 3.1).
fn open(schema: &RefOr<Schema>, components: &mut Components) {
    let RefOr::Ref(reference) = schema else { return };
    let named = components.schemas.get_mut(component(reference));
    if let Some(RefOr::T(Schema::Object(form))) = named {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        form.additional_properties = Some(Box::new(AdditionalProperties::RefOr(text.into())));
    }
}

/// The name of what is referred to.
fn component(reference: &Ref) -> &str {
    reference.ref_location.rsplit('/').next().unwrap_or_default()
}

/// What may be left out is never `null`: the one way to say that something is absent is enough.
fn without_null(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            solely_a_value(&mut object.schema_type);
            object.default.take_if(|default| default.is_null());
        }
        RefOr::T(Schema::Array(array)) => {
            solely_a_value(&mut array.schema_type);
            array.default.take_if(|default| default.is_null());
        }
        RefOr::T(Schema::OneOf(options)) => {
            options.items.retain(|option| !is_null(option));
            if let [only] = options.items.as_slice() {
                *schema = only.clone();
            }
        }
        _ => {}
    }
}

fn solely_a_value(schema_type: &mut SchemaType) {
    if let SchemaType::Array(types) = schema_type
        && let Some(only) = types.iter().find(|only| **only != Type::Null).cloned()
    {
        *schema_type = SchemaType::Type(only);
    }
}

fn is_null(option: &RefOr<Schema>) -> bool {
    matches!(option, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
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
    for (name, property) in &mut object.properties {
        if !object.required.contains(name) {
            without_null(property);
        }
        tighten(property);
    }
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
            RefOr::Ref(reference) => named(component(reference)),
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
