//! What a scalar node says, and the text that it has as a key.

use std::borrow::Cow;
use std::sync::Arc;

use super::error::Error;
use super::scalar::{self, Scalar};
use super::tree::{Kind, Node, NodeId, Tree};
use crate::{json, number};

/// A key of a mapping.
pub(super) enum Key {
    /// What sigs.k8s.io/yaml makes of it.
    Text(Arc<str>),
    /// What JSON cannot have, by its Go type.
    Unsupported(&'static str),
}

/// The key that a scalar, or an alias of one, stands for.
pub(super) fn key(tree: &Tree, id: NodeId) -> Result<Option<Key>, Error> {
    let node = tree.resolved(id);
    let Kind::Scalar { text, plain } = &node.kind else { return Ok(None) };
    Ok(Some(match meaning(node, text, *plain)? {
        (Scalar::Text | Scalar::Timestamp, text) => Key::Text(text.into()),
        (Scalar::Bool(value), _) => Key::Text(if value { "true" } else { "false" }.into()),
        (Scalar::Int(value), _) => Key::Text(value.to_string().into()),
        (Scalar::Float(value), _) => Key::Text(match value {
            f64::INFINITY => ".inf".into(),
            f64::NEG_INFINITY => "-.inf".into(),
            _ if value.is_nan() => ".nan".into(),
            _ => number::general32(value).into(),
        }),
        (Scalar::Null, _) => Key::Unsupported("%!s(<nil>)"),
        (Scalar::Uint(_), _) => Key::Unsupported("uint64"),
    }))
}

/// Whether a key is `<<`, unquoted.
pub(super) fn is_merge(node: &Node) -> bool {
    let Kind::Scalar { text, plain } = &node.kind else { return false };
    text == "<<" && (*plain || node.tag.as_deref().is_some_and(|tag| scalar::is_tag(tag, "merge")))
}

/// What a scalar means; with its text, decoded where it is `!!binary`.
pub(super) fn meaning<'n>(node: &'n Node, text: &'n str, plain: bool) -> Result<(Scalar, Cow<'n, str>), Error> {
    match node.tag.as_deref() {
        None if plain => Ok((scalar::plain(text), text.into())),
        None => Ok((Scalar::Text, text.into())),
        Some(tag) if scalar::is_tag(tag, "binary") => match decode_base64(text) {
            Some(bytes) => Ok((Scalar::Text, to_utf8(&bytes).into())),
            None => Err(Error::yaml("!!binary value contains invalid base64 data", node.span)),
        },
        Some(tag) => match scalar::resolve(Some(tag), text) {
            Ok(found) => Ok((found, text.into())),
            Err(problem) => Err(Error::yaml(problem, node.span)),
        },
    }
}

/// `base64.StdEncoding`: line breaks are skipped, padding is needed, spare bits are not looked at.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let symbols: Vec<u8> = text.bytes().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    if !symbols.len().is_multiple_of(4) {
        return None;
    }
    let padding = symbols.iter().rev().take(2).take_while(|b| **b == b'=').count();
    let (data, _) = symbols.split_at(symbols.len() - padding);
    let mut bytes = Vec::with_capacity(data.len() * 3 / 4);
    for group in data.chunks(4) {
        let mut bits = 0u32;
        for symbol in group {
            let value = match symbol {
                b'A'..=b'Z' => symbol - b'A',
                b'a'..=b'z' => symbol - b'a' + 26,
                b'0'..=b'9' => symbol - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        bits <<= 6 * (4 - group.len());
        let [_, decoded @ ..] = bits.to_be_bytes();
        bytes.extend(decoded.iter().take(group.len() - 1));
    }
    Some(bytes)
}

/// UTF-8 as `encoding/json` writes it.
fn to_utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    json::push_utf8(bytes, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_as_in_go() {
        for (text, expected) in [
            ("", Some("")),
            ("aGVsbG8=", Some("hello")),
            ("aGVs\nbG8=\n", Some("hello")),
            ("aGVsbA==", Some("hell")),
            ("aGVsbA", None),
            ("!", None),
            ("====", None),
        ] {
            let decoded = decode_base64(text).map(|bytes| to_utf8(&bytes));
            assert_eq!(decoded.as_deref(), expected, "{text:?}");
        }
        assert_eq!(to_utf8(b"a\xe2\x98b"), "a\u{fffd}\u{fffd}b");
    }
}
