//! What the comments of a values.yaml say of its keys, in the forms of helm-docs, Bitnami's readme-generator, the
//! programs that read `@schema`, and people.

mod annotation;
mod bitnami;
mod helm_docs;
mod plain;

use std::collections::HashMap;
use std::sync::Arc;

use super::types::Types;
use crate::source::{Location, SourceFile};
use crate::value::{Path, Step};
use crate::yaml::Entry;

pub(super) use annotation::Annotation;
pub(super) use bitnami::Param;

/// What a comment says of a key.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Note {
    /// For people; empty where nothing is said.
    pub description: String,
    /// The types that it names; of words that are none, `None`.
    pub types: Option<Types>,
    /// Whether null is a value too.
    pub nullable: bool,
    /// What the default comes to, in words.
    pub default: Option<String>,
    /// Whether the key is left out of documentation (`@ignored`).
    pub ignored: bool,
    /// Keywords of JSON Schema.
    pub annotation: Option<Annotation>,
}

/// The comments of one file.
pub(super) struct Comments<'t> {
    source: &'t Arc<SourceFile>,
    helm_docs: HashMap<&'t str, Note>,
    /// Keys documented with `@param`, in the order of the file.
    pub params: Vec<Param>,
    by_path: HashMap<String, usize>,
}

/// An annotation that cannot be read: what is wrong with it, and where it is.
pub(super) type Unreadable = (String, Location);

impl<'t> Comments<'t> {
    /// Reads what stands anywhere in a file.
    pub fn new(source: &'t Arc<SourceFile>) -> Self {
        let lines: Vec<&str> = source.text.lines().collect();
        let params = bitnami::params(&lines);
        let by_path = params.iter().enumerate().map(|(i, param)| (param.path.clone(), i)).collect();
        Self { source, helm_docs: helm_docs::anywhere(&lines).into_iter().collect(), params, by_path }
    }

    /// The file.
    pub fn source(&self) -> &'t Arc<SourceFile> {
        self.source
    }

    /// What is said of a key: above it, behind it, and wherever it is named.
    ///
    /// # Errors
    /// An annotation that cannot be read.
    pub fn of(&self, path: &Path, entry: &Entry) -> Result<Note, Unreadable> {
        let mut lines = self.above(entry);
        let behind = self.behind(entry);
        lines.extend(behind.filter(|(_, line)| line.contains(annotation::TAG)));
        let (mut lines, annotation) =
            annotation::take(lines).map_err(|(problem, span)| (problem, Location::new(self.source.clone(), span)))?;
        if lines.is_empty() {
            lines.extend(behind.filter(|(_, line)| !line.contains(annotation::TAG)));
        }
        let lines: Vec<&str> = lines.into_iter().map(|(_, line)| line).collect();
        let here = helm_docs::above(&lines);
        let mut note = here.unwrap_or_else(|| Note { description: plain::description(&lines), ..Note::default() });
        note.ignored = lines.iter().any(|line| line.contains("@ignore"));
        note.annotation = annotation;
        let param = self.by_path.get(&bitnami_path(path)).and_then(|at| self.params.get(*at)).map(|param| &param.note);
        for named in [self.helm_docs.get(&*helm_docs_path(path)), param].into_iter().flatten() {
            note.lay(named);
        }
        Ok(note)
    }

    /// The comment lines directly above a key, in its own column.
    fn above(&self, entry: &Entry) -> Vec<(usize, &'t str)> {
        let text: &'t str = &self.source.text;
        let Some(all) = text.get(..entry.key_span.start) else { return Vec::new() };
        let start = all.trim_end_matches([' ', '-']).len();
        let before = &all[start..];
        if start > 0 && !all[..start].ends_with('\n') {
            return Vec::new();
        }
        let indent = before.len() - before.trim_start().len();
        let mut lines = Vec::new();
        let mut end = start;
        while end > 0 {
            let start = line_start(text, end - 1);
            let line = text.get(start..end).unwrap_or_default().trim_end();
            let comment = line.trim_start();
            if !comment.starts_with('#') || line.len() - comment.len() != indent {
                break;
            }
            lines.push((start + indent, comment));
            end = start;
        }
        lines.reverse();
        lines
    }

    /// The comment behind a value on the key's line, or behind the key of what begins below it.
    fn behind(&self, entry: &Entry) -> Option<(usize, &'t str)> {
        let text: &'t str = &self.source.text;
        let (key, value) = (entry.key_span, entry.value.span);
        let is_beside = value.start < value.end && !text.get(key.end..value.start)?.contains('\n');
        if is_beside && text.get(value.start..value.end)?.contains('\n') {
            return None;
        }
        let rest =
            if is_beside { text.get(value.end..)? } else { text.get(key.end..)?.trim_start().strip_prefix(':')? };
        let comment = rest.trim_start_matches([' ', '\t']);
        let is_comment = comment.starts_with('#') && rest.len() > comment.len();
        is_comment.then(|| Some((text.len() - comment.len(), comment.lines().next()?.trim_end())))?
    }
}

/// `a."b.c"[0]`: keys with dots or blanks in quotes.
fn helm_docs_path(path: &Path) -> String {
    joined(path, |key| if key.contains(['.', ' ']) { format!("\"{key}\"") } else { key.to_owned() })
}

/// `a.b.c[0]`, whatever the keys are.
fn bitnami_path(path: &Path) -> String {
    joined(path, str::to_owned)
}

fn joined(path: &Path, key: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    for step in &path.0 {
        match step {
            Step::Key(name) if text.is_empty() => text = key(name),
            Step::Key(name) => text.push_str(&format!(".{}", key(name))),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

impl Note {
    /// Lays what a comment says that names its key over what stands above it.
    fn lay(&mut self, named: &Note) {
        if !named.description.is_empty() {
            self.description = named.description.clone();
        }
        self.types = named.types.or(self.types);
        self.nullable |= named.nullable;
        self.default = named.default.clone().or(self.default.take());
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;
    use crate::yaml::{self, Content};

    /// The descriptions of all keys of a text, in its order.
    fn described(text: &str) -> Vec<(String, String)> {
        fn walk(comments: &Comments, entries: &[Entry], path: &Path, found: &mut Vec<(String, String)>) {
            for entry in entries {
                let path = path.key(entry.key.clone());
                found.push((path.to_string(), comments.of(&path, entry).expect("a note").description));
                if let Content::Mapping(entries) = &entry.value.content {
                    walk(comments, entries, &path, found);
                }
            }
        }
        let source = SourceFile::new("values.yaml", text);
        let outline = yaml::outline(text, Span::new(0, text.len())).expect("YAML");
        let Content::Mapping(entries) = &outline.content else { panic!("no mapping") };
        let mut found = Vec::new();
        walk(&Comments::new(&source), entries, &Path::default(), &mut found);
        found.into_iter().filter(|(_, description)| !description.is_empty()).collect()
    }

    fn check(text: &str, expected: &[(&str, &str)]) {
        let found = described(text);
        let found: Vec<_> = found.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn comments_belong_to_the_key_below_in_the_same_column() {
        check(
            "# Values of a chart.\n\n# One\na:\n  # of nothing\n\n  # Two\n  b: 1\n  #  c: 2\n# Three\nc: {d: 1}\n",
            &[("a", "One"), ("a.b", "Two"), ("c", "Three")],
        );
        check("a: |\n  # text\nb: 1\n", &[]);
        check("a:\n    # deeper\n  b: 1\n", &[]);
    }

    #[test]
    fn comments_can_stand_behind() {
        check(
            "a: 1 # One\nb: # Two\n  c: \"x # no\"\nd: [1] # Three\ne: # Four\nf: |  # no\n  x\n# Five\ng: 1 # no\n",
            &[("a", "One"), ("b", "Two"), ("d", "Three"), ("e", "Four"), ("g", "Five")],
        );
    }

    #[test]
    fn what_names_a_key_goes_before_what_stands_above_it() {
        check(
            "# Plain\na:\n  # -- Docs\n  b: 1\n## @param a.b Param\n# \"x.y\" -- Quoted\nx.y: 1\n# a -- Docs\n",
            &[("a", "Docs"), ("a.b", "Param"), ("[\"x.y\"]", "Quoted")],
        );
    }
}
