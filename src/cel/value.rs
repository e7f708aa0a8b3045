//! The values that expressions compute with.
//!
//! Plain data (objects, values files) is shared, never copied. Every value may remember where it came from: with a
//! traced root, each field selected below it knows its path, and what is computed from fields knows theirs. Without a
//! traced root nothing is remembered and nothing is allocated for it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::functions::network::{Cidr, Ip};
use super::functions::quantity::Quantity;
use super::functions::semver::Semver;
use super::functions::time::Timestamp;
use super::functions::url::Url;
use super::patterns::Literal;
use crate::value::{Map as PlainMap, Path, Step, Value};

/// A value and where it came from.
#[derive(Debug, Clone)]
pub struct Val {
    /// The value itself.
    pub data: Data,
    /// The fields that it was read or computed from.
    pub origin: Option<Arc<Origin>>,
}

/// A CEL value.
#[derive(Debug, Clone)]
pub enum Data {
    /// `null`
    Null,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `uint`
    Uint(u64),
    /// `double`
    Double(f64),
    /// `string`
    String(Arc<str>),
    /// `bytes`
    Bytes(Arc<[u8]>),
    /// `list`
    List(List),
    /// `map`
    Map(Map),
    /// `google.protobuf.Duration`, in nanoseconds
    Duration(i64),
    /// `google.protobuf.Timestamp`
    Timestamp(Timestamp),
    /// `type`: a type as a value
    Type(&'static str),
    /// `optional_type`
    Optional(Option<Arc<Val>>),
    /// A type of the Kubernetes libraries
    Opaque(Arc<Opaque>),
}

/// The types that Kubernetes' libraries add.
#[derive(Debug)]
pub enum Opaque {
    /// `net.IP`
    Ip(Ip),
    /// `net.CIDR`
    Cidr(Cidr),
    /// `kubernetes.URL`
    Url(Url),
    /// `kubernetes.Quantity`
    Quantity(Quantity),
    /// `kubernetes.Semver`
    Semver(Semver),
    /// `kubernetes.NamedFormat`
    Format(&'static super::functions::format::Format),
    /// A pattern written as a literal
    Regex(Literal),
}

/// A list of plain data, or of computed values.
#[derive(Debug, Clone)]
pub enum List {
    /// Shared with the document it is part of
    Plain(Arc<[Value]>),
    /// The result of an expression
    Computed(Arc<[Val]>),
    /// A set, or a map that a schema writes as a list
    Keyed(Arc<Keyed>),
}

/// A list whose order says nothing: `x-kubernetes-list-type` `set` or `map`.
#[derive(Debug)]
pub struct Keyed {
    /// The elements.
    pub items: Vec<Val>,
    /// The fields that tell elements of a map from each other; of a set none.
    pub keys: Arc<[Arc<str>]>,
}

/// A map of plain data, or a computed one.
#[derive(Debug, Clone)]
pub enum Map {
    /// Shared with the document it is part of
    Plain(Arc<PlainMap>),
    /// The result of an expression
    Computed(Arc<BTreeMap<Key, Val>>),
}

/// The key of a computed map. Numbers that are equal are the same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `bool`
    Bool(bool),
    /// `int`, and every `uint` and whole `double` that fits
    Int(i64),
    /// A `uint` too large for `int`
    Uint(u64),
    /// `string`
    String(Arc<str>),
}

/// Where a value came from.
#[derive(Debug, PartialEq, Eq)]
pub enum Origin {
    /// A variable of the expression's environment
    Root(Root),
    /// A field or element of something
    Step(Arc<Origin>, Step),
    /// Computed from several
    Many(Vec<Arc<Origin>>),
}

/// Roots and paths, each once, in the order in which they were added.
#[derive(Debug, Default)]
pub struct Places {
    /// The places.
    pub list: Vec<(Root, Path)>,
    known: HashSet<(Root, Path)>,
}

/// The variables whose fields can be blamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// `object`
    Object,
    /// `objects`
    Objects,
    /// `values` and `suppliedValues`
    Values,
    /// `releases`
    Releases,
}

impl Val {
    /// A value that came from nowhere.
    pub const fn new(data: Data) -> Self {
        Self { data, origin: None }
    }

    /// Plain data, shared.
    pub fn plain(value: &Value, origin: Option<Arc<Origin>>) -> Self {
        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(value) => Data::Bool(*value),
            Value::Int(value) => Data::Int(*value),
            Value::Float(value) => Data::Double(*value),
            Value::String(text) => Data::String(text.clone()),
            Value::List(items) => Data::List(List::Plain(items.clone())),
            Value::Map(map) => Data::Map(Map::Plain(map.clone())),
        };
        Self { data, origin }
    }

    /// A computed list. What it came from is what its elements came from, or `fallback` where they say nothing.
    pub fn list(items: Vec<Val>, fallback: Option<&Arc<Origin>>) -> Self {
        let origin = Origin::join(items.iter()).or_else(|| fallback.cloned());
        Self { data: Data::List(List::Computed(items.into())), origin }
    }

    /// A computed map.
    pub fn map(entries: BTreeMap<Key, Val>, fallback: Option<&Arc<Origin>>) -> Self {
        let origin = Origin::join(entries.values()).or_else(|| fallback.cloned());
        Self { data: Data::Map(Map::Computed(Arc::new(entries))), origin }
    }

    /// `optional.none()`
    pub const fn none() -> Self {
        Self::new(Data::Optional(None))
    }

    /// `optional.of(value)`
    pub fn some(value: Val) -> Self {
        Self { origin: value.origin.clone(), data: Data::Optional(Some(Arc::new(value))) }
    }

    /// The value, come from `origin`.
    pub fn traced(mut self, origin: Option<Arc<Origin>>) -> Self {
        self.origin = origin;
        self
    }

    /// The name of the value's type, as `type()` prints it.
    pub fn type_name(&self) -> &'static str {
        match &self.data {
            Data::Null => "null_type",
            Data::Bool(_) => "bool",
            Data::Int(_) => "int",
            Data::Uint(_) => "uint",
            Data::Double(_) => "double",
            Data::String(_) => "string",
            Data::Bytes(_) => "bytes",
            Data::List(_) => "list",
            Data::Map(_) => "map",
            Data::Duration(_) => "google.protobuf.Duration",
            Data::Timestamp(_) => "google.protobuf.Timestamp",
            Data::Type(_) => "type",
            Data::Optional(_) => "optional_type",
            Data::Opaque(opaque) => match **opaque {
                Opaque::Ip(_) => "net.IP",
                Opaque::Cidr(_) => "net.CIDR",
                Opaque::Url(_) => "kubernetes.URL",
                Opaque::Quantity(_) => "kubernetes.Quantity",
                Opaque::Semver(_) => "kubernetes.Semver",
                Opaque::Format(_) => "kubernetes.NamedFormat",
                Opaque::Regex(_) => "string",
            },
        }
    }
}

impl Val {
    /// The name of the value's type in cel-go's own code, which some of its errors print.
    pub(super) fn go_name(&self) -> &'static str {
        match &self.data {
            Data::Null => "types.Null",
            Data::Bool(_) => "types.Bool",
            Data::Int(_) => "types.Int",
            Data::Uint(_) => "types.Uint",
            Data::Double(_) => "types.Double",
            Data::String(_) => "types.String",
            Data::Bytes(_) => "types.Bytes",
            Data::Duration(_) => "types.Duration",
            Data::Timestamp(_) => "types.Timestamp",
            Data::Type(_) => "*types.Type",
            Data::Optional(_) => "*types.Optional",
            _ => self.type_name(),
        }
    }
}

impl<T: Into<Data>> From<T> for Val {
    fn from(data: T) -> Self {
        Self::new(data.into())
    }
}

impl From<bool> for Data {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Data {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Data {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Data {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Opaque> for Data {
    fn from(opaque: Opaque) -> Self {
        Self::Opaque(Arc::new(opaque))
    }
}

impl List {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Plain(items) => items.len(),
            Self::Computed(items) => items.len(),
            Self::Keyed(list) => list.items.len(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An element; `origin` is where the list came from.
    pub fn get(&self, index: usize, origin: Option<&Arc<Origin>>) -> Option<Val> {
        match self {
            Self::Plain(items) => {
                items.get(index).map(|item| Val::plain(item, Origin::step(origin, || Step::Index(index))))
            }
            Self::Computed(items) => items.get(index).map(|item| item.or_from(origin)),
            Self::Keyed(list) => list.items.get(index).map(|item| item.or_from(origin)),
        }
    }

    /// All elements; `origin` is where the list came from.
    pub fn iter<'a>(&'a self, origin: Option<&'a Arc<Origin>>) -> impl DoubleEndedIterator<Item = Val> + 'a {
        (0..self.len()).filter_map(move |index| self.get(index, origin))
    }
}

impl Map {
    /// The number of entries.
    pub fn len(&self) -> usize {
        match self {
            Self::Plain(map) => map.len(),
            Self::Computed(map) => map.len(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key; `origin` is where the map came from.
    pub fn get(&self, key: &Key, origin: Option<&Arc<Origin>>) -> Option<Val> {
        match (self, key) {
            (Self::Plain(map), Key::String(key)) => {
                map.get(key).map(|value| Val::plain(value, Origin::step(origin, || Step::Key(key.clone()))))
            }
            (Self::Plain(_), _) => None,
            (Self::Computed(map), key) => map.get(key).map(|value| value.or_from(origin)),
        }
    }

    /// All keys and values in the order of the keys; `origin` is where the map came from.
    pub fn entries(&self, origin: Option<&Arc<Origin>>) -> Vec<(Val, Val)> {
        match self {
            Self::Plain(map) => map
                .iter()
                .map(|(key, value)| {
                    let origin = Origin::step(origin, || Step::Key(key.clone()));
                    (Val::new(Data::String(key.clone())).traced(origin.clone()), Val::plain(value, origin))
                })
                .collect(),
            Self::Computed(map) => map
                .iter()
                .map(|(key, value)| {
                    let value = value.or_from(origin);
                    (key.to_val().traced(value.origin.clone()), value)
                })
                .collect(),
        }
    }
}

impl Val {
    fn or_from(&self, origin: Option<&Arc<Origin>>) -> Val {
        let mut value = self.clone();
        value.origin = value.origin.or_else(|| origin.cloned());
        value
    }
}

impl Key {
    /// The key that a value is, if it can be one.
    pub fn of(value: &Val) -> Option<Self> {
        match &value.data {
            Data::Bool(value) => Some(Self::Bool(*value)),
            Data::Int(value) => Some(Self::Int(*value)),
            Data::Uint(value) => Some(i64::try_from(*value).map_or(Self::Uint(*value), Self::Int)),
            Data::Double(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => Some(Self::Int(*value as i64)),
            Data::String(text) => Some(Self::String(text.clone())),
            _ => None,
        }
    }

    /// The key as a value.
    pub fn to_val(&self) -> Val {
        Val::new(match self {
            Self::Bool(value) => Data::Bool(*value),
            Self::Int(value) => Data::Int(*value),
            Self::Uint(value) => Data::Uint(*value),
            Self::String(text) => Data::String(text.clone()),
        })
    }
}

impl Origin {
    /// One step below an origin, if there is one.
    pub fn step(origin: Option<&Arc<Self>>, step: impl FnOnce() -> Step) -> Option<Arc<Self>> {
        origin.map(|origin| Arc::new(Self::Step(origin.clone(), step())))
    }

    /// What several values came from, all together.
    pub fn join<'a>(values: impl Iterator<Item = &'a Val>) -> Option<Arc<Self>> {
        let mut all: Vec<Arc<Self>> = Vec::new();
        let mut known = HashSet::new();
        for origin in values.filter_map(|value| value.origin.as_ref()) {
            if known.insert(Arc::as_ptr(origin)) {
                all.push(origin.clone());
            }
        }
        if all.len() > 1 { Some(Arc::new(Self::Many(all))) } else { all.pop() }
    }

    /// Adds the roots and paths that this stands for.
    pub fn places(&self, into: &mut Places) {
        if let Self::Many(all) = self {
            for origin in all {
                origin.places(into);
            }
            return;
        }
        let mut steps = Vec::new();
        let mut origin = self;
        loop {
            match origin {
                Self::Root(root) => {
                    steps.reverse();
                    let place = (*root, Path(steps));
                    if into.known.insert(place.clone()) {
                        into.list.push(place);
                    }
                    return;
                }
                Self::Step(parent, step) => {
                    steps.push(step.clone());
                    origin = parent;
                }
                // A step below something computed is not a place: what it was computed from is.
                Self::Many(_) => return origin.places(into),
            }
        }
    }
}
