//! For pull requests: a comment or a job's summary, in GitHub's Markdown and GitLab's.
//!
//! The verdict comes first; details are collapsed; the page is never longer than a comment may be.

pub(super) mod escape;
pub(super) mod finding;
pub(super) mod page;

use std::io::{self, Write};

use self::escape::{code, prose};
use self::finding::{Quotes, bullet, faults, piece, plural};
use self::page::{Page, Piece};
use super::groups::{self, Group};
use crate::finding::{Failed, Finding, Report, Severity};

/// By this line a comment is found again, and updated rather than followed by another one.
const MARKER: &str = "<!-- plimsoll check -->";

const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Info];

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(page(report).as_bytes())
}

fn page(report: &Report) -> String {
    let mut page = Page::new(format!("{MARKER}\n## {}\n", verdict(report)));
    page.add(&checked(report));
    let pieces = report.failed.iter().map(|failed| failure(failed, ""));
    page.pieces(2, pieces, |more| format!("And {} could not be checked.", plural(more, "more release")));
    let is_quiet = report.findings.iter().all(Finding::is_open);
    if !is_quiet {
        page.add(&table(&report.findings));
    }
    let mut open = groups::of(report.findings.iter().filter(|finding| finding.is_open()));
    open.sort_by_key(|group| std::cmp::Reverse(group.finding.severity));
    let mut quotes = Quotes::default();
    let total = open.len();
    page.pieces(1, open.iter().map(|group| piece(group, &mut quotes)), |more| {
        format!("And {more} more of {}.", plural(total, "finding"))
    });
    let others = [
        ("Known from the baseline", groups::of(report.findings.iter().filter(|finding| is_known(finding)))),
        ("Exempted", groups::of(report.findings.iter().filter(|finding| finding.exemption.is_some()))),
    ];
    for (title, groups) in others.iter().filter(|(_, groups)| !groups.is_empty()) {
        collapsed(&mut page, title, groups);
    }
    page.finish("Some details are left out: `plimsoll check` shows all of them.")
}

fn is_known(finding: &Finding) -> bool {
    finding.is_known && finding.exemption.is_none()
}

/// `❌ plimsoll: 2 errors, 1 warning`
fn verdict(report: &Report) -> String {
    let open = counts(report.findings.iter().filter(|finding| finding.is_open()));
    let failed = report.failed.len();
    let text = match (failed, open.as_str()) {
        (0, "") => "all is well".to_owned(),
        (0, open) => open.to_owned(),
        (failed, "") => format!("{} could not be checked", plural(failed, "release")),
        (failed, open) => format!("{} could not be checked; {open}", plural(failed, "release")),
    };
    let is_bad = failed > 0
        || report.findings.iter().any(|finding| finding.is_open() && finding.severity == Severity::Error);
    format!("{} plimsoll: {text}", sign(is_bad, !open.is_empty()))
}

/// What is seen first.
pub(super) fn sign(is_bad: bool, is_noted: bool) -> &'static str {
    match (is_bad, is_noted) {
        (true, _) => "❌",
        (false, true) => "⚠️",
        (false, false) => "✅",
    }
}

/// `2 errors, 1 warning`; nothing where there is none.
pub(super) fn counts<'a>(findings: impl Iterator<Item = &'a Finding> + Clone) -> String {
    let of = |severity| findings.clone().filter(|finding| finding.severity == severity).count();
    let name = |severity| match severity {
        Severity::Info => "note".to_owned(),
        severity => severity.to_string(),
    };
    let counted = SEVERITIES.map(|severity| (of(severity), name(severity)));
    let counted = counted.iter().filter(|(count, _)| *count > 0).map(|(count, name)| plural(*count, name));
    counted.collect::<Vec<_>>().join(", ")
}

/// What was checked, and against what.
fn checked(report: &Report) -> String {
    let objects = plural(report.objects, "object");
    let releases = report.releases.map(|releases| format!(" of {}", plural(releases, "release"))).unwrap_or_default();
    let policies = if report.policies == 1 { "1 policy".to_owned() } else { format!("{} policies", report.policies) };
    let profiles: Vec<String> = report.profiles.iter().map(|profile| code(profile)).collect();
    let profiles = match profiles.as_slice() {
        [] => String::new(),
        [one] => format!(" (profile {one})"),
        many => format!(" (profiles {})", many.join(", ")),
    };
    format!("{objects}{releases} checked against {policies}{profiles}.")
}

/// A release that could not be checked, and why.
pub(super) fn failure(failed: &Failed, side: &str) -> Piece {
    let title = format!("{} could not be checked{side}", code(&failed.release));
    let first = failed.faults.first().and_then(|fault| fault.message.lines().next()).unwrap_or_default();
    let first = crate::credential::text(first);
    Piece {
        full: format!("**Release {title}:**\n{}", faults(&failed.faults)),
        short: format!("- Release {title}: {}\n", prose(&first)),
    }
}

/// How many of each severity are open, known and exempted.
fn table(findings: &[Finding]) -> String {
    let columns: [(&str, fn(&Finding) -> bool); 3] = [
        ("open", Finding::is_open),
        ("known", is_known),
        ("exempted", |finding| finding.exemption.is_some()),
    ];
    let rows = columns.map(|(name, is_in)| (name, findings.iter().filter(move |finding| is_in(finding))));
    counted("findings", rows.into_iter())
}

/// A table: a row for each name, a column for each severity.
pub(super) fn counted<'a, I>(title: &str, rows: impl Iterator<Item = (&'a str, I)>) -> String
where
    I: Iterator<Item = &'a Finding>,
{
    let mut out = format!("| {title} | errors | warnings | notes |\n|---|--:|--:|--:|\n");
    for (name, findings) in rows {
        let mut counts = [0; 3];
        for finding in findings {
            let column = SEVERITIES.iter().position(|severity| *severity == finding.severity);
            if let Some(count) = column.and_then(|column| counts.get_mut(column)) {
                *count += 1;
            }
        }
        out.push_str(&format!("| {name} | {} | {} | {} |\n", counts[0], counts[1], counts[2]));
    }
    out
}

/// Findings that refuse nothing, as a list behind their number.
pub(super) fn collapsed(page: &mut Page, title: &str, groups: &[Group<'_>]) {
    let count: usize = groups.iter().map(Group::count).sum();
    page.add(&format!("<details>\n<summary>{title}: {}</summary>\n", plural(count, "finding")));
    let bullets = groups.iter().map(bullet).map(|line| Piece { full: line.clone(), short: line });
    page.pieces(2, bullets, |more| format!("And {more} more."));
    page.add("</details>\n");
}
