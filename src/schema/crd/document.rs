//! The schema of a custom resource as a JSON Schema of draft 7 that says what the API server does of an object: its
//! validation, and what it finds unknown when it prunes.
//!
//! Source: apiextensions-apiserver, `pkg/apiserver/validation/validation.go` and `formats.go`,
//! `pkg/apiserver/schema/pruning/algorithm.go`, and kube-openapi's `pkg/validation/validate`.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::keywords::PATTERN;
use super::schema::{Additional, Kind, Schema};
use super::{formats, json};
use crate::schema::definitions::KEYWORD;

/// What becomes of the unknown fields of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// They are refused.
    Refused,
    /// They stay, as they do in the items of a list that preserves them; those of its fields are refused.
    Kept,
    /// They stay, and so do those of its fields.
    AllKept,
}

/// What pruning leaves of what no schema describes: scalars, and empty maps.
const PRUNED: &str = "#/definitions/pruned";

/// The schema of metadata among the definitions of Kubernetes.
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The document for a whole resource.
pub(super) fn document(schema: &Schema, unknown: Unknown) -> Json {
    let mut document = structure(schema, unknown, true);
    document.insert("definitions".into(), definitions());
    document.into()
}

/// A document for an object whose fields have these schemas.
pub(super) fn of_fields<'a>(fields: impl Iterator<Item = (String, &'a Schema)>) -> Json {
    let properties = fields.map(|(name, schema)| (name, structure(schema, Unknown::Refused, false).into()));
    json!({ "properties": properties.collect::<Map<String, Json>>(), "definitions": definitions() })
}

fn definitions() -> Json {
    json!({ "pruned": { "additionalProperties": false, "items": { "$ref": PRUNED } } })
}

/// What there is.
fn structure(schema: &Schema, unknown: Unknown, is_root: bool) -> Map<String, Json> {
    let mut out = checks(schema, Some(schema));
    let kinds = match schema.kind {
        _ if schema.int_or_string => vec!["integer", "string"],
        Some(kind) => vec![kind.name()],
        None => vec![],
    };
    let null = schema.nullable.then_some("null");
    match kinds.into_iter().chain(null).collect::<Vec<_>>().as_slice() {
        // Without a type anything goes, `null` too.
        [] | ["null"] => {}
        [kind] => drop(out.insert("type".into(), (*kind).into())),
        kinds => drop(out.insert("type".into(), kinds.into())),
    }
    if let Some(items) = &schema.items {
        let unknown = match unknown {
            Unknown::Refused if schema.preserves => Unknown::Kept,
            _ => unknown,
        };
        out.insert("items".into(), structure(items, unknown, false).into());
    }
    let inner = if unknown == Unknown::AllKept { unknown } else { Unknown::Refused };
    let is_resource = is_root || schema.embedded;
    let described = schema.properties.iter().filter(|(name, _)| !(is_resource && is_head(name)));
    let mut properties: Map<String, Json> =
        described.map(|(name, schema)| (name.to_string(), structure(schema, inner, false).into())).collect();
    if is_resource {
        properties.extend(["apiVersion", "kind", "metadata"].map(|name| (name.into(), head(schema, name, is_root))));
        let required = ["apiVersion", "kind"].into_iter().filter(|_| !is_root).map(Json::from);
        if let Some(Json::Array(list)) = out.get_mut("required") {
            list.extend(required);
        } else if !is_root {
            out.insert("required".into(), required.collect());
        }
    }
    let refuses = unknown == Unknown::Refused && !schema.preserves;
    let additional = match &schema.additional {
        Some(Additional::Each(each)) => Some(structure(each, inner, false).into()),
        Some(Additional::Any(false)) => Some(false.into()),
        Some(Additional::Any(true)) if unknown != Unknown::AllKept => Some(json!({ "$ref": PRUNED })),
        None if refuses && matches!(schema.kind, Some(Kind::Object) | None) && !schema.int_or_string => {
            Some(false.into())
        }
        _ => None,
    };
    out.extend(additional.map(|additional| ("additionalProperties".into(), additional)));
    if !properties.is_empty() {
        out.insert("properties".into(), properties.into());
    }
    out
}

/// `apiVersion`, `kind` or `metadata` of a resource: given, whatever the CRD says; it may say more.
fn head(schema: &Schema, name: &str, is_root: bool) -> Json {
    let own = schema.properties.get(name).map(|schema| structure(schema, Unknown::AllKept, false));
    let mut out = own.unwrap_or_default();
    if name == "metadata" {
        out.insert(KEYWORD.into(), OBJECT_META.into());
    } else {
        out.insert("type".into(), "string".into());
        if !is_root {
            out.entry("minLength").or_insert(1.into());
        }
    }
    out.into()
}

fn is_head(name: &str) -> bool {
    matches!(name, "apiVersion" | "kind" | "metadata")
}

/// What values must be like, of a schema that says what there is or one that only checks it. `structure` is the former,
/// if there is one.
fn checks(schema: &Schema, structure: Option<&Schema>) -> Map<String, Json> {
    let mut out: Map<String, Json> =
        schema.limits.iter().map(|(keyword, value)| ((*keyword).to_owned(), json(value))).collect();
    if let Some(pattern) = &schema.pattern {
        out.insert(PATTERN.into(), (**pattern).into());
    }
    if !schema.required.is_empty() {
        out.insert("required".into(), schema.required.iter().map(|name| Json::from(&**name)).collect());
    }
    // `null` is never one of them: the API server leaves it out when it compares.
    let mut options = schema.options.iter().map(json).filter(|option| !option.is_null()).peekable();
    if options.peek().is_some() {
        out.insert("enum".into(), options.collect());
    }
    format(schema, structure, &mut out);
    range(schema, &mut out);
    let combined = combinations(schema, structure);
    match combined.is_empty() {
        true => {}
        // Of `null` only the type is checked.
        false if structure.is_some_and(|structure| structure.nullable) => {
            out.insert("if".into(), json!({"type": "null"}));
            out.insert("else".into(), combined.into());
        }
        false => out.extend(combined),
    }
    out
}

fn combinations(schema: &Schema, structure: Option<&Schema>) -> Map<String, Json> {
    let spelt = structure.is_some_and(|structure| structure.int_or_string);
    let mut out = Map::new();
    for (keyword, list) in [("allOf", &schema.all_of), ("anyOf", &schema.any_of), ("oneOf", &schema.one_of)] {
        // That it is an integer or a string is said already.
        if list.is_empty() || spelt && keyword == "anyOf" && Schema::is_int_or_string_any_of(list) {
            continue;
        }
        out.insert(keyword.into(), list.iter().map(|check| nested(check, structure)).collect());
    }
    out.extend(schema.not.as_ref().map(|not| ("not".into(), nested(not, structure))));
    out
}

/// A schema inside `allOf`, `anyOf`, `oneOf` or `not`.
fn nested(check: &Schema, structure: Option<&Schema>) -> Json {
    let mut out = checks(check, structure);
    out.extend(check.kind.map(|kind| ("type".into(), kind.name().into())));
    if let Some(items) = &check.items {
        let structure = structure.and_then(|structure| structure.items.as_deref());
        out.insert("items".into(), nested(items, structure));
    }
    if !check.properties.is_empty() {
        let property = |(name, check): (&Arc<str>, &Schema)| {
            let structure = structure.and_then(|structure| structure.properties.get(name));
            (name.to_string(), nested(check, structure))
        };
        out.insert("properties".into(), check.properties.iter().map(property).collect::<Map<_, _>>().into());
    }
    if let Some(Additional::Any(false)) = check.additional {
        out.insert("additionalProperties".into(), false.into());
    }
    out.into()
}

/// The format, if it is one that the API server checks for the type.
fn format(schema: &Schema, structure: Option<&Schema>, out: &mut Map<String, Json>) {
    let kind = schema.kind.or(structure.and_then(|structure| structure.kind));
    let is_text = matches!(kind, None | Some(Kind::String)) || schema.int_or_string;
    let known = schema.format.as_deref().filter(|_| is_text).and_then(formats::known);
    out.extend(known.map(|name| ("format".into(), name.into())));
}

/// The range of an integer's type: that of Go, or of the format.
fn range(schema: &Schema, out: &mut Map<String, Json>) {
    if schema.kind != Some(Kind::Integer) {
        return;
    }
    let is_short = schema.format.as_deref() == Some("int32");
    let (least, most) = if is_short { (i32::MIN.into(), i32::MAX.into()) } else { (i64::MIN, i64::MAX) };
    out.entry("minimum").or_insert(least.into());
    out.entry("maximum").or_insert(most.into());
}
