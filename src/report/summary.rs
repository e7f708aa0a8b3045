//! The last line: what was found, in how much, and what was not looked at.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::groups;
use crate::finding::Report;

/// `2 errors, 1 warning: 300 objects of 100 releases checked against 55 policies (profile default)`. What is the same in
/// many releases counts once, as it is told once.
pub(super) fn line(report: &Report) -> String {
    let mut counts: BTreeMap<Reverse<_>, usize> = BTreeMap::new();
    for group in groups::of(report.findings.iter().filter(|finding| finding.is_open())) {
        *counts.entry(Reverse(group.finding.severity)).or_default() += 1;
    }
    let mut found: Vec<String> =
        counts.iter().map(|(Reverse(severity), count)| plural(*count, &severity.to_string())).collect();
    if report.stale > 0 {
        found.push(plural(report.stale, "stale manifest"));
    }
    let verdict = match (found.is_empty(), report.failed.is_empty()) {
        (false, _) => found.join(", "),
        (true, true) => "all is well".to_owned(),
        (true, false) => "not everything could be checked".to_owned(),
    };
    let releases = report.releases.map(|count| format!(" of {}", plural(count, "release"))).unwrap_or_default();
    let (objects, policies) = (plural(report.objects, "object"), plural_policies(report.policies));
    let mut line = format!("{verdict}: {objects}{releases} checked against {policies}");
    if !report.profiles.is_empty() {
        let noun = if report.profiles.len() == 1 { "profile" } else { "profiles" };
        line.push_str(&format!(" ({noun} {})", report.profiles.join(", ")));
    }
    let exempted = groups::of(report.findings.iter().filter(|finding| finding.exemption.is_some())).len();
    let known = report.findings.iter().filter(|finding| finding.is_known && finding.exemption.is_none()).count();
    let rest = [
        (exempted, format!("{} exempted", plural(exempted, "finding"))),
        (known, format!("{known} known from the baseline")),
        (report.failed.len(), format!("{} failed", plural(report.failed.len(), "release"))),
    ];
    for (_, said) in rest.iter().filter(|(count, _)| *count > 0) {
        line.push_str(&format!(", {said}"));
    }
    line
}

/// `1 release`, `2 releases`
pub fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn plural_policies(count: usize) -> String {
    if count == 1 { "1 policy".to_owned() } else { format!("{count} policies") }
}
