//! References that only follow an object to its new name.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use super::trail::Trail;
use crate::finding::ObjectRef;

/// Objects whose names end in a hash of what they hold, and whose contents have changed.
#[derive(Debug, Default)]
pub(super) struct Renames<'a> {
    /// By kind, namespace and old name: the index of the new object, and its name.
    names: HashMap<(&'a str, Option<&'a str>, &'a str), (usize, &'a str)>,
    /// Index of a renamed object and of one that follows it.
    followed: RefCell<BTreeSet<(usize, usize)>>,
}

impl<'a> Renames<'a> {
    /// Remembers a rename, if it is of a kind that others refer to: tools put hashes into the names of ConfigMaps and
    /// Secrets.
    pub(super) fn add(&mut self, before: &'a ObjectRef, after: &'a ObjectRef, index: usize) {
        if after.api_version == "v1" && matches!(&*after.kind, "ConfigMap" | "Secret") && before.name != after.name {
            let key = (&*after.kind, after.namespace.as_deref(), &*before.name);
            self.names.entry(key).or_insert((index, &after.name));
        }
    }

    /// Whether a text at the end of a way is the name of a renamed object on both sides. It is remembered that the object
    /// of the way, whose index is given, follows it.
    pub(super) fn follows(&self, namespace: Option<&str>, at: &Trail<'_>, texts: [&str; 2], referrer: usize) -> bool {
        let [before, after] = texts;
        let renamed = referenced(at).and_then(|kind| self.names.get(&(kind, namespace, before)));
        match renamed {
            Some((index, name)) if *name == after => {
                self.followed.borrow_mut().insert((*index, referrer));
                true
            }
            _ => false,
        }
    }

    /// The objects that follow the one with an index to its new name, by their indices.
    pub(super) fn followers(&self, index: usize) -> Vec<usize> {
        let followed = self.followed.borrow();
        followed.range((index, 0)..=(index, usize::MAX)).map(|(_, referrer)| *referrer).collect()
    }
}

/// The kind of what a field names.
///
/// Source: Kustomize, `api/internal/konfig/builtinpluginconsts/namereference.go`; any resource may use Kubernetes' own
/// types.
fn referenced(at: &Trail<'_>) -> Option<&'static str> {
    let mut keys = at.keys();
    match (keys.next()?, keys.next()?) {
        ("name", "configMap" | "configMapRef" | "configMapKeyRef") => Some("ConfigMap"),
        ("name", "secret" | "secretRef" | "secretKeyRef" | "imagePullSecrets") | ("secretName", _) => Some("Secret"),
        _ => None,
    }
}
