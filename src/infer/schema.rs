//! The schema that is inferred, and how it is written.

use std::collections::HashMap;
use std::sync::Arc;

use super::comments::Annotation;
use super::types::Types;
use crate::value::{Map, Value};

/// What one value is held to.
#[derive(Debug, Clone, Default)]
pub(super) struct Schema {
    pub description: String,
    /// Of nothing where the types are not known.
    pub types: Types,
    pub default: Option<Value>,
    pub properties: Properties,
    pub required: Vec<Arc<str>>,
    /// Whether there is no key but the properties.
    pub closed: bool,
    /// What each element of a list is, or each entry of a map that is no property.
    pub each: Option<Box<Schema>>,
    /// What the author says, over what was inferred.
    pub annotation: Option<Annotation>,
}

/// The keys of a map in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub(super) struct Properties {
    list: Vec<(Arc<str>, Schema)>,
    index: HashMap<Arc<str>, usize>,
}

impl Properties {
    /// The property of a key; added at the end where there is none.
    pub fn at(&mut self, key: &Arc<str>) -> &mut Schema {
        let at = *self.index.entry(key.clone()).or_insert_with(|| {
            self.list.push((key.clone(), Schema::default()));
            self.list.len() - 1
        });
        &mut self.list[at].1
    }

    pub fn has(&self, key: &str) -> bool {
        self.index.contains_key(key)
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Keeps the keys of which that is true.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.list.retain(|(key, _)| keep(key));
        self.index = self.list.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect();
    }
}

impl Schema {
    /// A schema that says what the types are.
    pub fn of(types: Types) -> Self {
        Self { types, ..Self::default() }
    }

    /// What allows all that this schema or another one allows: for the elements of one list.
    pub fn or(mut self, other: Schema) -> Schema {
        let known = !self.types.is_empty() && !other.types.is_empty();
        self.types = if known { self.types | other.types } else { Types::default() };
        if self.description.is_empty() {
            self.description = other.description;
        }
        self.required.retain(|key| other.required.contains(key));
        self.closed &= other.closed;
        self.each = match (self.each, other.each) {
            (Some(a), Some(b)) => Some(Box::new(a.or(*b))),
            _ => None,
        };
        self.annotation = self.annotation.filter(|annotation| other.annotation.as_ref() == Some(annotation));
        for (key, property) in other.properties.list {
            let known = self.properties.has(&key);
            let own = self.properties.at(&key);
            *own = if known { std::mem::take(own).or(property) } else { property };
        }
        self
    }

    /// Adds the keys and elements of what templates read, where this one has no word on them.
    pub fn fill(&mut self, read: Schema) {
        if self.types.has(Types::OBJECT) {
            for (key, property) in read.properties.list {
                let known = self.properties.has(&key);
                let own = self.properties.at(&key);
                if known { own.fill(property) } else { *own = property }
            }
        }
        match (&mut self.each, read.each) {
            (Some(own), Some(read)) => own.fill(*read),
            (None, read) if self.types.has(Types::ARRAY) || self.types.has(Types::OBJECT) => self.each = read,
            _ => {}
        }
    }

    /// Takes out the defaults: what one element of a list is, the next one need not be.
    pub fn forget_defaults(&mut self) {
        self.default = None;
        self.properties.list.iter_mut().for_each(|(_, property)| property.forget_defaults());
        self.each.iter_mut().for_each(|each| each.forget_defaults());
    }

    /// The schema as JSON, its keywords in the order in which people read them.
    pub fn to_value(&self) -> Value {
        let mut fields: Vec<(Arc<str>, Value)> = Vec::new();
        if !self.description.is_empty() {
            fields.push(("description".into(), self.description.as_str().into()));
        }
        fields.extend(self.type_names().map(|names| ("type".into(), names)));
        fields.extend(self.default.clone().map(|default| ("default".into(), default)));
        if self.closed {
            fields.push(("additionalProperties".into(), false.into()));
        }
        if !self.required.is_empty() {
            let keys: Vec<Value> = self.required.iter().map(|key| Value::String(key.clone())).collect();
            fields.push(("required".into(), keys.into()));
        }
        if !self.properties.is_empty() {
            let properties = self.properties.list.iter().map(|(key, schema)| (key.clone(), schema.to_value()));
            fields.push(("properties".into(), Map::of_struct(properties).into()));
        }
        let each = self.each.as_ref().map(|each| each.to_value()).filter(|each| *each != Map::default().into());
        if let Some(each) = each {
            // What is ranged over, and is either, is a list more often.
            let keyword = if self.types.has(Types::ARRAY) { "items" } else { "additionalProperties" };
            if keyword == "items" || !self.closed {
                fields.push((keyword.into(), each));
            }
        }
        for (keyword, value) in self.annotation.iter().flat_map(|annotation| &annotation.keywords) {
            match fields.iter_mut().find(|(known, _)| known == keyword) {
                Some((_, inferred)) => *inferred = value.clone(),
                None => fields.push((keyword.clone(), value.clone())),
            }
        }
        Map::of_struct(fields).into()
    }

    /// The types that are written: none where the author lists the values instead.
    fn type_names(&self) -> Option<Value> {
        let listed = ["enum", "const", "allOf", "anyOf", "oneOf"];
        let is_listed = |annotation: &Annotation| listed.iter().any(|keyword| annotation.get(keyword).is_some());
        if self.annotation.as_ref().is_some_and(is_listed) {
            return None;
        }
        let names: Vec<Value> = self.types.names().map(Value::from).collect();
        match &names[..] {
            [] => None,
            [name] => Some(name.clone()),
            _ => Some(names.into()),
        }
    }
}
