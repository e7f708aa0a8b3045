//! Mappings that are shared and changed while values are merged.
//!
//! Helm merges Go maps in place, and some of them are in two places: what a subchart adds deep inside `global` is seen
//! by its parent. So the result depends on which maps are the same map. A [`Table`] has that identity, and costs nothing
//! until it is changed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use crate::number;
use crate::value::{MAX_DEPTH, Map, Value};

/// The longest value in a warning, in bytes.
const MAX_PRINTED: usize = 2048;

/// A mapping with an identity: clones are the same mapping.
#[derive(Clone, Default)]
pub(super) struct Table(Rc<RefCell<State>>);

enum State {
    /// As it was read.
    Frozen(Arc<Map>),
    /// With tables inside that have an identity of their own.
    Thawed(BTreeMap<Arc<str>, Node>),
}

/// A value of a [`Table`].
#[derive(Clone)]
pub(super) enum Node {
    /// A mapping
    Table(Table),
    /// Anything else
    Leaf(Value),
}

/// Mappings in mappings without end: `import-values` can put one into itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooDeep;

impl Default for State {
    fn default() -> Self {
        Self::Thawed(BTreeMap::new())
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Map(map) => Self::Table(map.into()),
            other => Self::Leaf(other.clone()),
        }
    }
}

/// A new table with the same content.
impl From<&Arc<Map>> for Table {
    fn from(map: &Arc<Map>) -> Self {
        Self(Rc::new(RefCell::new(State::Frozen(map.clone()))))
    }
}

/// A new table; empty for what is no mapping.
impl From<&Value> for Table {
    fn from(value: &Value) -> Self {
        match value {
            Value::Map(map) => map.into(),
            _ => Self::default(),
        }
    }
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<Node> {
        if let State::Frozen(map) = &*self.0.borrow() {
            match map.get(key)? {
                Value::Map(_) => {}
                leaf => return Some(Node::Leaf(leaf.clone())),
            }
        }
        self.thawed(|entries| entries.get(key).cloned())
    }

    pub(super) fn set(&self, key: impl Into<Arc<str>>, value: Node) {
        self.thawed(|entries| entries.insert(key.into(), value));
    }

    pub(super) fn remove(&self, key: &str) {
        self.thawed(|entries| entries.remove(key));
    }

    /// Keys and values as they are now, sorted by key: Go's order is random, ours is not.
    pub(super) fn entries(&self) -> Vec<(Arc<str>, Node)> {
        self.thawed(|entries| entries.iter().map(|(key, node)| (key.clone(), node.clone())).collect())
    }

    /// Another table that holds the same values: the tables inside are the same tables.
    pub(super) fn shallow_copy(&self) -> Self {
        let entries = self.thawed(|entries| entries.clone());
        Self(Rc::new(RefCell::new(State::Thawed(entries))))
    }

    /// The content as data. To be called when nobody changes the tables inside any more: they are kept as data, so that
    /// one that is in many places is built once.
    ///
    /// # Errors
    ///
    /// [`TooDeep`], also where a table is inside itself.
    pub(super) fn freeze(&self) -> Result<Arc<Map>, TooDeep> {
        self.freeze_at(0)
    }

    fn freeze_at(&self, depth: usize) -> Result<Arc<Map>, TooDeep> {
        if depth > MAX_DEPTH {
            return Err(TooDeep);
        }
        let map = match &*self.0.borrow() {
            State::Frozen(map) => return Ok(map.clone()),
            State::Thawed(entries) => {
                let freeze = |(key, node): (&Arc<str>, &Node)| Ok((key.clone(), node.freeze_at(depth + 1)?));
                Arc::new(entries.iter().map(freeze).collect::<Result<Map, _>>()?)
            }
        };
        *self.0.borrow_mut() = State::Frozen(map.clone());
        Ok(map)
    }

    fn thawed<T>(&self, act: impl FnOnce(&mut BTreeMap<Arc<str>, Node>) -> T) -> T {
        let mut state = self.0.borrow_mut();
        let mut entries = match std::mem::take(&mut *state) {
            State::Frozen(map) => map.iter().map(|(key, value)| (key.clone(), value.into())).collect(),
            State::Thawed(entries) => entries,
        };
        let result = act(&mut entries);
        *state = State::Thawed(entries);
        result
    }
}

impl Node {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Leaf(Value::Null))
    }

    fn freeze_at(&self, depth: usize) -> Result<Value, TooDeep> {
        Ok(match self {
            Self::Table(table) => Value::Map(table.freeze_at(depth)?),
            Self::Leaf(value) => value.clone(),
        })
    }

    /// What Go's `%v` prints, cut off where it is long.
    pub(super) fn print(&self) -> String {
        let mut text = String::new();
        self.print_to(&mut text);
        text
    }

    fn print_to(&self, text: &mut String) {
        match self {
            _ if text.len() > MAX_PRINTED => text.push('…'),
            Self::Leaf(value) => print_value(value, text),
            Self::Table(table) => {
                text.push_str("map[");
                for (i, (key, node)) in table.entries().into_iter().enumerate() {
                    let _ = write!(text, "{}{key}:", if i == 0 { "" } else { " " });
                    node.print_to(text);
                    if text.len() > MAX_PRINTED {
                        break;
                    }
                }
                text.push(']');
            }
        }
    }
}

fn print_value(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("<nil>"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => text.push_str(&value.to_string()),
        Value::Float(value) => text.push_str(&number::general(*value)),
        Value::String(value) => text.push_str(value),
        Value::Map(_) => Node::from(value).print_to(text),
        Value::List(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(' ');
                }
                print_value(item, text);
                if text.len() > MAX_PRINTED {
                    text.push('…');
                    break;
                }
            }
            text.push(']');
        }
    }
}
