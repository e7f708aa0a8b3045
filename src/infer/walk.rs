//! From values, their comments and their uses to a schema.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use super::comments::{Annotation, Comments, Note};
use super::schema::Schema;
use super::types::Types;
use super::uses::Place;
use super::{Error, Options};
use crate::chart::Chart;
use crate::json;
use crate::source::Location;
use crate::value::{Numbers, Path, Value};
use crate::yaml::{self, Content, Entry, Outline};

/// The most keys that templates may add to those of values.yaml.
const MAX_ADDED: usize = 20_000;

/// One walk through the values of a chart.
pub(super) struct Walk<'c> {
    chart: &'c Chart,
    comments: Option<&'c Comments<'c>>,
    options: Options,
    added: Cell<usize>,
}

/// A value, and how values.yaml writes it.
struct Written<'v> {
    path: Path,
    value: &'v Value,
    /// Where it is written: several times, where documents are laid over each other.
    outlines: Vec<&'v Outline>,
    /// Whether it belongs to a subchart, which has a schema of its own.
    foreign: bool,
}

impl<'c> Walk<'c> {
    pub fn new(chart: &'c Chart, comments: Option<&'c Comments<'c>>, options: Options) -> Self {
        Self { chart, comments, options, added: Cell::new(0) }
    }

    /// The schema of all values.
    pub fn root(&self, outlines: &[&Outline], place: &Place) -> Result<Schema, Error> {
        let outlines = outlines.to_vec();
        let mut schema =
            self.map(&Written { path: Path::default(), value: &self.chart.values, outlines, foreign: false }, place)?;
        schema.closed = self.options.strict;
        schema.each = None;
        let global = schema.properties.at(&"global".into());
        global.types = Types::OBJECT;
        if global.description.is_empty() {
            global.description = "Values that all charts of a release share.".to_owned();
        }
        self.subcharts(&mut schema);
        self.params(&mut schema);
        Ok(schema)
    }

    /// The values of subcharts stand below their names.
    fn subcharts(&self, schema: &mut Schema) {
        for dependency in &self.chart.metadata.dependencies {
            let name = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
            let property = schema.properties.at(&name.as_str().into());
            property.types = Types::OBJECT;
            if property.description.is_empty() {
                property.description = format!("Values of the subchart {}.", dependency.name);
            }
        }
    }

    /// Keys that are documented, and that values.yaml has not.
    fn params(&self, schema: &mut Schema) {
        for param in self.comments.iter().flat_map(|comments| &comments.params) {
            let is_plain = |key: &str| !key.is_empty() && !key.contains(['[', ']']);
            if param.is_extra
                || !param.path.split('.').all(is_plain)
                || self.chart.values.at(param.path.split('.')).is_some()
            {
                continue;
            }
            let mut at = &mut *schema;
            for key in param.path.split('.') {
                if !at.types.is_empty() && !at.types.has(Types::OBJECT) {
                    break;
                }
                at = at.properties.at(&key.into());
            }
            if at.description.is_empty() && at.properties.is_empty() {
                at.description = param.note.description.clone();
                at.types = param.note.types.unwrap_or_default();
            }
        }
    }

    fn value(&self, written: &Written, place: &Place) -> Result<Schema, Error> {
        match written.value {
            Value::Map(_) => self.map(written, place),
            Value::List(items) => self.list(written, items, place),
            scalar => Ok(scalar_schema(scalar, place)),
        }
    }

    fn map(&self, written: &Written, place: &Place) -> Result<Schema, Error> {
        let mut schema = Schema::of(Types::OBJECT | structure(place));
        let entries = entries(&written.outlines);
        let is_chart = |key: &str| {
            written.path.0.is_empty()
                && self.chart.metadata.dependencies.iter().any(|d| d.name == key || d.alias == key)
        };
        // First what is written, in its order, then what merge keys bring.
        let map = written.value.as_map();
        let brought = map
            .into_iter()
            .flat_map(|map| map.iter())
            .map(|(key, _)| key)
            .filter(|key| !entries.known.contains_key(*key));
        for key in entries.order.iter().chain(brought) {
            let Some(value) = written.value.get(key) else { continue };
            let path = written.path.key(key.clone());
            let entry = entries.known.get(key);
            let outlines = entry.iter().flat_map(|entries| entries.iter().map(|entry| &entry.value)).collect();
            let foreign = written.foreign || is_chart(key);
            let place = place.key(key);
            let inner = Written { path, value, outlines, foreign };
            let mut property = self.value(&inner, &place)?;
            if let Some(note) = self.note(&inner.path, entry.and_then(|entries| entries.last().copied()))? {
                apply(&mut property, value, note);
            }
            let demanded = property.annotation.as_ref().is_some_and(|annotation| annotation.required);
            if demanded || place.is_required() {
                schema.required.push(key.clone());
            }
            *schema.properties.at(key) = property;
        }
        if written.foreign || is_chart("") {
            return Ok(schema);
        }
        if !schema.properties.is_empty() || !place.is_whole() {
            self.add(&mut schema, place, 0);
        }
        if schema.properties.is_empty() {
            schema.default = Some(written.value.clone());
        }
        schema.closed = self.options.strict && !schema.properties.is_empty() && !place.is_whole() && !place.is_ranged();
        Ok(schema)
    }

    /// What templates read, and values.yaml has not.
    fn add(&self, schema: &mut Schema, place: &Place, depth: usize) {
        for key in place.keys() {
            if !schema.properties.has(&key) && self.added.get() < MAX_ADDED {
                self.added.set(self.added.get() + 1);
                *schema.properties.at(&key) = self.unwritten(&place.key(&key), depth + 1);
            }
        }
        if place.is_ranged() && !place.is_whole() {
            let each = self.unwritten(&place.each(), depth + 1);
            schema.each = Some(Box::new(each));
        }
    }

    /// What is known of a value by its uses alone.
    fn unwritten(&self, place: &Place, depth: usize) -> Schema {
        let mut schema =
            Schema::of(if place.is_whole() && !place.is_template() { Types::default() } else { place.types() });
        if !place.is_whole() && depth < crate::value::MAX_DEPTH {
            self.add(&mut schema, place, depth);
        }
        schema
    }

    fn list(&self, written: &Written, items: &[Value], place: &Place) -> Result<Schema, Error> {
        let mut schema = Schema::of(Types::ARRAY | structure(place));
        schema.default = Some(written.value.clone());
        if place.is_whole() {
            return Ok(schema);
        }
        let each = place.each();
        let mut all: Option<Schema> = None;
        for (index, value) in items.iter().enumerate() {
            let outlines = written.outlines.iter().filter_map(|outline| match &outline.content {
                Content::Sequence(items) => items.get(index),
                _ => None,
            });
            let inner = Written {
                path: written.path.index(index),
                value,
                outlines: outlines.collect(),
                foreign: written.foreign,
            };
            let item = self.value(&inner, &each)?;
            all = Some(match all {
                Some(all) => all.or(item),
                None => Schema { default: None, ..item },
            });
        }
        schema.each = Some(Box::new(all.unwrap_or_else(|| self.unwritten(&each, 0))));
        Ok(schema)
    }

    fn note(&self, path: &Path, entry: Option<&Entry>) -> Result<Option<Note>, Error> {
        let (Some(comments), Some(entry)) = (self.comments, entry) else { return Ok(None) };
        let note = comments.of(path, entry).map_err(|(problem, location)| Error::Annotation { problem, location })?;
        if let Some(annotation) = &note.annotation {
            check(annotation).map_err(|problem| Error::Annotation {
                problem,
                location: Location::new(comments.source().clone(), annotation.span),
            })?;
        }
        Ok(Some(note))
    }
}

/// The entries of mappings that are laid over each other.
#[derive(Default)]
struct Entries<'v> {
    order: Vec<Arc<str>>,
    known: HashMap<Arc<str>, Vec<&'v Entry>>,
}

fn entries<'v>(outlines: &[&'v Outline]) -> Entries<'v> {
    let mut all = Entries::default();
    for outline in outlines {
        let Content::Mapping(entries) = &outline.content else { continue };
        for entry in entries {
            let known = all.known.entry(entry.key.clone()).or_default();
            if known.is_empty() {
                all.order.push(entry.key.clone());
            }
            known.push(entry);
        }
    }
    all
}

/// The other forms of a map, a list or a scalar that templates can work with.
fn structure(place: &Place) -> Types {
    if place.is_template() { Types::STRING } else { Types::default() }
}

/// What a scalar default says, and where it says nothing, its uses.
fn scalar_schema(value: &Value, place: &Place) -> Schema {
    let used = place.types();
    let types = match value {
        Value::Null if used.is_empty() => Types::default(),
        Value::Null => used | Types::NULL,
        Value::String(text) if text.is_empty() => Types::STRING,
        Value::String(text) => Types::STRING | reading(text),
        other => Types::of(other),
    };
    Schema { types, default: Some(value.clone()), ..Schema::default() }
}

/// What a quoted number or boolean would be without its quotes: people leave them out.
fn reading(text: &str) -> Types {
    let options = yaml::Options { strict: false, numbers: Numbers::Exact };
    match yaml::parse(text, options) {
        Ok(value @ (Value::Bool(_) | Value::Int(_) | Value::Float(_))) => Types::of(&value),
        _ => Types::default(),
    }
}

/// Lays what a comment says over what was inferred.
fn apply(schema: &mut Schema, value: &Value, note: Note) {
    if note.ignored && note.annotation.is_none() {
        *schema = Schema::default();
        return;
    }
    schema.description = note.description;
    if let Some(default) = note.default {
        let gap = if schema.description.is_empty() { "" } else { "\n\n" };
        schema.description.push_str(&format!("{gap}Default: {default}"));
    }
    if let Some(named) = note.types {
        // The default is a value too, whatever the comment says.
        schema.types = named | Types::of(value);
    }
    if note.nullable && !schema.types.is_empty() {
        schema.types |= Types::NULL;
    }
    schema.annotation = note.annotation;
}

/// Whether the keywords of an annotation are a schema.
fn check(annotation: &Annotation) -> Result<(), String> {
    let keywords = annotation.keywords.iter().cloned().collect::<crate::value::Map>();
    let text = json::to_json(&keywords.into()).map_err(|error| error.to_string())?;
    let schema: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    jsonschema::draft7::meta::validate(&schema)
        .map_err(|error| format!("the annotation is no JSON Schema: at `{}`: {error}", error.instance_path()))
}
