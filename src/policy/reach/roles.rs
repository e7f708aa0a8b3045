//! Roles with what they give, ClusterRoles that gather others by their labels, and who is bound to which.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::Error;
use super::field::{At, Field};
use super::objects::{Key, Objects};
use super::rights::{self, Grant, Power};
use crate::value::Value;

/// The most ClusterRoles looked at for all `aggregationRule`s together.
const MAX_SELECTIONS: usize = 2_000_000;
/// How deep ClusterRoles may be aggregated into one another.
const MAX_DEPTH: usize = 32;

/// Somebody whom bindings name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject<'a> {
    /// A ServiceAccount, by its namespace and name.
    Account(&'a str, &'a str),
    /// A user, by name.
    User(&'a str),
    /// A group, by name.
    Group(&'a str),
}

/// A binding to a role that is neither in the releases nor known of every cluster.
#[derive(Debug, Clone)]
pub struct Unknown<'a> {
    /// Where the binding names it.
    pub field: Field<'a>,
    /// `Role` or `ClusterRole`
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
}

#[derive(Default)]
pub(super) struct Bindings<'a> {
    /// Who is bound, each once, in the order of the objects.
    pub subjects: Vec<Subject<'a>>,
    powers: HashMap<Subject<'a>, Vec<Power<'a>>>,
    groups: HashMap<&'a str, Vec<Power<'a>>>,
    pub unknown: Vec<Unknown<'a>>,
}

const GROUP: &str = "rbac.authorization.k8s.io";

/// The ClusterRoles into which Kubernetes gathers others, and the label by which it does.
const GATHERED: [(&str, &[&str]); 3] = [
    ("admin", &[AGGREGATE_TO_ADMIN, AGGREGATE_TO_EDIT, AGGREGATE_TO_VIEW]),
    ("edit", &[AGGREGATE_TO_EDIT, AGGREGATE_TO_VIEW]),
    ("view", &[AGGREGATE_TO_VIEW]),
];
const AGGREGATE_TO_ADMIN: &str = "rbac.authorization.k8s.io/aggregate-to-admin";
const AGGREGATE_TO_EDIT: &str = "rbac.authorization.k8s.io/aggregate-to-edit";
const AGGREGATE_TO_VIEW: &str = "rbac.authorization.k8s.io/aggregate-to-view";

impl<'a> Bindings<'a> {
    pub(super) fn new(objects: &Objects<'a>) -> Result<Self, Error> {
        let mut roles = Roles::new(objects)?;
        let mut bindings = Self::default();
        for (number, object) in objects.all.iter().enumerate() {
            let namespace = match (object.group, object.kind) {
                (GROUP, "RoleBinding") => Some(object.namespace),
                (GROUP, "ClusterRoleBinding") => None,
                _ => continue,
            };
            bindings.add(&At::root(number, object.value), namespace, &mut roles)?;
        }
        Ok(bindings)
    }

    /// What a subject is given itself.
    pub(super) fn powers_of(&self, subject: Subject<'a>) -> &[Power<'a>] {
        match subject {
            Subject::Group(name) => self.groups.get(name).map_or(&[], Vec::as_slice),
            other => self.powers.get(&other).map_or(&[], Vec::as_slice),
        }
    }

    /// What every ServiceAccount of a namespace is given by its groups.
    pub(super) fn powers_of_accounts(&self, namespace: &str) -> impl Iterator<Item = &Power<'a>> {
        let own = format!("system:serviceaccounts:{namespace}");
        let groups = [own.as_str(), "system:serviceaccounts", "system:authenticated"];
        groups.map(|name| self.groups.get(name)).into_iter().flatten().flatten()
    }

    fn add(&mut self, root: &At<'_, 'a>, namespace: Option<&'a str>, roles: &mut Roles<'a>) -> Result<(), Error> {
        let reference = root.get("roleRef")?;
        let (kind, name) = (reference.text_of("kind")?, reference.get("name")?);
        let of = if kind == "ClusterRole" { "" } else { namespace.unwrap_or_default() };
        let Some(grants) = roles.grants(kind, (of, name.text()?))? else {
            self.unknown.push(Unknown { field: name.field(), kind, name: name.text()? });
            return Ok(());
        };
        if grants.is_empty() {
            return Ok(());
        }
        for at in root.items("subjects")? {
            let called = at.text_of("name")?;
            let subject = match at.text_of("kind")? {
                "ServiceAccount" => match at.text_of("namespace")? {
                    "" => Subject::Account(namespace.unwrap_or_default(), called),
                    of => Subject::Account(of, called),
                },
                "User" => account_of_user(called).unwrap_or(Subject::User(called)),
                "Group" => Subject::Group(called),
                _ => continue,
            };
            let powers = match subject {
                Subject::Group(name) => self.groups.entry(name).or_default(),
                other => self.powers.entry(other).or_default(),
            };
            if powers.is_empty() {
                self.subjects.push(subject);
            }
            let bound = [at.get("name")?.field(), name.field()];
            powers.extend(grants.iter().map(|grant| Power {
                namespace,
                grant: grant.clone(),
                fields: bound.iter().chain(grant.fields.iter()).cloned().collect(),
            }));
        }
        Ok(())
    }
}

/// The ServiceAccount that a user name stands for.
fn account_of_user(name: &str) -> Option<Subject<'_>> {
    let (namespace, name) = name.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    Some(Subject::Account(namespace, name))
}

struct Roles<'a> {
    /// By kind and name; the namespace of a ClusterRole is empty.
    by_key: HashMap<(&'a str, Key<'a>), Vec<usize>>,
    cluster: Vec<usize>,
    by_label: HashMap<(&'a str, &'a str), Vec<usize>>,
    roots: HashMap<usize, &'a Value>,
    resolved: HashMap<(&'a str, Key<'a>), Rc<[Grant<'a>]>>,
    selections: usize,
}

impl<'a> Roles<'a> {
    fn new(objects: &Objects<'a>) -> Result<Self, Error> {
        let mut roles = Self {
            by_key: HashMap::new(),
            cluster: Vec::new(),
            by_label: HashMap::new(),
            roots: HashMap::new(),
            resolved: HashMap::new(),
            selections: 0,
        };
        for (number, object) in objects.all.iter().enumerate() {
            if object.group != GROUP || !["Role", "ClusterRole"].contains(&object.kind) {
                continue;
            }
            roles.roots.insert(number, object.value);
            roles.by_key.entry((object.kind, (object.namespace, object.name))).or_default().push(number);
            if object.kind == "ClusterRole" {
                roles.cluster.push(number);
                let labels = object.value.at(["metadata", "labels"]).and_then(Value::as_map);
                for (key, value) in labels.into_iter().flat_map(|labels| labels.iter()) {
                    roles.by_label.entry((key, value.as_str().unwrap_or_default())).or_default().push(number);
                }
            }
        }
        Ok(roles)
    }

    /// What a role gives; `None` where nobody knows.
    fn grants(&mut self, kind: &'a str, key: Key<'a>) -> Result<Option<Rc<[Grant<'a>]>>, Error> {
        if let Some(known) = self.resolved.get(&(kind, key)) {
            return Ok(Some(known.clone()));
        }
        let builtin = if kind == "ClusterRole" { rights::of_builtin(key.1) } else { None };
        let numbers = self.by_key.get(&(kind, key)).cloned().unwrap_or_default();
        if builtin.is_none() && numbers.is_empty() {
            return Ok(None);
        }
        let mut grants = builtin.unwrap_or_default();
        let labels =
            GATHERED.iter().find(|(name, _)| kind == "ClusterRole" && *name == key.1).map(|(_, labels)| *labels);
        let gathered = labels.unwrap_or_default().iter().filter_map(|label| self.by_label.get(&(*label, "true")));
        let roots: Vec<usize> = numbers.into_iter().chain(gathered.flatten().copied()).collect();
        self.collect(roots, &mut grants)?;
        let grants: Rc<[Grant<'a>]> = grants.into();
        self.resolved.insert((kind, key), grants.clone());
        Ok(Some(grants))
    }

    /// The rules of roles; of one that gathers, those of the roles that it selects: its own are overwritten.
    fn collect(&mut self, roots: Vec<usize>, grants: &mut Vec<Grant<'a>>) -> Result<(), Error> {
        let mut open: VecDeque<(usize, Vec<Field<'a>>)> = roots.into_iter().map(|role| (role, Vec::new())).collect();
        let mut seen: HashSet<usize> = open.iter().map(|(role, _)| *role).collect();
        while let Some((role, selectors)) = open.pop_front() {
            let Some(value) = self.roots.get(&role).copied() else { continue };
            let root = At::root(role, value);
            let aggregation = root.get("aggregationRule")?;
            if !aggregation.exists() {
                for rule in root.items("rules")? {
                    let gathered = rights::of_rule(&rule)?.into_iter().map(|grant| Grant {
                        fields: selectors.iter().chain(grant.fields.iter()).cloned().collect(),
                        ..grant
                    });
                    grants.extend(gathered);
                }
                continue;
            }
            for selector in aggregation.items("clusterRoleSelectors")? {
                let mut selectors = selectors.clone();
                selectors.push(selector.field());
                if selectors.len() > MAX_DEPTH {
                    return Err(Error::TooLarge { what: "ClusterRoles aggregated into one another", limit: MAX_DEPTH });
                }
                let selected = self.select(&selector)?.into_iter().filter(|role| seen.insert(*role));
                open.extend(selected.map(|role| (role, selectors.clone())));
            }
        }
        Ok(())
    }

    /// The ClusterRoles that a selector of labels selects.
    fn select(&mut self, selector: &At<'_, 'a>) -> Result<Vec<usize>, Error> {
        let mut wanted = Vec::new();
        let labels = selector.get("matchLabels")?;
        for key in labels.keys()? {
            wanted.push((key, labels.text_of(key)?));
        }
        let mut requirements = Vec::new();
        for at in selector.items("matchExpressions")? {
            requirements.push((at.text_of("key")?, at.text_of("operator")?, at.texts("values")?));
        }
        let candidates = match wanted.iter().map(|pair| self.by_label.get(pair)).min_by_key(|l| l.map_or(0, Vec::len)) {
            Some(rarest) => rarest.cloned().unwrap_or_default(),
            None => self.cluster.clone(),
        };
        self.selections += candidates.len();
        if self.selections > MAX_SELECTIONS {
            return Err(Error::TooLarge { what: "ClusterRoles selected by aggregation rules", limit: MAX_SELECTIONS });
        }
        let selected = candidates.into_iter().filter(|number| {
            let labels = self.roots.get(number).and_then(|role| role.at(["metadata", "labels"]));
            let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
            wanted.iter().all(|(key, value)| label(key) == Some(value))
                && requirements.iter().all(|(key, operator, values)| match *operator {
                    "In" => label(key).is_some_and(|given| values.contains(&given)),
                    "NotIn" => label(key).is_none_or(|given| !values.contains(&given)),
                    "Exists" => label(key).is_some(),
                    "DoesNotExist" => label(key).is_none(),
                    _ => false,
                })
        });
        Ok(selected.collect())
    }
}
