//! What changed between two sets of objects: which came and went, and which fields of the others differ.

mod fields;
mod lists;
mod pairs;
mod references;
mod same;
#[cfg(test)]
mod tests;
pub mod text;
mod trail;
mod weave;

use crate::credential;
use crate::finding::ObjectRef;
use crate::value::Value;
use fields::{Difference, Walk};
use lists::Budget;
use pairs::Sides;
use references::Renames;
use same::{Same, without_nulls};
use trail::Trail;

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

/// An object that is not the same on both sides. Its values have `***` in place of credentials: it may be shown to
/// everybody.
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
        /// The objects that call it by its new name now. Where nothing else of them has changed they are told here only,
        /// though a new name starts Pods anew.
        followers: Vec<ObjectRef>,
        /// The release that it belonged to before, where that was another one.
        moved_from: Option<String>,
        /// What differs, in the order of the fields; checksums come last.
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
    /// Whether it is nothing but the order of a list: then both sides have what its elements are called.
    pub is_order: bool,
    /// Whether a credential differs. It is `***` on both sides, which may then look the same.
    pub is_secret: bool,
}

/// Tells how objects changed: release by release, in the order of the new side; what is gone is told where it was.
///
/// An object is the same one if it has the same kind, namespace and name, in whatever release and version of its API; or
/// if its name differs in nothing but [a hash](crate::fingerprint::without_hash) of what it holds. Lists are compared by
/// the names or merge keys of their elements, else by the fewest changes. Takes time in proportion to what it is given.
pub fn compare(before: &[Item<'_>], after: &[Item<'_>]) -> Vec<ObjectChange> {
    let sides = Sides { before, after };
    let partners = sides.partners();
    let mut renames = Renames::default();
    for (old, new) in partners.iter().enumerate() {
        if let (Some(old), Some((index, new))) = (before.get(old), new.and_then(|new| Some((new, after.get(new)?)))) {
            renames.add(old.reference, new.reference, index);
        }
    }
    let budget = Budget::default();
    let mut changes = Vec::new();
    for (old, new) in sides.sequence(&partners) {
        let (a, b) = (old.and_then(|old| before.get(old)), new.and_then(|new| after.get(new)));
        let change = match (a, b, new) {
            (Some(a), Some(b), Some(index)) => changed(a, b, index, &renames, &budget),
            (None, Some(b), _) => Some(Change::Added(credential::value(b.value))),
            (Some(a), None, _) => Some(Change::Removed(credential::value(a.value))),
            _ => None,
        };
        if let (Some(change), Some(item)) = (change, b.or(a)) {
            let change = ObjectChange { release: item.release.to_owned(), object: item.reference.clone(), change };
            changes.push((new, change));
        }
    }
    let tell_followers = |(new, mut change): (Option<usize>, ObjectChange)| {
        if let (Change::Changed { followers, .. }, Some(new)) = (&mut change.change, new) {
            let found = renames.followers(new).into_iter().filter_map(|index| after.get(index));
            *followers = found.map(|item| item.reference.clone()).collect();
        }
        change
    };
    changes.into_iter().map(tell_followers).collect()
}

/// How an object changed, if it did.
fn changed(before: &Item, after: &Item, index: usize, renames: &Renames<'_>, budget: &Budget) -> Option<Change> {
    let is_renamed = before.reference.name != after.reference.name;
    let is_moved = before.release != after.release;
    let (old, new) = (without_nulls(before.value), without_nulls(after.value));
    let mut fields = Vec::new();
    if Same(&old) != Same(&new) {
        let mut found = |at: &Trail<'_>, difference: Difference<'_>| {
            if !(is_renamed && at.is(&["metadata", "name"])) {
                fields.push(field(at, difference));
            }
        };
        let object = (after.reference.namespace.as_deref(), index);
        Walk { renames, object, budget, found: &mut found }.values(&old, &new, &Trail::Root);
    }
    if fields.is_empty() && !is_renamed && !is_moved {
        return None;
    }
    fields.dedup_by(|field, last| field.is_secret && field == last);
    // A checksum is but the shadow of another change, if one that starts Pods anew.
    fields.sort_by_key(|field| field.path.contains("annotations[\"checksum/"));
    Some(Change::Changed {
        renamed_from: is_renamed.then(|| before.reference.name.clone()),
        followers: Vec::new(),
        moved_from: is_moved.then(|| before.release.to_owned()),
        fields,
    })
}

fn field(at: &Trail<'_>, difference: Difference<'_>) -> FieldChange {
    let is_order = matches!(difference, Difference::Order(..));
    let (before, after) = match difference {
        Difference::Value(before, after) => (before.cloned(), after.cloned()),
        Difference::Order(before, after) => (Some(before), Some(after)),
    };
    let (hide, is_within): (&dyn Fn(&Value) -> Value, bool) = match at.credential() {
        Some((whole, _)) if !std::ptr::eq(whole, at) => {
            // Even the keys in it may give it away.
            let shown = || Some(credential::HIDDEN.into());
            return FieldChange {
                path: whole.to_string(),
                before: shown(),
                after: shown(),
                is_order: false,
                is_secret: true,
            };
        }
        Some((_, entry)) => (&move |value| entry.hide(value), true),
        None => (&credential::value, false),
    };
    let (shown_before, shown_after) = (before.as_ref().map(hide), after.as_ref().map(hide));
    let is_hidden = shown_before != before || shown_after != after;
    let hidden_lines = || hidden_lines(&before, &shown_before) != hidden_lines(&after, &shown_after);
    FieldChange {
        path: at.to_string(),
        is_order,
        is_secret: is_hidden && (is_within || hidden_lines()),
        before: shown_before,
        after: shown_after,
    }
}

/// The lines of a text that are shown otherwise.
fn hidden_lines<'a>(text: &'a Option<Value>, shown: &'a Option<Value>) -> Vec<&'a str> {
    let lines = |value: &'a Option<Value>| value.as_ref().and_then(Value::as_str).unwrap_or_default().lines();
    lines(text).zip(lines(shown)).filter(|(line, shown)| line != shown).map(|(line, _)| line).collect()
}
