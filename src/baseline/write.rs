//! Writing the file: sorted, one entry a line, so that two branches which mend different things merge.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Baseline, Entry, VERSION};
use crate::fingerprint::Fingerprint;

const HEAD: &str = "\
# Findings that were there before plimsoll was: they refuse nothing, new ones do. Made by `plimsoll check
# --write-baseline`; `plimsoll check --update` takes away what is mended.
";

/// Words that YAML takes for something else than text.
const KEYWORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];

pub(super) fn to_yaml(baseline: &Baseline) -> String {
    let mut out = format!("{HEAD}version: {VERSION}\n");
    let mut last = None;
    // What belongs to no release comes first: it is the least of all releases.
    for (key, entry) in &baseline.entries {
        if last != Some(&key.release) {
            out.push_str(match (&last, &key.release) {
                (_, None) => "fleet:\n",
                (None | Some(None), Some(_)) => "releases:\n",
                _ => "",
            });
            if let Some(release) = &key.release {
                _ = writeln!(out, "  {}:", scalar(release));
            }
            last = Some(&key.release);
        }
        line(&mut out, key, entry);
    }
    out
}

fn line(out: &mut String, key: &Fingerprint, entry: &Entry) {
    let indent = if key.release.is_some() { "    " } else { "  " };
    _ = write!(out, "{indent}- {{policy: {}, severity: {}", scalar(&key.policy), entry.severity);
    if let Some(object) = &key.object {
        _ = write!(out, ", object: {}", scalar(object));
    }
    if let Some(field) = &key.field {
        _ = write!(out, ", field: {}", scalar(field));
    }
    if entry.count.get() > 1 {
        _ = write!(out, ", count: {}", entry.count);
    }
    out.push_str("}\n");
}

/// A text as a scalar of YAML's flow style. What a reader of the file would not see is escaped.
fn scalar(text: &str) -> Cow<'_, str> {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '/' | '.' | '-' | '_' | '*');
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(is_inner)
        && !text.ends_with(' ')
        && !KEYWORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is_plain {
        return Cow::Borrowed(text);
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' ' => out.push(c),
            c if c.is_ascii_graphic() || c.is_alphanumeric() => out.push(c),
            c => _ = write!(out, "\\U{:08x}", u32::from(c)),
        }
    }
    out.push('"');
    Cow::Owned(out)
}
