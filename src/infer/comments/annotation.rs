//! `@schema` comments: keywords of JSON Schema that the chart's author gives to a key.
//!
//! Two programs brought them. dadav's helm-schema has a block of YAML between two lines `# @schema`; losisin's
//! helm-values-schema-json has them on one line, above a key or behind its value: `# @schema type:[string, null];
//! minLength:1`.

use std::sync::Arc;

use crate::source::Span;
use crate::value::{Map, Numbers, Value};
use crate::yaml;

/// What begins an annotation.
pub(super) const TAG: &str = "@schema";

/// How values of keywords are read.
const OPTIONS: yaml::Options = yaml::Options { strict: true, numbers: Numbers::Exact };

/// Keywords whose value is the text as it stands: it may begin with what YAML takes for something else.
const TEXTS: [&str; 8] = ["pattern", "title", "description", "$ref", "$id", "format", "$comment", "contentMediaType"];

/// Keywords of JSON Schema and their values.
type Keywords = Vec<(Arc<str>, Value)>;

/// What cannot be read, and where.
type Unreadable = (String, Span);

/// What an annotation says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::infer) struct Annotation {
    /// The keywords, each once.
    pub keywords: Keywords,
    /// Whether the key must be there (`required: true`).
    pub required: bool,
    /// Where it was written.
    pub span: Span,
}

/// A comment line of values.yaml, without its indentation and line break.
pub(super) type Line<'t> = (usize, &'t str);

/// Takes the annotations out of the comment lines above a key.
///
/// # Errors
/// What cannot be read, with its place.
pub(super) fn take<'t>(lines: Vec<Line<'t>>) -> Result<(Vec<Line<'t>>, Option<Annotation>), Unreadable> {
    let mut rest = Vec::with_capacity(lines.len());
    let mut found: Option<Annotation> = None;
    let mut block: Option<(Span, String)> = None;
    let mut root = false;
    for (at, line) in lines {
        let span = Span::new(at, at + line.len());
        let text = line.trim_start_matches('#');
        match (text.trim().strip_prefix(TAG), &mut block) {
            (Some(""), None) => block = Some((span, String::new())),
            (Some(_), Some(_)) => {
                if let Some((span, text)) = block.take() {
                    found.get_or_insert_default().add(read_block(&text, span)?, span);
                }
            }
            (Some(inline), None) if inline.starts_with([' ', '\t', ':']) => {
                found.get_or_insert_default().add(read_inline(inline, span)?, span);
            }
            // Of the whole file: nothing that is inferred for a key.
            (Some(".root"), None) => root = !root,
            (_, None) if root => {}
            (_, None) => rest.push((at, line)),
            (None, Some((_, block))) => {
                block.push_str(text.strip_prefix(' ').unwrap_or(text));
                block.push('\n');
            }
        }
    }
    match block {
        Some((span, _)) => Err((format!("`# {TAG}` begins a block that no second `# {TAG}` ends"), span)),
        None => Ok((rest, found)),
    }
}

fn read_block(text: &str, span: Span) -> Result<Keywords, Unreadable> {
    let map = yaml::parse_map(text, OPTIONS).map_err(|error| (format!("the annotation is no YAML: {error}"), span))?;
    Ok(map.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn read_inline(text: &str, span: Span) -> Result<Keywords, Unreadable> {
    let mut keywords = Vec::new();
    for part in parts(text).into_iter().map(str::trim).filter(|part| !part.is_empty()) {
        let Some((key, value)) = part.split_once(':') else {
            return Err((format!("`{part}` should be a keyword of JSON Schema with its value: `type:string`"), span));
        };
        let (key, value) = (key.trim(), value.trim());
        let value = match TEXTS.contains(&key) {
            true => Value::from(value.trim_matches(['"', '\''])),
            false => yaml::parse(value, OPTIONS)
                .map_err(|error| (format!("the value of `{key}` is no YAML: {error}"), span))?,
        };
        match key {
            "item" => keywords.push(("items".into(), Map::from_iter([("type", value)]).into())),
            "itemEnum" => keywords.push(("items".into(), Map::from_iter([("enum", value)]).into())),
            _ => keywords.push((key.into(), value)),
        }
    }
    Ok(keywords)
}

/// Cuts at semicolons outside of quotes and brackets.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_i32, None);
    for (i, c) in text.char_indices() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('[' | '{' | '(', None) => depth += 1,
            (']' | '}' | ')', None) => depth -= 1,
            (';', None) if depth <= 0 => {
                parts.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

impl Annotation {
    /// Later keywords win.
    fn add(&mut self, keywords: Keywords, span: Span) {
        self.span = span;
        for (key, value) in keywords {
            match (&*key, value) {
                ("required", Value::Bool(required)) => self.required = required,
                // Draft 7 looks at nothing beside a reference.
                ("$ref", value) => self.set("allOf".into(), vec![Map::from_iter([(key, value)]).into()].into()),
                ("type", value) => self.set(key, type_names(&value)),
                (_, value) => self.set(key, value),
            }
        }
    }

    fn set(&mut self, key: Arc<str>, value: Value) {
        match self.keywords.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.keywords.push((key, value)),
        }
    }

    /// The value of a keyword.
    pub fn get(&self, keyword: &str) -> Option<&Value> {
        self.keywords.iter().find(|(key, _)| &**key == keyword).map(|(_, value)| value)
    }
}

/// `null` among types is YAML's null.
fn type_names(value: &Value) -> Value {
    match value {
        Value::Null => "null".into(),
        Value::List(items) => items.iter().map(type_names).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn read(text: &str) -> Result<(String, String), String> {
        let lines = text.lines().map(|line| (0, line)).collect();
        let (rest, found) = take(lines).map_err(|(problem, _)| problem)?;
        let rest: Vec<_> = rest.iter().map(|(_, line)| *line).collect();
        let print =
            |(key, value): &(Arc<str>, Value)| format!("{key}={}", json::to_json_raw(value).unwrap_or_default());
        let found = found.unwrap_or_default();
        let keywords: Vec<_> = found.keywords.iter().map(print).collect();
        Ok((rest.join("|"), keywords.join(" ") + if found.required { " required" } else { "" }))
    }

    #[test]
    fn keywords_stand_on_a_line_or_in_a_block() {
        for (text, rest, keywords) in [
            ("# @schema type:[string, null]; minLength: 1", "", "type=[\"string\",\"null\"] minLength=1"),
            ("# @schema pattern:^[a-z;]+$;required:true", "", "pattern=\"^[a-z;]+$\" required"),
            ("# @schema item: object", "", "items={\"type\":\"object\"}"),
            (
                "# @schema\n# type: integer\n# minimum: 1\n# @schema\n# -- How many",
                "# -- How many",
                "minimum=1 type=\"integer\"",
            ),
            ("# @schema\n# items:\n#   type: string\n# @schema", "", "items={\"type\":\"string\"}"),
            ("# @schema $ref: #/definitions/port", "", "allOf=[{\"$ref\":\"#/definitions/port\"}]"),
            ("# @schema.root\n# title: x\n# @schema.root\n# plain", "# plain", ""),
            ("# @schema type: string\n# @schema maxLength: 3", "", "type=\"string\" maxLength=3"),
        ] {
            assert_eq!(read(text), Ok((rest.to_owned(), keywords.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (text, problem) in [
            ("# @schema\n# type: string", "`# @schema` begins a block that no second `# @schema` ends"),
            ("# @schema string", "`string` should be a keyword of JSON Schema with its value: `type:string`"),
            (
                "# @schema enum:[a",
                "the value of `enum` is no YAML: error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'",
            ),
            (
                "# @schema\n# a: [\n# @schema",
                "the annotation is no YAML: error converting YAML to JSON: yaml: line 1: did not find expected node content",
            ),
        ] {
            assert_eq!(read(text).expect_err(text), problem, "{text}");
        }
    }
}
