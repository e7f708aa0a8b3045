//! The tables of a document while it is read: which exist, and which were only implied by others.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use super::key::dotted;
use crate::render::any::{Any, Elem, List, Map};

/// A table that is being filled.
pub(super) type Table = Rc<RefCell<BTreeMap<String, Node>>>;

/// What a key stands for.
#[derive(Clone)]
pub(super) enum Node {
    Value(Any),
    Table(Table),
    Tables(Vec<Table>),
}

impl Node {
    /// The value that templates get.
    pub(super) fn into_any(self) -> Any {
        match self {
            Self::Value(value) => value,
            Self::Table(table) => table_any(&table),
            Self::Tables(tables) => Any::List(List::of(Elem::Map, tables.iter().map(table_any))),
        }
    }
}

pub(super) fn table_any(table: &Table) -> Any {
    let entries = table.borrow();
    Any::Map(entries.iter().map(|(key, node)| (key.as_str(), node.clone().into_any())).collect::<Map>())
}

/// The whole document, and what is known of its keys.
#[derive(Default)]
pub(super) struct Tree {
    pub root: Table,
    /// Where keys are set
    pub context: Vec<String>,
    implicit: HashSet<String>,
    /// Whether a key holds an array
    arrays: HashMap<String, bool>,
}

impl Tree {
    /// Goes to a table, and makes it where it is not there; `array` adds one to an array of tables.
    pub(super) fn enter(&mut self, keys: &[String], array: bool) -> Result<(), String> {
        let Some((last, parents)) = keys.split_last() else { return Ok(()) };
        let mut table = self.root.clone();
        for (index, key) in parents.iter().enumerate() {
            let next = match table.borrow().get(key) {
                Some(Node::Table(next)) => Some(next.clone()),
                Some(Node::Tables(tables)) => tables.last().cloned(),
                Some(Node::Value(_)) => {
                    self.context = parents.get(..index).unwrap_or_default().to_vec();
                    return Err(format!("Key '{}' was already created as a hash.", dotted(&keys[..=index])));
                }
                None => None,
            };
            table = match next {
                Some(next) => next,
                None => {
                    self.imply(&keys[..=index]);
                    let next = Table::default();
                    table.borrow_mut().insert(key.clone(), Node::Table(next.clone()));
                    next
                }
            };
        }
        self.context = parents.to_vec();
        if array {
            let mut entries = table.borrow_mut();
            match entries.entry(last.clone()).or_insert_with(|| Node::Tables(Vec::new())) {
                Node::Tables(tables) => tables.push(Table::default()),
                _ => return Err(format!("Key '{}' was already created and cannot be used as an array.", dotted(keys))),
            }
        } else {
            self.set(last, Node::Table(Table::default()))?;
        }
        self.context.push(last.clone());
        Ok(())
    }

    /// Sets a key of the current table.
    pub(super) fn set(&mut self, key: &str, value: Node) -> Result<(), String> {
        let defined = |keys: &[String]| format!("Key '{}' has already been defined.", dotted(keys));
        let mut table = self.root.clone();
        for (index, step) in self.context.iter().enumerate() {
            let next = match table.borrow().get(step) {
                Some(Node::Table(next)) => Some(next.clone()),
                Some(Node::Tables(tables)) => tables.last().cloned(),
                _ => None,
            };
            table = next.ok_or_else(|| defined(&self.context[..=index]))?;
        }
        let path = self.path(key);
        let name = dotted(&path);
        let mut entries = table.borrow_mut();
        if entries.contains_key(key) {
            let implied = self.implicit.remove(&name);
            if !implied {
                return Err(defined(&path));
            }
            // An implied table stays as it is; an array replaces what its own tables left there.
            if self.arrays.get(&name) != Some(&true) {
                return Ok(());
            }
        }
        entries.insert(key.to_owned(), value);
        Ok(())
    }

    /// Remembers whether a key holds an array.
    pub(super) fn set_array(&mut self, key: &str, array: bool) {
        let path = if key.is_empty() { self.context.clone() } else { self.path(key) };
        self.arrays.insert(dotted(&path), array);
    }

    /// Marks a table as made on the way to another: it may still be defined.
    pub(super) fn imply(&mut self, keys: &[String]) {
        self.implicit.insert(dotted(keys));
    }

    /// The current table's key and one more.
    pub(super) fn path(&self, key: &str) -> Vec<String> {
        [&*self.context, &[key.to_owned()]].concat()
    }
}
