//! How values keys that nothing reads, and reads of keys that values lack, are printed; as JSON in the format of
//! schemas/unused.schema.json.

use std::io::{self, Write};

use serde::Serialize;

use super::{Style, printable};
use crate::source::Location;
use crate::usage::{Unused, Usage};

/// The most places of one missing key that text names.
const MAX_PLACES: usize = 3;

/// A format of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: by file, each key with its place.
    #[default]
    Text,
    /// For programs: schemas/unused.schema.json, one document.
    Json,
}

/// Goes up when a field changes its meaning or goes away; new fields do not change it.
const VERSION: u32 = 1;

/// Prints what does not fit together.
pub fn write(unused: &Unused, usage: &Usage, format: Format, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text(unused, usage, style, out),
        Format::Json => json(unused, usage, out),
    }
}

fn text(unused: &Unused, usage: &Usage, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let bold = |text: &str| match style {
        Style::Plain => printable(text),
        Style::Coloured => format!("\x1b[1m{}\x1b[0m", printable(text)),
    };
    let mut last = "";
    for unread in &unused.unread {
        heading(&unread.location, &mut last, &bold, out)?;
        let meant = unread.meant.as_ref().map(|(path, at)| format!("; did you mean `{path}`, which {at} reads?"));
        let misread = unread.misread();
        let misread = misread.map(|(key, read)| format!("; YAML reads the key {key} as {read}: write it in quotes"));
        let said = format!("`{}` is read nowhere{}", unread.path, misread.or(meant).unwrap_or_default());
        line(&unread.location, &said, out)?;
    }
    for missing in &unused.missing {
        let Some((first, others)) = missing.locations.split_first() else { continue };
        heading(first, &mut last, &bold, out)?;
        let places: Vec<String> = others.iter().take(MAX_PLACES).map(Location::to_string).collect();
        let also = match (places.as_slice(), others.len().saturating_sub(MAX_PLACES)) {
            ([], _) => String::new(),
            (places, 0) => format!(" (also {})", places.join(", ")),
            (places, more) => format!(" (also {} and {more} more)", places.join(", ")),
        };
        line(first, &format!("`{}` is read and no values have it{also}", missing.path), out)?;
    }
    if !unused.is_empty() {
        writeln!(out)?;
    }
    for unknown in &usage.unknown {
        writeln!(out, "note: {}: what it reads is not known, and counts as read", printable(unknown))?;
    }
    let (unread, missing) = (unused.unread.len(), unused.missing.len());
    writeln!(out, "{} read nowhere, {} read and not in values", keys(unread), keys(missing))
}

fn heading<'a>(
    at: &'a Location,
    last: &mut &'a str,
    bold: &dyn Fn(&str) -> String,
    out: &mut dyn Write,
) -> io::Result<()> {
    if *last == at.file.name {
        return Ok(());
    }
    if !last.is_empty() {
        writeln!(out)?;
    }
    *last = &at.file.name;
    writeln!(out, "{}", bold(last))
}

fn line(at: &Location, said: &str, out: &mut dyn Write) -> io::Result<()> {
    let place = at.position();
    writeln!(out, "  {:<8} {}", format!("{}:{}", place.line, place.column), printable(said))
}

fn keys(count: usize) -> String {
    format!("{count} {}", if count == 1 { "key" } else { "keys" })
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    unread: Vec<Unread<'a>>,
    missing: Vec<Missing<'a>>,
    unknown: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Unread<'a> {
    key: String,
    #[serde(flatten)]
    at: Place<'a>,
    written: Option<&'a str>,
    did_you_mean: Option<Key<'a>>,
}

#[derive(Serialize)]
struct Missing<'a> {
    key: String,
    places: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Key<'a> {
    key: String,
    #[serde(flatten)]
    at: Place<'a>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

impl<'a> From<&'a Location> for Place<'a> {
    fn from(at: &'a Location) -> Self {
        let position = at.position();
        Self { file: &at.file.name, line: position.line, column: position.column }
    }
}

fn json(unused: &Unused, usage: &Usage, out: &mut dyn Write) -> io::Result<()> {
    let unread = unused.unread.iter().map(|unread| Unread {
        key: unread.path.to_string(),
        at: Place::from(&unread.location),
        written: unread.misread().map(|(key, _)| key),
        did_you_mean: unread.meant.as_ref().map(|(key, at)| Key { key: key.to_string(), at: Place::from(at) }),
    });
    let missing = unused.missing.iter().map(|missing| Missing {
        key: missing.path.to_string(),
        places: missing.locations.iter().map(Place::from).collect(),
    });
    let document =
        Document { version: VERSION, unread: unread.collect(), missing: missing.collect(), unknown: &usage.unknown };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
