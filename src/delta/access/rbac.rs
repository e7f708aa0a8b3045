//! What roles allow to whom: bindings taken together with the rules behind them, so that neither the name of a role nor
//! the way in which its rules are written counts.

use std::collections::{HashMap, HashSet};

use super::fact::{Fact, Phrase};
use super::view::View;
use crate::delta::AccessKind;
use crate::finding::Severity;
use crate::policy::reach::{Bound, Error, Field, Rule, Who, words};

/// The most single rights that are compared.
const MAX_RIGHTS: usize = 4_000_000;

/// Class, namespace and name.
type Subject<'v> = (&'static str, &'v str, &'v str);

/// What a rule speaks of. Paths of the API server that are no resources have the group [`URL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Thing<'v> {
    group: &'v str,
    resource: &'v str,
    /// One of `resourceNames`; every object where there is none.
    name: Option<&'v str>,
}

/// A verb on a thing in a namespace, or in all of them.
type Right<'v> = (Option<&'v str>, Thing<'v>, &'v str);

/// No API group is called so. Paths that end in a star are held without it, in a group of their own.
const URL: &str = "/";
const STARRED: &str = "/*";
/// How far into a path stars are looked for: what is covered beyond that is told as new.
const MAX_URL: usize = 256;
const EVERYTHING: Thing<'static> = Thing { group: "*", resource: "*", name: None };

/// The ClusterRoles that have all that the next ones have.
const NESTED: [&str; 4] = ["cluster-admin", "admin", "edit", "view"];

/// What the other side allows to somebody.
#[derive(Default)]
struct Held<'v> {
    rights: HashSet<Right<'v>>,
    roles: HashSet<(Option<&'v str>, &'v str, &'v str)>,
}

/// The rights that are had here and not there.
pub(super) fn beyond(here: &View<'_>, there: &View<'_>) -> Result<Vec<Fact>, Error> {
    let (ours, theirs) = (by_subject(here), by_subject(there));
    let mut known: HashMap<Subject<'_>, Held<'_>> = HashMap::new();
    let mut count = 0;
    let mut facts = Vec::new();
    for (subject, bindings) in &ours {
        let of_other = theirs.get(subject).map_or(&[][..], Vec::as_slice);
        if bindings.len() == of_other.len() && bindings.iter().zip(of_other).all(|(a, b)| is_same(a, b)) {
            continue;
        }
        let holders = holders(subject);
        let holders: Vec<Subject<'_>> = holders.iter().map(|(class, of, name)| (*class, *of, name.as_str())).collect();
        for holder in &holders {
            if let Some(bindings) = theirs.get(holder).filter(|_| !known.contains_key(holder))
                && let Some(first) = bindings.first()
            {
                known.insert(there.subject(first.subject), Held::new(there, bindings, &mut count)?);
            }
        }
        let held: Vec<&Held<'_>> = holders.iter().filter_map(|holder| known.get(holder)).collect();
        for bound in bindings {
            told(here, there, bound, &held, &mut count, &mut facts)?;
        }
    }
    Ok(facts)
}

/// The bindings of each subject, in the order of the objects.
fn by_subject<'v>(view: &View<'v>) -> HashMap<Subject<'v>, Vec<&'v Bound<'v>>> {
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for bound in view.bound {
        found.entry(view.subject(bound.subject)).or_default().push(bound);
    }
    found
}

/// Whether two bindings allow the same, in the same words.
fn is_same(a: &Bound<'_>, b: &Bound<'_>) -> bool {
    let rules = |a: &[Rule<'_>], b: &[Rule<'_>]| {
        let parts =
            |rule: &Rule<'_>| [&rule.groups, &rule.resources, &rule.names, &rule.urls, &rule.verbs].map(Vec::len);
        a.len() == b.len()
            && a.iter().zip(b).all(|(a, b)| {
                parts(a) == parts(b)
                    && (a.groups == b.groups && a.resources == b.resources && a.names == b.names)
                    && (a.urls == b.urls && a.verbs == b.verbs)
            })
    };
    let is_same_rules = match (&a.rules, &b.rules) {
        (Some(a), Some(b)) => rules(a, b),
        (None, None) => true,
        _ => false,
    };
    (a.namespace, a.kind, a.name) == (b.namespace, b.kind, b.name) && is_same_rules
}

/// A subject, and the groups that it is in whatever else is known of it.
fn holders<'v>(subject: &Subject<'v>) -> Vec<(&'static str, &'v str, String)> {
    let (class, namespace, name) = *subject;
    let mut holders = vec![(class, namespace, name.to_owned())];
    let groups = match class {
        "ServiceAccount" => vec![format!("system:serviceaccounts:{namespace}"), "system:serviceaccounts".to_owned()],
        _ => Vec::new(),
    };
    let is_somebody = class == "ServiceAccount" || class == "User" && name != "system:anonymous";
    let all = is_somebody.then(|| "system:authenticated".to_owned());
    holders.extend(groups.into_iter().chain(all).map(|group| ("Group", "", group)));
    holders
}

impl<'v> Held<'v> {
    fn new(view: &View<'v>, bindings: &[&'v Bound<'v>], count: &mut usize) -> Result<Self, Error> {
        let mut held = Self::default();
        for bound in bindings {
            held.roles.insert((bound.namespace, bound.kind, bound.name));
            if (bound.kind, bound.name) == ("ClusterRole", "cluster-admin") {
                held.rights.insert((bound.namespace, EVERYTHING, "*"));
            }
            for rule in bound.rules.iter().flat_map(|rules| rules.iter()) {
                each(view, bound, rule, count, &mut |(scope, thing, verb)| {
                    let starred = thing.resource.strip_suffix('*').filter(|_| thing.group == URL);
                    let starred = starred.map(|resource| Thing { group: STARRED, resource, name: None });
                    held.rights.insert((scope, starred.unwrap_or(thing), verb));
                })?;
            }
        }
        Ok(held)
    }

    /// Whether a right is had already, by itself or as a part of a greater one.
    fn has(&self, (namespace, thing, verb): Right<'_>) -> bool {
        let Thing { group, resource, name } = thing;
        let scopes = [namespace, None];
        if group == URL {
            return self.has_url(resource, verb);
        }
        let of_any = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
        let resources = [Some(resource), Some("*"), of_any.as_deref()];
        scopes.into_iter().any(|scope| {
            [group, "*"].into_iter().any(|group| {
                resources.iter().flatten().any(|resource| {
                    [name, None].into_iter().any(|name| {
                        let thing = Thing { group, resource, name };
                        [verb, "*"].into_iter().any(|verb| self.rights.contains(&(scope, thing, verb)))
                    })
                })
            })
        })
    }

    /// A path is had by its own name, or by the star behind its beginning.
    fn has_url(&self, url: &str, verb: &str) -> bool {
        let start = url.strip_suffix('*');
        let ends = start.unwrap_or(url).char_indices().map(|(at, c)| at + c.len_utf8()).take(MAX_URL);
        let starts = [0].into_iter().chain(ends).filter_map(|end| Some((STARRED, url.get(..end)?)));
        let own = start.is_none().then_some((URL, url));
        own.into_iter().chain(starts).any(|(group, resource)| {
            let thing = Thing { group, resource, name: None };
            [verb, "*"].into_iter().any(|verb| self.rights.contains(&(None, thing, verb)))
        })
    }

    /// Whether somebody is bound to a role, or may do more than it can allow.
    fn has_role(&self, namespace: Option<&str>, kind: &str, name: &str) -> bool {
        let nested = NESTED.iter().position(|nested| kind == "ClusterRole" && *nested == name);
        let names = nested.map_or(&[][..], |at| NESTED.get(..at).unwrap_or_default()).iter().copied();
        names.chain([name]).any(|name| [namespace, None].iter().any(|scope| self.roles.contains(&(*scope, kind, name))))
            || self.has((namespace, EVERYTHING, "*"))
    }
}

/// Hands over each single right of a rule.
fn each<'v>(
    view: &View<'v>,
    bound: &Bound<'v>,
    rule: &'v Rule<'v>,
    count: &mut usize,
    then: &mut dyn FnMut(Right<'v>),
) -> Result<(), Error> {
    let mut right = |thing: Thing<'v>, verb: &'v str| {
        *count += 1;
        if *count > MAX_RIGHTS {
            return Err(Error::TooLarge { what: "single rights in the rules of changed roles", limit: MAX_RIGHTS });
        }
        then((bound.namespace, thing, verb));
        Ok(())
    };
    // Paths are of no namespace.
    for url in rule.urls.iter().filter(|_| bound.namespace.is_none()) {
        rule.verbs.iter().try_for_each(|verb| right(Thing { group: URL, resource: url, name: None }, verb))?;
    }
    for group in &rule.groups {
        for resource in &rule.resources {
            let kind = match (*group, *resource) {
                ("", "secrets") => "Secret",
                ("", "configmaps") => "ConfigMap",
                _ => "",
            };
            let named = |name: &&'v str| Some(view.name(kind, bound.namespace.unwrap_or_default(), name));
            let all = [None].into_iter().filter(|_| rule.names.is_empty());
            for name in rule.names.iter().map(named).chain(all) {
                let thing = Thing { group, resource, name };
                rule.verbs.iter().try_for_each(|verb| right(thing, verb))?;
            }
        }
    }
    Ok(())
}

/// What a binding allows beyond what is held.
fn told<'v>(
    here: &View<'v>,
    there: &View<'_>,
    bound: &'v Bound<'v>,
    held: &[&Held<'_>],
    count: &mut usize,
    facts: &mut Vec<Fact>,
) -> Result<(), Error> {
    let scope = match bound.namespace {
        Some(namespace) => format!(" in namespace {namespace}"),
        None => " in the whole cluster".to_owned(),
    };
    let fact = |severity, phrase, items, fields: &[&Field<'v>]| {
        let at = here.news(fields.iter().copied(), there);
        let (subject, release) =
            (words::subject(bound.subject), here.release(Who::Subject(bound.subject), at.as_ref()));
        Fact { kind: AccessKind::Rbac, severity, subject, phrase, items, at, release }
    };
    let is_had = || held.iter().any(|held| held.has_role(bound.namespace, bound.kind, bound.name));
    if (bound.is_builtin || bound.rules.is_none()) && !is_had() {
        let unknown = if bound.is_builtin { "" } else { ", which is in no release," };
        let phrase = Phrase::new("is bound to ", "", format!("{unknown}{scope}"));
        let severity = match (bound.name, bound.namespace) {
            ("cluster-admin", None) => Severity::Error,
            ("view", _) if bound.is_builtin => Severity::Info,
            _ => Severity::Warning,
        };
        facts.push(fact(severity, phrase, [String::new(), format!("{} {}", bound.kind, bound.name)], &[&bound.field]));
    }
    for rule in bound.rules.iter().flat_map(|rules| rules.iter()) {
        let mut new: Vec<Right<'v>> = Vec::new();
        each(here, bound, rule, count, &mut |right| {
            if !held.iter().any(|held| held.has(right)) {
                new.push(right);
            }
        })?;
        let wild: HashSet<Thing<'_>> = new.iter().filter(|right| right.2 == "*").map(|right| right.1).collect();
        for right in new.iter().filter(|right| right.2 == "*" || !wild.contains(&right.1)) {
            let verb = if right.2 == "*" { "do everything with" } else { right.2 };
            let phrase = Phrase::new("may ", " ", scope.clone());
            facts.push(fact(severity(right), phrase, [verb.to_owned(), thing(right.1)], &[&bound.field, &rule.field]));
        }
    }
    Ok(())
}

/// `pods/log`, `jobs.batch`, `secrets named registry`
fn thing(Thing { group, resource, name }: Thing<'_>) -> String {
    let text = match (group, resource) {
        (URL, path) => path.to_owned(),
        ("*", "*") => "every resource".to_owned(),
        ("", "*") => "every resource of the core group".to_owned(),
        (group, "*") => format!("every resource of {group}"),
        ("", resource) => resource.to_owned(),
        ("*", resource) => format!("{resource} of every group"),
        (group, resource) => format!("{resource}.{group}"),
    };
    match name {
        Some(name) => format!("{text} named {name}"),
        None => text,
    }
}

/// Verbs that lead to every right, and resources that lead to the rights of others.
const TAKING: [&str; 4] = ["*", "escalate", "bind", "impersonate"];
const LEADING: [&str; 7] =
    ["*", "secrets", "pods/exec", "pods/attach", "pods/ephemeralcontainers", "nodes/proxy", "serviceaccounts/token"];
const LOOKING: [&str; 3] = ["get", "list", "watch"];

fn severity((namespace, thing, verb): &Right<'_>) -> Severity {
    let is_writing = !LOOKING.contains(verb);
    let is_role = ["rbac.authorization.k8s.io", "*"].contains(&thing.group);
    let leads =
        thing.group != URL && (TAKING.contains(verb) || LEADING.contains(&thing.resource) || is_role && is_writing);
    match (leads, namespace) {
        (true, None) => Severity::Error,
        (true, Some(_)) => Severity::Warning,
        (false, _) if is_writing => Severity::Warning,
        (false, _) => Severity::Info,
    }
}
