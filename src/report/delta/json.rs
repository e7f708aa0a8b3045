//! For programs: the format of schemas/delta.schema.json.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value as Json;

use crate::delta::{AccessChange, AccessKind, Base, Delta, Direction, FailedOn, Side};
use crate::diff::{Change, FieldChange, ObjectChange};
use crate::finding::{Finding, ObjectRef};
use crate::fingerprint::Fingerprint;
use crate::report::json::{Field, Object, Release, Row};
use crate::value::Value;

/// Goes up when a field changes its meaning or goes away; new fields do not change it.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    base: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    releases: usize,
    added: &'a [String],
    removed: &'a [String],
    failed: Vec<Failure<'a>>,
    new: Vec<Row<'a>>,
    access: Vec<Access<'a>>,
    silenced: Vec<Row<'a>>,
    mended: Vec<Row<'a>>,
    unchanged: Vec<Row<'a>>,
    objects: Vec<Changed<'a>>,
}

#[derive(Serialize)]
struct Failure<'a> {
    side: &'static str,
    #[serde(flatten)]
    failed: Release<'a>,
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
    followers: Vec<Object<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_from: Option<&'a str>,
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
    is_order: bool,
    is_secret: bool,
}

pub(super) fn write(delta: &Delta, out: &mut dyn Write) -> io::Result<()> {
    let (base, commit) = match &delta.base {
        Base::Revision { name, commit } => (name, Some(commit.as_str())),
        Base::Live { context } => (context, None),
    };
    let document = Document {
        version: VERSION,
        base,
        commit,
        releases: delta.releases,
        added: &delta.added,
        removed: &delta.removed,
        failed: delta.failed.iter().map(Failure::from).collect(),
        new: rows(&delta.new),
        access: delta.access.iter().map(Access::from).collect(),
        silenced: rows(&delta.silenced),
        mended: rows(&delta.mended),
        unchanged: rows(&delta.unchanged),
        objects: delta.objects.iter().map(Changed::from).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn rows(findings: &[Finding]) -> Vec<Row<'_>> {
    findings.iter().zip(&Fingerprint::all(findings)).map(Row::from).collect()
}

impl<'a> From<&'a FailedOn> for Failure<'a> {
    fn from(on: &'a FailedOn) -> Self {
        let side = match on.side {
            Side::Before => "before",
            Side::After => "after",
        };
        Self { side, failed: Release::from(&on.failed) }
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
        let (verb, renamed_from, followers, moved_from, fields): (_, _, &[ObjectRef], _, &[FieldChange]) =
            match &change.change {
                Change::Added(_) => ("added", None, &[], None, &[]),
                Change::Removed(_) => ("removed", None, &[], None, &[]),
                Change::Changed { renamed_from, followers, moved_from, fields } => {
                    ("changed", renamed_from.as_deref(), followers, moved_from.as_deref(), fields)
                }
            };
        Self {
            release: &change.release,
            object: Object::from(&change.object),
            change: verb,
            renamed_from,
            followers: followers.iter().map(Object::from).collect(),
            moved_from,
            fields: fields.iter().map(Differs::from).collect(),
        }
    }
}

impl<'a> From<&'a FieldChange> for Differs<'a> {
    fn from(field: &'a FieldChange) -> Self {
        Self {
            path: &field.path,
            before: field.before.as_ref().map(json),
            after: field.after.as_ref().map(json),
            is_order: field.is_order,
            is_secret: field.is_secret,
        }
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
