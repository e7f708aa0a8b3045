//! Where in a text a value was written.

use super::error::Error;
use super::key::{self, Key};
use super::tree::{Documents, Kind, NodeId, Tree};
use crate::source::Span;
use crate::value::{Path, Step};

/// Merge keys followed for one path: they can be written so that a search takes forever.
const MAX_MERGES: usize = 10_000;

/// The places of a key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// The key, where the path ends with one. Of merged values it is the key in the merged map.
    pub key: Option<Span>,
    /// The value, without blanks, breaks and comments around it; empty where nothing is written. Of an alias it is
    /// the alias, of a value inside it the place behind the anchor.
    pub value: Span,
}

/// Finds where a path of a document was written.
///
/// `document` is the span of a [`Document`](super::Document), or of the whole text for its first document. `None`
/// where the text is no YAML or the path leads nowhere: ask for the parent then.
pub fn locate(text: &str, document: Span, path: &Path) -> Option<Located> {
    let part = text.get(document.start..document.end)?;
    let tree = read(part).ok()??;
    let found = tree.locate(path)?;
    let shift = |span: Span| Span::new(span.start + document.start, span.end + document.start);
    Some(Located { key: found.key.map(shift), value: shift(found.value) })
}

fn read(text: &str) -> Result<Option<Tree<'_>>, Error> {
    Documents::new(text)?.next()
}

impl Tree<'_> {
    /// Follows a path from the root, through aliases and merge keys.
    pub(super) fn locate(&self, path: &Path) -> Option<Located> {
        let mut merges = 0;
        let mut key = None;
        let mut at = self.root;
        for step in &path.0 {
            (key, at) = match (step, &self.resolved(at).kind) {
                (Step::Index(index), Kind::Sequence(items)) => (None, *items.get(*index)?),
                (Step::Key(name), Kind::Mapping(_)) => {
                    let (key, value) = self.entry(at, name, &mut merges)?;
                    (Some(self.node(key).span), value)
                }
                _ => return None,
            };
        }
        Some(Located { key, value: self.node(at).span })
    }

    /// The entry that gives a key its value: the last one, as the decoder goes.
    fn entry(&self, map: NodeId, name: &str, merges: &mut usize) -> Option<(NodeId, NodeId)> {
        let Kind::Mapping(pairs) = &self.resolved(map).kind else { return None };
        pairs.iter().rev().find_map(|&(key, value)| {
            if !key::is_merge(self.node(key)) {
                return matches!(key::key(self, key), Ok(Some(Key::Text(text))) if &*text == name)
                    .then_some((key, value));
            }
            *merges += 1;
            if *merges > MAX_MERGES {
                return None;
            }
            match &self.node(value).kind {
                Kind::Sequence(items) => items.iter().find_map(|item| self.entry(*item, name, merges)),
                _ => self.entry(value, name, merges),
            }
        })
    }
}
