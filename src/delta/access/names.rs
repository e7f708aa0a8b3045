//! Objects that are the same on both sides under different names: a hash of what they hold is a part of these.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::view::Read;
use crate::fingerprint::without_hash;
use crate::policy::reach::TargetKind;

/// Kind, namespace and name.
type Key<'a> = (&'a str, &'a str, &'a str);

/// The names of a side that are to be taken for others.
pub(super) struct Aliases<'a>(HashMap<Key<'a>, String>);

impl<'a> Aliases<'a> {
    /// Of two sides. A name is seen through only where there is one candidate on each side: of several nobody knows which
    /// became which, and a gain must not hide behind that.
    pub fn pair(before: &Read<'a>, after: &Read<'a>) -> [Self; 2] {
        let (old, new) = (names(before), names(after));
        let [gone, come] = [hashed(&old, &new), hashed(&new, &old)];
        let mut aliases = [Self(HashMap::new()), Self(HashMap::new())];
        for (group, of_old) in &gone {
            if let ([one], Some([other])) = (of_old.as_slice(), come.get(group).map(Vec::as_slice)) {
                let [before, after] = &mut aliases;
                before.0.insert(*one, group.2.clone());
                after.0.insert(*other, group.2.clone());
            }
        }
        aliases
    }

    /// The name by which an object is known on both sides.
    pub fn of<'n>(&'n self, kind: &'n str, namespace: &'n str, name: &'n str) -> &'n str
    where
        'a: 'n,
    {
        self.0.get(&(kind, namespace, name)).map_or(name, String::as_str)
    }
}

fn names<'a>(read: &Read<'a>) -> BTreeSet<Key<'a>> {
    let objects = read.graph.objects().iter().map(|object| (object.kind, object.namespace, object.name));
    let targets = read.graph.edges().iter().filter_map(|edge| {
        let kind = match edge.target.kind {
            TargetKind::Secret => "Secret",
            TargetKind::ServiceAccount => "ServiceAccount",
        };
        Some((kind, edge.target.namespace?, edge.target.name?))
    });
    objects.chain(targets).collect()
}

/// The hashed names that one side has alone, by kind, namespace and the name without the hash.
fn hashed<'a>(
    names: &BTreeSet<Key<'a>>,
    others: &BTreeSet<Key<'a>>,
) -> BTreeMap<(&'a str, &'a str, String), Vec<Key<'a>>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for key in names.difference(others) {
        let stable = without_hash(key.2);
        if stable != key.2 {
            found.entry((key.0, key.1, stable.into_owned())).or_default().push(*key);
        }
    }
    found
}
