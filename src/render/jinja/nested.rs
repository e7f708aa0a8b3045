//! The values keys of single lines, where a whole map or list was printed as YAML: `{{ values.resources | toYaml }}`.

use super::session::Session;
use crate::value::{Path, Step, Value};

/// The path with keys in place of indices where it leads into a map: a loop counts the keys of one.
pub fn named(path: Path) -> Path {
    Session::with(|session| {
        let mut named = Path::default();
        for step in &path.0 {
            let key = match (step, session.values.follow(&named)) {
                (Step::Index(index), Some(Value::Map(map))) => map.iter().nth(*index).map(|(key, _)| key.clone()),
                _ => None,
            };
            named.0.push(key.map_or_else(|| step.clone(), Step::Key));
        }
        named
    })
    .unwrap_or(path)
}

/// For each line of a printed map or list that is an entry of it, its offset and the entry's path.
pub fn keys(key: &Path, text: &str) -> Vec<(usize, Path)> {
    Session::with(|session| match session.values.follow(key) {
        Some(Value::Map(_) | Value::List(_)) => entries(&session.values, key, text),
        _ => Vec::new(),
    })
    .unwrap_or_default()
}

fn entries(values: &Value, root: &Path, text: &str) -> Vec<(usize, Path)> {
    let mut found = Vec::new();
    // The collections that are open: the column of their entries, their path, the next index.
    let mut open: Vec<(usize, Path, usize)> = Vec::new();
    let mut last = root.clone();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let mut column = line.len() - line.trim_start_matches(' ').len();
        let mut rest = line.trim();
        let mut path = None;
        while !rest.is_empty() {
            let item = rest.strip_prefix("- ").or_else(|| (rest == "-").then_some(""));
            // A list may stand at its key's own column.
            let is_list = |path: &Path| matches!(values.follow(path), Some(Value::List(_)));
            open.retain(|(other, path, _)| *other < column || (*other == column && (item.is_some() || !is_list(path))));
            if open.last().is_none_or(|(other, path, _)| *other < column || (item.is_some() && !is_list(path))) {
                open.push((column, last.clone(), 0));
            }
            let Some((_, parent, next)) = open.last_mut() else { break };
            let child = match item {
                Some(_) => {
                    *next += 1;
                    parent.index(*next - 1)
                }
                None => match rest.split_once(':') {
                    Some((key, _)) => parent.key(key.trim_matches(['"', '\''])),
                    None => break,
                },
            };
            if values.follow(&child).is_none() {
                break;
            }
            last = child.clone();
            path = Some(child);
            let Some(item) = item else { break };
            column += rest.len() - item.trim_start().len();
            rest = item.trim_start();
        }
        if let Some(path) = path {
            found.push((start, path));
        }
        start += line.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_yaml_are_entries() {
        let text = "\n  a:\n    b: 1\n  l:\n  - x: 1\n    z: |\n      b: no\n  - x: 2\n  \"q/r\": 1\n";
        let options = crate::yaml::Options::default();
        let values = crate::yaml::parse(&format!("v:{text}"), options).unwrap();
        let lines: Vec<String> = entries(&values, &Path::default().key("v"), text)
            .into_iter()
            .map(|(offset, path)| format!("{} {path}", text[offset..].lines().next().unwrap().trim()))
            .collect();
        assert_eq!(
            lines,
            [
                "a: v.a",
                "b: 1 v.a.b",
                "l: v.l",
                "- x: 1 v.l[0].x",
                "z: | v.l[0].z",
                "- x: 2 v.l[1].x",
                "\"q/r\": 1 v[\"q/r\"]"
            ]
        );
    }
}
