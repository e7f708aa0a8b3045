//! The words for what is wrong: about this object, and how to mend it.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value as Document;

use super::formats;
use crate::suggest::nearest;
use crate::value::{Path, Step, Value};

/// The most choices or reasons that are listed.
pub(super) const MAX_LISTED: usize = 10;
/// The longest text of an object or a schema that is shown, in characters.
const MAX_SHOWN: usize = 60;
/// The longest path that is shown, in characters.
const MAX_PATH: usize = 160;

/// What YAML reads as booleans where it is not in quotes.
const BOOLEANS: &[&str] = &["true", "false", "yes", "no", "on", "off", "y", "n"];

/// What may have been meant by a field that is unknown.
#[derive(Debug)]
pub(super) enum Hint<'s> {
    /// A field of this name beside it.
    Meant(&'s str),
    /// The field of the same name at this path.
    Elsewhere(String),
    /// The fields that there are.
    Known(&'s [&'s str]),
    None,
}

/// What is said of one object.
#[derive(Debug, Clone)]
pub(super) struct Words<'o> {
    api_version: &'o str,
    kind: &'o str,
}

impl<'o> Words<'o> {
    pub(super) fn new(object: &'o Value) -> Self {
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        Self { api_version: text("apiVersion"), kind: text("kind") }
    }

    /// `a Deployment (apps/v1)`
    fn owner(&self) -> String {
        if self.kind.is_empty() {
            return "this object".to_owned();
        }
        let article = if self.kind.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
        format!("{article} {} ({})", cut(self.kind), cut(self.api_version))
    }

    pub(super) fn unknown_field(&self, path: &Path, hint: &Hint) -> String {
        let hint = match hint {
            _ if matches!(path.0.last(), Some(Step::Key(key)) if matches!(&**key, "true" | "false")) => {
                ": YAML reads the keys on, off, yes, no, y and n as booleans: write it in quotes".to_owned()
            }
            Hint::Meant(name) => format!(": did you mean {}?", code(name)),
            Hint::Elsewhere(place) => format!(": `{place}` is"),
            Hint::Known([one]) => format!(": there is {}", code(one)),
            Hint::Known(known) if (2..=MAX_LISTED).contains(&known.len()) => {
                format!(": there are {}", list(known, "and"))
            }
            Hint::Known(_) | Hint::None => String::new(),
        };
        format!("{} is no field of {}{hint}", field(path), self.owner())
    }

    pub(super) fn missing_field(&self, path: &Path, because: Option<&str>) -> String {
        match because {
            Some(other) => format!("{} is missing: {} needs it", field(path), code(other)),
            None => format!("{} is missing: {} needs it", field(path), self.owner()),
        }
    }

    pub(super) fn needs_one_of(&self, at: &Path, names: &[&str]) -> String {
        let each: Vec<String> = names.iter().map(|name| at.key(*name).to_string()).collect();
        let each: Vec<&str> = each.iter().map(String::as_str).collect();
        format!("{} is missing: {} needs one of them", list(&each, "or"), self.owner())
    }

    pub(super) fn several_forms(&self, at: &Path, together: &[&str]) -> String {
        match together {
            [_, _, ..] => format!("{} has {}: only one of them may be there", field(at), list(together, "and")),
            _ => format!("{} fits several of the forms that it must have just one of", field(at)),
        }
    }

    pub(super) fn no_form(&self, at: &Path, forms: usize, reasons: &[String]) -> String {
        let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; or ")) };
        format!("{} has none of the {forms} forms that it may have{reasons}", field(at))
    }

    pub(super) fn not_null(&self, at: &Path) -> String {
        format!("{} must not be null: give it a value, or leave it out", field(at))
    }

    pub(super) fn repeated(&self, again: &Path, before: &Path) -> String {
        format!("{} is the same as {}: each item may be there once", field(again), field(before))
    }

    pub(super) fn wrong_key(&self, name: &str, error: &ValidationError, schema: Option<&Document>) -> String {
        let schema = schema.and_then(|schema| schema.get("propertyNames"));
        format!("the key {} {}", code(name), must(error.kind(), &name.into(), schema))
    }

    pub(super) fn wrong_type_of_all<'e>(
        &self,
        at: &Path,
        value: &Value,
        kinds: impl Iterator<Item = &'e Kind>,
    ) -> String {
        let mut wanted: Vec<String> = Vec::new();
        for kind in kinds {
            if let Kind::Type { kind } = kind {
                wanted.extend(names(kind));
            }
        }
        wanted.sort();
        wanted.dedup();
        format!("{} must be {}{}", field(at), types(&wanted), self.found(at, value, &wanted))
    }

    pub(super) fn wrong_value(
        &self,
        at: &Path,
        value: &Value,
        error: &ValidationError,
        schema: Option<&Document>,
    ) -> String {
        let kind = error.kind();
        let wanted = match kind {
            Kind::Type { kind } => names(kind),
            _ => Vec::new(),
        };
        format!("{} {}{}", field(at), must(kind, value, schema), self.found(at, value, &wanted))
    }

    /// `, found the string "3": write it without quotes`
    fn found(&self, at: &Path, value: &Value, wanted: &[String]) -> String {
        let hint = hint(value, wanted).map_or_else(String::new, |hint| format!(": {hint}"));
        let found = if self.is_secret(at) { sort_of(value).to_owned() } else { show(value) };
        format!(", found {found}{hint}")
    }

    /// Whether a value is not for everybody's eyes.
    fn is_secret(&self, at: &Path) -> bool {
        let first = |name: &str| matches!(at.0.first(), Some(Step::Key(key)) if &**key == name);
        self.kind == "Secret" && (first("data") || first("stringData"))
    }
}

/// `must be an integer`
fn must(kind: &Kind, value: &Value, schema: Option<&Document>) -> String {
    let format = schema.and_then(|schema| schema.get("format")).and_then(Document::as_str);
    let described = format.and_then(formats::describe);
    let size = |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    match kind {
        Kind::Type { kind } => format!("must be {}", described.map_or_else(|| types(&names(kind)), str::to_owned)),
        Kind::Format { format } => match described {
            Some(what) => format!("must be {what}"),
            None => format!("must be of the format {}", code(format)),
        },
        Kind::Enum { options } => {
            let options = options.as_array().map_or(&[][..], Vec::as_slice);
            let texts: Vec<&str> = options.iter().filter_map(Document::as_str).collect();
            let near = value.as_str().and_then(|wrong| nearest(wrong, texts.iter().copied()));
            match near {
                Some(near) if texts.len() > MAX_LISTED => {
                    format!("must be one of {} values, perhaps {}", texts.len(), code(near))
                }
                _ => format!("must be {}", list_of(options)),
            }
        }
        Kind::Constant { expected_value } => format!("must be {}", document(expected_value)),
        Kind::Pattern { pattern } => format!("must match {}", code(pattern)),
        Kind::Custom { keyword, message } if keyword == "pattern" => format!("must match {}", code(message)),
        Kind::Minimum { .. } | Kind::Maximum { .. } if matches!(format, Some("int32" | "int-or-string")) => {
            "must be an integer of 32 bits".to_owned()
        }
        Kind::Minimum { .. } | Kind::Maximum { .. } if format == Some("int64") => {
            "must be an integer of 64 bits".to_owned()
        }
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("must have at least {}", size(*limit, "character", "characters")),
        Kind::MaxLength { limit } => format!("must have at most {}", size(*limit, "character", "characters")),
        Kind::MinItems { limit } => format!("must have at least {}", size(*limit, "item", "items")),
        Kind::MaxItems { limit } => format!("must have at most {}", size(*limit, "item", "items")),
        Kind::MinProperties { limit } => format!("must have at least {}", size(*limit, "field", "fields")),
        Kind::MaxProperties { limit } => format!("must have at most {}", size(*limit, "field", "fields")),
        Kind::AdditionalItems { limit } => format!("must have at most {}", size(*limit as u64, "item", "items")),
        Kind::Contains => "lacks an item that it must have".to_owned(),
        Kind::FalseSchema => "must not be there".to_owned(),
        Kind::Not { schema } => match schema.get("required").and_then(Document::as_array) {
            Some(names) if schema.as_object().is_some_and(|schema| schema.len() == 1) => {
                let names: Vec<&str> = names.iter().filter_map(Document::as_str).collect();
                format!("must not have {}", list(&names, "and"))
            }
            _ => "has a form that it must not have".to_owned(),
        },
        _ => format!("is not as {} wants it", code(kind.keyword())),
    }
}

/// The names of types, without the null that stands for a field that is left out.
fn names(kind: &TypeKind) -> Vec<String> {
    match kind {
        TypeKind::Single(one) => vec![one.to_string()],
        TypeKind::Multiple(set) => set.iter().map(|one| one.to_string()).filter(|name| name != "null").collect(),
    }
}

/// `an integer or a string`
fn types(names: &[String]) -> String {
    let words = names.iter().map(|name| match name.as_str() {
        "integer" => "an integer",
        "number" => "a number",
        "string" => "a string",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a map",
        _ => "null",
    });
    join(words.map(str::to_owned).collect(), "or")
}

/// How to mend a value of the wrong type, where YAML has made it one.
fn hint(value: &Value, wanted: &[String]) -> Option<&'static str> {
    let [wanted] = wanted else { return None };
    let unquoted = Some("write it without quotes");
    match (value, wanted.as_str()) {
        (Value::Bool(_), "string") => Some("write it in quotes, for YAML reads yes, no, on and off as booleans, too"),
        (Value::Float(_), "string") => Some("write it in quotes, for YAML reads 1.10 as 1.1"),
        (Value::Int(_), "string") => Some("write it in quotes"),
        (Value::String(text), "boolean") if BOOLEANS.contains(&text.to_lowercase().as_str()) => unquoted,
        (Value::String(text), "integer") if text.parse::<i64>().is_ok() => unquoted,
        (Value::String(text), "number") if text.parse::<f64>().is_ok_and(f64::is_finite) => unquoted,
        _ => None,
    }
}

/// `the string "3"`
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
            let sort = sort_of(value).split(' ').next_back().unwrap_or_default();
            format!("the {sort} {}", plain(value))
        }
        Value::String(text) if text.is_empty() => "an empty string".to_owned(),
        Value::String(text) => format!("the string {:?}", cut(text)),
        _ => sort_of(value).to_owned(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => crate::number::json(*value),
        _ => String::new(),
    }
}

fn sort_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing (null)",
        Value::Bool(_) => "a boolean",
        Value::Int(_) => "an integer",
        Value::Float(_) => "a number",
        Value::String(_) => "a string",
        Value::List(items) if items.is_empty() => "an empty list",
        Value::List(_) => "a list",
        Value::Map(map) if map.is_empty() => "an empty map",
        Value::Map(_) => "a map",
    }
}

/// A path as code; one that is very long, from its end.
pub(super) fn field(path: &Path) -> String {
    if path.0.is_empty() {
        return "the object".to_owned();
    }
    let text = path.to_string();
    match text.char_indices().rev().nth(MAX_PATH) {
        Some((at, _)) => format!("`…{}`", text.get(at..).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

fn code(text: &str) -> String {
    format!("`{}`", cut(text))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// `a`, `b` or `c`
fn list(names: &[&str], last: &str) -> String {
    let mut shown: Vec<String> = names.iter().take(MAX_LISTED).map(|name| code(name)).collect();
    if names.len() > MAX_LISTED {
        shown.push(format!("{} more", names.len() - MAX_LISTED));
    }
    join(shown, last)
}

fn list_of(options: &[Document]) -> String {
    let mut shown: Vec<String> = options.iter().take(MAX_LISTED).map(document).collect();
    if options.len() > MAX_LISTED {
        shown.push(format!("one of {} more", options.len() - MAX_LISTED));
    }
    join(shown, "or")
}

fn document(value: &Document) -> String {
    match value {
        Document::String(text) => code(text),
        other => code(&other.to_string()),
    }
}

fn join(mut words: Vec<String>, last: &str) -> String {
    match words.pop() {
        Some(word) if words.is_empty() => word,
        Some(word) => format!("{} {last} {word}", words.join(", ")),
        None => "nothing".to_owned(),
    }
}
