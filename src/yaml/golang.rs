//! Nodes as Go's `%#v` prints them, for go-yaml's error texts.

use std::fmt::Write;

use super::key;
use super::scalar::Scalar;
use super::tree::{Kind, NodeId, Tree};
use crate::number;
use crate::value::MAX_DEPTH;

/// Texts end about here: aliases could make them endless.
const MAX_LENGTH: usize = 4096;

/// A node as the Go value that go-yaml decodes it to.
pub(super) fn syntax(tree: &Tree, id: NodeId) -> String {
    let mut text = String::new();
    write(tree, id, false, 0, &mut text);
    text
}

/// `inside`: in a list or map, where `nil` shows its interface type.
fn write(tree: &Tree, id: NodeId, inside: bool, depth: usize, out: &mut String) {
    if out.len() > MAX_LENGTH || depth > MAX_DEPTH {
        return;
    }
    let node = tree.resolved(id);
    match &node.kind {
        Kind::Scalar { text, plain } => match key::meaning(node, text, *plain) {
            Ok((Scalar::Null, _)) => out.push_str(if inside { "interface {}(nil)" } else { "<nil>" }),
            Ok((Scalar::Bool(value), _)) => _ = write!(out, "{value}"),
            Ok((Scalar::Int(value), _)) => _ = write!(out, "{value}"),
            Ok((Scalar::Uint(value), _)) => _ = write!(out, "{value:#x}"),
            Ok((Scalar::Float(value), _)) => out.push_str(&number::general(value)),
            Ok((Scalar::Text | Scalar::Timestamp, text)) => out.push_str(&number::quote(&text)),
            Err(_) => {}
        },
        Kind::Alias { .. } => {}
        Kind::Sequence(items) => {
            out.push_str("[]interface {}{");
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                write(tree, *item, true, depth + 1, out);
            }
            out.push('}');
        }
        Kind::Mapping(pairs) => {
            let mut entries: Vec<(String, NodeId)> = pairs
                .iter()
                .map(|(key, value)| {
                    let mut text = String::new();
                    write(tree, *key, true, depth + 1, &mut text);
                    (text, *value)
                })
                .collect();
            entries.sort();
            out.push_str("map[interface {}]interface {}{");
            for (i, (key, value)) in entries.iter().enumerate() {
                _ = write!(out, "{}{key}:", if i == 0 { "" } else { ", " });
                write(tree, *value, true, depth + 1, out);
            }
            out.push('}');
        }
    }
}
