//! The objects of all releases, each found by its kind, namespace and name without a search.

use std::collections::{HashMap, HashSet};

use super::field::{At, Field};
use super::{Error, Member};
use crate::kinds::{self, Kinds};
use crate::value::Value;

/// An object, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// The release, by its index.
    pub release: usize,
    /// Its index in the release.
    pub index: usize,
    /// `apps`, or empty for the core group.
    pub group: &'a str,
    /// `Deployment`
    pub kind: &'a str,
    /// The namespace that it will be in; empty for objects of the cluster.
    pub namespace: &'a str,
    /// `metadata.name`
    pub name: &'a str,
    /// What it holds.
    pub value: &'a Value,
}

/// Namespace and name.
pub(super) type Key<'a> = (&'a str, &'a str);

#[derive(Default)]
pub(super) struct Objects<'a> {
    pub all: Vec<Object<'a>>,
    /// Secrets, and the objects that make them: themselves, SealedSecrets, ExternalSecrets, Certificates.
    pub secrets: HashMap<Key<'a>, Vec<usize>>,
    /// The ServiceAccount whose token a Secret holds, and where the Secret says so.
    pub tokens: HashMap<Key<'a>, (&'a str, Field<'a>)>,
    /// The Secrets of `tokens`, by namespace.
    pub tokens_in: HashMap<&'a str, Vec<&'a str>>,
    /// ServiceAccounts.
    pub accounts: HashMap<Key<'a>, usize>,
    /// The releases that have something in a namespace: two of them, which is enough to know of others.
    tenants: HashMap<&'a str, Vec<usize>>,
    settled: HashSet<(&'a str, usize)>,
}

const TOKEN_TYPE: &str = "kubernetes.io/service-account-token";
const TOKEN_OF: &str = "kubernetes.io/service-account.name";

impl<'a> Objects<'a> {
    pub(super) fn new(members: &[Member<'a>]) -> Result<Self, Error> {
        let kinds = Kinds::of(members.iter().flat_map(|member| member.objects));
        let mut objects = Self::default();
        for (release, member) in members.iter().enumerate() {
            objects.settle(member.namespace, release);
            for (index, value) in member.objects.iter().enumerate() {
                objects.add(member, release, index, value, &kinds)?;
            }
        }
        Ok(objects)
    }

    fn add(
        &mut self,
        member: &Member<'a>,
        release: usize,
        index: usize,
        value: &'a Value,
        kinds: &Kinds<'a>,
    ) -> Result<(), Error> {
        let number = self.all.len();
        let text = |keys: &[&str]| value.at(keys.iter().copied()).and_then(Value::as_str).unwrap_or_default();
        let (group, _) = kinds::group_version(text(&["apiVersion"]));
        let (kind, name) = (text(&["kind"]), text(&["metadata", "name"]));
        let namespace = match text(&["metadata", "namespace"]) {
            _ if !kinds.is_namespaced(group, kind) => "",
            "" => member.namespace,
            given => given,
        };
        if !namespace.is_empty() {
            self.settle(namespace, release);
        }
        self.all.push(Object { release, index, group, kind, namespace, name, value });
        let root = At::root(number, value);
        let made = match (group, kind) {
            ("", "Secret") => {
                if text(&["type"]) == TOKEN_TYPE {
                    let (metadata, key) = (root.get("metadata")?, "annotations");
                    let annotations = metadata.get(key)?;
                    let account = annotations.get(TOKEN_OF)?;
                    self.tokens.insert((namespace, name), (account.text()?, account.field()));
                    self.tokens_in.entry(namespace).or_default().push(name);
                }
                name
            }
            ("", "ServiceAccount") => {
                self.accounts.insert((namespace, name), number);
                return Ok(());
            }
            ("bitnami.com", "SealedSecret") => name,
            ("external-secrets.io", "ExternalSecret") => match text(&["spec", "target", "name"]) {
                "" => name,
                target => target,
            },
            ("cert-manager.io", "Certificate") => text(&["spec", "secretName"]),
            _ => return Ok(()),
        };
        self.secrets.entry((namespace, made)).or_default().push(number);
        Ok(())
    }

    pub(super) fn made(&self, namespace: &'a str, name: &'a str) -> &[usize] {
        self.secrets.get(&(namespace, name)).map_or(&[], Vec::as_slice)
    }

    /// A release other than the given one that has something in a namespace, or anywhere.
    pub(super) fn neighbour(&self, release: usize, namespace: Option<&str>, members: usize) -> Option<usize> {
        match namespace {
            None => (0..members).find(|other| *other != release),
            Some(namespace) => self.tenants.get(namespace)?.iter().copied().find(|other| *other != release),
        }
    }

    /// Whether a release has something in a namespace.
    pub(super) fn is_settled(&self, release: usize, namespace: &'a str) -> bool {
        self.settled.contains(&(namespace, release))
    }

    /// The only release that has something in a namespace.
    pub(super) fn landlord(&self, namespace: &str) -> Option<usize> {
        self.tenants.get(namespace).and_then(|tenants| <[usize; 1]>::try_from(tenants.as_slice()).ok()).map(|[one]| one)
    }

    fn settle(&mut self, namespace: &'a str, release: usize) {
        if self.settled.insert((namespace, release)) {
            let tenants = self.tenants.entry(namespace).or_default();
            tenants.truncate(1);
            tenants.push(release);
        }
    }
}
