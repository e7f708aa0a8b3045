//! What can be told from a schema alone about the work that it will make.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::reference::target;

/// The deepest nesting of schemas through references, which is how deep the validator recurses to compile them.
const MAX_NESTING: usize = 2_000;
/// The longest chain of references that is followed without going into a value.
const MAX_REFERENCES: usize = 8;
/// Keywords that look at a value without looking into it.
const SHALLOW: &[&str] = &[
    "const",
    "default",
    "description",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "nullable",
    "pattern",
    "required",
    "title",
    "type",
    "uniqueItems",
];

/// Whether a schema looks at each part of a value once, whatever the value: then there is nothing to [`check`](super::check), and the
/// validator goes no deeper than the value. So it is with the schemas of Kubernetes and of most custom resources.
pub fn is_linear(schema: &Json) -> bool {
    goes_once(schema, schema, 0)
}

/// Whether a schema is too deep to be compiled: a chain of references takes time that grows with its square.
pub fn is_too_deep(schema: &Json) -> bool {
    !nests(schema, schema, 0, &mut HashSet::new())
}

fn nests<'s>(schema: &'s Json, root: &'s Json, depth: usize, seen: &mut HashSet<*const Json>) -> bool {
    depth < MAX_NESTING
        && match schema {
            Json::Object(keywords) => keywords.iter().all(|(keyword, inner)| match inner {
                Json::String(reference) if keyword == "$ref" => target(reference, root)
                    .filter(|target| seen.insert(std::ptr::from_ref(*target)))
                    .is_none_or(|target| nests(target, root, depth + 1, seen)),
                _ => nests(inner, root, depth + 1, seen),
            }),
            Json::Array(schemas) => schemas.iter().all(|schema| nests(schema, root, depth + 1, seen)),
            _ => true,
        }
}

fn goes_once(schema: &Json, root: &Json, depth: usize) -> bool {
    let Json::Object(keywords) = schema else { return true };
    let below = |schema: &Json| goes_once(schema, root, depth + 1);
    let goes_in = ["properties", "additionalProperties", "items"].iter().any(|name| keywords.contains_key(*name));
    depth < MAX_NESTING
        && keywords.iter().all(|(keyword, inner)| match (keyword.as_str(), inner) {
            ("properties" | "definitions" | "$defs", Json::Object(schemas)) => schemas.values().all(below),
            ("additionalProperties" | "items", Json::Object(_) | Json::Bool(_)) => below(inner),
            ("allOf" | "anyOf" | "oneOf", Json::Array(schemas)) => schemas.iter().all(is_shallow),
            ("not", schema) => is_shallow(schema),
            ("$ref", Json::String(reference)) => !goes_in && ends(reference, root),
            ("$id" | "id", _) => depth == 0,
            // What the last one names is a schema of its own.
            ("$schema" | "$comment" | "definition", _) => true,
            (keyword, _) => SHALLOW.contains(&keyword) || keyword.starts_with("x-kubernetes-"),
        })
}

fn is_shallow(schema: &Json) -> bool {
    schema.as_object().is_none_or(|keywords| keywords.keys().all(|keyword| SHALLOW.contains(&keyword.as_str())))
}

/// Whether a reference leads to a schema in the same document that is more than a reference.
fn ends(reference: &str, root: &Json) -> bool {
    let mut reference = reference;
    for _ in 0..MAX_REFERENCES {
        match target(reference, root).map(|target| target.get("$ref")) {
            None => return false,
            Some(Some(Json::String(next))) => reference = next,
            Some(_) => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn schemas_that_look_at_each_value_once_are_known() {
        let quantity = json!({"oneOf": [{"type": "string"}, {"type": "number"}]});
        let node = json!({"properties": {"not": {"$ref": "#/$defs/n"}, "$ref": {"type": "string"}}, "type": "object"});
        for (schema, expected) in [
            (json!({"$ref": "#/$defs/n", "$defs": {"n": node}}), true),
            (json!({"additionalProperties": quantity, "items": {"pattern": "a"}}), true),
            (json!(true), true),
            (json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}), false),
            (json!({"$ref": "#/$defs/none"}), false),
            (json!({"$ref": "other.json"}), false),
            (json!({"$ref": "#/$defs/a", "properties": {}, "$defs": {"a": {}}}), false),
            (json!({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {}}}), false),
            (json!({"anyOf": [{"properties": {"a": {}}}]}), false),
            (json!({"patternProperties": {"a": {}}}), false),
            (json!({"properties": {"a": {"$id": "b"}}}), false),
        ] {
            assert_eq!(is_linear(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn chains_of_references_are_bounded() {
        let chain = |length: usize| {
            let link = |at: usize| (format!("d{at}"), json!({"items": {"$ref": format!("#/$defs/d{}", at + 1)}}));
            json!({"$ref": "#/$defs/d0", "$defs": (0..length).map(link).collect::<serde_json::Map<_, _>>()})
        };
        assert!(!is_too_deep(&chain(500)));
        assert!(is_too_deep(&chain(50_000)));
    }
}
