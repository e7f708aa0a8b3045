//! Roles with what they give, ClusterRoles that gather others by their labels, and who is bound to which.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::Error;
use super::field::{At, Field};
use super::labels::Labels;
use super::objects::{Key, Object, Objects};
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

/// A role that somebody is bound to, with all that it allows.
#[derive(Debug, Clone)]
pub struct Bound<'a> {
    /// Who.
    pub subject: Subject<'a>,
    /// Where it holds; in the whole cluster where there is none.
    pub namespace: Option<&'a str>,
    /// `Role` or `ClusterRole`
    pub kind: &'a str,
    /// The role's name.
    pub name: &'a str,
    /// Whether there is a ClusterRole of this name in every cluster, whose own rules are not among `rules`.
    pub is_builtin: bool,
    /// What the role's rules are in the releases; `None` where they have no such role.
    pub rules: Option<Rc<[Rule<'a>]>>,
    /// The subject in the binding.
    pub field: Field<'a>,
}

/// A rule of a role.
#[derive(Debug, Clone)]
pub struct Rule<'a> {
    /// `apiGroups`
    pub groups: Vec<&'a str>,
    /// `resources`
    pub resources: Vec<&'a str>,
    /// `resourceNames`; all objects where there are none.
    pub names: Vec<&'a str>,
    /// `nonResourceURLs`
    pub urls: Vec<&'a str>,
    /// `verbs`
    pub verbs: Vec<&'a str>,
    /// Where it stands.
    pub field: Field<'a>,
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
            let Some(namespace) = scope(object) else { continue };
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
        let Some(grants) = roles.grants(kind, (home(kind, namespace), name.text()?))? else {
            self.unknown.push(Unknown { field: name.field(), kind, name: name.text()? });
            return Ok(());
        };
        if grants.is_empty() {
            return Ok(());
        }
        for at in root.items("subjects")? {
            let Some(subject) = Subject::read(&at, namespace)? else { continue };
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

/// All bindings, one entry for each subject, in the order of the objects.
pub(super) fn bound<'a>(objects: &Objects<'a>) -> Result<Vec<Bound<'a>>, Error> {
    let mut roles = Roles::new(objects)?;
    let mut known: HashMap<(&'a str, Key<'a>), Option<Rc<[Rule<'a>]>>> = HashMap::new();
    let mut bound = Vec::new();
    for (number, object) in objects.all.iter().enumerate() {
        let Some(namespace) = scope(object) else { continue };
        let root = At::root(number, object.value);
        let reference = root.get("roleRef")?;
        let (kind, name) = (reference.text_of("kind")?, reference.text_of("name")?);
        let key = (home(kind, namespace), name);
        let rules = match known.get(&(kind, key)) {
            Some(rules) => rules.clone(),
            None => {
                let rules = roles.all_rules(kind, key)?;
                known.insert((kind, key), rules.clone());
                rules
            }
        };
        let is_builtin = kind == "ClusterRole" && rights::of_builtin(name).is_some();
        for at in root.items("subjects")? {
            if let Some(subject) = Subject::read(&at, namespace)? {
                let (field, rules) = (at.get("name")?.field(), rules.clone());
                bound.push(Bound { subject, namespace, kind, name, is_builtin, rules, field });
            }
        }
    }
    Ok(bound)
}

impl<'a> Subject<'a> {
    /// The subject of a binding in a namespace, or of the cluster; `None` for a kind that there is not.
    fn read(at: &At<'_, 'a>, namespace: Option<&'a str>) -> Result<Option<Self>, Error> {
        let called = at.text_of("name")?;
        Ok(match at.text_of("kind")? {
            "ServiceAccount" => match at.text_of("namespace")? {
                "" => Some(Self::Account(namespace.unwrap_or_default(), called)),
                of => Some(Self::Account(of, called)),
            },
            "User" => Some(account_of_user(called).unwrap_or(Self::User(called))),
            "Group" => Some(Self::Group(called)),
            _ => None,
        })
    }
}

/// Where a binding holds: in a namespace, or in all of them; `None` for what is no binding.
fn scope<'a>(object: &Object<'a>) -> Option<Option<&'a str>> {
    match (object.group, object.kind) {
        (GROUP, "RoleBinding") => Some(Some(object.namespace)),
        (GROUP, "ClusterRoleBinding") => Some(None),
        _ => None,
    }
}

/// The namespace of a role that a binding names.
fn home<'a>(kind: &str, namespace: Option<&'a str>) -> &'a str {
    if kind == "ClusterRole" { "" } else { namespace.unwrap_or_default() }
}

/// The ServiceAccount that a user name stands for.
fn account_of_user(name: &str) -> Option<Subject<'_>> {
    let (namespace, name) = name.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    Some(Subject::Account(namespace, name))
}

/// What is done with a rule, given with the selectors by which it was found.
type EachRule<'t, 'a> = dyn FnMut(&[Field<'a>], &At<'_, 'a>) -> Result<(), Error> + 't;

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
        let roots = self.roots_of(kind, key);
        if builtin.is_none() && roots.is_empty() {
            return Ok(None);
        }
        let mut grants = builtin.unwrap_or_default();
        self.rules(roots, &mut |selectors, rule| {
            let gathered = rights::of_rule(rule)?
                .into_iter()
                .map(|grant| Grant { fields: selectors.iter().chain(grant.fields.iter()).cloned().collect(), ..grant });
            grants.extend(gathered);
            Ok(())
        })?;
        let grants: Rc<[Grant<'a>]> = grants.into();
        self.resolved.insert((kind, key), grants.clone());
        Ok(Some(grants))
    }

    /// All rules of a role; `None` where there is none of the name.
    fn all_rules(&mut self, kind: &'a str, key: Key<'a>) -> Result<Option<Rc<[Rule<'a>]>>, Error> {
        let roots = self.roots_of(kind, key);
        if roots.is_empty() {
            return Ok(None);
        }
        let mut rules = Vec::new();
        self.rules(roots, &mut |_, rule| {
            rules.push(Rule {
                groups: rule.texts("apiGroups")?,
                resources: rule.texts("resources")?,
                names: rule.texts("resourceNames")?,
                urls: rule.texts("nonResourceURLs")?,
                verbs: rule.texts("verbs")?,
                field: rule.field(),
            });
            Ok(())
        })?;
        Ok(Some(rules.into()))
    }

    /// The roles of a name, and those that Kubernetes gathers into it.
    fn roots_of(&self, kind: &'a str, key: Key<'a>) -> Vec<usize> {
        let numbers = self.by_key.get(&(kind, key)).into_iter().flatten();
        let labels =
            GATHERED.iter().find(|(name, _)| kind == "ClusterRole" && *name == key.1).map(|(_, labels)| *labels);
        let gathered = labels.unwrap_or_default().iter().filter_map(|label| self.by_label.get(&(*label, "true")));
        numbers.chain(gathered.flatten()).copied().collect()
    }

    /// The rules of roles; of one that gathers, those of the roles that it selects, with the selectors on the way: its
    /// own are overwritten.
    fn rules(&mut self, roots: Vec<usize>, then: &mut EachRule<'_, 'a>) -> Result<(), Error> {
        let mut open: VecDeque<(usize, Vec<Field<'a>>)> = roots.into_iter().map(|role| (role, Vec::new())).collect();
        let mut seen: HashSet<usize> = open.iter().map(|(role, _)| *role).collect();
        while let Some((role, selectors)) = open.pop_front() {
            let Some(value) = self.roots.get(&role).copied() else { continue };
            let root = At::root(role, value);
            let aggregation = root.get("aggregationRule")?;
            if !aggregation.exists() {
                for rule in root.items("rules")? {
                    then(&selectors, &rule)?;
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
        let labels = Labels::read(selector)?;
        let candidates =
            match labels.wanted.iter().map(|pair| self.by_label.get(pair)).min_by_key(|l| l.map_or(0, Vec::len)) {
                Some(rarest) => rarest.cloned().unwrap_or_default(),
                None => self.cluster.clone(),
            };
        self.selections += candidates.len();
        if self.selections > MAX_SELECTIONS {
            return Err(Error::TooLarge { what: "ClusterRoles selected by aggregation rules", limit: MAX_SELECTIONS });
        }
        let labels_of = |number: &usize| self.roots.get(number).and_then(|role| role.at(["metadata", "labels"]));
        Ok(candidates.into_iter().filter(|number| labels.select(labels_of(number))).collect())
    }
}
