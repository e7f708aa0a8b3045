//! A document as it was written: the order and the places of its keys, which values do not keep.

use std::sync::Arc;

use super::error::Error;
use super::key::{self, Key};
use super::tree::{Documents, Kind, NodeId, Tree};
use crate::source::Span;

/// A node of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The value, without blanks, breaks and comments around it; empty where nothing is written.
    pub span: Span,
    /// What is in it.
    pub content: Content,
}

/// What is in an [`Outline`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A scalar, or an alias, whatever it stands for.
    Leaf,
    /// The items of a sequence.
    Sequence(Vec<Outline>),
    /// The entries of a mapping as they are written, without merge keys: a key given twice is here twice.
    Mapping(Vec<Entry>),
}

/// An entry of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key as values have it.
    pub key: Arc<str>,
    /// Where the key is.
    pub key_span: Span,
    /// What it is given.
    pub value: Outline,
}

/// Reads how a document is written. `document` is the span of a [`Document`](super::Document); spans are those of the
/// whole text. A text without a document is an empty leaf.
///
/// # Errors
/// Where the text is no YAML.
pub fn outline(text: &str, document: Span) -> Result<Outline, Error> {
    let part = text.get(document.start..document.end).unwrap_or_default();
    let read = || Ok(Documents::new(part)?.next()?.map(|tree| node(&tree, tree.root, document.start)));
    let empty = Outline { span: Span::new(document.start, document.start), content: Content::Leaf };
    Ok(read().map_err(|error: Error| error.shifted(document.start))?.unwrap_or(empty))
}

/// The tree bounds how deep this goes.
fn node(tree: &Tree, id: NodeId, shift: usize) -> Outline {
    let shifted = |span: Span| Span::new(span.start + shift, span.end + shift);
    let content = match &tree.node(id).kind {
        Kind::Scalar { .. } | Kind::Alias { .. } => Content::Leaf,
        Kind::Sequence(items) => Content::Sequence(items.iter().map(|item| node(tree, *item, shift)).collect()),
        Kind::Mapping(pairs) => {
            let entry = |&(key, value): &(NodeId, NodeId)| match key::key(tree, key) {
                Ok(Some(Key::Text(name))) if !key::is_merge(tree.node(key)) => {
                    Some(Entry { key: name, key_span: shifted(tree.node(key).span), value: node(tree, value, shift) })
                }
                _ => None,
            };
            Content::Mapping(pairs.iter().filter_map(entry).collect())
        }
    };
    Outline { span: shifted(tree.node(id).span), content }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys, indented, each with the texts of its key and value.
    fn print(text: &str, outline: &Outline, depth: usize, into: &mut Vec<String>) {
        let at = |span: Span| &text[span.start..span.end];
        match &outline.content {
            Content::Leaf => {}
            Content::Sequence(items) => items.iter().for_each(|item| print(text, item, depth + 1, into)),
            Content::Mapping(entries) => entries.iter().for_each(|entry| {
                into.push(format!(
                    "{}{} {} {:?}",
                    " ".repeat(depth),
                    entry.key,
                    at(entry.key_span),
                    at(entry.value.span)
                ));
                print(text, &entry.value, depth + 1, into);
            }),
        }
    }

    #[test]
    fn keys_stay_in_the_order_of_the_text() {
        let text = "# head\n---\nz: 1 # one\na: &x\n  0x10: [{b: c}]\n  <<: {q: 1}\nd: *x\n\"e\":\n";
        let whole = outline(text, Span::new(7, text.len())).expect("YAML");
        let mut lines = Vec::new();
        print(text, &whole, 0, &mut lines);
        let expected = [
            "z z \"1\"",
            "a a \"&x\\n  0x10: [{b: c}]\\n  <<: {q: 1}\"",
            " 16 0x10 \"[{b: c}]\"",
            "   b b \"c\"",
            "d d \"*x\"",
            "e \"e\" \"\"",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_is_no_mapping_has_no_keys() {
        assert_eq!(outline("# nothing\n", Span::new(0, 10)).expect("YAML").content, Content::Leaf);
        assert!(outline("a: [", Span::new(0, 4)).is_err());
    }
}
