//! Whether a schema is structural: what there is, is said in one place, and all else only checks it.
//!
//! Source: apiextensions-apiserver, `pkg/apiserver/schema/{validation,complete}.go`, and
//! `ValidateCustomResourceDefinitionOpenAPISchema` in `pkg/apis/apiextensions/validation/validation.go`.

use super::node::Flaw;
use super::schema::{Additional, Kind, ListType, Schema};
use super::trail::Trail;

/// Where a schema stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Checks the schema of a whole resource.
pub(super) fn check(schema: &Schema, at: &Trail<'_>) -> Result<(), Flaw> {
    if schema.nullable {
        return Err(flaw(at, "nullable", "the root must not be nullable"));
    }
    // As there, only what the root checks has to be there: a check below of what is not looks at unknown fields.
    complete(schema, schema, at, at)?;
    invariants(schema, Level::Root, false, at)
}

fn invariants(schema: &Schema, level: Level, in_metadata: bool, at: &Trail<'_>) -> Result<(), Flaw> {
    types(schema, level, at)?;
    extensions(schema, in_metadata, at)?;
    list_type(schema, at)?;
    let is_resource = level == Level::Root || schema.embedded;
    if is_resource {
        head(schema, level, at)?;
    }
    if let Some(items) = &schema.items {
        invariants(items, Level::Item, in_metadata, &at.key("items"))?;
    }
    if let Some(Additional::Each(each)) = &schema.additional {
        invariants(each, Level::Field, in_metadata, &at.key("additionalProperties"))?;
    }
    let properties = at.key("properties");
    for (name, property) in &schema.properties {
        let in_metadata = in_metadata || is_resource && is_head(name);
        if level == Level::Root && is_head(name) && has_default(property) {
            return Err(flaw(&properties.key(name), "default", format!("a default must not be set in `{name}`")));
        }
        invariants(property, Level::Field, in_metadata, &properties.key(name))?;
    }
    Ok(())
}

/// What a type must be, and what it needs.
fn types(schema: &Schema, level: Level, at: &Trail<'_>) -> Result<(), Flaw> {
    match schema.kind {
        Some(Kind::Array) if schema.items.is_none() => return Err(flaw(at, "items", "an array needs `items`")),
        Some(Kind::Object) | None if schema.embedded && schema.kind.is_none() => {
            return Err(flaw(at, "type", "an embedded resource must be of type object"));
        }
        Some(kind) if schema.embedded && kind != Kind::Object => {
            return Err(flaw(at, "type", "an embedded resource must be of type object"));
        }
        Some(kind) if level == Level::Root && kind != Kind::Object => {
            return Err(flaw(at, "type", format!("the root must be of type object, found {}", kind.name())));
        }
        None if !schema.int_or_string && !schema.preserves => {
            return Err(flaw(at, "type", "`type` is missing: the schema is not structural"));
        }
        _ => {}
    }
    match &schema.additional {
        Some(_) if level == Level::Root || schema.embedded => {
            Err(flaw(at, "additionalProperties", "must not be used at the root of a resource"))
        }
        Some(Additional::Each(_) | Additional::Any(false)) if !schema.properties.is_empty() => {
            Err(flaw(at, "additionalProperties", "must not stand beside `properties`"))
        }
        _ => Ok(()),
    }
}

fn extensions(schema: &Schema, in_metadata: bool, at: &Trail<'_>) -> Result<(), Flaw> {
    if schema.int_or_string && schema.preserves {
        return Err(flaw(at, "x-kubernetes-preserve-unknown-fields", "an int-or-string has no fields to preserve"));
    }
    if schema.int_or_string && schema.embedded {
        return Err(flaw(at, "x-kubernetes-embedded-resource", "an int-or-string is no resource"));
    }
    if schema.embedded && in_metadata {
        return Err(flaw(at, "x-kubernetes-embedded-resource", "must not be used inside metadata"));
    }
    if schema.embedded && !schema.preserves && schema.properties.is_empty() {
        let message = "an embedded resource needs `properties` or `x-kubernetes-preserve-unknown-fields: true`";
        return Err(flaw(at, "properties", message));
    }
    if schema.atomic_map && schema.kind != Some(Kind::Object) {
        return Err(flaw(at, "type", "must be object, as `x-kubernetes-map-type` says"));
    }
    Ok(())
}

/// Sets and maps written as lists.
fn list_type(schema: &Schema, at: &Trail<'_>) -> Result<(), Flaw> {
    if schema.list != ListType::Atomic && schema.kind != Some(Kind::Array) {
        return Err(flaw(at, "type", "must be array, as `x-kubernetes-list-type` says"));
    }
    let Some(items) = &schema.items else { return Ok(()) };
    let of_items = at.key("items");
    if schema.list != ListType::Atomic && items.nullable {
        return Err(flaw(&of_items, "nullable", "the items of a set or map must not be nullable"));
    }
    match &schema.list {
        ListType::Atomic => Ok(()),
        ListType::Set => match items.kind {
            Some(Kind::Array) if items.list != ListType::Atomic => {
                Err(flaw(&of_items, "x-kubernetes-list-type", "must be atomic, as the items of a set are"))
            }
            Some(Kind::Object) if !items.atomic_map => {
                Err(flaw(&of_items, "x-kubernetes-map-type", "must be atomic, as the items of a set are"))
            }
            _ => Ok(()),
        },
        ListType::Map(keys) => {
            let of_keys = |message: String| Err(flaw(at, "x-kubernetes-list-map-keys", message));
            if keys.is_empty() {
                return of_keys("a list of type map needs keys".into());
            }
            if items.kind != Some(Kind::Object) {
                return Err(flaw(&of_items, "type", "must be object: the list is of type map"));
            }
            let properties = of_items.key("properties");
            for (i, key) in keys.iter().enumerate() {
                let of_key = properties.key(key);
                let Some(property) = items.properties.get(key) else {
                    return of_keys(format!("the items have no property {key:?}"));
                };
                if matches!(property.kind, Some(Kind::Array | Kind::Object)) {
                    return Err(flaw(&of_key, "type", "a key of a list of type map must be a scalar"));
                }
                if keys.iter().take(i).any(|known| known == key) {
                    return of_keys(format!("the key {key:?} is given twice"));
                }
                if !items.required.contains(key) && property.default.is_none() {
                    return Err(flaw(
                        &of_key,
                        "default",
                        "a key of a list of type map must be required or have a default",
                    ));
                }
                if property.nullable {
                    return Err(flaw(&of_key, "nullable", "a key of a list of type map must not be nullable"));
                }
            }
            Ok(())
        }
    }
}

/// `apiVersion`, `kind` and `metadata` of a resource.
fn head(schema: &Schema, level: Level, at: &Trail<'_>) -> Result<(), Flaw> {
    let properties = at.key("properties");
    for (name, wanted) in [("apiVersion", Kind::String), ("kind", Kind::String), ("metadata", Kind::Object)] {
        let Some(property) = schema.properties.get(name) else { continue };
        let of_property = properties.key(name);
        if property.kind != Some(wanted) {
            return Err(flaw(&of_property, "type", format!("must be {}", wanted.name())));
        }
        if name == "metadata" && level == Level::Root && !only_names(property) {
            let message = "must not specify anything but `name` and `generateName`: the rest is given";
            return Err(Flaw { path: of_property.path(), message: message.into() });
        }
    }
    Ok(())
}

/// Whether a schema for the root's metadata says nothing but what names must be like.
fn only_names(metadata: &Schema) -> bool {
    let Schema { properties, required, limits, options, all_of, any_of, one_of, rules, .. } = metadata;
    properties.keys().all(|name| matches!(&**name, "name" | "generateName"))
        && [required.is_empty(), limits.is_empty(), options.is_empty(), rules.is_empty()].iter().all(|empty| *empty)
        && all_of.is_empty()
        && any_of.is_empty()
        && one_of.is_empty()
        && !metadata.nullable
        && !metadata.preserves
        && !metadata.embedded
        && !metadata.atomic_map
        && metadata.not.is_none()
        && metadata.items.is_none()
        && metadata.additional.is_none()
        && metadata.format.is_none()
        && metadata.pattern.is_none()
}

fn is_head(name: &str) -> bool {
    matches!(name, "apiVersion" | "kind" | "metadata")
}

fn has_default(schema: &Schema) -> bool {
    let each = match &schema.additional {
        Some(Additional::Each(each)) => has_default(each),
        _ => false,
    };
    each || schema.default.is_some()
        || schema.items.as_deref().is_some_and(has_default)
        || schema.properties.values().any(has_default)
}

/// What is checked must be there: each field that a check names has a schema that says what it is.
fn complete(check: &Schema, structure: &Schema, at: &Trail<'_>, of_structure: &Trail<'_>) -> Result<(), Flaw> {
    for (keyword, checks) in [("allOf", &check.all_of), ("anyOf", &check.any_of), ("oneOf", &check.one_of)] {
        let list = at.key(keyword);
        for (i, inner) in checks.iter().enumerate() {
            complete_within(inner, structure, &list.index(i), of_structure)?;
        }
    }
    match &check.not {
        Some(inner) => complete_within(inner, structure, &at.key("not"), of_structure),
        None => Ok(()),
    }
}

fn complete_within(check: &Schema, structure: &Schema, at: &Trail<'_>, of_structure: &Trail<'_>) -> Result<(), Flaw> {
    complete(check, structure, at, of_structure)?;
    let missing = |place: &Trail<'_>, at: &Trail<'_>| Flaw {
        path: place.path(),
        message: format!("is missing, though {} checks it: the schema is not structural", at.path()),
    };
    if let Some(inner) = &check.items {
        let (of_items, at) = (of_structure.key("items"), at.key("items"));
        let items = structure.items.as_deref().ok_or_else(|| missing(&of_items, &at))?;
        complete_within(inner, items, &at, &of_items)?;
    }
    let (properties, of_properties) = (at.key("properties"), of_structure.key("properties"));
    for (name, inner) in &check.properties {
        let (at, of_property) = (properties.key(name), of_properties.key(name));
        let property = structure.properties.get(name).ok_or_else(|| missing(&of_property, &at))?;
        complete_within(inner, property, &at, &of_property)?;
    }
    Ok(())
}

fn flaw(at: &Trail<'_>, keyword: &str, message: impl Into<String>) -> Flaw {
    Flaw { path: at.key(keyword).path(), message: message.into() }
}
