//! For pull requests: a comment that is never longer than one may be.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::changes::{self, Batch, Told};
use super::{Findings, base, extent, failed, gained, on_side, verdict};
use crate::delta::{AccessChange, AccessKind, Base, Delta, Direction, Side};
use crate::report::groups;
use crate::report::markdown::escape::{code, fence, html_code, prose};
use crate::report::markdown::finding::{Quotes, failure, named, piece};
use crate::report::markdown::page::{Page, Piece};
use crate::report::markdown::{collapsed, sign, table};
use crate::report::summary::plural;

/// By this line a comment is found again, and updated rather than followed by another one.
const MARKER: &str = "<!-- plimsoll diff -->";

/// The most bytes that one entry for releases has of lines, and the most of one object.
const MAX_BATCH: usize = 12_000;
const MAX_BODY: usize = 4_000;

/// The most characters of a line.
const MAX_LINE: usize = 200;

pub(super) fn write(delta: &Delta, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(page(delta).as_bytes())
}

fn page(delta: &Delta) -> String {
    let findings = Findings::of(delta);
    let is_bad = !delta.failed.is_empty() || findings.has_error();
    let sign = sign(is_bad, !findings.new.is_empty() || !findings.silenced.is_empty() || gained(delta) > 0);
    let mut page = Page::new(format!("{MARKER}\n## {sign} plimsoll: {}\n", verdict(delta, &findings)));
    page.add(&format!("Compared with {}: {}.", base(delta, code), extent(delta)));
    for side in [Side::After, Side::Before] {
        let failed = failed(delta, Some(side));
        let groups = groups::of_faults(&failed);
        page.pieces(3, groups.iter().map(|group| failure(group, on_side(side))), |more| {
            format!("And {}.", plural(more, "more fault"))
        });
    }
    let rows = [
        ("new", &*findings.new),
        ("silenced", &*findings.silenced),
        ("mended", &*findings.mended),
        ("unchanged", &*findings.unchanged),
    ];
    if rows.iter().any(|(_, groups)| !groups.is_empty()) {
        page.add(&table(&rows));
    }
    if !findings.new.is_empty() {
        page.add("### New findings");
        let mut quotes = Quotes::default();
        page.pieces(2, findings.new.iter().map(|group| piece(group, &mut quotes)), |more| {
            format!("And {}.", plural(more, "more new finding"))
        });
    }
    for (why, groups) in &findings.silenced_by() {
        collapsed(&mut page, &format!("Silenced {why}"), groups);
    }
    access(&mut page, delta, "### Possible now", Direction::Gained);
    access(&mut page, delta, "### No longer possible", Direction::Lost);
    collapsed(&mut page, "Mended", &findings.mended);
    let batches = changes::batches(&delta.objects);
    if !batches.is_empty() {
        page.add("### Objects");
        page.pieces(1, batches.iter().map(entry), |more| {
            format!("And {} with other changes.", plural(more, "more entry"))
        });
    }
    page.finish(&format!(
        "Not all fits here: {} tells the rest.",
        code(&match &delta.base {
            Base::Revision { name, .. } => format!("plimsoll diff --base {name}"),
            Base::Live { .. } => "plimsoll diff --live".to_owned(),
        })
    ))
}

/// Who can do what now, or no more.
fn access(page: &mut Page, delta: &Delta, title: &str, direction: Direction) {
    let changes: Vec<&AccessChange> = delta.access.iter().filter(|change| change.direction == direction).collect();
    if changes.is_empty() {
        return;
    }
    page.add(title);
    page.pieces(2, changes.into_iter().map(possible), |more| format!("And {more} more."));
}

fn possible(change: &AccessChange) -> Piece {
    let about = match change.kind {
        AccessKind::Secret => "Secrets",
        AccessKind::Rbac => "Rights",
        AccessKind::Exposure => "Exposure",
    };
    let names: Vec<&str> = change.releases.iter().map(String::as_str).collect();
    let among =
        if names.len() > 1 { format!(" · in {} releases: {}", names.len(), named(&names)) } else { String::new() };
    let place = change.place.as_ref().map(|place| {
        let at = place.template.first().unwrap_or(&place.rendered);
        format!(" · {}", code(&format!("{}:{}", at.file.name, at.position().line)))
    });
    let severity = match change.direction {
        Direction::Gained => format!("**{}** ", change.severity),
        Direction::Lost => String::new(),
    };
    let line = format!("- {severity}{about}: {} {}{among}", prose(&change.subject), prose(&change.what));
    Piece { full: format!("{line}{}\n", place.unwrap_or_default()), short: format!("{line}\n") }
}

/// Releases that change alike, collapsed.
fn entry(batch: &Batch<'_>) -> Piece {
    let counted = changes::counted(&batch.changes);
    let (title, list) = match batch.releases.as_slice() {
        [] | [""] => ("Manifests".to_owned(), String::new()),
        [one] => (html_code(one), String::new()),
        [first, others @ ..] => (
            format!("{} and {} alike", html_code(first), plural(others.len(), "other release")),
            format!("The same, but for names, in {}.\n\n", named(others)),
        ),
    };
    let mut full = format!("<details>\n<summary>{title}: {counted}</summary>\n\n{list}");
    let mut left = 0;
    for told in &batch.changes {
        let object = object(told);
        if full.len() + object.len() > MAX_BATCH {
            left += 1;
        } else {
            full.push_str(&object);
        }
    }
    if left > 0 {
        _ = writeln!(full, "And {}.\n", plural(left, "more object"));
    }
    full.push_str("</details>\n");
    let short = match batch.releases.as_slice() {
        [] | [""] => format!("- Manifests: {counted}\n"),
        [one] => format!("- {}: {counted}\n", code(one)),
        many => format!("- {} releases, {}: {counted}\n", many.len(), named(many)),
    };
    Piece { full, short }
}

/// One object, and the lines of it that differ, ending with a blank line.
fn object(told: &Told<'_>) -> String {
    let notes: String = told.notes(code).iter().map(|note| format!(", {note}")).collect();
    let mut out = format!("**{}** {}{notes}\n\n", told.verb(), code(&told.object()));
    let mut lines = String::new();
    let mut rest = told.body.lines();
    for line in rest.by_ref() {
        let end = line.char_indices().nth(MAX_LINE).map_or(line.len(), |(end, _)| end);
        let (line, cut) = line.split_at(end);
        _ = writeln!(lines, "{line}{}", if cut.is_empty() { "" } else { "…" });
        if lines.len() > MAX_BODY {
            break;
        }
    }
    let more = rest.count();
    if more > 0 {
        _ = writeln!(lines, "… {}", plural(more, "more line"));
    }
    if !lines.is_empty() {
        _ = writeln!(out, "{}", fence("diff", &lines));
    }
    out
}
