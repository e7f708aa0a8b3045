//! From values, their comments and their uses to a schema.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::comments::{Annotation, Comments, Note};
use super::schema::Schema;
use super::types::Types;
use super::uses::Place;
use super::{Error, Options};
use crate::chart::Chart;
use crate::json;
use crate::source::Location;
use crate::value::{MAX_DEPTH, Map, Numbers, Path, Value};
use crate::yaml::{self, Content, Entry, Outline};

/// The most keys that templates may add to those of values.yaml.
const MAX_ADDED: usize = 20_000;

/// The longest path of a key that only a comment or Chart.yaml names.
const MAX_PATH: usize = 50;

/// One walk through the values of a chart.
pub(super) struct Walk<'c> {
    chart: &'c Chart,
    /// The values that the chart itself is given.
    values: Value,
    comments: Option<&'c Comments<'c>>,
    options: Options,
    /// The names of subcharts.
    subcharts: BTreeSet<Arc<str>>,
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
    /// `own` is what values.yaml says. The chart's values have more: what subcharts give it, and what they have.
    pub fn new(chart: &'c Chart, own: &Value, comments: Option<&'c Comments<'c>>, options: Options) -> Self {
        let subcharts = subcharts(chart);
        let shared = |key: &str| key == "global" || subcharts.contains(key);
        let entries = |value: &Value, keep: &dyn Fn(&str) -> bool| -> Vec<(Arc<str>, Value)> {
            let entries = value.as_map().into_iter().flat_map(Map::iter).filter(|(key, _)| keep(key));
            entries.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        let entries = [entries(own, &shared), entries(&chart.values, &|key| !shared(key))].concat();
        let values = entries.into_iter().collect::<Map>().into();
        Self { chart, values, comments, options, subcharts, added: Cell::new(0) }
    }

    /// The schema of all values.
    pub fn root(&self, outlines: &[&Outline], place: &Place) -> Result<Schema, Error> {
        let written =
            Written { path: Path::default(), value: &self.values, outlines: outlines.to_vec(), foreign: false };
        let mut schema = self.map(&written, place)?;
        let mut read = self.unwritten(place, 0);
        // What subcharts read is theirs to say.
        read.properties.retain(|key| !self.subcharts.contains(key));
        schema.fill(read);
        schema.closed = self.options.strict;
        schema.each = None;
        let global = schema.properties.at(&"global".into());
        hold_map(global);
        if global.description.is_empty() {
            global.description = "Values that all charts of a release share.".to_owned();
        }
        self.subcharts(&mut schema);
        self.params(&mut schema);
        Ok(schema)
    }

    /// The values of subcharts stand below their names, what switches them on and off anywhere.
    fn subcharts(&self, schema: &mut Schema) {
        for name in &self.subcharts {
            let property = schema.properties.at(name);
            hold_map(property);
            if property.description.is_empty() {
                property.description = format!("Values of the subchart {name}.");
            }
        }
        for dependency in &self.chart.metadata.dependencies {
            let conditions = dependency.condition.split(',').map(|path| path.trim().split('.').collect());
            let tags = dependency.tags.iter().map(|tag| vec!["tags", tag]);
            for path in conditions.chain(tags) {
                if let Some(switch) = descend(schema, &path).filter(|switch| switch.types.is_empty()) {
                    switch.types = Types::BOOLEAN;
                }
            }
        }
    }

    /// Keys that are documented, and that values.yaml has not.
    fn params(&self, schema: &mut Schema) {
        for param in self.comments.iter().flat_map(|comments| &comments.params) {
            let is_plain = |key: &str| !key.is_empty() && !key.contains(['[', ']']);
            if param.is_extra || !param.path.split('.').all(is_plain) || self.values.at(param.path.split('.')).is_some()
            {
                continue;
            }
            let keys: Vec<&str> = param.path.split('.').collect();
            let Some(property) = descend(schema, &keys) else { continue };
            if property.description.is_empty() {
                property.description = param.note.description.clone();
            }
            if property.types.is_empty() && property.properties.is_empty() {
                let types = param.note.types.unwrap_or_default();
                property.types = if param.note.nullable { nullable(types) } else { types };
            }
        }
    }

    /// What a value, its places and its uses say.
    fn value(&self, written: &Written, place: &Place) -> Result<Schema, Error> {
        match written.value {
            Value::Map(_) => self.map(written, place),
            Value::List(items) => self.list(written, items, place),
            scalar => Ok(Schema { default: Some(scalar.clone()), ..Schema::of(scalar_types(scalar, place)) }),
        }
    }

    fn map(&self, written: &Written, place: &Place) -> Result<Schema, Error> {
        let mut schema = Schema::of(Types::OBJECT | text(place));
        let entries = entries(&written.outlines);
        // First what is written, in its order, then what merge keys bring.
        let all = written.value.as_map().into_iter().flat_map(Map::iter).map(|(key, _)| key);
        let brought = all.filter(|key| !entries.known.contains_key(*key));
        for key in entries.order.iter().chain(brought) {
            let Some(value) = written.value.get(key) else { continue };
            let entry = entries.known.get(key);
            let place = place.key(key);
            let inner = Written {
                path: written.path.key(key.clone()),
                value,
                outlines: entry.into_iter().flatten().map(|entry| &entry.value).collect(),
                foreign: written.foreign || (written.path.0.is_empty() && self.subcharts.contains(key)),
            };
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
        if schema.properties.is_empty() {
            schema.default = Some(written.value.clone());
        }
        let is_known = !schema.properties.is_empty() || !place.keys().is_empty();
        let by_name = !written.foreign && !place.is_whole() && !place.is_ranged();
        schema.closed = self.options.strict && is_known && by_name;
        Ok(schema)
    }

    fn list(&self, written: &Written, items: &[Value], place: &Place) -> Result<Schema, Error> {
        let mut schema = Schema::of(Types::ARRAY | text(place));
        schema.default = Some(written.value.clone());
        if place.is_whole() {
            return Ok(schema);
        }
        let mut all: Option<Schema> = None;
        for (index, value) in items.iter().enumerate() {
            let outlines = written.outlines.iter().filter_map(|outline| match &outline.content {
                Content::Sequence(items) => items.get(index),
                _ => None,
            });
            let (path, outlines) = (written.path.index(index), outlines.collect());
            let item = self.value(&Written { path, value, outlines, foreign: written.foreign }, &place.each())?;
            all = Some(match all {
                Some(all) => all.or(item),
                None => item,
            });
        }
        schema.each = all.map(|mut each| {
            each.forget_defaults();
            Box::new(each)
        });
        Ok(schema)
    }

    /// What is known of a value by its uses alone: it may be missing.
    fn unwritten(&self, place: &Place, depth: usize) -> Schema {
        let mut schema = Schema::of(nullable(place.types()));
        if depth > MAX_DEPTH {
            return schema;
        }
        for key in place.keys() {
            if self.added.get() < MAX_ADDED {
                self.added.set(self.added.get() + 1);
                *schema.properties.at(&key) = self.unwritten(&place.key(&key), depth + 1);
            }
        }
        if place.is_ranged() && !place.is_whole() {
            let each = place.each();
            // What is ranged over is there.
            schema.each = Some(Box::new(Schema { types: each.types(), ..self.unwritten(&each, depth + 1) }));
        }
        schema
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

/// Makes a property one that Helm lays maps into.
fn hold_map(property: &mut Schema) {
    let null = if property.default == Some(Value::Null) { Types::NULL } else { Types::default() };
    property.types = Types::OBJECT | null;
}

/// The property at the end of a path, which is added where it is missing. `None` where something on the way is no map.
fn descend<'s>(schema: &'s mut Schema, path: &[&str]) -> Option<&'s mut Schema> {
    if path.len() > MAX_PATH || path.iter().any(|key| key.is_empty()) {
        return None;
    }
    path.iter().try_fold(schema, |at, key| {
        if at.types.is_empty() && at.default.is_none() {
            at.types = Types::OBJECT;
        }
        at.types.has(Types::OBJECT).then(|| at.properties.at(&(*key).into()))
    })
}

/// The names of subcharts in values: those of Chart.yaml, whether they are there or not, and what else is in `charts/`.
fn subcharts(chart: &Chart) -> BTreeSet<Arc<str>> {
    let listed = chart.metadata.dependencies.iter().map(|dependency| dependency.name.as_str());
    let there = chart.dependencies.iter().map(|subchart| subchart.name());
    listed.chain(there).map(Arc::from).collect()
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

/// What a map or a list may be too: the text of one, which `tpl` renders.
fn text(place: &Place) -> Types {
    if place.is_template() { Types::STRING } else { Types::default() }
}

/// What a scalar default says, and where it says nothing, its uses.
fn scalar_types(value: &Value, place: &Place) -> Types {
    match value {
        Value::Null => nullable(place.types()),
        // "Not given": what is printed may be a number too.
        Value::String(text) if text.is_empty() && place.types().has(Types::NUMBER) => Types::STRING | Types::NUMBER,
        // Kubernetes has quantities, and ports with names.
        Value::String(text)
            if place.is_inside_whole() && (text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit())) =>
        {
            Types::STRING | Types::NUMBER
        }
        Value::Int(_) | Value::Float(_) if place.is_inside_whole() => Types::NUMBER | Types::STRING,
        Value::String(text) => Types::STRING | reading(text),
        other => Types::of(other),
    }
}

/// Types with null, where anything is known of them.
fn nullable(types: Types) -> Types {
    if types.is_empty() { types } else { types | Types::NULL }
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
    if note.nullable {
        schema.types = nullable(schema.types);
    }
    schema.annotation = note.annotation;
}

/// Whether the keywords of an annotation are a schema.
fn check(annotation: &Annotation) -> Result<(), String> {
    let keywords = annotation.keywords.iter().cloned().collect::<Map>();
    let text = json::to_json(&keywords.into()).map_err(|error| error.to_string())?;
    let schema: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    jsonschema::draft7::meta::validate(&schema)
        .map_err(|error| format!("the annotation is no JSON Schema: at `{}`: {error}", error.instance_path()))
}
