//! A bound on the work that a schema makes.
//!
//! References can be written so that the same value is checked a billion times (`allOf` of two references to the same
//! schema, thirty levels deep). The validator has no limit, so the work is counted before: each pair of schema and value
//! once, with what lies below it.

use std::collections::HashMap;

use jsonschema::Draft;
use serde_json::{Map, Value as Json};

use super::documents::{Documents, Scope};
use super::reference::target;
use crate::value::Value;

/// The most checks of one value against one schema, counted as the validator makes them.
const MAX_CHECKS: u64 = 5_000_000;
/// The deepest nesting of schemas around one value.
const MAX_DEPTH: usize = 5_000;

/// Counts the checks. `draft` is that of a schema that names none, and `base` what its references are relative to, as the
/// validator has them.
///
/// # Errors
///
/// A sentence, where they are too many, where a reference leads back to itself, or where they cannot be counted.
pub fn check(schema: &Json, values: &Value, draft: Draft, base: &str) -> Result<(), String> {
    let documents = Documents::of(schema, draft, base)?;
    let mut count = Count { root: schema, documents: documents.as_ref(), known: HashMap::new(), depth: 0 };
    match count.checks(schema, documents.as_ref().map(Documents::root), values) {
        Ok(checks) if checks <= MAX_CHECKS => Ok(()),
        Ok(_) => Err("the schema takes too long to check".to_string()),
        Err(problem) => Err(problem),
    }
}

struct Count<'s> {
    root: &'s Json,
    /// Where references lead to more than places in the root.
    documents: Option<&'s Documents<'s>>,
    /// By the addresses of schema and value; `None` while it is being counted.
    known: HashMap<(*const Json, *const Value), Option<u64>>,
    depth: usize,
}

/// A schema that is being counted: its keywords, and what its references are relative to.
#[derive(Clone, Copy)]
struct Place<'s, 'c> {
    keywords: &'s Map<String, Json>,
    scope: Option<&'c Scope>,
}

impl<'s> Count<'s> {
    fn checks(&mut self, schema: &'s Json, scope: Option<&Scope>, value: &Value) -> Result<u64, String> {
        let Json::Object(keywords) = schema else { return Ok(1) };
        let pair = (std::ptr::from_ref(schema), std::ptr::from_ref(value));
        match self.known.get(&pair) {
            Some(Some(checks)) => return Ok(*checks),
            Some(None) => return Err("- at '': a reference leads back to itself\n".to_string()),
            None => {}
        }
        if self.known.len() as u64 > MAX_CHECKS || self.depth > MAX_DEPTH {
            return Ok(u64::MAX);
        }
        self.known.insert(pair, None);
        self.depth += 1;
        let own = self.documents.zip(scope).and_then(|(documents, scope)| documents.enter(schema, scope));
        let at = Place { keywords, scope: own.as_ref().or(scope) };
        let mut checks = 1;
        for (keyword, inner) in keywords {
            let more = self.keyword(keyword, inner, at, value)?;
            checks = more.saturating_add(checks);
            if checks > MAX_CHECKS {
                break;
            }
        }
        self.depth -= 1;
        self.known.insert(pair, Some(checks));
        Ok(checks)
    }

    fn keyword(&mut self, keyword: &str, inner: &'s Json, at: Place<'s, '_>, value: &Value) -> Result<u64, String> {
        let mut checks: u64 = 0;
        let mut add = |this: &mut Self, schema: &'s Json, value: &Value| -> Result<(), String> {
            checks = checks.saturating_add(this.checks(schema, at.scope, value)?);
            Ok(())
        };
        match (keyword, inner, value) {
            ("$ref" | "$dynamicRef" | "$recursiveRef", Json::String(reference), _) => {
                if let Some((documents, scope)) = self.documents.zip(at.scope) {
                    if let Some((target, scope)) = documents.target(reference, scope) {
                        return self.checks(target, Some(&scope), value);
                    }
                } else if let Some(target) = target(reference, self.root) {
                    add(self, target, value)?;
                }
            }
            ("allOf" | "anyOf" | "oneOf", Json::Array(schemas), _) => {
                for schema in schemas {
                    add(self, schema, value)?;
                }
            }
            ("not" | "if" | "then" | "else", schema, _) => add(self, schema, value)?,
            ("dependentSchemas" | "dependencies", Json::Object(schemas), Value::Map(map)) => {
                for (_, schema) in schemas.iter().filter(|(name, _)| map.get(name).is_some()) {
                    add(self, schema, value)?;
                }
            }
            ("properties", Json::Object(schemas), Value::Map(map)) => {
                for (name, value) in map.iter() {
                    if let Some(schema) = schemas.get(&**name) {
                        add(self, schema, value)?;
                    }
                }
            }
            ("patternProperties", Json::Object(schemas), Value::Map(map)) => {
                for (_, value) in map.iter() {
                    for schema in schemas.values() {
                        add(self, schema, value)?;
                    }
                }
            }
            ("additionalProperties" | "unevaluatedProperties", schema, Value::Map(map)) => {
                let known = at.keywords.get("properties");
                for (name, value) in map.iter() {
                    if known.is_none_or(|known| known.get(&**name).is_none()) {
                        add(self, schema, value)?;
                    }
                }
            }
            ("items" | "prefixItems", Json::Array(schemas), Value::List(items)) => {
                for (schema, item) in schemas.iter().zip(items.iter()) {
                    add(self, schema, item)?;
                }
            }
            ("items" | "additionalItems" | "unevaluatedItems" | "contains", schema, Value::List(items)) => {
                for item in items.iter() {
                    add(self, schema, item)?;
                }
            }
            _ => {}
        }
        Ok(checks)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    /// Forty levels of a schema that checks the same value twice by the next one.
    fn doubling(link: impl Fn(usize) -> (Json, Map<String, Json>)) -> Json {
        let level = |at: usize| {
            let (reference, mut schema) = link(at);
            schema.insert("allOf".into(), json!([{ "$ref": reference }, { "$ref": reference }]));
            (format!("d{at}"), Json::Object(schema))
        };
        let mut defs: Map<String, Json> = (0..40).map(level).collect();
        defs.extend([("d40".to_owned(), Json::Object(link(40).1))]);
        json!({ "$ref": "#/$defs/d0", "$defs": defs })
    }

    fn map(schema: Json) -> Map<String, Json> {
        schema.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn work_is_counted_whatever_leads_to_it() {
        // A schema too, to be held to the schema of schemas.
        let schemas: Value = vec![Value::Map(Arc::default()); 1000].into();
        let value: Value = std::iter::once(("allOf", schemas)).collect::<crate::value::Map>().into();
        let checked = |schema: &Json| check(schema, &value, Draft::default(), "file:///values.schema.json");
        let by_place = doubling(|at| (json!(format!("#/$defs/d{}", at + 1)), Map::new()));
        let by_anchor = doubling(|at| (json!(format!("#a{}", at + 1)), map(json!({ "$anchor": format!("a{at}") }))));
        let by_id = doubling(|at| (json!(format!("{}.json", at + 1)), map(json!({ "$id": format!("{at}.json") }))));
        let address = "https://json-schema.org/draft/2020-12/schema";
        let known = json!({ "allOf": vec![json!({ "$ref": address }); 3000] });
        for schema in [by_place, by_anchor, by_id, known] {
            assert_eq!(
                checked(&schema),
                Err("the schema takes too long to check".to_owned()),
                "{:.99}",
                schema.to_string()
            );
        }
        let again = json!({ "$anchor": "a", "allOf": [{ "$ref": "#a" }] });
        assert!(checked(&again).is_err_and(|error| error.contains("leads back to itself")));
        let dynamic =
            json!({ "$defs": { "a": { "$dynamicAnchor": "n" }, "b": { "$id": "b", "$dynamicAnchor": "n" } } });
        assert!(checked(&dynamic).is_err_and(|error| error.contains("depend on the way")));
        let good = json!({ "$id": "a.json", "properties": { "b": { "$id": "b/c.json", "$ref": "../a.json" } } });
        assert_eq!(checked(&good), Ok(()));
        let loops = json!({ "$id": "a.json", "allOf": [{ "$ref": "file:///a.json" }] });
        assert!(checked(&loops).is_err_and(|error| error.contains("leads back to itself")));
    }
}
