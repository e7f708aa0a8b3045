//! For people, on a terminal: everything, however much it is.

use std::io::{self, Write};

use super::{Findings, base, changes, extent, failed, on_side, verdict};
use crate::delta::{AccessChange, Delta, Direction, Side};
use crate::report::groups::{self, Group};
use crate::report::{Style, printable, text};

pub(super) fn write(delta: &Delta, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let findings = Findings::of(delta);
    let mut page = Page { style, out, is_apart: false };
    page.line("1", &verdict(delta, &findings))?;
    page.line("", &format!("compared with {}: {}", base(delta, str::to_owned), extent(delta)))?;
    for side in [Side::After, Side::Before] {
        let failed = failed(delta, Some(side));
        for group in groups::of_faults(&failed) {
            page.heading(&format!("{} {}", releases(&group.releases), on_side(side)))?;
            text::write_fault(&group, style, page.out)?;
            page.is_apart = true;
        }
    }
    if !findings.new.is_empty() {
        page.heading("new findings")?;
        text::write_findings(&findings.new, style, page.out)?;
        page.is_apart = true;
    }
    for (why, groups) in &findings.silenced_by() {
        page.findings(&format!("silenced, not mended: {why}"), "33", "! ", groups)?;
    }
    page.access("what is possible now", delta, Direction::Gained)?;
    page.access("what is possible no more", delta, Direction::Lost)?;
    page.findings("mended findings", "32", "- ", &findings.mended)?;
    page.objects(delta)?;
    if !findings.unchanged.is_empty() {
        page.heading(&format!("unchanged findings: {}", findings.unchanged.len()))?;
    }
    Ok(())
}

struct Page<'o> {
    style: Style,
    out: &'o mut dyn Write,
    /// Whether the last line is blank.
    is_apart: bool,
}

impl Page<'_> {
    /// One line, whatever the chart put into it, in a colour.
    fn line(&mut self, colour: &str, text: &str) -> io::Result<()> {
        let text = printable(text).replace('\n', " ");
        self.is_apart = false;
        match self.style {
            Style::Coloured if !colour.is_empty() => writeln!(self.out, "\u{1b}[{colour}m{text}\u{1b}[0m"),
            _ => writeln!(self.out, "{text}"),
        }
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        if !self.is_apart {
            writeln!(self.out)?;
        }
        self.line("1", text)
    }

    fn findings(&mut self, title: &str, colour: &str, sign: &str, groups: &[Group<'_>]) -> io::Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        self.heading(title)?;
        for group in groups {
            let what = format!("  {sign}{}[{}] {}", group.finding.severity, group.finding.policy, group.sentence());
            self.line(colour, &what)?;
            if let Some(exemption) = &group.finding.exemption {
                self.line("2", &format!("      exempted: {}", text::terms(exemption)))?;
            }
        }
        Ok(())
    }

    fn access(&mut self, title: &str, delta: &Delta, direction: Direction) -> io::Result<()> {
        let changes: Vec<&AccessChange> = delta.access.iter().filter(|change| change.direction == direction).collect();
        if changes.is_empty() {
            return Ok(());
        }
        self.heading(title)?;
        let (sign, colour) = if direction == Direction::Gained { ('+', "31") } else { ('-', "32") };
        for change in changes {
            let names: Vec<&str> = change.releases.iter().map(String::as_str).collect();
            let within = if names.len() > 1 { format!(" (in {})", releases(&names)) } else { String::new() };
            self.line(colour, &format!("  {sign} {} {}{within}", change.subject, change.what))?;
            if let Some(place) = &change.place {
                let at = place.template.first().unwrap_or(&place.rendered);
                self.line("2", &format!("      {at}: {}", place.named))?;
            }
        }
        Ok(())
    }

    fn objects(&mut self, delta: &Delta) -> io::Result<()> {
        for batch in changes::batches(&delta.objects) {
            self.heading(&format!("{}: {}", releases(&batch.releases), changes::counted(&batch.changes)))?;
            for told in &batch.changes {
                self.line("", &format!("  {} {}", told.verb(), told.object()))?;
                for note in told.notes(str::to_owned) {
                    self.line("2", &format!("    {note}"))?;
                }
                for line in told.body.lines() {
                    let colour = match line.as_bytes().first() {
                        Some(b'+') => "32",
                        Some(b'-') => "31",
                        Some(b'@') => "36",
                        Some(b'!') => "33",
                        _ => "",
                    };
                    self.line(colour, &format!("    {line}"))?;
                }
            }
        }
        Ok(())
    }
}

/// `alice/web`, or `100 releases: alice/web, bob/web, cara/web and 97 more`; plain manifests have no name.
fn releases(names: &[&str]) -> String {
    match names {
        [] | [""] => "the manifests".to_owned(),
        [one] => format!("release {one}"),
        many => groups::releases(many),
    }
}
