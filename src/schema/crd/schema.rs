//! The schema of a custom resource: `openAPIV3Schema` of a CRD, read and found to be structural.
//!
//! Source: `JSONSchemaProps` of apiextensions.k8s.io/v1, and `validateNestedValueValidation` in apiextensions-apiserver's
//! `pkg/apiserver/schema/validation.go` for what only shows in the text; the rest is in [`structure`](super::structure).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::{Flaw, Node, wrong};
use super::trail::Trail;
use crate::re2;
use crate::value::{Path, Value};

/// A schema; inside `allOf`, `anyOf`, `oneOf` and `not` one that only checks values.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub kind: Option<Kind>,
    pub format: Option<Arc<str>>,
    pub nullable: bool,
    pub default: Option<Value>,
    pub items: Option<Box<Schema>>,
    /// Empty where none are given.
    pub properties: BTreeMap<Arc<str>, Schema>,
    pub additional: Option<Additional>,
    /// `x-kubernetes-preserve-unknown-fields`
    pub preserves: bool,
    /// `x-kubernetes-embedded-resource`
    pub embedded: bool,
    /// `x-kubernetes-int-or-string`
    pub int_or_string: bool,
    /// `x-kubernetes-list-type`
    pub list: ListType,
    /// `x-kubernetes-map-type` is `atomic`
    pub atomic_map: bool,
    pub required: Vec<Arc<str>>,
    pub options: Vec<Value>,
    pub pattern: Option<Arc<str>>,
    /// `maxLength`, `minimum` and the like with their numbers, under the names of JSON Schema.
    pub limits: Vec<(&'static str, Value)>,
    pub all_of: Vec<Schema>,
    pub any_of: Vec<Schema>,
    pub one_of: Vec<Schema>,
    pub not: Option<Box<Schema>>,
    /// `x-kubernetes-validations`
    pub rules: Vec<Rule>,
}

/// `type`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Array,
    Boolean,
    Integer,
    Number,
    Object,
    String,
}

/// `additionalProperties`
#[derive(Debug)]
pub(super) enum Additional {
    /// Anything, or nothing at all
    Any(bool),
    Each(Box<Schema>),
}

/// `x-kubernetes-list-type`
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum ListType {
    /// What is left out is atomic, too.
    #[default]
    Atomic,
    Set,
    /// With the keys of `x-kubernetes-list-map-keys`, unescaped
    Map(Vec<Arc<str>>),
}

/// A rule of `x-kubernetes-validations` as it is written.
#[derive(Debug)]
pub(super) struct Rule {
    pub expression: Arc<str>,
    pub message: Option<Arc<str>>,
    pub message_expression: Option<Arc<str>>,
    pub field_path: Option<Arc<str>>,
    pub optional_old_self: Option<bool>,
    /// Its place in the CRD
    pub path: Path,
}

/// Where a schema stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It says what there is.
    Structure,
    /// It checks values of what another one says there is.
    Check,
    /// The same, first in `allOf`: there an int-or-string may be spelt out.
    FirstCheck,
    /// The same, and may name a type: one of the two of an int-or-string.
    IntOrString,
}

/// Keywords of JSON Schema that CRDs cannot use.
const UNSUPPORTED: [&str; 7] =
    ["$ref", "$schema", "additionalItems", "definitions", "dependencies", "id", "patternProperties"];

/// Keywords with a number, and whether it is a count.
const LIMITS: [(&str, bool); 9] = [
    ("maximum", false),
    ("minimum", false),
    ("multipleOf", false),
    ("maxLength", true),
    ("minLength", true),
    ("maxItems", true),
    ("minItems", true),
    ("maxProperties", true),
    ("minProperties", true),
];

impl Schema {
    /// Reads `openAPIV3Schema`.
    pub fn read(value: &Value, at: &Trail<'_>) -> Result<Self, Flaw> {
        Self::read_as(value, at, Role::Structure)
    }

    fn read_as(value: &Value, at: &Trail<'_>, role: Role) -> Result<Self, Flaw> {
        let node = Node::new(value, at)?;
        if let Some(keyword) = UNSUPPORTED.into_iter().find(|keyword| node.get(keyword).is_some()) {
            return Err(node.flaw(keyword, format!("`{keyword}` is not supported in the schema of a CRD")));
        }
        let schema = Self {
            kind: node.text("type")?.map(|kind| Kind::named(kind, &node)).transpose()?,
            format: node.text("format")?.cloned(),
            nullable: node.flag("nullable")? == Some(true),
            default: node.get("default").cloned(),
            items: read_items(&node, role)?,
            properties: read_properties(&node, role)?,
            additional: read_additional(&node, role)?,
            preserves: read_preserves(&node)?,
            embedded: node.flag("x-kubernetes-embedded-resource")? == Some(true),
            int_or_string: node.flag("x-kubernetes-int-or-string")? == Some(true),
            list: read_list_type(&node)?,
            atomic_map: read_map_type(&node)?,
            required: node.texts("required")?,
            options: node.list("enum")?.to_vec(),
            pattern: read_pattern(&node)?,
            limits: read_limits(&node)?,
            all_of: read_list(&node, "allOf", role)?,
            any_of: read_any_of(&node, role)?,
            one_of: read_list(&node, "oneOf", role)?,
            not: node.get("not").map(|not| Self::read_as(not, &at.key("not"), Role::Check)).transpose()?.map(Box::new),
            rules: super::rule::read(&node)?,
        };
        if node.flag("uniqueItems")? == Some(true) {
            return Err(node.flaw("uniqueItems", "must not be true; use `x-kubernetes-list-type: set`"));
        }
        if role != Role::Structure {
            schema.only_checks(&node, role)?;
        }
        Ok(schema)
    }

    /// Refuses what a schema inside `allOf`, `anyOf`, `oneOf` or `not` cannot say.
    fn only_checks(&self, node: &Node<'_>, role: Role) -> Result<(), Flaw> {
        let said = [
            ("type", self.kind.is_some() && role != Role::IntOrString),
            ("additionalProperties", !matches!(self.additional, None | Some(Additional::Any(false)))),
            ("default", self.default.is_some()),
            ("title", node.text("title")?.is_some()),
            ("description", node.text("description")?.is_some()),
            ("nullable", self.nullable),
            ("x-kubernetes-preserve-unknown-fields", self.preserves),
            ("x-kubernetes-embedded-resource", self.embedded),
            ("x-kubernetes-int-or-string", self.int_or_string),
            ("x-kubernetes-list-map-keys", !node.list("x-kubernetes-list-map-keys")?.is_empty()),
            ("x-kubernetes-list-type", node.get("x-kubernetes-list-type").is_some()),
            ("x-kubernetes-map-type", node.get("x-kubernetes-map-type").is_some()),
            ("x-kubernetes-validations", !self.rules.is_empty()),
        ];
        if let Some((keyword, _)) = said.into_iter().find(|(_, said)| *said) {
            let message = format!("`{keyword}` must not stand inside allOf, anyOf, oneOf or not");
            return Err(node.flaw(keyword, message));
        }
        if self.properties.contains_key("metadata") {
            let properties = node.at.key("properties");
            let message = "`metadata` must not be checked inside allOf, anyOf, oneOf or not";
            return Err(Flaw { path: properties.key("metadata").path(), message: message.into() });
        }
        Ok(())
    }

    /// The schema of a field of an object.
    pub fn field(&self, name: &str) -> Option<&Self> {
        match (self.properties.get(name), &self.additional) {
            (Some(schema), _) => Some(schema),
            (None, Some(Additional::Each(schema))) => Some(schema),
            _ => None,
        }
    }

    /// Whether this is the `anyOf` that an int-or-string may spell out.
    pub fn is_int_or_string_any_of(any_of: &[Self]) -> bool {
        matches!(any_of, [Self { kind: Some(Kind::Integer), .. }, Self { kind: Some(Kind::String), .. }])
    }
}

impl Kind {
    fn named(name: &str, node: &Node<'_>) -> Result<Self, Flaw> {
        Ok(match name {
            "array" => Self::Array,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "object" => Self::Object,
            "string" => Self::String,
            _ => {
                let known = "array, boolean, integer, number, object and string";
                return Err(node.flaw("type", format!("no type is called {name:?}; there are {known}")));
            }
        })
    }

    /// `array`
    pub fn name(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Object => "object",
            Self::String => "string",
        }
    }
}

impl Role {
    /// The role of a schema inside one of this role.
    fn inner(self) -> Self {
        if self == Self::Structure { self } else { Self::Check }
    }
}

fn read_items(node: &Node<'_>, role: Role) -> Result<Option<Box<Schema>>, Flaw> {
    let items = node.get("items").map(|items| Schema::read_as(items, &node.at.key("items"), role.inner()));
    Ok(items.transpose()?.map(Box::new))
}

fn read_properties(node: &Node<'_>, role: Role) -> Result<BTreeMap<Arc<str>, Schema>, Flaw> {
    let at = node.at.key("properties");
    let properties = match node.get("properties") {
        None => return Ok(BTreeMap::new()),
        Some(Value::Map(map)) => map,
        Some(other) => return Err(wrong(&at, "a map", other)),
    };
    let read =
        |(name, value): (&Arc<str>, &Value)| Ok((name.clone(), Schema::read_as(value, &at.key(name), role.inner())?));
    properties.iter().map(read).collect()
}

fn read_additional(node: &Node<'_>, role: Role) -> Result<Option<Additional>, Flaw> {
    let at = node.at.key("additionalProperties");
    match node.get("additionalProperties") {
        None => Ok(None),
        Some(Value::Bool(any)) => Ok(Some(Additional::Any(*any))),
        Some(value @ Value::Map(_)) => Ok(Some(Additional::Each(Box::new(Schema::read_as(value, &at, role.inner())?)))),
        Some(other) => Err(wrong(&at, "a boolean or a map", other)),
    }
}

fn read_preserves(node: &Node<'_>) -> Result<bool, Flaw> {
    match node.flag("x-kubernetes-preserve-unknown-fields")? {
        Some(false) => Err(node.flaw("x-kubernetes-preserve-unknown-fields", "must be true or left out")),
        flag => Ok(flag == Some(true)),
    }
}

fn read_list_type(node: &Node<'_>) -> Result<ListType, Flaw> {
    let keys = node.texts("x-kubernetes-list-map-keys")?;
    let named = node.text("x-kubernetes-list-type")?;
    match named.map(|name| &**name) {
        Some("map") => Ok(ListType::Map(keys)),
        _ if !keys.is_empty() => Err(node.flaw("x-kubernetes-list-map-keys", "needs `x-kubernetes-list-type: map`")),
        None | Some("atomic") => Ok(ListType::Atomic),
        Some("set") => Ok(ListType::Set),
        Some(other) => {
            let message = format!("no list type is called {other:?}; there are atomic, map and set");
            Err(node.flaw("x-kubernetes-list-type", message))
        }
    }
}

fn read_map_type(node: &Node<'_>) -> Result<bool, Flaw> {
    match node.text("x-kubernetes-map-type")?.map(|name| &**name) {
        None => Ok(false),
        Some(name @ ("atomic" | "granular")) => Ok(name == "atomic"),
        Some(other) => {
            let message = format!("no map type is called {other:?}; there are atomic and granular");
            Err(node.flaw("x-kubernetes-map-type", message))
        }
    }
}

fn read_pattern(node: &Node<'_>) -> Result<Option<Arc<str>>, Flaw> {
    let pattern = node.text("pattern")?;
    if let Some(pattern) = pattern {
        re2::translate(pattern.as_bytes()).map_err(|reason| node.flaw("pattern", reason))?;
    }
    Ok(pattern.cloned())
}

fn read_limits(node: &Node<'_>) -> Result<Vec<(&'static str, Value)>, Flaw> {
    let mut limits = Vec::new();
    for (keyword, is_count) in LIMITS {
        let value = match is_count {
            true => node.count(keyword)?.map(Value::Int),
            // The API server holds them as floats, and so can be off by a few where they are large.
            false => node.number(keyword)?.map(|number| match number {
                Value::Int(number) => Value::Int(*number as f64 as i64),
                other => other.clone(),
            }),
        };
        let excludes = match keyword {
            "maximum" => node.flag("exclusiveMaximum")?.filter(|flag| *flag).map(|_| "exclusiveMaximum"),
            "minimum" => node.flag("exclusiveMinimum")?.filter(|flag| *flag).map(|_| "exclusiveMinimum"),
            _ => None,
        };
        limits.extend(value.map(|value| (excludes.unwrap_or(keyword), value)));
    }
    Ok(limits)
}

fn read_list(node: &Node<'_>, keyword: &str, role: Role) -> Result<Vec<Schema>, Flaw> {
    let at = node.at.key(keyword);
    let read = |(i, value): (usize, &Value)| {
        // `allOf: [{anyOf: [{type: integer}, {type: string}]}, …]` is an int-or-string, too.
        let first = role == Role::Structure && keyword == "allOf" && i == 0;
        Schema::read_as(value, &at.index(i), if first { Role::FirstCheck } else { Role::Check })
    };
    node.list(keyword)?.iter().enumerate().map(read).collect()
}

fn read_any_of(node: &Node<'_>, role: Role) -> Result<Vec<Schema>, Flaw> {
    let at = node.at.key("anyOf");
    let list = node.list("anyOf")?;
    let only_type = |value: &Value, wanted: &str| {
        value.as_map().is_some_and(|map| map.len() == 1) && value.get("type").and_then(Value::as_str) == Some(wanted)
    };
    let exempt = matches!(role, Role::Structure | Role::FirstCheck)
        && matches!(list, [integer, string] if only_type(integer, "integer") && only_type(string, "string"));
    let inner = if exempt { Role::IntOrString } else { Role::Check };
    list.iter().enumerate().map(|(i, value)| Schema::read_as(value, &at.index(i), inner)).collect()
}
