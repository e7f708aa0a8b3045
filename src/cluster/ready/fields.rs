//! Reading what a status is made of: numbers, texts, conditions.

use super::{Status, Verdict};
use crate::value::Value;

/// One of `status.conditions`.
pub(super) struct Condition<'a> {
    /// `Available`
    pub kind: &'a str,
    /// `True`, `False`, `Unknown`
    pub status: &'a str,
    /// `MinimumReplicasUnavailable`
    pub reason: &'a str,
    /// The controller's own words.
    pub message: &'a str,
    /// The generation that it was set for, where its controller says so.
    observed: Option<i64>,
}

/// The longest text of the cluster that is told, in characters.
const MAX_TEXT: usize = 500;

impl Condition<'_> {
    /// Whether it holds of a type.
    pub fn holds(&self, kind: &str) -> bool {
        self.kind == kind && self.status == "True"
    }

    /// What it says: its message, or where it has none its reason.
    pub fn says(&self) -> String {
        let text = if self.message.is_empty() { self.reason } else { self.message };
        if text.is_empty() { line(&format!("its condition {} is {}", self.kind, self.status)) } else { line(text) }
    }

    /// Whether it was set before the object's last change.
    pub fn is_older_than(&self, generation: i64) -> bool {
        self.observed.is_some_and(|observed| observed < generation)
    }
}

/// The conditions of an object.
pub(super) fn conditions(object: &Value) -> Result<Vec<Condition<'_>>, Status> {
    match object.at(["status", "conditions"]) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::List(list)) => list.iter().map(condition).collect::<Option<_>>().ok_or_else(unreadable),
        Some(_) => Err(unreadable()),
    }
}

fn condition(value: &Value) -> Option<Condition<'_>> {
    if !matches!(value, Value::Map(_) | Value::Null) {
        return None;
    }
    let text = |key| match value.get(key) {
        None | Some(Value::Null) => Some(""),
        Some(value) => value.as_str(),
    };
    let observed = match value.get("observedGeneration") {
        Some(Value::Int(generation)) => Some(*generation),
        _ => None,
    };
    let (kind, status) = (text("type")?, text("status")?);
    Some(Condition { kind, status, reason: text("reason")?, message: text("message")?, observed })
}

fn unreadable() -> Status {
    Status::InProgress("its status.conditions cannot be read".into())
}

/// A whole number, or the default where there is none.
pub(super) fn number(object: &Value, path: [&str; 2], default: i64) -> i64 {
    match object.at(path) {
        Some(Value::Int(number)) => *number,
        _ => default,
    }
}

/// A text, or nothing.
pub(super) fn text<'a, const N: usize>(object: &'a Value, path: [&str; N]) -> &'a str {
    object.at(path).and_then(Value::as_str).unwrap_or_default()
}

/// A text of the cluster in one line, and not too long.
pub(super) fn line(text: &str) -> String {
    let words = text.split_whitespace().flat_map(|word| [" ", word]).skip(1);
    let mut line: String = words.flat_map(str::chars).take(MAX_TEXT + 1).collect();
    if let Some((end, _)) = line.char_indices().nth(MAX_TEXT) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Whether a list has elements.
pub(super) fn has_some<const N: usize>(object: &Value, path: [&str; N]) -> bool {
    object.at(path).and_then(Value::as_list).is_some_and(|list| !list.is_empty())
}

/// Goes on if something is so; else it is waited for.
pub(super) fn until(is_so: bool, what: impl FnOnce() -> String) -> Verdict {
    if is_so { Ok(()) } else { Err(Status::InProgress(what())) }
}
