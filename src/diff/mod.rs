//! What changed between two sets of objects: which came and went, and which fields of the others differ.

pub mod text;

use crate::finding::ObjectRef;
use crate::value::Value;

/// An object on one side, and the release that it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// `namespace/name` of the release; nothing for plain manifests.
    pub release: &'a str,
    /// What the object is called.
    pub reference: &'a ObjectRef,
    /// The object.
    pub value: &'a Value,
}

/// An object that is not the same on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectChange {
    /// `namespace/name` of the release; nothing for plain manifests.
    pub release: String,
    /// The object: as it is now, or was if it is no more.
    pub object: ObjectRef,
    /// What became of it.
    pub change: Change,
}

/// What became of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It is new.
    Added(Value),
    /// It is no more.
    Removed(Value),
    /// It is there on both sides.
    Changed {
        /// Its name before, where that was another one: a hash of what it holds.
        renamed_from: Option<String>,
        /// What differs, in the order of the fields.
        fields: Vec<FieldChange>,
    },
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// The way to it, with names for numbers: `spec.template.spec.containers[name=web].image`.
    pub path: String,
    /// What was there.
    pub before: Option<Value>,
    /// What is there.
    pub after: Option<Value>,
    /// Whether it is the data of a Secret: then its values are shown to nobody.
    pub is_secret: bool,
}
