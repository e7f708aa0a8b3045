//! Who reaches which Secret, and whose rights are had: the edges of both graphs.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::fact::{Fact, Phrase};
use super::view::View;
use crate::delta::AccessKind;
use crate::finding::Severity;
use crate::policy::reach::{Action, Among, Edge, TargetKind, Who, words};

/// Who, by names that both sides have in common: class, kind, namespace, name and container.
type Holder<'v> = (&'static str, &'v str, &'v str, &'v str, &'v str);

/// Kind, namespace, name, and among what it is where there is no name.
type Target<'v> = (TargetKind, Option<&'v str>, Option<&'v str>, Among);

/// What somebody does to something: all keys of it, or those.
struct Keys<'v> {
    all: bool,
    some: BTreeSet<&'v str>,
}

type Known<'v> = HashMap<(Holder<'v>, Action, Target<'v>), Keys<'v>>;

/// The relations that are here and not there.
pub(super) fn beyond<'v>(here: &View<'v>, there: &View<'_>) -> Vec<Fact> {
    let known = known(there);
    let mut told: HashSet<(Holder<'v>, Action, Target<'v>, Option<&'v str>)> = HashSet::new();
    let mut facts = Vec::new();
    for edge in here.graph.edges() {
        let (holder, target) = (holder(here, edge.who), target(here, edge));
        let covering: Vec<&Keys<'_>> =
            wholes(target).into_iter().filter_map(|whole| known.get(&(holder, edge.action, whole))).collect();
        if covering.iter().any(|keys| keys.all) {
            continue;
        }
        let is_partly_known = !covering.is_empty();
        let keys: Vec<Option<&'v str>> = match &*edge.target.keys {
            [] => vec![None],
            keys => keys.iter().map(|key| Some(*key)).collect(),
        };
        for key in keys {
            let is_known = key.is_some_and(|key| covering.iter().any(|keys| keys.some.contains(key)));
            if !is_known && told.insert((holder, edge.action, target, key)) {
                facts.push(fact(here, there, edge, key, is_partly_known));
            }
        }
    }
    facts
}

fn known<'v>(view: &View<'v>) -> Known<'v> {
    let mut known: Known<'v> = HashMap::new();
    for edge in view.graph.edges() {
        let key = (holder(view, edge.who), edge.action, target(view, edge));
        let keys = known.entry(key).or_insert_with(|| Keys { all: false, some: BTreeSet::new() });
        keys.all |= edge.target.keys.is_empty();
        keys.some.extend(edge.target.keys.iter());
    }
    known
}

/// A target, and all that it is a part of.
fn wholes(target: Target<'_>) -> Vec<Target<'_>> {
    let (kind, namespace, name, among) = target;
    let mut wholes = vec![target, (kind, namespace, None, Among::All), (kind, None, None, Among::All)];
    match name {
        Some(_) => wholes.push((kind, None, name, Among::All)),
        None => wholes.push((kind, None, None, among)),
    }
    wholes
}

fn holder<'v>(view: &View<'v>, who: Who<'v>) -> Holder<'v> {
    let of = |class: &'static str, number: usize, container: &'v str| match view.object(number) {
        Some(object) => {
            let (_, kind, namespace, name) = view.id(object);
            (class, kind, namespace, name, container)
        }
        None => (class, "", "", "", container),
    };
    match who {
        Who::Container(number, _, container) => of("container", number, container),
        Who::Pods(number) => of("pods", number, ""),
        Who::Controller(number) => of("controller", number, ""),
        Who::Subject(subject) => {
            let (class, namespace, name) = view.subject(subject);
            (class, "", namespace, name, "")
        }
    }
}

fn target<'v>(view: &View<'v>, edge: &'v Edge<'v>) -> Target<'v> {
    let target = &edge.target;
    let name = target.name.map(|name| view.name(target.kind.name(), target.namespace.unwrap_or_default(), name));
    (target.kind, target.namespace, name, target.among)
}

fn fact<'v>(here: &View<'v>, there: &View<'_>, edge: &'v Edge<'v>, key: Option<&str>, is_partly_known: bool) -> Fact {
    let target = words::target(&edge.target);
    let verb = match edge.action {
        Action::Read => "can read",
        Action::Change => "can change",
        Action::Use => "can use",
        Action::ActAs => "can act as",
    };
    let start = match key {
        Some(_) => format!("{verb} {target}: "),
        None if is_partly_known => format!("{verb} every key of {target}"),
        None => format!("{verb} {target}"),
    };
    let end = format!(" ({})", words::route(&here.graph.route(edge), edge));
    let at = here.news(here.graph.evidence(edge), there);
    Fact {
        kind: match edge.target.kind {
            TargetKind::Secret => AccessKind::Secret,
            TargetKind::ServiceAccount => AccessKind::Rbac,
        },
        severity: severity(here, edge),
        subject: words::who(here.graph, edge.who),
        phrase: Phrase::new(start, "", end),
        items: [key.unwrap_or_default().to_owned(), String::new()],
        release: here.release(edge.who, at.as_ref()),
        at,
    }
}

/// Whose Secrets they are counts most, then whether they are seen or only used.
fn severity(here: &View<'_>, edge: &Edge<'_>) -> Severity {
    let is_node = edge.target.among == Among::Node;
    if is_node || edge.target.namespace.is_none() || here.graph.trespass(edge).is_some() {
        return Severity::Error;
    }
    match edge.action {
        Action::Use => Severity::Info,
        Action::Read | Action::Change | Action::ActAs => Severity::Warning,
    }
}
