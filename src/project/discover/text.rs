//! A first project file, for people to go on with.

use std::collections::HashSet;

use super::values_files::label;
use super::{Discovery, Draft};
use crate::report::printable;
use crate::yaml;

const HEAD: &str = "\
# Written by `plimsoll init` from what is in this repository. Look it over, then run `plimsoll check`.
# Names and namespaces are guesses where no comment says which file has them.
version: 1
";

impl Discovery {
    /// The project file. What could not be decided is a comment in it.
    pub fn project_file(&self) -> String {
        let mut text = HEAD.to_owned();
        if !self.notes.is_empty() {
            text.push_str("\n# Left for you to decide:\n");
            self.notes.iter().for_each(|note| text.push_str(&format!("# - {}\n", plain(note))));
        }
        text.push_str("\nreleases:\n");
        let mut known = HashSet::new();
        for draft in &self.releases {
            let mut draft = Draft { name: label(&draft.name), namespace: draft.namespace(), ..draft.clone() };
            let is_known = |draft: &Draft| known.contains(&draft.key());
            if draft.source.is_none() && is_known(&draft) {
                // Charts of one name lie in different folders.
                draft.name = label(&draft.chart);
            }
            let is_first = !draft.name.is_empty() && !is_known(&draft);
            known.insert(draft.key());
            text.push_str(&draft.text(is_first));
        }
        text
    }
}

impl Draft {
    /// What no two releases have in common.
    fn key(&self) -> (String, String, Option<String>) {
        (self.name.clone(), self.namespace.clone(), self.for_each.clone())
    }

    /// An expression, or a text that can be a namespace.
    fn namespace(&self) -> String {
        match self.for_each {
            Some(_) => self.namespace.clone(),
            None => Some(label(&self.namespace)).filter(|name| !name.is_empty()).unwrap_or_else(|| "default".into()),
        }
    }

    /// Its entry; as a comment, where another one has its name.
    fn text(&self, is_first: bool) -> String {
        let mut comments: Vec<String> = self.source.iter().map(|source| format!("from {source}")).collect();
        comments.extend(self.notes.iter().cloned());
        if !is_first {
            comments.push("another release has this name and namespace: give it one of its own".into());
        }
        let list = |key: &str, items: &[String]| match items {
            [] => None,
            items => Some(format!("{key}: [{}]", items.iter().map(|item| scalar(item)).collect::<Vec<_>>().join(", "))),
        };
        let lines = [
            self.for_each.as_ref().map(|glob| format!("forEach: {}", scalar(glob))),
            Some(format!("name: {}", scalar(&self.name))),
            Some(format!("namespace: {}", scalar(&self.namespace))),
            Some(format!("chart: {}", scalar(&self.chart))),
            list("values", &self.values),
            list("set", &self.set),
            list("setString", &self.set_string),
        ];
        let mut text = String::new();
        comments.iter().for_each(|comment| text.push_str(&format!("  # {}\n", plain(comment))));
        for (index, line) in lines.into_iter().flatten().enumerate() {
            let (start, dash) = (if is_first { "  " } else { "  # " }, if index == 0 { "- " } else { "  " });
            text.push_str(&format!("{start}{dash}{line}\n"));
        }
        text
    }
}

/// A text for a comment: one line of it.
fn plain(text: &str) -> String {
    printable(text).replace('\n', " ")
}

/// A text as YAML reads it back: plain only where nothing else could be read.
fn scalar(text: &str) -> String {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c))
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.')
        && yaml::parse(text, yaml::Options::default()).is_ok_and(|value| value.as_str() == Some(text));
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
