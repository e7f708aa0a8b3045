//! For programs: the format of schemas/delta.schema.json.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value as Json;

use super::changes::is_credential;
use crate::delta::{AccessChange, AccessKind, Delta, Direction, FailedOn, Side};
use crate::diff::{Change, FieldChange, ObjectChange};
use crate::finding::{Fault, Finding};
use crate::report::json::{At, Field, Object, Row};
use crate::report::mask;
use crate::value::Value;

/// Goes up when a field changes its meaning or goes away; new fields do not change it.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    base: &'a str,
    commit: &'a str,
    releases: usize,
    added: &'a [String],
    removed: &'a [String],
    failed: Vec<Failure<'a>>,
    new: Vec<Row<'a>>,
    access: Vec<Access<'a>>,
    mended: Vec<Row<'a>>,
    unchanged: Vec<Row<'a>>,
    objects: Vec<Changed<'a>>,
}

#[derive(Serialize)]
struct Failure<'a> {
    side: &'static str,
    release: &'a str,
    faults: Vec<Why<'a>>,
}

#[derive(Serialize)]
struct Why<'a> {
    message: String,
    places: Vec<At<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

#[derive(Serialize)]
struct Access<'a> {
    kind: &'static str,
    direction: &'static str,
    severity: crate::finding::Severity,
    subject: &'a str,
    what: &'a str,
    releases: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Field<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed<'a> {
    release: &'a str,
    object: Object<'a>,
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    renamed_from: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Differs<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Differs<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Json>,
    is_hidden: bool,
}

pub(super) fn write(delta: &Delta, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        version: VERSION,
        base: &delta.base,
        commit: &delta.commit,
        releases: delta.releases,
        added: &delta.added,
        removed: &delta.removed,
        failed: delta.failed.iter().map(Failure::from).collect(),
        new: rows(&delta.new),
        access: delta.access.iter().map(Access::from).collect(),
        mended: rows(&delta.mended),
        unchanged: rows(&delta.unchanged),
        objects: delta.objects.iter().map(Changed::from).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn rows(findings: &[Finding]) -> Vec<Row<'_>> {
    findings.iter().map(Row::from).collect()
}

impl<'a> From<&'a FailedOn> for Failure<'a> {
    fn from(on: &'a FailedOn) -> Self {
        let side = match on.side {
            Side::Before => "before",
            Side::After => "after",
        };
        Self { side, release: &on.failed.release, faults: on.failed.faults.iter().map(Why::from).collect() }
    }
}

impl<'a> From<&'a Fault> for Why<'a> {
    fn from(fault: &'a Fault) -> Self {
        let places = fault.labels.iter().map(|(location, _)| At::from(location)).collect();
        Self { message: mask::lines(&fault.message), places, help: fault.help.as_deref() }
    }
}

impl<'a> From<&'a AccessChange> for Access<'a> {
    fn from(change: &'a AccessChange) -> Self {
        Self {
            kind: match change.kind {
                AccessKind::Secret => "secret",
                AccessKind::Rbac => "rbac",
                AccessKind::Exposure => "exposure",
            },
            direction: match change.direction {
                Direction::Gained => "gained",
                Direction::Lost => "lost",
            },
            severity: change.severity,
            subject: &change.subject,
            what: &change.what,
            releases: &change.releases,
            place: change.place.as_ref().map(Field::from),
        }
    }
}

impl<'a> From<&'a ObjectChange> for Changed<'a> {
    fn from(change: &'a ObjectChange) -> Self {
        let (verb, renamed_from, fields) = match &change.change {
            Change::Added(_) => ("added", None, &[][..]),
            Change::Removed(_) => ("removed", None, &[][..]),
            Change::Changed { renamed_from, fields } => ("changed", renamed_from.as_deref(), fields.as_slice()),
        };
        Self {
            release: &change.release,
            object: Object::from(&change.object),
            change: verb,
            renamed_from,
            fields: fields.iter().map(Differs::from).collect(),
        }
    }
}

impl<'a> From<&'a FieldChange> for Differs<'a> {
    fn from(field: &'a FieldChange) -> Self {
        let is_hidden = field.is_secret || is_credential(&field.path);
        // What is hidden has no value at all: nobody takes a mark for one.
        let shown = |value: &Option<Value>| value.as_ref().filter(|_| !is_hidden).map(|value| json(&mask::value(value, false)));
        Self { path: &field.path, before: shown(&field.before), after: shown(&field.after), is_hidden }
    }
}

/// A value as serde has it. What JSON has no word for, such as an infinity, is null.
fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::String(text) => Json::from(&**text),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(map) => map.iter().map(|(key, value)| (key.to_string(), json(value))).collect(),
    }
}
