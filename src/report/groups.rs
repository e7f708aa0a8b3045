//! The same finding in many releases is told once, with the releases that have it; so are the same faults.

use std::collections::HashMap;

use super::place;
use crate::finding::{Failed, Fault, Finding, Severity};
use crate::source::Location;

/// The most releases that a sentence names.
const MAX_NAMED: usize = 3;

/// What is the same in different releases: mended by one change, as far as can be seen.
#[derive(Debug, Clone)]
pub(super) struct Group<'a, T = Finding> {
    /// The first of them.
    pub first: &'a T,
    /// The releases that have it, each once, in the order of the findings. Empty where findings name none.
    pub releases: Vec<&'a str>,
}

/// A file's name and an offset: two renders of one chart read its files twice.
type At<'a> = (&'a str, usize);

/// What is the same in all findings of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'a> {
    policy: &'a str,
    severity: Severity,
    message: &'a str,
    /// The kind of the object that was judged.
    kind: Option<&'a str>,
    field: Option<&'a str>,
    template: Option<At<'a>>,
    exemption: Option<(&'a str, At<'a>)>,
    is_known: bool,
    /// Where a reviewer looks, where that matters.
    place: Option<At<'a>>,
}

/// Findings that are told once, in the order of the first of each: for formats that tell all there is to see.
pub(super) fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Group<'a>> {
    gather(findings, |_| None)
}

/// The same where each place that a reviewer looks at is told by itself: of a hundred values files with one fault each
/// has its own line.
pub(super) fn at_places<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Group<'a>> {
    gather(findings, |finding| place::of(finding).map(at))
}

fn gather<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
    place: impl Fn(&'a Finding) -> Option<At<'a>>,
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    // No group has two findings of one release: each goes to the first group that has none of its own.
    let mut seen: HashMap<(Key<'a>, Option<&'a str>), usize> = HashMap::new();
    let mut known: HashMap<(Key<'a>, usize), usize> = HashMap::new();
    for finding in findings {
        let key = Key { place: place(finding), ..Key::from(finding) };
        let release = finding.release.as_deref();
        let number = seen.entry((key, release)).or_default();
        // What names no release stands for itself.
        let index = match release {
            Some(_) => *known.entry((key, *number)).or_insert(groups.len()),
            None => groups.len(),
        };
        *number += 1;
        match groups.get_mut(index) {
            Some(group) => group.releases.extend(release),
            None => groups.push(Group { first: finding, releases: release.into_iter().collect() }),
        }
    }
    groups
}

/// Why releases could not be checked, each fault once.
pub(super) fn of_faults(failed: &[Failed]) -> Vec<Group<'_, Fault>> {
    let mut groups: Vec<Group<'_, Fault>> = Vec::new();
    let mut known = HashMap::new();
    for (release, fault) in failed.iter().flat_map(|failed| failed.faults.iter().map(|fault| (&failed.release, fault)))
    {
        let labels: Vec<_> = fault.labels.iter().map(|(location, text)| (at(location), text)).collect();
        let index = *known.entry((&fault.message, labels, &fault.help)).or_insert(groups.len());
        match groups.get_mut(index) {
            Some(group) if group.releases.last() == Some(&release.as_str()) => {}
            Some(group) => group.releases.push(release),
            None => groups.push(Group { first: fault, releases: vec![release] }),
        }
    }
    groups
}

/// `99 releases: alice/web, bob/web, cara/web and 96 more`
pub(super) fn releases(names: &[&str]) -> String {
    let count = names.len();
    let named = names.get(..count.min(MAX_NAMED)).unwrap_or_default().join(", ");
    let more = match count.saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{count} releases: {named}{more}")
}

fn at(location: &Location) -> At<'_> {
    (&location.file.name, location.span.start)
}

impl<'a> From<&'a Finding> for Key<'a> {
    fn from(finding: &'a Finding) -> Self {
        let place = finding.places.first();
        let exemption = finding.exemption.as_ref();
        Self {
            policy: &finding.policy,
            severity: finding.severity,
            message: &finding.message,
            kind: finding.object.as_ref().map(|object| object.kind.as_str()),
            field: place.map(|place| place.named.as_str()),
            template: place.and_then(|place| place.template.first()).map(at),
            exemption: exemption.map(|exempted| (exempted.reason.as_str(), at(&exempted.place))),
            is_known: finding.is_known,
            place: None,
        }
    }
}

impl Group<'_> {
    /// What is wrong, where, and in which releases: `alice/web: Ingress alice/web: anyone may enter`.
    pub fn sentence(&self) -> String {
        let object = self.first.object.as_ref().map(|object| format!("{object}: ")).unwrap_or_default();
        self.with_releases(&format!("{object}{}", self.first.message))
    }
}

impl Group<'_, Fault> {
    /// What is wrong, and in which releases: `alice/web: web/templates/a.yaml:3:5: function "x" not defined`.
    pub fn sentence(&self) -> String {
        self.with_releases(&self.first.message)
    }
}

impl<T> Group<'_, T> {
    /// How many it stands for.
    pub fn count(&self) -> usize {
        self.releases.len().max(1)
    }

    /// `in 99 releases: alice/web, bob/web, cara/web and 96 more`; `None` where it is one release, or none by name.
    pub fn among(&self) -> Option<String> {
        (self.releases.len() > 1).then(|| format!("in {}", releases(&self.releases)))
    }

    fn with_releases(&self, said: &str) -> String {
        match (self.among(), self.releases.first()) {
            (Some(among), _) => format!("{said} ({among})"),
            (None, Some(release)) => format!("{release}: {said}"),
            (None, None) => said.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Place, Setter, ValuesKey};
    use crate::source::{SourceFile, Span};
    use crate::value::Path;

    /// A finding of a release at a line of a template, with a value that a file of the release sets.
    fn finding(release: Option<&str>, line: usize) -> Finding {
        let at = |name: &str| Location::new(SourceFile::new(name, "a\nb\nc\n"), Span::new(line * 2, line * 2 + 1));
        let object = crate::finding::ObjectRef {
            api_version: "v1".into(),
            kind: "Pod".into(),
            namespace: None,
            name: release.unwrap_or("web").into(),
        };
        let key = ValuesKey {
            path: Path::default().key("image"),
            set_by: release.map(|release| Setter::File(at(&format!("{release}.yaml")))),
        };
        Finding {
            policy: "images/latest".into(),
            severity: Severity::Error,
            message: "the image has no tag".into(),
            release: release.map(str::to_owned),
            object: Some(object.clone()),
            places: vec![Place {
                object,
                field: Path::default().key("image"),
                named: "image".into(),
                rendered: at("web/templates/pod.yaml"),
                template: vec![at("charts/web/templates/pod.yaml")],
            }],
            values: vec![key],
            configured: None,
            exemption: None,
            is_known: false,
            rationale: String::new(),
            remediation: String::new(),
        }
    }

    #[test]
    fn a_group_has_one_finding_of_each_release() {
        let of = |release| finding(Some(release), 0);
        let findings = [of("a"), of("a"), finding(Some("a"), 1), of("b"), of("b"), of("c")];
        let groups: Vec<_> = super::of(&findings).into_iter().map(|group| group.releases).collect();
        assert_eq!(groups, [vec!["a", "b", "c"], vec!["a", "b"], vec!["a"]]);
    }

    #[test]
    fn what_differs_is_told_apart() {
        let same = finding(Some("a"), 0);
        let other = || Finding { release: Some("b".into()), ..same.clone() };
        for different in [
            Finding { policy: "images/digest".into(), ..other() },
            Finding { severity: Severity::Warning, ..other() },
            Finding { message: "the image has no digest".into(), ..other() },
            Finding { is_known: true, ..other() },
            finding(Some("b"), 1),
            Finding { release: None, ..other() },
        ] {
            assert_eq!(super::of([&same, &different]).len(), 2, "{different:?}");
        }
        assert_eq!(super::of([&same, &other()]).len(), 1);
        let nameless = finding(None, 0);
        assert_eq!(super::of([&nameless, &nameless]).len(), 2, "linted together they have no names to tell");
    }

    #[test]
    fn a_values_file_of_each_release_is_a_place_of_its_own() {
        let (a, b) = (finding(Some("a"), 0), finding(Some("b"), 0));
        assert_eq!(super::of([&a, &b]).len(), 1);
        assert_eq!(at_places([&a, &b]).len(), 2);
        let shared = Finding { release: Some("b".into()), ..a.clone() };
        assert_eq!(at_places([&a, &shared]).len(), 1);
    }

    #[test]
    fn few_releases_are_named() {
        let findings: Vec<_> = ["a", "b", "c", "d", "e"].map(|release| finding(Some(release), 0)).into();
        let said = |count| super::of(&findings[..count]).first().and_then(Group::among);
        assert_eq!(said(1), None);
        assert_eq!(said(3).unwrap(), "in 3 releases: a, b, c");
        assert_eq!(said(5).unwrap(), "in 5 releases: a, b, c and 2 more");
    }

    #[test]
    fn a_fault_of_many_releases_is_told_once() {
        let failed = |release: &str, fault: &str| Failed {
            release: release.into(),
            faults: vec![Fault::new("no chart"), Fault::new(fault)],
        };
        let failed = [failed("a", "x"), failed("b", "x"), failed("c", "no chart")];
        let said: Vec<_> = of_faults(&failed).iter().map(Group::<Fault>::sentence).collect();
        assert_eq!(said, ["no chart (in 3 releases: a, b, c)", "x (in 2 releases: a, b)"]);
    }
}
