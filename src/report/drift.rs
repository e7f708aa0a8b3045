//! Committed manifests that are not what is rendered, as unified diffs.

use std::io::{self, Write};

use super::{Style, printable};
use crate::committed::{Drift, Staleness};
use crate::credential;
use crate::diff::text::unified;

/// The most lines of one file's difference.
const MAX_LINES: usize = 200;

/// The most lines of all.
const MAX_ALL: usize = 2000;

/// The most bytes of a line.
const MAX_LINE: usize = 2000;

/// Lines around a change.
const CONTEXT: usize = 3;

/// Prints each file that is missing, stale or left over, and how many they are. Credentials are hidden: a line in which
/// only they differ is shown as changed, and looks the same on both sides.
pub fn write(drifts: &[Drift], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let paint = |code: &str, text: &str| match style {
        Style::Plain => text.to_owned(),
        Style::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
    };
    let mut left = MAX_ALL;
    let (mut missing, mut stale, mut left_over) = (0, 0, 0);
    let mut is_listing = false;
    for Drift { path, staleness } in drifts {
        let path = line(&path.display().to_string());
        let is_stale = matches!(staleness, Staleness::Stale { .. });
        if is_listing && is_stale {
            writeln!(out)?;
        }
        is_listing = !is_stale;
        match staleness {
            Staleness::Missing { .. } => {
                missing += 1;
                writeln!(out, "{}", paint("1", &format!("{path} is missing")))?;
            }
            Staleness::LeftOver => {
                left_over += 1;
                writeln!(out, "{}", paint("1", &format!("{path} is left over: nothing renders it any more")))?;
            }
            Staleness::Stale { found, expected } => {
                stale += 1;
                writeln!(out, "{}", paint("1", &format!("--- {path}\n+++ {path} (rendered)")))?;
                let lines = masked(found, expected);
                let shown = lines.len().min(MAX_LINES).min(left);
                for line in lines.iter().take(shown) {
                    let code = match line.chars().next() {
                        Some('-') => "31",
                        Some('+') => "32",
                        Some('@') => "36",
                        _ => "0",
                    };
                    writeln!(out, "{}", if code == "0" { line.clone() } else { paint(code, line) })?;
                }
                left -= shown;
                if lines.len() > shown {
                    writeln!(out, "… {} more lines of this difference", lines.len() - shown)?;
                }
                writeln!(out)?;
            }
        }
    }
    if is_listing {
        writeln!(out)?;
    }
    let counts = [(missing, "missing"), (stale, "stale"), (left_over, "left over")];
    let counts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    writeln!(out, "committed manifests are not what is rendered: {}", counts.join(", "))
}

/// The lines of a unified diff, masked and printable.
fn masked(found: &str, expected: &str) -> Vec<String> {
    let difference = unified(found, expected, CONTEXT);
    let (before, after) = (credential::lines(found), credential::lines(expected));
    let (mut before, mut after) = (Lines::new(&before), Lines::new(&after));
    let mut lines = Vec::new();
    for shown in difference.split_terminator('\n') {
        let masked = match shown.as_bytes().first() {
            Some(b'@') => {
                if let Some((old, new)) = starts(shown) {
                    before.seek(old);
                    after.seek(new);
                }
                shown
            }
            Some(b'-') => before.next(),
            Some(b'+') => after.next(),
            Some(b' ') => {
                before.next();
                after.next()
            }
            _ => shown,
        };
        let sign = shown.get(..1).filter(|sign| matches!(*sign, "-" | "+" | " ")).unwrap_or_default();
        lines.push(format!("{sign}{}", line(masked)));
    }
    lines
}

/// Where a hunk begins in both texts: line numbers from 1 on, of `@@ -1,2 +3,4 @@`.
fn starts(header: &str) -> Option<(usize, usize)> {
    let mut ranges = header.strip_prefix("@@ -")?.split(' ');
    let start = |range: Option<&str>| range?.split(',').next()?.trim_start_matches('+').parse().ok();
    Some((start(ranges.next())?, start(ranges.next())?))
}

/// Lines of a text, read forward.
struct Lines<'a> {
    lines: std::str::Split<'a, char>,
    /// The number of the next line.
    next: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { lines: text.split('\n'), next: 1 }
    }

    /// Goes on to a line. A hunk without lines of a text has the number of the line before it.
    fn seek(&mut self, line: usize) {
        while self.next < line {
            self.next();
        }
    }

    fn next(&mut self) -> &'a str {
        self.next += 1;
        self.lines.next().unwrap_or_default()
    }
}

/// A line that a terminal can show.
fn line(text: &str) -> String {
    let end = (0..=text.len().min(MAX_LINE)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    let (shown, rest) = text.split_at(end);
    printable(shown).replace(['\n'], " ") + if rest.is_empty() { "" } else { "…" }
}
