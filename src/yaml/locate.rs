//! Where in a text a value was written.

use std::collections::HashMap;
use std::sync::Arc;

use super::key::{self, Key};
use super::tree::{Documents, Kind, NodeId, Tree};
use crate::source::Span;
use crate::value::{Path, Step, Value};

/// Merge keys followed for one path: they can be written so that a search takes forever.
const MAX_MERGES: usize = 10_000;

/// Where the values of a document were written: read once, asked for any path.
#[derive(Debug, Clone)]
pub struct Places {
    places: Vec<Place>,
    root: NodeId,
}

/// The places of a key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// The key, where the path ends with one. Of merged values it is the key in the merged map.
    pub key: Option<Span>,
    /// The value, without blanks, breaks and comments around it; empty where nothing is written. Of an alias it is
    /// the alias, of a value inside it the place behind the anchor.
    pub value: Span,
}

#[derive(Debug, Clone)]
struct Place {
    span: Span,
    inside: Inside,
}

#[derive(Debug, Clone)]
enum Inside {
    Nothing,
    Alias(NodeId),
    Sequence(Box<[NodeId]>),
    Mapping(Mapping),
}

/// A mapping, by its keys: one may have millions.
#[derive(Debug, Clone, Default)]
struct Mapping {
    /// The last entry of each key.
    entries: HashMap<Arc<str>, Entry>,
    /// What its merge keys name, and as how manieth.
    merges: Vec<(usize, NodeId)>,
}

#[derive(Debug, Clone)]
struct Entry {
    /// As how manieth it is written.
    order: usize,
    key: Span,
    value: NodeId,
}

/// Finds where a path of a document was written: see [`Places`]. `None` where the text is no YAML or the path leads
/// nowhere.
pub fn locate(text: &str, document: Span, path: &Path) -> Option<Located> {
    let (place, steps) = Places::read(text, document)?.nearest(path);
    (steps == path.0.len()).then_some(place)
}

impl Places {
    /// Reads the places of a document; `None` where the text is no YAML.
    ///
    /// `document` is the span of a [`Document`](super::Document), or of the whole text for its first document.
    pub fn read(text: &str, document: Span) -> Option<Self> {
        let part = text.get(document.start..document.end)?;
        let tree = Documents::new(part).ok()?.next().ok()??;
        Some(Self::new(&tree, document.start))
    }

    /// The places of a tree that was read from a text's byte `offset` on.
    pub(super) fn new(tree: &Tree<'_>, offset: usize) -> Self {
        let shift = |span: Span| Span::new(span.start + offset, span.end + offset);
        let mapping = |pairs: &[(NodeId, NodeId)]| {
            let mut mapping = Mapping::default();
            for (order, &(key, value)) in pairs.iter().enumerate() {
                if key::is_merge(tree.node(key)) {
                    mapping.merges.push((order, value));
                } else if let Ok(Some(Key::Text(text))) = key::key(tree, key) {
                    mapping.entries.insert(text, Entry { order, key: shift(tree.node(key).span), value });
                }
            }
            mapping
        };
        let places = tree.nodes().iter().map(|node| Place {
            span: shift(node.span),
            inside: match &node.kind {
                Kind::Scalar { .. } => Inside::Nothing,
                Kind::Alias { target, .. } => Inside::Alias(*target),
                Kind::Sequence(items) => Inside::Sequence(items.as_slice().into()),
                Kind::Mapping(pairs) => Inside::Mapping(mapping(pairs)),
            },
        });
        Self { places: places.collect(), root: tree.root }
    }

    /// The place of a path, or of its nearest parent that was written, and how many of the path's steps lead there.
    /// Aliases and merge keys are followed.
    pub fn nearest(&self, path: &Path) -> (Located, usize) {
        let mut merges = 0;
        let (mut key, mut at) = (None, self.root);
        for (steps, step) in path.0.iter().enumerate() {
            let next = match (step, &self.resolved(at).inside) {
                (Step::Index(index), Inside::Sequence(items)) => items.get(*index).map(|item| (None, *item)),
                (Step::Key(name), Inside::Mapping(_)) => {
                    self.entry(at, name, &mut merges).map(|entry| (Some(entry.key), entry.value))
                }
                _ => None,
            };
            let Some(next) = next else { return (Located { key, value: self.places[at].span }, steps) };
            (key, at) = next;
        }
        (Located { key, value: self.places[at].span }, path.0.len())
    }

    /// What to show of a path of the document's value, or of its nearest parent that was written: of an entry of a mapping
    /// its key, and what is behind it unless that is a mapping or a list, so that it is the line that a reader looks for.
    pub fn shown(&self, value: &Value, path: &Path) -> Span {
        let (place, steps) = self.nearest(path);
        let written = Path(path.0.iter().take(steps).cloned().collect());
        match place.key {
            Some(key) if matches!(value.follow(&written), Some(Value::Map(_) | Value::List(_))) => key,
            Some(key) => Span::new(key.start, place.value.end),
            None => place.value,
        }
    }

    /// The place itself, or that of what it is an alias of.
    fn resolved(&self, id: NodeId) -> &Place {
        match &self.places[id].inside {
            Inside::Alias(target) => &self.places[*target],
            _ => &self.places[id],
        }
    }

    /// The entry that gives a key its value: the last one, as the decoder goes.
    fn entry(&self, map: NodeId, wanted: &str, merges: &mut usize) -> Option<&Entry> {
        let Inside::Mapping(mapping) = &self.resolved(map).inside else { return None };
        let own = mapping.entries.get(wanted);
        let later = |(order, _): &&(usize, NodeId)| own.is_none_or(|own| *order > own.order);
        let merged = mapping.merges.iter().rev().take_while(later).find_map(|(_, value)| {
            *merges += 1;
            if *merges > MAX_MERGES {
                return None;
            }
            match &self.places[*value].inside {
                Inside::Sequence(items) => items.iter().find_map(|item| self.entry(*item, wanted, merges)),
                _ => self.entry(*value, wanted, merges),
            }
        });
        merged.or(own)
    }
}
