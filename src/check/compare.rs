//! What lies between two sides of a project: objects, and who can do what.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::fleet::Fleet;
use super::{Subject, explain, fault, one};
use crate::delta::access::{self, Error};
use crate::delta::{AccessChange, Side};
use crate::diff::{self, Item, ObjectChange};
use crate::finding::{Fault, Place};
use crate::manifest::{Manifest, Object};
use crate::parallel;
use crate::value::{Path, Value};

/// How objects differ, and what that does to who can do what. A side without releases is empty.
///
/// # Errors
/// An object that no API server would take; more relations than anybody could read.
pub fn compare(
    before: &[Subject<'_>],
    after: &[Subject<'_>],
) -> Result<(Vec<ObjectChange>, Vec<AccessChange>), Vec<Fault>> {
    let (before, after) = parallel::both(|| Fleet::new(before), || Fleet::new(after));
    let (before, after) = (Compared::new(before?), Compared::new(after?));
    let of = |side| match side {
        Side::Before => &before,
        Side::After => &after,
    };
    let locate = |side, object: usize, field: &Path| of(side).place(object, field);
    let (items_before, items_after) = (before.items(), after.items());
    let (objects, access) = parallel::both(
        || diff::compare(&items_before, &items_after),
        || access::compare(&before.fleet.members(&before.values), &after.fleet.members(&after.values), &locate),
    );
    let failed = |Error { side, error }: Error| {
        let fleet = &of(side).fleet;
        let locate = |object: usize, field: &Path| Some(of(side).place(object, field)?.rendered);
        one(fault::of_reach(&error, &fleet.objects, &locate))
    };
    Ok((objects, access.map_err(failed)?))
}

/// A side of the comparison.
struct Compared<'a> {
    fleet: Fleet<'a>,
    values: Vec<Value>,
    /// The manifests of releases that were rendered once more, with source maps; nothing where that failed.
    traced: RefCell<BTreeMap<usize, Option<Vec<Manifest>>>>,
}

impl<'a> Compared<'a> {
    fn new(fleet: Fleet<'a>) -> Self {
        let values = fleet.values();
        Self { fleet, values, traced: RefCell::default() }
    }

    fn items<'s>(&'s self) -> Vec<Item<'s>> {
        let item = |(index, object): (usize, &'s Object)| Item {
            release: self.fleet.name(self.fleet.owner(index)).unwrap_or_default(),
            reference: &object.reference,
            value: &object.value,
        };
        self.fleet.objects.iter().enumerate().map(item).collect()
    }

    /// Where a field of an object was rendered, and which template wrote it.
    fn place(&self, object: usize, field: &Path) -> Option<Place> {
        let owner = self.fleet.owner(object);
        let object = self.fleet.objects.get(object)?;
        let mut traced = self.traced.borrow_mut();
        let manifests = traced.entry(owner).or_insert_with(|| self.fleet.traced([owner]).ok()?.remove(&owner));
        let manifests = manifests.as_deref().unwrap_or(self.fleet.subjects.get(owner)?.manifests);
        Some(explain::place(object, manifests.get(object.manifest)?, field))
    }
}
