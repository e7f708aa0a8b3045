//! Where a field belongs that is written in the wrong place, as by a wrong indentation.

use std::borrow::Cow;

use serde_json::Value as Document;

use super::definitions::{Definitions, KEYWORD};
use crate::value::{Path, Step};

/// How many steps below a field is looked for: `template.spec` is two.
const MAX_DOWN: usize = 2;
/// More places than this are no hint.
const MAX_PLACES: usize = 5;

/// The schemas of an object, and what their references lead to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Elsewhere<'s> {
    pub root: &'s Document,
    pub definitions: Option<&'static Definitions>,
}

impl Elsewhere<'_> {
    /// The place of a field that `parent`, of this schema, does not have: in what is around it, the nearest first, or
    /// below it.
    pub(super) fn find(&self, name: &str, parent: &Path, schema: &Document) -> Option<String> {
        let around = self.around(name, parent);
        around.map(|path| path.key(name).to_string()).or_else(|| {
            let place = self.below(name, schema)?;
            let parent = parent.to_string();
            Some(if parent.is_empty() { place } else { format!("{parent}.{place}") })
        })
    }

    fn around(&self, name: &str, parent: &Path) -> Option<Path> {
        let mut found = None;
        let mut schema = self.resolved(Cow::Borrowed(self.root))?;
        for (depth, step) in parent.0.iter().enumerate() {
            if has(&schema, name) {
                found = Some(Path(parent.0.iter().take(depth).cloned().collect()));
            }
            let Some(next) = self.child(schema, step) else { break };
            schema = next;
        }
        found
    }

    fn below(&self, name: &str, schema: &Document) -> Option<String> {
        let mut level = vec![(String::new(), self.resolved(Cow::Borrowed(schema))?)];
        for _ in 0..MAX_DOWN {
            let mut next = Vec::new();
            for (path, schema) in &level {
                let properties = schema.get("properties").and_then(Document::as_object);
                for (key, inner) in properties.into_iter().flatten() {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    let Some(inner) = self.resolved(Cow::Borrowed(inner)) else { continue };
                    match inner.get("items").and_then(|items| self.resolved(Cow::Owned(items.clone()))) {
                        Some(items) => next.push((format!("{path}[]"), items)),
                        None => next.push((path, Cow::Owned(inner.into_owned()))),
                    }
                }
            }
            let places: Vec<&String> =
                next.iter().filter(|(_, schema)| has(schema, name)).map(|(path, _)| path).collect();
            if let Some(first) = places.first() {
                return (places.len() <= MAX_PLACES).then(|| format!("{first}.{name}"));
            }
            level = next;
        }
        None
    }

    fn child<'a>(&self, schema: Cow<'a, Document>, step: &Step) -> Option<Cow<'a, Document>> {
        let inner = match schema {
            Cow::Borrowed(schema) => Cow::Borrowed(inner(schema, step)?),
            Cow::Owned(schema) => Cow::Owned(inner(&schema, step)?.clone()),
        };
        self.resolved(inner)
    }

    /// The schema itself, or what its reference leads to.
    fn resolved<'a>(&self, schema: Cow<'a, Document>) -> Option<Cow<'a, Document>> {
        match schema.get(KEYWORD).and_then(Document::as_str) {
            None => Some(schema),
            Some(name) => {
                let definition = self.definitions?.get(name);
                Some(Cow::Owned(definition.validator().ok()?.schema("")?.clone()))
            }
        }
    }
}

fn inner<'a>(schema: &'a Document, step: &Step) -> Option<&'a Document> {
    match step {
        Step::Index(_) => schema.get("items"),
        Step::Key(key) => {
            let named = schema.get("properties").and_then(|properties| properties.get(&**key));
            named.or_else(|| schema.get("additionalProperties"))
        }
    }
}

fn has(schema: &Document, name: &str) -> bool {
    schema.get("properties").is_some_and(|properties| properties.get(name).is_some())
}
