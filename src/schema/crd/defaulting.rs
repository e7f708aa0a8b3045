//! The defaults of a schema, and what becomes of `null`.
//!
//! Source: apiextensions-apiserver, `pkg/apiserver/schema/defaulting/{algorithm,prunenulls,validation}.go`, in the order of
//! `unstructuredSchemaCoercer` and `unstructuredDefaulter`.

use std::sync::Arc;

use super::node::Flaw;
use super::rules::Rules;
use super::schema::{Additional, Schema};
use super::trail::Trail;
use super::{document, keywords};
use crate::schema::Error;
use crate::value::{Map, Path, Step, Value};

/// Checks that each default is what its schema and its rules want, before any default inside it is applied; outside the
/// error of a schema that cannot be used.
pub(super) fn check(schema: &Schema, at: &Trail<'_>) -> Result<Result<(), Flaw>, Error> {
    let mut found = Vec::new();
    collect(schema, at, &mut found);
    if found.is_empty() {
        return Ok(Ok(()));
    }
    let fields = || found.iter().enumerate().map(|(i, one)| (i.to_string(), one));
    let validator = keywords::validator(document::of_fields(fields().map(|(name, (schema, ..))| (name, *schema))))?;
    let defaults: Map = fields().map(|(name, (_, value, _))| (name, (*value).clone())).collect();
    if let Some(problem) = validator.problems(&defaults.into())?.into_iter().next() {
        let wrong = fields().find(|(name, _)| problem.path.0.first() == Some(&Step::Key(name.as_str().into())));
        if let Some((_, (schema, value, path))) = wrong {
            return Ok(Err(explain(schema, value, path)?));
        }
    }
    for (schema, value, path) in found {
        let rules = match Rules::compile(schema, schema.embedded, true) {
            Ok(rules) => rules,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let root = Path::default();
        let problems = rules.map(|rules| rules.problems(value, schema, &Trail::Root(&root)));
        if let Some(problem) = problems.into_iter().flatten().next() {
            return Ok(Err(Flaw { path: path.join(&problem.path), message: problem.message }));
        }
    }
    Ok(Ok(()))
}

/// What is wrong with a default.
fn explain(schema: &Schema, default: &Value, path: &Path) -> Result<Flaw, Error> {
    let validator = keywords::validator(document::of_fields(std::iter::once(("default".into(), schema))))?;
    let object: Map = std::iter::once(("default", default.clone())).collect();
    let problem = validator.problems(&object.into())?.into_iter().next();
    let rest = |path: Path| Path(path.0.into_iter().skip(1).collect());
    let (path, message) = problem.map_or_else(
        || (path.clone(), "the default is not what the schema says".to_owned()),
        |problem| (path.join(&rest(problem.path)), problem.message),
    );
    Ok(Flaw { path, message })
}

/// The schemas that have a default, with it and its place in the CRD.
fn collect<'s>(schema: &'s Schema, at: &Trail<'_>, found: &mut Vec<(&'s Schema, &'s Value, Path)>) {
    found.extend(schema.default.as_ref().map(|default| (schema, default, at.key("default").path())));
    if let Some(items) = &schema.items {
        collect(items, &at.key("items"), found);
    }
    let properties = at.key("properties");
    for (name, property) in &schema.properties {
        // What is wrong with metadata shows in the metadata.
        if !(schema.embedded && name.as_ref() == "metadata") {
            collect(property, &properties.key(name), found);
        }
    }
}

/// The object with its defaults. A `null` where there can be none is as good as nothing: it is replaced by the default,
/// and taken away from a map where there is no default.
pub(super) fn defaulted(value: &Value, schema: &Schema) -> Value {
    match value {
        Value::Map(map) => Value::Map(defaulted_map(map, schema)),
        Value::List(items) => match &schema.items {
            Some(of_items) => {
                items.iter().map(|item| defaulted(or_default(item, of_items), of_items)).collect::<Vec<_>>().into()
            }
            None => value.clone(),
        },
        _ => value.clone(),
    }
}

fn defaulted_map(map: &Arc<Map>, schema: &Schema) -> Arc<Map> {
    let said = !schema.properties.is_empty() || matches!(schema.additional, Some(Additional::Each(_)));
    if !said {
        return map.clone();
    }
    let given = map.iter().filter_map(|(name, value)| {
        let Some(of_field) = schema.field(name) else { return Some((name.clone(), value.clone())) };
        let value = or_default(value, of_field);
        let goes = matches!(value, Value::Null) && !of_field.nullable;
        (!goes).then(|| (name.clone(), defaulted(value, of_field)))
    });
    let left_out = schema.properties.iter().filter(|(name, _)| map.get(name).is_none());
    let left_out = left_out.filter_map(|(name, of_field)| {
        let default = of_field.default.as_ref()?;
        Some((name.clone(), defaulted(default, of_field)))
    });
    Arc::new(given.chain(left_out).collect())
}

/// The value, or the default in place of a `null` that cannot be.
fn or_default<'a>(value: &'a Value, schema: &'a Schema) -> &'a Value {
    match (value, &schema.default) {
        (Value::Null, Some(default)) if !schema.nullable => default,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn parse(text: &str) -> Value {
        yaml::parse(text, yaml::Options::default()).unwrap()
    }

    #[test]
    fn objects_get_their_defaults_and_lose_null() {
        let schema = parse(
            "{type: object, properties: {
                a: {type: string, default: x},
                kept: {type: string, nullable: true, default: x},
                gone: {type: string},
                inner: {type: object, default: {}, properties: {b: {type: integer, default: 1}}},
                absent: {type: object, properties: {b: {type: integer, default: 1}}},
                list: {type: array, items: {type: object, properties: {c: {type: boolean, default: true}}}},
                each: {type: object, additionalProperties: {type: string, default: y}},
                free: {type: object, x-kubernetes-preserve-unknown-fields: true}}}",
        );
        let schema = Schema::read(&schema, &Trail::Root(&Path::default())).unwrap();
        for (object, expected) in [
            ("{}", "{a: x, inner: {b: 1}, kept: x}"),
            ("{a: null, gone: null, kept: null}", "{a: x, inner: {b: 1}, kept: null}"),
            ("{a: z, inner: {b: 2}, kept: z}", "{a: z, inner: {b: 2}, kept: z}"),
            ("{list: [{}, {c: false}, 1]}", "{a: x, inner: {b: 1}, kept: x, list: [{c: true}, {c: false}, 1]}"),
            ("{each: {m: null, n: z}}", "{a: x, each: {m: y, n: z}, inner: {b: 1}, kept: x}"),
            ("{free: {n: null}, other: null}", "{a: x, free: {n: null}, inner: {b: 1}, kept: x, other: null}"),
            ("[]", "[]"),
        ] {
            assert_eq!(yaml::to_yaml(&defaulted(&parse(object), &schema)), yaml::to_yaml(&parse(expected)), "{object}");
        }
    }
}
