//! For Graphviz.

use std::io::{self, Write};

use super::Reach;
use super::picture::{Picture, colour};

pub(super) fn write(reach: &Reach<'_, '_>, out: &mut dyn Write) -> io::Result<()> {
    let picture = Picture::new(reach);
    writeln!(out, "digraph reach {{")?;
    writeln!(
        out,
        "  rankdir=LR; node [shape=box, style=rounded, fontname=\"sans-serif\"]; edge [fontname=\"sans-serif\"];"
    )?;
    for (side, nodes) in [("w", &picture.who), ("t", &picture.targets)] {
        for (index, node) in nodes.iter().enumerate() {
            let label = format!("{}\n{}", node.above, node.name);
            writeln!(out, "  {side}{index} [label={}];", quote(&label))?;
        }
    }
    for line in &picture.lines {
        let (from, to, colour) = (line.who, line.target, colour(line.via).0);
        let (label, tip) = (quote(&line.label()), quote(&line.title));
        writeln!(out, "  w{from} -> t{to} [label={label}, color=\"{colour}\", tooltip={tip}];")?;
    }
    writeln!(out, "}}")
}

/// A text as DOT quotes it.
fn quote(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{}\"", escaped.chars().filter(|c| !c.is_control()).collect::<String>())
}
