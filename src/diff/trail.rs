//! The way to a field, on both sides at once.

use std::fmt;

use crate::credential::{self, Entry};
use crate::value::{Map, Value, is_word};

/// A way that grows on the stack: most fields do not differ, and need no path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trail<'a> {
    /// The object.
    Root,
    /// Into maps.
    Key {
        /// The way to the maps.
        parent: &'a Trail<'a>,
        /// The key.
        key: &'a str,
        /// The map of the old side, and that of the new one.
        maps: [&'a Map; 2],
    },
    /// Into lists.
    Element {
        /// The way to the lists.
        parent: &'a Trail<'a>,
        /// The element.
        element: Element<'a>,
    },
}

/// An element of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    /// Its index in the old list.
    pub before: Option<usize>,
    /// Its index in the new list.
    pub after: Option<usize>,
    /// The element, as it is or was.
    pub value: &'a Value,
    /// The fields that tell it from other elements. None where only its place does.
    pub keys: &'static [&'static str],
}

impl<'a> Trail<'a> {
    pub(super) fn key(&'a self, key: &'a str, maps: [&'a Map; 2]) -> Self {
        Self::Key { parent: self, key, maps }
    }

    pub(super) fn element(&'a self, element: Element<'a>) -> Self {
        Self::Element { parent: self, element }
    }

    fn parent(&self) -> Option<&'a Self> {
        match self {
            Self::Root => None,
            Self::Key { parent, .. } | Self::Element { parent, .. } => Some(parent),
        }
    }

    /// The last keys of the way, innermost first; elements of lists are passed over.
    pub(super) fn keys(&'a self) -> impl Iterator<Item = &'a str> {
        self.up().filter_map(|trail| match trail {
            Self::Key { key, .. } => Some(*key),
            _ => None,
        })
    }

    /// Whether it is the way along some keys.
    pub(super) fn is(&'a self, keys: &[&str]) -> bool {
        self.keys().eq(keys.iter().rev().copied())
    }

    /// The credential that a value at its end is, or lies in: the way to it, and what is to be hidden there.
    pub(super) fn credential(&'a self) -> Option<(&'a Self, Entry)> {
        let ways: Vec<&Self> = self.up().collect();
        let entry = |trail: &Self| match trail {
            Self::Key { key, maps, .. } => maps.iter().find_map(|map| credential::is_entry(map, key)),
            _ => None,
        };
        let (depth, entry) = ways.iter().enumerate().rev().find_map(|(depth, way)| Some((depth, entry(way)?)))?;
        match (entry, depth.checked_sub(1)) {
            // What lies in the data of a Secret is in one of its values.
            (Entry::Entries, Some(below)) => Some((ways.get(below)?, Entry::Value)),
            _ => Some((ways.get(depth)?, entry)),
        }
    }

    /// This step and those before it, innermost first.
    fn up(&'a self) -> impl Iterator<Item = &'a Self> {
        std::iter::successors(Some(self), |trail| trail.parent())
    }
}

/// `spec.containers[name=web].ports[containerPort=80].hostPort`, as [`crate::value::Path::named`] has it. An element that
/// only its place tells from others has its index in the new list, or in the old one where it is gone.
impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent() {
            parent.fmt(f)?;
        }
        match self {
            Self::Root => Ok(()),
            Self::Key { parent: Self::Root, key, .. } if is_word(key) => f.write_str(key),
            Self::Key { key, .. } if is_word(key) => write!(f, ".{key}"),
            Self::Key { key, .. } => write!(f, "[{key:?}]"),
            Self::Element { element, .. } => element.fmt(f),
        }
    }
}

impl fmt::Display for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.keys.iter().filter_map(|key| Some((key, self.value.get(key)?)));
        let mut separator = '[';
        for (key, value) in known {
            write!(f, "{separator}{key}=")?;
            match value {
                Value::String(text) if is_word(text) => f.write_str(text)?,
                Value::String(text) => write!(f, "{text:?}")?,
                Value::Int(number) => write!(f, "{number}")?,
                other => write!(f, "{}", other.type_name())?,
            }
            separator = ',';
        }
        match self.after.or(self.before) {
            Some(index) if separator == '[' => write!(f, "[{index}]"),
            _ => f.write_str("]"),
        }
    }
}
