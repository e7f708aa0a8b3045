//! For pull requests: a comment or a job's summary, in GitHub's Markdown and GitLab's.
//!
//! The verdict comes first; details are collapsed; the page is never longer than a comment may be.

pub(super) mod escape;
pub(super) mod finding;
pub(super) mod page;

use std::cmp::Reverse;
use std::io::{self, Write};

use self::escape::prose;
use self::finding::{Quotes, bullet, failure, piece};
use self::page::{Page, Piece};
use super::groups::{self, Group};
use super::summary::{self, plural};
use crate::finding::{Finding, Report, Severity};

/// By this line a comment is found again, and updated rather than followed by another one.
const MARKER: &str = "<!-- plimsoll check -->";

const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Info];

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(page(report).as_bytes())
}

fn page(report: &Report) -> String {
    let open = worst_first(report.findings.iter().filter(|finding| finding.is_open()));
    let is_bad = !report.failed.is_empty() || open.iter().any(|group| group.finding.severity == Severity::Error);
    let summary = summary::line(report);
    let (verdict, checked) = summary.split_once(": ").unwrap_or((&summary, ""));
    let sign = sign(is_bad || report.stale > 0, !open.is_empty());
    let mut page = Page::new(format!("{MARKER}\n## {sign} plimsoll: {}\n", prose(verdict)));
    page.add(&format!("{}.", prose(checked)));
    let failed = groups::of_faults(&report.failed);
    page.pieces(2, failed.iter().map(|group| failure(group, "could not be checked")), |more| {
        format!("And {}.", plural(more, "more fault"))
    });
    let mut quotes = Quotes::default();
    page.pieces(1, open.iter().map(|group| piece(group, &mut quotes)), |more| {
        format!("And {}.", plural(more, "more finding"))
    });
    let is_known = |finding: &&Finding| finding.is_known && finding.exemption.is_none();
    collapsed(&mut page, "Known from the baseline", &worst_first(report.findings.iter().filter(is_known)));
    let is_exempted = |finding: &&Finding| finding.exemption.is_some();
    collapsed(&mut page, "Exempted", &worst_first(report.findings.iter().filter(is_exempted)));
    page.finish("Not all fits here: `plimsoll check` tells the rest.")
}

/// Findings that are told once, errors first.
pub(super) fn worst_first<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Group<'a>> {
    let mut groups = groups::of(findings);
    groups.sort_by_key(|group| Reverse(group.finding.severity));
    groups
}

/// What is seen first.
pub(super) fn sign(is_bad: bool, is_noted: bool) -> &'static str {
    match (is_bad, is_noted) {
        (true, _) => "❌",
        (false, true) => "⚠️",
        (false, false) => "✅",
    }
}

/// A table of findings, each told once: a row for each name, a column for each severity.
pub(super) fn table(rows: &[(&str, &[Group<'_>])]) -> String {
    let mut out = "| findings | error | warning | info |\n|---|--:|--:|--:|\n".to_owned();
    for (name, groups) in rows {
        let count = |severity| groups.iter().filter(|group| group.finding.severity == severity).count().to_string();
        out.push_str(&format!("| {name} | {} |\n", SEVERITIES.map(count).join(" | ")));
    }
    out
}

/// Findings that refuse nothing, as a list behind their number; nothing where there is none.
pub(super) fn collapsed(page: &mut Page, title: &str, groups: &[Group<'_>]) {
    if groups.is_empty() {
        return;
    }
    page.add(&format!("<details>\n<summary>{title}: {}</summary>\n", plural(groups.len(), "finding")));
    let bullets = groups.iter().map(bullet).map(|line| Piece { full: line.clone(), short: line });
    page.pieces(2, bullets, |more| format!("And {more} more."));
    page.add("</details>\n");
}
