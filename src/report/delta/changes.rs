//! Changes of objects as lines of a diff, and those that are the same in many releases as one.

use std::borrow::Cow;
use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::diff::{Change, FieldChange, ObjectChange, text};
use crate::finding::ObjectRef;
use crate::fingerprint;
use crate::value::{Map, Value};
use crate::{json, yaml};

/// The lines around a change of a text of several lines.
const CONTEXT: usize = 3;

/// The most objects that are named for calling another one by its new name.
const MAX_FOLLOWERS: usize = 3;

/// Releases that change alike, as far as their names do not tell them apart.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    pub releases: Vec<&'a str>,
    /// The changes of the first of them.
    pub changes: Vec<Told<'a>>,
}

/// A change of an object as it is told.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub change: &'a ObjectChange,
    /// What differs: see [`body`].
    pub body: String,
}

impl Told<'_> {
    /// `changed`, `added` or `removed`.
    pub fn verb(&self) -> &'static str {
        match self.change.change {
            Change::Added(_) => "added",
            Change::Removed(_) => "removed",
            Change::Changed { .. } => "changed",
        }
    }

    /// The object; of a Secret without the hash in its name, which is made of what nobody may see.
    pub fn object(&self) -> String {
        let object = &self.change.object;
        let name =
            if object.kind == "Secret" { fingerprint::without_hash(&object.name) } else { (&object.name).into() };
        ObjectRef { name: name.into_owned(), ..object.clone() }.to_string()
    }

    /// What there is to say besides its fields, with names as `name` writes them.
    pub fn notes(&self, name: impl Fn(&str) -> String) -> Vec<String> {
        let Change::Changed { renamed_from, followers, moved_from, fields } = &self.change.change else {
            return Vec::new();
        };
        let is_secret = self.change.object.kind == "Secret";
        let renamed = renamed_from.as_deref().map(|from| match is_secret {
            true => "under another name, as what it holds is other".to_owned(),
            false => format!("was {}", name(from)),
        });
        let moved = moved_from.as_deref().map(|from| format!("was of release {}", name(from)));
        let followers: Vec<String> =
            followers.iter().take(MAX_FOLLOWERS).map(|object| name(&object.to_string())).collect();
        let followed = Some(format!("by its new name in {}", followers.join(", "))).filter(|_| !followers.is_empty());
        let order = fields.iter().any(|field| field.is_order).then(|| "a list has another order".to_owned());
        [renamed, moved, followed, order].into_iter().flatten().collect()
    }
}

/// How many of these are changed, added and removed: `3 changed, 1 added`.
pub(super) fn counted(changes: &[Told<'_>]) -> String {
    let counts =
        ["changed", "added", "removed"].map(|verb| (changes.iter().filter(|told| told.verb() == verb).count(), verb));
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, verb)| format!("{count} {verb}"));
    counts.collect::<Vec<_>>().join(", ")
}

/// Changes by the releases that have them, in the order of the first of each.
pub(super) fn batches(objects: &[ObjectChange]) -> Vec<Batch<'_>> {
    let mut groups: Vec<(Told<'_>, Vec<&str>)> = Vec::new();
    // No group has two changes of one release.
    let mut seen: HashMap<([u8; 32], &str), usize> = HashMap::new();
    let mut known: HashMap<([u8; 32], usize), usize> = HashMap::new();
    for change in objects {
        let body = body(change);
        let key = key(change, &body);
        let number = seen.entry((key, &change.release)).or_default();
        let index = *known.entry((key, *number)).or_insert(groups.len());
        *number += 1;
        match groups.get_mut(index) {
            Some((_, releases)) => releases.push(&change.release),
            None => groups.push((Told { change, body }, vec![&change.release])),
        }
    }
    let mut batches: Vec<Batch<'_>> = Vec::new();
    let mut by_releases: HashMap<Vec<&str>, usize> = HashMap::new();
    for (told, releases) in groups {
        let index = *by_releases.entry(releases.clone()).or_insert(batches.len());
        match batches.get_mut(index) {
            Some(batch) => batch.changes.push(told),
            None => batches.push(Batch { releases, changes: vec![told] }),
        }
    }
    batches
}

/// What is the same in all releases that change alike: the change, with marks for the release's name and namespace.
fn key(change: &ObjectChange, body: &str) -> [u8; 32] {
    let ObjectRef { api_version, kind, namespace, name } = &change.object;
    let (verb, renamed) = match &change.change {
        Change::Added(_) => ("added", None),
        Change::Removed(_) => ("removed", None),
        // By itself the hash in a name says nothing.
        Change::Changed { renamed_from, .. } => ("changed", renamed_from.as_deref().map(fingerprint::without_hash)),
    };
    let name = if renamed.is_some() { fingerprint::without_hash(name) } else { name.into() };
    let mut hash = Sha256::new();
    let parts = [verb, api_version, kind, namespace.as_deref().unwrap_or_default(), &name, body];
    for part in parts {
        let part = without_names(part, &change.release);
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// A text with marks that no text has for the name and the namespace of a release.
fn without_names<'t>(text: &'t str, release: &str) -> Cow<'t, str> {
    let (namespace, name) = release.split_once('/').unwrap_or(("", release));
    let mut text = Cow::Borrowed(text);
    for (word, mark) in [(namespace, "\u{1}"), (name, "\u{2}")] {
        if let Some(replaced) = replace_word(&text, word, mark) {
            text = Cow::Owned(replaced);
        }
    }
    text
}

/// Replaces a word where letters or digits stand neither before nor behind it; nothing where it is not there.
fn replace_word(text: &str, word: &str, mark: &str) -> Option<String> {
    if word.is_empty() {
        return None;
    }
    let (mut out, mut end) = (String::new(), 0);
    for (start, _) in text.match_indices(word) {
        let (before, behind) = (text.get(..start)?, text.get(start + word.len()..)?);
        if !before.ends_with(char::is_alphanumeric) && !behind.starts_with(char::is_alphanumeric) {
            out.push_str(text.get(end..start)?);
            out.push_str(mark);
            end = start + word.len();
        }
    }
    (end > 0).then(|| out + text.get(end..).unwrap_or_default())
}

/// What differs, as lines of a diff: `@@ spec.template.spec.containers[name=web] @@`, then lines that begin with `- `, `+ `
/// or two blanks, or with `! ` where it is hidden what differs. Of an object that is no more there is nothing to be seen.
fn body(change: &ObjectChange) -> String {
    let mut out = String::new();
    match &change.change {
        Change::Added(object) => lines('+', &written(object), &mut out),
        Change::Removed(_) => {}
        Change::Changed { fields, .. } => {
            let mut last = None;
            for field in fields {
                let (parent, entry) = split(&field.path);
                let head = if entry.is_some() { parent } else { field.path.as_str() };
                if last != Some(head) && !head.is_empty() {
                    out.push_str(&format!("@@ {} @@\n", head.replace('\n', " ")));
                }
                last = Some(head);
                one(field, entry.as_deref(), &mut out);
            }
        }
    }
    out
}

/// A field, as an entry of a mapping or an element of a list.
fn one(field: &FieldChange, entry: Option<&str>, out: &mut String) {
    if field.is_secret && field.before == field.after {
        // Both sides look the same: it is hidden in what they differ.
        return out.push_str(&format!("! {}: changed, and hidden\n", entry.unwrap_or("element").replace('\n', " ")));
    }
    if let (Some(Value::String(before)), Some(Value::String(after))) = (&field.before, &field.after)
        && before.lines().ne(after.lines())
        && (before.contains('\n') || after.contains('\n'))
    {
        out.push_str(&entry.map(|entry| format!("  {}: |\n", entry.replace('\n', " "))).unwrap_or_default());
        return between(before, after, out);
    }
    for (sign, value) in [('-', &field.before), ('+', &field.after)] {
        let Some(value) = value else { continue };
        let whole = match entry {
            Some(entry) => [(entry, value.clone())].into_iter().collect::<Map>().into(),
            None => vec![value.clone()].into(),
        };
        lines(sign, &written(&whole), out);
    }
}

/// The lines of a text of several that differ, with those around them.
fn between(before: &str, after: &str, out: &mut String) {
    for (index, line) in text::unified(before, after, CONTEXT).lines().enumerate() {
        match line.split_at_checked(1) {
            Some(("@", _)) if index > 0 => out.push_str("    …\n"),
            // Where a text ends without a line break is of no interest.
            None | Some(("@" | "\\", _)) => {}
            Some((sign, line)) => out.push_str(&format!("{sign}   {line}\n")),
        }
    }
}

fn lines(sign: char, text: &str, out: &mut String) {
    for line in text.lines() {
        out.push(sign);
        out.push(' ');
        out.push_str(line);
        out.push('\n');
    }
}

/// A value as YAML; as JSON what has no YAML, such as control characters.
fn written(value: &Value) -> String {
    yaml::to_yaml(value).or_else(|_| json::to_json_raw(value)).unwrap_or_else(|error| error.to_string())
}

/// A path without its last step, and that step as a key; no key where it is an element of a list.
fn split(path: &str) -> (&str, Option<Cow<'_, str>>) {
    let last = steps(path).pop().unwrap_or_default();
    let parent = path.strip_suffix(last).unwrap_or_default().trim_end_matches('.');
    if !last.starts_with('[') {
        return (parent, Some(Cow::Borrowed(last)));
    }
    let quoted = last.strip_prefix('[').and_then(|text| text.strip_suffix(']')).filter(|text| text.starts_with('"'));
    // As far as keys of manifests go, they are quoted as in JSON.
    let key = quoted.map(|quoted| serde_json::from_str(quoted).map_or(Cow::Borrowed(quoted), Cow::Owned));
    (parent, key)
}

/// The steps of a path as it is written: `spec`, `containers`, `[name=web]`, `["a.b/c"]`.
fn steps(path: &str) -> Vec<&str> {
    let (mut steps, mut start) = (Vec::new(), 0);
    let (mut is_inside, mut is_quoted, mut is_escaped) = (false, false, false);
    let mut end = |start: usize, end: usize| steps.extend(path.get(start..end).filter(|step| !step.is_empty()));
    for (at, c) in path.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' if is_inside => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '[' if !is_inside => {
                end(start, at);
                (start, is_inside) = (at, true);
            }
            ']' if is_inside => {
                end(start, at + 1);
                (start, is_inside) = (at + 1, false);
            }
            '.' if !is_inside => {
                end(start, at);
                start = at + 1;
            }
            _ => {}
        }
    }
    end(start, path.len());
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        yaml::parse(text, yaml::Options::default()).expect("YAML")
    }

    fn change(release: &str, change: Change) -> ObjectChange {
        let (namespace, name) = release.split_once('/').expect("a label");
        let object = ObjectRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: Some(namespace.into()),
            name: name.into(),
        };
        ObjectChange { release: release.into(), object, change }
    }

    fn field(path: &str, before: Option<Value>, after: Option<Value>) -> Change {
        Change::Changed {
            renamed_from: None,
            followers: Vec::new(),
            moved_from: None,
            fields: vec![FieldChange { path: path.into(), before, after, is_order: false, is_secret: false }],
        }
    }

    #[test]
    fn paths_end_with_a_key_or_an_element() {
        for (path, parent, entry) in [
            ("spec.containers[name=web].image", "spec.containers[name=web]", Some("image")),
            ("metadata.annotations[\"a.b/c[d]\"]", "metadata.annotations", Some("a.b/c[d]")),
            ("spec.args[1]", "spec.args", None),
            ("data", "", Some("data")),
            ("", "", Some("")),
            ("a[\"x", "a", None),
        ] {
            assert_eq!(split(path), (parent, entry.map(Cow::Borrowed)), "{path}");
        }
        assert_eq!(steps("a[b=c.d][\"e\\\"]f\"].g"), ["a", "[b=c.d]", "[\"e\\\"]f\"]", "g"]);
    }

    #[test]
    fn fields_are_lines_of_a_diff() {
        for (change, expected) in [
            (
                field("spec.containers[name=web].image", Some("a".into()), Some("b".into())),
                "@@ spec.containers[name=web] @@\n- image: a\n+ image: b\n",
            ),
            (
                field("spec.containers[name=side]", None, Some(value("{name: side, image: x}"))),
                "@@ spec.containers[name=side] @@\n+ - image: x\n+   name: side\n",
            ),
            (
                field("data[\"a.conf\"]", Some("x\ny\n".into()), Some("x\nz\n".into())),
                "@@ data @@\n  a.conf: |\n    x\n-   y\n+   z\n",
            ),
            (
                Change::Changed {
                    renamed_from: None,
                    followers: Vec::new(),
                    moved_from: None,
                    fields: vec![FieldChange {
                        path: "data.token".into(),
                        before: Some("***".into()),
                        after: Some("***".into()),
                        is_order: false,
                        is_secret: true,
                    }],
                },
                "@@ data @@\n! token: changed, and hidden\n",
            ),
            (field("data.x", Some("a\n".into()), Some("a".into())), "@@ data @@\n- x: |\n-   a\n+ x: a\n"),
            (field("kind", Some(Value::Null), Some(Value::Int(1))), "- kind: null\n+ kind: 1\n"),
            (Change::Added(value("{kind: Job, data: {a: x}}")), "+ data:\n+   a: x\n+ kind: Job\n"),
            (Change::Removed(value("{kind: Secret}")), ""),
        ] {
            assert_eq!(body(&self::change("alice/web", change)), expected);
        }
    }

    #[test]
    fn releases_that_change_alike_are_one() {
        let image = |release: &str, to: &str| change(release, field("spec.image", Some("a".into()), Some(to.into())));
        let host = |release: &str| {
            let name = release.split_once('/').expect("a label").0;
            change(release, field("spec.host", Some("x".into()), Some(format!("{name}.example.com").into())))
        };
        let objects = ["alice/web", "bob/web", "cara/web"].map(|release| [image(release, "b"), host(release)]);
        let mut objects: Vec<ObjectChange> = objects.into_iter().flatten().collect();
        objects.push(image("dora/web", "c"));
        objects.push(host("dora/web"));
        let batches: Vec<_> = batches(&objects)
            .into_iter()
            .map(|batch| (batch.releases, batch.changes.into_iter().map(|told| told.body).collect::<String>()))
            .collect();
        assert_eq!(
            batches,
            [
                (vec!["alice/web", "bob/web", "cara/web"], "@@ spec @@\n- image: a\n+ image: b\n".to_owned()),
                (
                    vec!["alice/web", "bob/web", "cara/web", "dora/web"],
                    "@@ spec @@\n- host: x\n+ host: alice.example.com\n".to_owned()
                ),
                (vec!["dora/web"], "@@ spec @@\n- image: a\n+ image: c\n".to_owned()),
            ]
        );
    }
}
