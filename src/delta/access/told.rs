//! From facts to lines that a reviewer reads: few, and each standing alone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Fact, Phrase};
use super::view::View;
use crate::delta::{AccessChange, AccessKind, Direction};
use crate::finding::{Place, Severity};
use crate::value::Path;

/// The most items of one list that are written out.
const MAX_ITEMS: usize = 20;
/// The most subjects of whom the same is said that are named.
const MAX_SUBJECTS: usize = 3;

/// What kind of change, and how much is at stake.
type Weight = (AccessKind, Severity);

/// An object and one of its fields, if it is known.
type At = Option<(usize, Path)>;

/// A line, and where it is so.
struct Line {
    weight: Weight,
    subject: String,
    what: String,
    releases: BTreeSet<usize>,
    at: At,
}

/// Changes out of facts of one side.
pub(super) fn changes(
    facts: Vec<Fact>,
    view: &View<'_>,
    direction: Direction,
    locate: &dyn Fn(usize, &Path) -> Option<Place>,
) -> Vec<AccessChange> {
    let change = |Line { weight: (kind, severity), subject, what, releases, at }| AccessChange {
        kind,
        direction,
        severity,
        subject,
        what,
        releases: releases.iter().filter_map(|release| label(view, *release)).collect(),
        place: at.and_then(|(object, path)| locate(object, &path)),
    };
    together(alike(merged(facts), view)).into_iter().map(change).collect()
}

/// The most important first.
pub(super) fn sort(changes: &mut [AccessChange]) {
    changes.sort_by(|a, b| {
        let weight = |it: &AccessChange| (it.kind, it.direction, Reverse(it.severity));
        let texts = weight(a).cmp(&weight(b)).then_with(|| (&a.subject, &a.what).cmp(&(&b.subject, &b.what)));
        texts.then_with(|| a.releases.cmp(&b.releases))
    });
}

/// Facts that differ in one item are one: first those that differ in the first one, then those that differ in the second.
fn merged(facts: Vec<Fact>) -> Vec<Line> {
    type Common = (Weight, Option<usize>, String, Phrase);
    let mut by_second: BTreeMap<(Common, String), (BTreeSet<String>, At)> = BTreeMap::new();
    for Fact { kind, severity, subject, phrase, items: [first, second], at, release } in facts {
        let key = (((kind, severity), release, subject, phrase), second);
        by_second.entry(key).or_insert_with(|| (BTreeSet::new(), at)).0.insert(first);
    }
    let mut by_first: BTreeMap<(Common, BTreeSet<String>), (BTreeSet<String>, At)> = BTreeMap::new();
    for ((common, second), (firsts, at)) in by_second {
        by_first.entry((common, firsts)).or_insert_with(|| (BTreeSet::new(), at)).0.insert(second);
    }
    let line = |(((weight, release, subject, phrase), firsts), (seconds, at)): ((Common, BTreeSet<String>), _)| {
        let Phrase { start, middle, end } = phrase;
        let (firsts, seconds) = (list(&firsts, MAX_ITEMS), list(&seconds, MAX_ITEMS));
        let what = format!("{start}{firsts}{middle}{seconds}{end}");
        Line { weight, subject, what, releases: release.into_iter().collect(), at }
    };
    by_first.into_iter().map(line).collect()
}

/// What is so in many releases, but for their names, is one line: that of the first of them.
fn alike(lines: Vec<Line>, view: &View<'_>) -> Vec<Line> {
    let mut groups: BTreeMap<(Weight, String, String), Line> = BTreeMap::new();
    for line in lines {
        let release = line.releases.first().copied();
        let blank = |text: &str| match release.and_then(|release| view.graph.members().get(release)) {
            Some(member) => without(&without(text, member.namespace, NAMESPACE), member.name, RELEASE),
            None => text.to_owned(),
        };
        let key = (line.weight, blank(&line.subject), blank(&line.what));
        groups.entry(key).or_insert(line).releases.extend(release);
    }
    groups.into_values().collect()
}

/// What is said of many in the same releases is one line.
fn together(lines: Vec<Line>) -> Vec<Line> {
    let mut groups: BTreeMap<(Weight, String, BTreeSet<usize>), Vec<Line>> = BTreeMap::new();
    for line in lines {
        groups.entry((line.weight, line.what.clone(), line.releases.clone())).or_default().push(line);
    }
    let mut summed = Vec::new();
    for mut group in groups.into_values() {
        if group.len() > MAX_SUBJECTS {
            let subjects: BTreeSet<String> = group.iter().map(|line| line.subject.clone()).collect();
            group.truncate(1);
            group.iter_mut().for_each(|line| line.subject = list(&subjects, MAX_SUBJECTS));
        }
        summed.append(&mut group);
    }
    summed
}

/// `a, b`; of more than `most` the rest is counted: `a, b and 7 more`.
fn list(items: &BTreeSet<String>, most: usize) -> String {
    let shown = if items.len() > most + 1 { most } else { items.len() };
    let text = items.iter().take(shown).map(String::as_str).collect::<Vec<_>>().join(", ");
    match items.len() - shown {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// `namespace/name` of a release; nothing for plain manifests.
fn label(view: &View<'_>, release: usize) -> Option<String> {
    let member = view.graph.members().get(release).filter(|member| !member.name.is_empty())?;
    Some(format!("{}/{}", member.namespace, member.name))
}

/// What stands for the name of the namespace and of the release where lines are compared.
const NAMESPACE: &str = "<namespace>";
const RELEASE: &str = "<release>";

/// A text with a placeholder for a name, wherever it is a word or a part of one that hyphens, dots and slashes set apart.
fn without(text: &str, name: &str, placeholder: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    if name.is_empty() {
        return text.to_owned();
    }
    let mut blank = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(name) {
        let is_word = !before.ends_with(is_part) && !after.starts_with(is_part);
        blank.push_str(before);
        blank.push_str(if is_word { placeholder } else { name });
        rest = after;
    }
    blank + rest
}
