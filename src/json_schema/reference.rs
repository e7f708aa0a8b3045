//! What a reference leads to.

use serde_json::Value as Json;

/// The schema in the same document that `#/…` leads to.
pub(super) fn target<'s>(reference: &str, root: &'s Json) -> Option<&'s Json> {
    root.pointer(&decoded(reference.strip_prefix('#')?))
}

/// A pointer in a fragment, without percent signs.
fn decoded(pointer: &str) -> String {
    if !pointer.contains('%') {
        return pointer.to_string();
    }
    let mut bytes = Vec::new();
    let mut rest = pointer.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
