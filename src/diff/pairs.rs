//! Which object of the one side is which of the other.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use super::Item;
use super::same::Same;
use super::weave::weave;
use crate::fingerprint::without_hash;
use crate::kinds::{Kinds, group_version};
use crate::value::Value;

/// The two sides that are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    pub before: &'a [Item<'a>],
    pub after: &'a [Item<'a>],
}

/// What makes an object the same one, whatever it holds.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Identity<'a> {
    /// The group that its kind is served in now: `networking.k8s.io` for an Ingress of `extensions`.
    group: Cow<'a, str>,
    kind: &'a str,
    /// Nothing for kinds that live in no namespace, wherever their release does.
    namespace: Option<&'a str>,
    name: Cow<'a, str>,
}

/// Objects of both sides that may be the same ones, by their indices.
#[derive(Debug, Default)]
struct Group {
    olds: Vec<usize>,
    news: Vec<usize>,
}

impl<'a> Sides<'a> {
    /// For each old object the index of the new one that it became: one of the same identity, else one whose name differs
    /// in nothing but a hash of what it holds.
    ///
    /// Where several have one identity, those that are the same and of one release belong together, then those of one
    /// release, then those that are the same.
    pub(super) fn partners(self) -> Vec<Option<usize>> {
        let kinds = Kinds::of(self.before.iter().chain(self.after).map(|item| item.value));
        let mut partners = vec![None; self.before.len()];
        let all = Group { olds: (0..self.before.len()).collect(), news: (0..self.after.len()).collect() };
        let mut rest = Group::default();
        for mut group in self.split(&all, |item| Some(identity(&kinds, item))) {
            if !matches!((&group.olds[..], &group.news[..]), ([_], [_])) {
                self.pair(&mut group, &mut partners, |item| (item.release, Same(item.value)));
                self.pair(&mut group, &mut partners, |item| item.release);
                self.pair(&mut group, &mut partners, |item| Same(item.value));
            }
            self.pair(&mut group, &mut partners, |_| ());
            rest.olds.append(&mut group.olds);
            rest.news.append(&mut group.news);
        }
        rest.olds.sort_unstable();
        rest.news.sort_unstable();
        let stable = |item: &Item<'a>| {
            let identity = identity(&kinds, item);
            let name = match without_hash(&identity.name) {
                Cow::Owned(name) => name,
                Cow::Borrowed(_) => return None,
            };
            Some((item.release, Identity { name: Cow::Owned(name), ..identity }))
        };
        for mut group in self.split(&rest, stable) {
            self.pair(&mut group, &mut partners, |_| ());
        }
        partners
    }

    /// The objects as one sequence, by their indices: the releases in their order and within them the objects in that of
    /// the new side; what is gone stands where it was.
    pub(super) fn sequence(self, partners: &[Option<usize>]) -> Vec<(Option<usize>, Option<usize>)> {
        let (old_releases, new_releases) = (Releases::of(self.before), Releases::of(self.after));
        let kept: Vec<_> = old_releases.names.iter().map(|name| new_releases.places.get(name).copied()).collect();
        let mut old_of = vec![None; self.after.len()];
        for (old, new) in partners.iter().enumerate() {
            new.and_then(|new| old_of.get_mut(new)).into_iter().for_each(|place| *place = Some(old));
        }
        let mut sequence = Vec::new();
        for (old_release, new_release) in weave(&kept, new_releases.names.len()) {
            let olds = old_release.map(|release| &old_releases.items[release][..]).unwrap_or_default();
            let news = new_release.map(|release| &new_releases.items[release][..]).unwrap_or_default();
            // What has moved to another release is told there.
            let place = |old: &usize| match partners.get(*old).copied().flatten() {
                None => Some((*old, None)),
                Some(new) => Some((*old, Some(news.binary_search(&new).ok()?))),
            };
            let (olds, places): (Vec<usize>, Vec<_>) = olds.iter().filter_map(place).unzip();
            for (old, new) in weave(&places, news.len()) {
                let new = new.and_then(|new| news.get(new).copied());
                let old = match new {
                    Some(new) => old_of.get(new).copied().flatten(),
                    None => old.and_then(|old| olds.get(old).copied()),
                };
                sequence.push((old, new));
            }
        }
        sequence
    }

    /// The objects of a group by a key; those without one are left out.
    fn split<K: Eq + Hash>(self, group: &Group, key: impl Fn(&Item<'a>) -> Option<K>) -> Vec<Group> {
        let mut groups: HashMap<K, Group> = HashMap::new();
        for old in &group.olds {
            if let Some(key) = self.before.get(*old).and_then(&key) {
                groups.entry(key).or_default().olds.push(*old);
            }
        }
        for new in &group.news {
            if let Some(key) = self.after.get(*new).and_then(&key) {
                groups.entry(key).or_default().news.push(*new);
            }
        }
        groups.into_values().collect()
    }

    /// Takes the objects of both sides that have one key out of a group, in their order.
    fn pair<K: Eq + Hash>(self, group: &mut Group, partners: &mut [Option<usize>], key: impl Fn(&Item<'a>) -> K) {
        if group.olds.is_empty() || group.news.is_empty() {
            return;
        }
        let mut waiting: HashMap<K, VecDeque<usize>> = HashMap::new();
        for new in &group.news {
            if let Some(item) = self.after.get(*new) {
                waiting.entry(key(item)).or_default().push_back(*new);
            }
        }
        group.olds.retain(|old| {
            let item = self.before.get(*old);
            let new = item.and_then(|item| waiting.get_mut(&key(item))).and_then(VecDeque::pop_front);
            match (new, partners.get_mut(*old)) {
                (Some(new), Some(partner)) => *partner = Some(new),
                _ => return true,
            }
            false
        });
        group.news = waiting.into_values().flatten().collect();
        group.news.sort_unstable();
    }
}

/// The releases of a side, in the order in which they are first met.
#[derive(Debug, Default)]
struct Releases<'a> {
    names: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
    /// The indices of the objects of each.
    items: Vec<Vec<usize>>,
}

impl<'a> Releases<'a> {
    fn of(items: &[Item<'a>]) -> Self {
        let mut releases = Self::default();
        for (index, item) in items.iter().enumerate() {
            let place = *releases.places.entry(item.release).or_insert_with(|| {
                releases.names.push(item.release);
                releases.items.push(Vec::new());
                releases.names.len() - 1
            });
            releases.items.get_mut(place).into_iter().for_each(|items| items.push(index));
        }
        releases
    }
}

fn identity<'a>(kinds: &Kinds<'a>, item: &Item<'a>) -> Identity<'a> {
    let object = item.reference;
    let (group, _) = group_version(&object.api_version);
    let is_namespaced = kinds.is_namespaced(group, &object.kind);
    let now = kinds.equivalents(group, &object.kind).into_iter().next();
    let generated = || item.value.at(["metadata", "generateName"]).and_then(Value::as_str).unwrap_or_default();
    Identity {
        group: now.map_or(Cow::Borrowed(group), |(group, _)| group),
        kind: &object.kind,
        namespace: object.namespace.as_deref().filter(|_| is_namespaced),
        name: Cow::Borrowed(if object.name.is_empty() { generated() } else { &object.name }),
    }
}
