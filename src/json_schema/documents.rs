//! What references lead to where there is more than `#/…`: names (`$anchor`), parts with an address of their own (`$id`),
//! and the schemas of JSON Schema itself. They are found as the validator finds them.

use std::collections::HashSet;
use std::sync::Arc;

use jsonschema::{Draft, Registry, Retrieve, Uri};
use serde_json::Value as Json;

/// The documents that the references of a schema can lead to.
pub(super) struct Documents<'s> {
    registry: Registry<'s>,
    root: Scope,
}

/// What the references of a schema are relative to.
#[derive(Clone)]
pub(super) struct Scope {
    base: Arc<Uri<String>>,
    draft: Draft,
}

impl<'s> Documents<'s> {
    /// The documents of a schema; `None` where all references lead to its own parts by their place, or where it is so
    /// broken that the validator will say why.
    ///
    /// # Errors
    /// A sentence, where what a reference leads to depends on the way to it.
    pub fn of(schema: &'s Json, draft: Draft, base: &str) -> Result<Option<Self>, String> {
        let mut found = Found::default();
        found.read(schema, true);
        if found.is_dynamic {
            return Err(
                "references that depend on the way to them (`$dynamicAnchor` or `$recursiveAnchor` in several places) \
                        are not supported"
                    .to_owned(),
            );
        }
        Ok(if found.needs_documents { Self::read(schema, draft, base) } else { None })
    }

    fn read(schema: &'s Json, draft: Draft, base: &str) -> Option<Self> {
        let draft = draft.detect(schema);
        let root = Scope { base: Arc::new(jsonschema::uri::from_str(base).ok()?), draft };
        let registry = Registry::new().draft(draft).retriever(Nothing).add(base, schema).ok()?.prepare().ok()?;
        Some(Self { registry, root })
    }

    /// What the references of the whole schema are relative to.
    pub fn root(&self) -> &Scope {
        &self.root
    }

    /// What the references of a schema are relative to, if it says so itself.
    pub fn enter(&self, schema: &Json, around: &Scope) -> Option<Scope> {
        let draft = around.draft.detect(schema);
        let resource = draft.create_resource_ref(schema);
        if resource.id().is_none() && draft == around.draft {
            return None;
        }
        let inner = self.registry.resolver((*around.base).clone()).in_subresource(resource).ok()?;
        Some(Scope { base: inner.base_uri(), draft })
    }

    /// What a reference leads to, and what the references there are relative to.
    pub fn target<'d>(&'d self, reference: &str, from: &Scope) -> Option<(&'d Json, Scope)> {
        let found = self.registry.resolver((*from.base).clone()).lookup(reference).ok()?;
        let (schema, resolver, draft) = found.into_inner();
        Some((schema, Scope { base: resolver.base_uri(), draft }))
    }
}

/// What is found in a schema.
#[derive(Default)]
struct Found<'s> {
    needs_documents: bool,
    is_dynamic: bool,
    /// Whether a reference leads to something with an address.
    has_address: bool,
    anchors: HashSet<&'s str>,
}

impl<'s> Found<'s> {
    fn read(&mut self, schema: &'s Json, is_root: bool) {
        match schema {
            Json::Object(keywords) => {
                for (keyword, inner) in keywords {
                    match (keyword.as_str(), inner) {
                        ("$ref" | "$dynamicRef" | "$recursiveRef", Json::String(reference)) => {
                            let is_place = reference == "#" || reference.starts_with("#/");
                            self.needs_documents |= !is_place;
                            self.has_address |= !reference.starts_with('#');
                        }
                        ("$id" | "id", Json::String(_)) => self.needs_documents |= !is_root,
                        ("$dynamicAnchor", Json::String(name)) => self.is_dynamic |= !self.anchors.insert(name),
                        ("$recursiveAnchor", Json::Bool(true)) => self.is_dynamic |= !self.anchors.insert(""),
                        _ => {}
                    }
                    self.read(inner, false);
                }
                // The schemas of JSON Schema have such names, too.
                self.is_dynamic |= is_root && self.has_address && !self.anchors.is_empty();
            }
            Json::Array(schemas) => schemas.iter().for_each(|schema| self.read(schema, false)),
            _ => {}
        }
    }
}

/// Finds nothing: a schema that allows everything stands for it.
struct Nothing;

impl Retrieve for Nothing {
    fn retrieve(&self, _: &Uri<String>) -> Result<Json, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Json::Bool(true))
    }
}
