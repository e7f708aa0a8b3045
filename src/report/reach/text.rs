//! For people: by target, then by what is done, each way with the lines that make it so.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};

use super::Reach;
use crate::policy::reach::{Action, Edge, Target, TargetKind, Who, words};
use crate::report::{Style, printable};

/// The most of those who read every Secret that are named again under each one.
const MAX_NAMED: usize = 3;

/// The order of targets: Secrets by name, then sets of them, then ServiceAccounts.
type Key<'a> = (TargetKind, bool, Option<&'a str>, Option<&'a str>, String);

pub(super) fn write<'a>(reach: &Reach<'_, 'a>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut groups: BTreeMap<Key<'a>, Vec<&Edge<'a>>> = BTreeMap::new();
    for edge in &reach.edges {
        let Target { kind, namespace, name, .. } = edge.target;
        groups.entry((kind, name.is_none(), namespace, name, words::target(&edge.target))).or_default().push(edge);
    }
    for ((kind, _, namespace, name, title), edges) in &mut groups {
        let note = match (kind, namespace, name) {
            (TargetKind::Secret, Some(namespace), Some(name)) => made(reach, namespace, name),
            _ => String::new(),
        };
        writeln!(out, "{}{}", paint(style, "1", &printable(title)), printable(&note))?;
        edges.sort_by_key(|edge| edge.action);
        for edge in edges.iter() {
            one(reach, edge, style, out)?;
        }
        if *kind == TargetKind::Secret && name.is_some() {
            readers_of_all(reach, *namespace, out)?;
        }
        writeln!(out)?;
    }
    if groups.is_empty() {
        writeln!(out, "nobody reaches a Secret")?;
    }
    for unknown in reach.graph.unknown() {
        let place = reach.place(&unknown.field).map(|place| place.to_string()).unwrap_or_default();
        let role = printable(&format!("{} {}", unknown.kind, unknown.name));
        writeln!(out, "{place}: what {role} grants is not known: it is not in the release")?;
    }
    Ok(())
}

/// What makes a Secret.
fn made<'a>(reach: &Reach<'_, 'a>, namespace: &'a str, name: &'a str) -> String {
    let makers: Vec<&str> = reach.graph.makers(namespace, name).map(|object| object.kind).collect();
    match makers.as_slice() {
        [] => " (not in the release)".to_owned(),
        kinds if kinds.contains(&"Secret") => String::new(),
        kinds => format!(" (made from {})", kinds.join(", ")),
    }
}

fn one<'a>(reach: &Reach<'_, 'a>, edge: &Edge<'a>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (action, colour) = match edge.action {
        Action::Read => ("reads", "33"),
        Action::Change => ("changes", "31"),
        Action::Use if matches!(edge.who, Who::Pods(_)) => ("use", "36"),
        Action::Use => ("uses", "36"),
        Action::ActAs => ("acts as", "35"),
    };
    let keys = match &*edge.target.keys {
        [] => String::new(),
        keys => format!(" {}", keys.join(", ")),
    };
    let who = printable(&words::who(reach.graph, edge.who));
    let how = printable(&format!("{keys}: {}", words::route(&reach.graph.route(edge), edge)));
    writeln!(out, "  {who} {}{how}", paint(style, colour, action))?;
    // Fields of one line stand together.
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for field in reach.graph.evidence(edge) {
        let place = reach.place(field).map(|place| format!("{}:{}", place.file.name, place.position().line));
        let place = format!("{}  {}", place.unwrap_or_default(), words::owner(reach.graph, field.object));
        match lines.last_mut().filter(|(known, _)| *known == place) {
            Some((_, fields)) => fields.push(field.path().to_string()),
            None => lines.push((place, vec![field.path().to_string()])),
        }
    }
    for (place, fields) in lines {
        writeln!(out, "    {}", paint(style, "2", &printable(&format!("{place}: {}", fields.join(", ")))))?;
    }
    Ok(())
}

/// Reminds of those who read this Secret because they read all.
fn readers_of_all<'a>(reach: &Reach<'_, 'a>, namespace: Option<&'a str>, out: &mut dyn Write) -> io::Result<()> {
    let mut known = HashSet::new();
    let readers: Vec<String> = reach
        .edges
        .iter()
        .filter(|edge| {
            let Target { kind, namespace: of, name, .. } = edge.target;
            let covers = kind == TargetKind::Secret && name.is_none() && (of.is_none() || of == namespace);
            covers && edge.action == Action::Read && known.insert(edge.who)
        })
        .map(|edge| words::who(reach.graph, edge.who))
        .collect();
    if let Some((named, more)) = readers.split_at_checked(MAX_NAMED.min(readers.len())).filter(|_| !readers.is_empty())
    {
        let more = if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
        writeln!(out, "  and who reads more than this one: {}{more}", printable(&named.join(", ")))?;
    }
    Ok(())
}

fn paint(style: Style, code: &str, text: &str) -> String {
    match style {
        Style::Plain => text.to_owned(),
        Style::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
    }
}
