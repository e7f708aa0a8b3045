//! A bound on the work that a schema makes.
//!
//! References can be written so that the same value is checked a billion times (`allOf` of two references to the same
//! schema, thirty levels deep). The validator has no limit, so the work is counted before: each pair of schema and value
//! once, with what lies below it.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::reference::target;
use crate::value::Value;

/// The most checks of one value against one schema, counted as the validator makes them.
const MAX_CHECKS: u64 = 5_000_000;
/// The deepest nesting of schemas around one value.
const MAX_DEPTH: usize = 5_000;

/// Counts the checks.
///
/// # Errors
///
/// A sentence, where they are too many or a reference leads back to itself.
pub fn check(schema: &Json, values: &Value) -> Result<(), String> {
    let mut count = Count { root: schema, known: HashMap::new(), depth: 0 };
    match count.checks(schema, values) {
        Ok(checks) if checks <= MAX_CHECKS => Ok(()),
        Ok(_) => Err("the schema takes too long to check".to_string()),
        Err(problem) => Err(problem),
    }
}

struct Count<'s> {
    root: &'s Json,
    /// By the addresses of schema and value; `None` while it is being counted.
    known: HashMap<(*const Json, *const Value), Option<u64>>,
    depth: usize,
}

impl<'s> Count<'s> {
    fn checks(&mut self, schema: &'s Json, value: &Value) -> Result<u64, String> {
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
        let mut checks = 1;
        for (keyword, inner) in keywords {
            let more = self.keyword(keyword, inner, keywords, value)?;
            checks = more.saturating_add(checks);
            if checks > MAX_CHECKS {
                break;
            }
        }
        self.depth -= 1;
        self.known.insert(pair, Some(checks));
        Ok(checks)
    }

    fn keyword(
        &mut self,
        keyword: &str,
        inner: &'s Json,
        siblings: &'s serde_json::Map<String, Json>,
        value: &Value,
    ) -> Result<u64, String> {
        let mut checks: u64 = 0;
        let mut add = |this: &mut Self, schema: &'s Json, value: &Value| -> Result<(), String> {
            checks = checks.saturating_add(this.checks(schema, value)?);
            Ok(())
        };
        match (keyword, inner, value) {
            ("$ref" | "$dynamicRef" | "$recursiveRef", Json::String(reference), _) => {
                if let Some(target) = target(reference, self.root) {
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
                let known = siblings.get("properties");
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
