//! Patterns for fields, as exemptions are scoped with them.

use std::fmt;

use crate::value::{Path, Step, Value};

/// The most segments of a pattern.
const MAX_SEGMENTS: usize = 64;

/// Names a field and all below it: `spec.template.spec.containers[name=dind].securityContext`.
///
/// A segment is a key, an index, `*` or `[*]` for any of them, `["a.b/c"]` for a key that is no plain word, or
/// `[key=value]` for the elements of a list that have this value, as their places change more often than their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPattern {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Step(Step),
    Any,
    Having(String, String),
}

impl FieldPattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if segments.len() == MAX_SEGMENTS {
                return Err(format!("has more than {MAX_SEGMENTS} segments"));
            }
            let segment;
            (segment, rest) = match rest.strip_prefix('[') {
                Some(inside) => bracket(inside)?,
                None if segments.is_empty() => word(rest)?,
                None => word(rest.strip_prefix('.').ok_or("lacks a dot behind a bracket")?)?,
            };
            segments.push(segment);
        }
        if segments.is_empty() {
            return Err("names no field".into());
        }
        Ok(Self { text: text.to_owned(), segments })
    }

    /// Whether a path of an object leads to the field, or below it.
    pub fn covers(&self, path: &Path, object: &Value) -> bool {
        let mut value = Some(object);
        path.0.len() >= self.segments.len()
            && self.segments.iter().zip(&path.0).all(|(segment, step)| {
                value = match (value, step) {
                    (Some(value), Step::Key(key)) => value.get(key),
                    (Some(value), Step::Index(index)) => value.as_list().and_then(|list| list.get(*index)),
                    (None, _) => None,
                };
                match segment {
                    Segment::Any => true,
                    Segment::Step(wanted) => wanted == step,
                    Segment::Having(key, wanted) => {
                        matches!(step, Step::Index(_))
                            && value.and_then(|value| value.get(key)?.as_str()).is_some_and(|text| text == wanted)
                    }
                }
            })
    }
}

/// The key at the start of a text.
fn word(text: &str) -> Result<(Segment, &str), String> {
    let (word, rest) = text.split_at(text.find(['.', '[']).unwrap_or(text.len()));
    match word {
        "" => Err("has an empty segment".into()),
        "*" => Ok((Segment::Any, rest)),
        word if word.contains([']', '"', '=', '*', ' ']) => {
            Err(format!("has {word:?}: write a key that is no plain word as [\"a.b/c\"]"))
        }
        word => Ok((Segment::Step(Step::Key(word.into())), rest)),
    }
}

/// What stands in brackets, behind the opening one.
fn bracket(text: &str) -> Result<(Segment, &str), String> {
    let open = || "has a bracket that is not closed".to_owned();
    if let Some(quoted) = text.strip_prefix('"') {
        let (key, rest) = quoted.split_once("\"]").ok_or_else(open)?;
        return Ok((Segment::Step(Step::Key(key.into())), rest));
    }
    let (inside, rest) = text.split_once(']').ok_or_else(open)?;
    let segment = match (inside, inside.split_once('=')) {
        ("*", _) => Segment::Any,
        (_, Some((key, value))) if !key.is_empty() && !value.is_empty() => Segment::Having(key.into(), value.into()),
        _ => match inside.parse() {
            Ok(index) => Segment::Step(Step::Index(index)),
            Err(_) => return Err(format!("has [{inside}]: expected an index, *, key=value or a key in quotes")),
        },
    };
    Ok((segment, rest))
}

impl fmt::Display for FieldPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn covers(pattern: &str, path: &Path) -> bool {
        let object = "metadata: {annotations: {a.b/c: x}}\nspec: {containers: [{name: ide}, {name: dind}]}";
        let object = yaml::parse(object, yaml::Options::default()).unwrap();
        FieldPattern::parse(pattern).unwrap().covers(path, &object)
    }

    #[test]
    fn a_field_is_covered_with_all_below_it() {
        let containers = Path::default().key("spec").key("containers");
        let privileged = containers.index(1).key("securityContext").key("privileged");
        for pattern in [
            "spec",
            "spec.containers",
            "spec.containers[1]",
            "spec.containers[*].securityContext",
            "spec.containers.*.securityContext.privileged",
            "*.containers[name=dind].securityContext",
            "[\"spec\"][\"containers\"][1]",
        ] {
            assert!(covers(pattern, &privileged), "{pattern}");
        }
        for pattern in [
            "spec.initContainers",
            "spec.containers[0]",
            "spec.containers[name=ide]",
            "spec.containers[name=dind].securityContext.privileged.more",
            "containers",
            "spec.contain",
            "spec[name=dind]",
        ] {
            assert!(!covers(pattern, &privileged), "{pattern}");
        }
        assert!(covers(
            "metadata.annotations[\"a.b/c\"]",
            &Path::default().key("metadata").key("annotations").key("a.b/c")
        ));
        assert!(!covers("spec.containers[name=dind]", &containers), "a parent is more than its child");
        assert!(!covers("spec.containers[name=dind]", &containers.index(7)), "there is no such element");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (text, wanted) in [
            ("", "names no field"),
            ("a..b", "empty segment"),
            (".a", "empty segment"),
            ("a[", "not closed"),
            ("a[\"b]", "not closed"),
            ("a[0]b", "lacks a dot"),
            ("a[-1]", "expected an index"),
            ("a[name=]", "expected an index"),
            ("a.b*", "no plain word"),
            ("a.b c", "no plain word"),
            (&"a.".repeat(100), "more than 64 segments"),
        ] {
            let error = FieldPattern::parse(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
        assert!(FieldPattern::parse("a.").is_err(), "a trailing dot");
    }
}
