//! A picture drawn by ourselves: who on the left, what is reached on the right, curves between them.
//!
//! Both sides keep still under the same input. The right side is put in the order in which the fewest lines cross, as
//! far as means of neighbours tell (Sugiyama's barycentres, a few rounds).

use std::io::{self, Write};

use super::super::xml::escape;
use super::Reach;
use super::picture::{Line, Node, Picture, colour};

/// Sizes in pixels.
const BOX: (f64, f64) = (300.0, 40.0);
const ROW: f64 = 52.0;
const BETWEEN: f64 = 320.0;
const MARGIN: f64 = 24.0;
const LEGEND: f64 = 72.0;
const ROUNDS: usize = 4;
/// The most characters of a line in a box.
const MAX_TEXT: usize = 40;

pub(super) fn write(reach: &Reach<'_, '_>, out: &mut dyn Write) -> io::Result<()> {
    let picture = Picture::new(reach);
    let (left, right) = order(&picture);
    let rows = picture.who.len().max(picture.targets.len()).max(1) as f64;
    let width = 2.0 * (MARGIN + BOX.0) + BETWEEN;
    let height = 2.0 * MARGIN + LEGEND + rows * ROW;
    // The shorter side stands in the middle of the longer one.
    let top = |count: usize| MARGIN + LEGEND + (rows - count as f64) * ROW / 2.0;
    let (left_top, right_top) = (top(picture.who.len()), top(picture.targets.len()));
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">"#
    )?;
    writeln!(out, "<title>Who can read which Secret</title>")?;
    style(&picture.lines, out)?;
    writeln!(out, r#"<rect class="ground" width="{width}" height="{height}"/>"#)?;
    legend(&picture.lines, out)?;
    let row = |positions: &[usize], index: usize| positions.get(index).copied().unwrap_or_default();
    let ends: Vec<(usize, usize)> =
        picture.lines.iter().map(|line| (row(&left, line.who), row(&right, line.target))).collect();
    let from = ports(&ends);
    let to = ports(&ends.iter().map(|(from, to)| (*to, *from)).collect::<Vec<_>>());
    for ((line, from), to) in picture.lines.iter().zip(from).zip(to) {
        curve(line, left_top + from, right_top + to, out)?;
    }
    for (nodes, positions, x, top) in
        [(&picture.who, &left, MARGIN, left_top), (&picture.targets, &right, MARGIN + BOX.0 + BETWEEN, right_top)]
    {
        for (node, position) in nodes.iter().zip(positions) {
            draw(node, x, top + *position as f64 * ROW, out)?;
        }
    }
    writeln!(out, "</svg>")
}

/// The rows of both sides.
fn order(picture: &Picture) -> (Vec<usize>, Vec<usize>) {
    let mut left: Vec<usize> = (0..picture.who.len()).collect();
    let mut right: Vec<usize> = (0..picture.targets.len()).collect();
    for _ in 0..ROUNDS {
        let ends = picture.lines.iter().map(|line| (line.target, line.who));
        right = by_neighbours(&left, &right, ends);
        let ends = picture.lines.iter().map(|line| (line.who, line.target));
        left = by_neighbours(&right, &left, ends);
    }
    (left, right)
}

/// The rows of one side, sorted by the mean of the rows on the other side; ties stay as they were.
fn by_neighbours(fixed: &[usize], rows: &[usize], ends: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let mut sums = vec![(0.0, 0.0); rows.len()];
    for (own, other) in ends {
        if let (Some(sum), Some(row)) = (sums.get_mut(own), fixed.get(other)) {
            *sum = (sum.0 + *row as f64, sum.1 + 1.0);
        }
    }
    let mean = |index: usize| sums.get(index).map_or(0.0, |(sum, count)| sum / f64::max(*count, 1.0));
    let row = |index: usize| rows.get(index).copied().unwrap_or_default();
    let mut indices: Vec<usize> = (0..rows.len()).collect();
    indices.sort_by(|a, b| mean(*a).total_cmp(&mean(*b)).then(row(*a).cmp(&row(*b))));
    let mut sorted = vec![0; rows.len()];
    for (row, index) in indices.into_iter().enumerate() {
        if let Some(place) = sorted.get_mut(index) {
            *place = row;
        }
    }
    sorted
}

/// Where lines leave their boxes, in pixels from the top row: spread over the side, in the order of their other ends.
fn ports(ends: &[(usize, usize)]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ends.len()).collect();
    order.sort_by_key(|index| ends.get(*index).copied());
    let mut ports = vec![0.0; ends.len()];
    for lines in order.chunk_by(|a, b| ends.get(*a).map(|end| end.0) == ends.get(*b).map(|end| end.0)) {
        let gap = (BOX.1 - 12.0) / lines.len().max(4) as f64;
        for (place, index) in lines.iter().enumerate() {
            let offset = (place as f64 - (lines.len() - 1) as f64 / 2.0) * gap;
            if let (Some(port), Some((row, _))) = (ports.get_mut(*index), ends.get(*index)) {
                *port = *row as f64 * ROW + BOX.1 / 2.0 + offset;
            }
        }
    }
    ports
}

/// Light ground, and dark where the reader prefers it.
fn style(lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    let mut rules = (String::new(), String::new());
    for line in lines {
        let (light, dark, _) = colour(line.via);
        let name = line.via.name();
        let rule = |colour| format!(".{name}{{stroke:{colour}}}");
        if !rules.0.contains(&format!(".{name}{{")) {
            rules.0.push_str(&rule(light));
            rules.1.push_str(&rule(dark));
        }
    }
    let base = "text{font-family:ui-sans-serif,system-ui,'Segoe UI',Helvetica,Arial,sans-serif}\
        .line{fill:none;stroke-width:1.6;stroke-opacity:.75}.line:hover{stroke-width:4;stroke-opacity:1}\
        .change{stroke-dasharray:7 3}.use{stroke-dasharray:2 3}.act-as{stroke-dasharray:1 3 7 3}\
        .name{font-size:13px;font-weight:600}.above,.key{font-size:11px}";
    let light = ".ground{fill:#fff}.box{fill:#f8fafc;stroke:#cbd5e1}.name{fill:#0f172a}.above,.key{fill:#475569}";
    let dark = ".ground{fill:#0b1120}.box{fill:#111c33;stroke:#334155}.name{fill:#f1f5f9}.above,.key{fill:#94a3b8}";
    writeln!(out, "<style>{base}{light}{}@media (prefers-color-scheme:dark){{{dark}{}}}</style>", rules.0, rules.1)
}

/// One entry for each colour that is there, and the strokes of what is done.
fn legend(lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    let mut named: Vec<(&str, &str, &str)> = Vec::new();
    for line in lines {
        let entry = ("read", line.via.name(), colour(line.via).2);
        if !named.iter().any(|(.., label)| *label == entry.2) {
            named.push(entry);
        }
    }
    let mut actions: Vec<&str> = lines.iter().map(|line| line.action.name()).collect();
    actions.sort_unstable();
    actions.dedup();
    let actions = actions.into_iter().map(|action| (action, "box", action));
    let mut y = MARGIN;
    for entries in [named, actions.collect()] {
        let mut x = MARGIN;
        for (action, class, label) in entries {
            if x + 40.0 + 6.2 * label.len() as f64 > MARGIN + 2.0 * BOX.0 + BETWEEN {
                (x, y) = (MARGIN, y + 20.0);
            }
            writeln!(out, r#"<path class="line {action} {class}" d="M{x} {y}h26"/>"#)?;
            writeln!(out, r#"<text class="key" x="{}" y="{}">{}</text>"#, x + 32.0, y + 4.0, escape(label))?;
            x += 56.0 + 6.2 * label.len() as f64;
        }
        y += 20.0;
    }
    Ok(())
}

fn curve(line: &Line, from: f64, to: f64, out: &mut dyn Write) -> io::Result<()> {
    let (start, end) = (MARGIN + BOX.0, MARGIN + BOX.0 + BETWEEN);
    let (near, far) = (start + BETWEEN * 0.45, end - BETWEEN * 0.45);
    writeln!(
        out,
        r#"<path class="line {} {}" d="M{start} {from}C{near} {from} {far} {to} {end} {to}"><title>{}</title></path>"#,
        line.action.name(),
        line.via.name(),
        escape(&format!("{}\n{}", line.label(), line.title)),
    )
}

fn draw(node: &Node, x: f64, y: f64, out: &mut dyn Write) -> io::Result<()> {
    let text = |class: &str, text: &str, below: f64| {
        format!(r#"<text class="{class}" x="{}" y="{}">{}</text>"#, x + 12.0, y + below, escape(&shortened(text)))
    };
    writeln!(
        out,
        r#"<g><rect class="box" x="{x}" y="{y}" width="{}" height="{}" rx="8"/>{}{}<title>{}</title></g>"#,
        BOX.0,
        BOX.1,
        text("above", &node.above, 16.0),
        text("name", &node.name, 32.0),
        escape(&format!("{} {}", node.above, node.name)),
    )
}

/// As much of a text as a box has room for.
fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_TEXT {
        return text.to_owned();
    }
    let kept: String = text.chars().take(MAX_TEXT - 1).collect();
    format!("{kept}…")
}
