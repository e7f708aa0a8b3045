//! Lists whose order says nothing.
//!
//! Source: `unstructuredSetList`, `unstructuredMapList`, `addToSetList` and `addToMapList` in the API server's
//! `pkg/cel/common`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Failure;
use super::eval::Budget;
use super::ops;
use super::value::{Data, Key, Keyed, List, Val};

/// What tells an element from others: of a map the values of its keys, of a set the element.
type Identity = Vec<Option<Scalar>>;

/// A value that can tell elements from each other.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scalar {
    Key(Key),
    /// A number with a fraction, by its bits, a duration, a timestamp or bytes
    Other(&'static str, Vec<u8>),
}

/// Whether the left list, whose order says nothing, has the elements of the right one.
pub(super) fn equal(budget: &Budget, a: &Keyed, b: &List) -> Result<bool, Failure> {
    if a.items.len() != b.len() {
        return Ok(false);
    }
    budget.charge(a.items.len())?;
    let mut known = BTreeMap::new();
    for item in &a.items {
        known.insert(identity(item, &a.keys)?, item);
    }
    let mut seen = BTreeSet::new();
    for other in b.iter(None) {
        let identity = identity(&other, &a.keys)?;
        let Some(item) = known.get(&identity) else { return Ok(false) };
        if !ops::equal(budget, item, &other)? {
            return Ok(false);
        }
        seen.insert(identity);
    }
    Ok(seen.len() == known.len())
}

/// The left list with the elements of the right one: those that it has stay where they are, those of a map with new
/// values.
pub(super) fn add(budget: &Budget, a: &Keyed, b: &List) -> Result<Val, Failure> {
    budget.charge(a.items.len() + b.len())?;
    let mut items = a.items.clone();
    let mut places = BTreeMap::new();
    for (i, item) in items.iter().enumerate() {
        places.insert(identity(item, &a.keys)?, i);
    }
    for other in b.iter(None) {
        let identity = identity(&other, &a.keys)?;
        match places.get(&identity).map(|place| items.get_mut(*place)) {
            Some(Some(item)) => *item = other,
            _ => {
                // As there, what the right list has twice is added twice by a map and once by a set.
                if a.keys.is_empty() {
                    places.insert(identity, items.len());
                }
                items.push(other);
            }
        }
    }
    Ok(Val::new(Data::List(List::Keyed(Arc::new(Keyed { items, keys: a.keys.clone() })))))
}

fn identity(item: &Val, keys: &[Arc<str>]) -> Result<Identity, Failure> {
    if keys.is_empty() {
        return match &item.data {
            Data::List(_) | Data::Map(_) => {
                Err(Failure::new("listSet operations are only supported on lists of scalar values"))
            }
            _ => Ok(vec![scalar(item)]),
        };
    }
    let Data::Map(map) = &item.data else { return Ok(Vec::new()) };
    Ok(keys.iter().map(|key| scalar(&map.get(&Key::String(key.clone()), None)?)).collect())
}

fn scalar(value: &Val) -> Option<Scalar> {
    Some(match &value.data {
        Data::Double(number) => Scalar::Other("double", number.to_be_bytes().to_vec()),
        Data::Duration(nanos) => Scalar::Other("duration", nanos.to_be_bytes().to_vec()),
        Data::Timestamp(at) => Scalar::Other("timestamp", at.to_string().into_bytes()),
        Data::Bytes(bytes) => Scalar::Other("bytes", bytes.to_vec()),
        _ => Scalar::Key(Key::of(value)?),
    })
}
