//! What a schema says of values, as a tree and in upstream's words.
//!
//! Source: github.com/santhosh-tekuri/jsonschema v6.0.2: `validator.go` for what is nested in what, `kind/kind.go` for
//! the words, `output.go` for the layout. Where it goes by Go's random order of maps, keys are sorted here.

use std::collections::BTreeMap;
use std::fmt;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value as Json;

use super::{Problem, words};
use crate::json_schema::{self, tokens};
use crate::value::{Path, Value};

/// All that is wrong with one chart's values.
#[derive(Debug)]
pub(super) struct Report(Vec<Node>);

#[derive(Debug)]
struct Node {
    /// The way to the value.
    at: Vec<String>,
    text: String,
    causes: Vec<Node>,
    kind: NodeKind,
    /// The first key of the value that should not be there.
    surplus: Option<String>,
}

#[derive(Debug, PartialEq)]
enum NodeKind {
    Error,
    /// Several errors of one schema.
    Group,
    /// What a `$ref` led to: not shown where it led to one error.
    Reference,
}

/// One error of the flat list that the validator gives.
struct Flat<'e> {
    error: &'e ValidationError<'e>,
    /// The keywords that led to it, through references.
    keywords: Vec<String>,
    /// The way to the value.
    at: Vec<String>,
}

/// In upstream's order of evaluation.
const KEYWORDS: &[&str] = &[
    "$ref",
    "minProperties",
    "maxProperties",
    "required",
    "dependencies",
    "properties",
    "additionalProperties",
    "propertyNames",
    "dependentSchemas",
    "dependentRequired",
    "minItems",
    "maxItems",
    "uniqueItems",
    "prefixItems",
    "items",
    "additionalItems",
    "contains",
    "minContains",
    "maxContains",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "$recursiveRef",
    "$dynamicRef",
    "not",
    "allOf",
    "anyOf",
    "oneOf",
    "then",
    "else",
    "unevaluatedProperties",
    "unevaluatedItems",
];

/// Where an error stands in the order of its schema's errors: the keyword, the item or the property, the subschema.
type Place = (usize, usize, String, String);

impl Report {
    /// `schema` and `values` are those that were checked.
    pub(super) fn new(schema: &Json, values: &Json, errors: &[ValidationError]) -> Self {
        let flats: Vec<Flat> = errors.iter().map(Flat::new).collect();
        let node = Explain { schema, values }.level(&flats.iter().collect::<Vec<_>>(), 0, 0);
        Self(match node {
            Some(node) if node.kind == NodeKind::Group => node.causes,
            node => node.into_iter().collect(),
        })
    }

    /// The innermost errors.
    pub(super) fn problems(&self, values: &Value, from: &Path) -> Vec<Problem> {
        fn leaves<'n>(nodes: &'n [Node], found: &mut Vec<&'n Node>) {
            for node in nodes {
                // The branches of anyOf and oneOf contradict each other: their parent says enough.
                if node.causes.is_empty() || node.text.starts_with("'anyOf'") || node.text.starts_with("'oneOf'") {
                    found.push(node);
                } else {
                    leaves(&node.causes, found);
                }
            }
        }
        let mut found = Vec::new();
        leaves(&self.0, &mut found);
        found
            .into_iter()
            .map(|node| {
                let path = from.join(&json_schema::path(&node.at, values));
                let path = node.surplus.as_ref().map_or_else(|| path.clone(), |key| path.key(key.as_str()));
                Problem { path, message: node.text.clone() }
            })
            .collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        self.0.iter().for_each(|node| node.lines(0, &mut lines));
        f.write_str(&lines.join("\n"))
    }
}

impl Node {
    fn new(at: &[String], text: impl Into<String>) -> Self {
        Self { at: at.to_vec(), text: text.into(), causes: Vec::new(), kind: NodeKind::Error, surplus: None }
    }

    fn because(self, causes: Vec<Node>) -> Self {
        Self { causes, ..self }
    }

    /// The same for a value that is part of another.
    fn moved(self, at: &[String]) -> Self {
        let causes = self.causes.into_iter().map(|cause| cause.moved(at)).collect();
        Self { at: [at, &self.at].concat(), causes, ..self }
    }

    fn lines(&self, indent: usize, lines: &mut Vec<String>) {
        let shown = self.kind != NodeKind::Reference || self.causes.len() != 1;
        if shown {
            let pointer: String =
                self.at.iter().map(|token| format!("/{}", token.replace('~', "~0").replace('/', "~1"))).collect();
            lines.push(format!("{}- at {}: {}", "  ".repeat(indent), words::quote(&pointer), self.text));
        }
        self.causes.iter().for_each(|cause| cause.lines(indent + usize::from(shown), lines));
    }
}

impl<'e> Flat<'e> {
    fn new(error: &'e ValidationError<'e>) -> Self {
        Self { error, keywords: tokens(error.evaluation_path().as_str()), at: tokens(error.instance_path().as_str()) }
    }
}

struct Explain<'s> {
    schema: &'s Json,
    values: &'s Json,
}

impl Explain<'_> {
    /// The errors of one schema for one value: those whose keywords begin with the same `base` ones and whose way begins
    /// with the same `depth` tokens.
    fn level(&self, flats: &[&Flat], base: usize, depth: usize) -> Option<Node> {
        let at = &flats.first()?.at[..depth.min(flats.first()?.at.len())];
        if flats.iter().any(|flat| flat.keywords.len() <= base) {
            return Some(Node::new(at, "false schema"));
        }
        // A wrong type, constant or enumeration is all that is said.
        for keyword in ["type", "const", "enum", "format"] {
            let found = flats.iter().find(|flat| flat.keywords.len() == base + 1 && flat.keywords[base] == keyword);
            if let Some(flat) = found {
                return self.leaves(&[flat]).pop();
            }
        }
        let mut places: BTreeMap<Place, Vec<&Flat>> = BTreeMap::new();
        for flat in flats {
            places.entry(place(flat, base, depth)).or_default().push(flat);
        }
        let mut nodes: Vec<Node> = Vec::new();
        for flats in places.values() {
            nodes.extend(self.keyword(flats, base, depth, at));
        }
        match nodes.len() {
            0 | 1 => nodes.pop(),
            _ => Some(Node { kind: NodeKind::Group, ..Node::new(at, "validation failed").because(nodes) }),
        }
    }

    /// The errors of one keyword, for one property or item where it is about these.
    fn keyword(&self, flats: &[&Flat], base: usize, depth: usize, at: &[String]) -> Vec<Node> {
        let Some(first) = flats.first() else { return Vec::new() };
        let keyword = first.keywords[base].as_str();
        if first.keywords.len() == base + 1 || keyword == "propertyNames" {
            return self.leaves(flats);
        }
        let numbered = first.keywords[base + 1].parse::<usize>().is_ok();
        let node = match keyword {
            "properties" | "patternProperties" | "prefixItems" => self.level(flats, base + 2, depth + 1),
            "items" if numbered => self.level(flats, base + 2, depth + 1),
            "items" | "additionalItems" | "additionalProperties" | "unevaluatedProperties" | "unevaluatedItems" => {
                self.level(flats, base + 1, depth + 1)
            }
            "dependentSchemas" | "dependencies" => self.level(flats, base + 2, depth),
            "allOf" | "anyOf" | "oneOf" => {
                let mut branches: BTreeMap<usize, Vec<&Flat>> = BTreeMap::new();
                for flat in flats {
                    branches.entry(flat.keywords[base + 1].parse().unwrap_or_default()).or_default().push(flat);
                }
                let causes = branches.values().filter_map(|flats| self.level(flats, base + 2, depth)).collect();
                let none = if keyword == "oneOf" { ", none matched" } else { "" };
                Some(Node::new(at, format!("'{keyword}' failed{none}")).because(causes))
            }
            "$ref" | "$dynamicRef" | "$recursiveRef" => self.level(flats, base + 1, depth).map(|node| {
                let causes = if node.kind == NodeKind::Group { node.causes } else { vec![node] };
                Node { kind: NodeKind::Reference, ..Node::new(at, "validation failed").because(causes) }
            }),
            _ => self.level(flats, base + 1, depth),
        };
        node.into_iter().collect()
    }

    /// The errors that have none below them in the flat list.
    fn leaves(&self, flats: &[&Flat]) -> Vec<Node> {
        let Some(Flat { error, keywords, at }) = flats.first() else { return Vec::new() };
        let instance = error.instance();
        let keyword = keywords.last().map_or("", String::as_str);
        let node = |text: String| vec![Node::new(at, text)];
        match error.kind() {
            Kind::Required { .. } => {
                let missing: Vec<String> = flats.iter().filter_map(|flat| required(flat.error)).collect();
                match keyword {
                    "dependencies" | "dependentRequired" => self.dependencies(error, at),
                    _ => node(words::missing(&missing)),
                }
            }
            Kind::AnyOf { context } => {
                vec![Node::new(at, "'anyOf' failed").because(self.branches(context, keywords.len(), at.len()))]
            }
            Kind::OneOfNotValid { context } => {
                let causes = self.branches(context, keywords.len(), at.len());
                vec![Node::new(at, "'oneOf' failed, none matched").because(causes)]
            }
            Kind::OneOfMultipleValid { context } => {
                let mut matched = (0..context.len()).filter(|branch| context[*branch].is_empty());
                let (first, second) = (matched.next().unwrap_or_default(), matched.next().unwrap_or_default());
                node(format!("'oneOf' failed, subschemas {first}, {second} matched"))
            }
            Kind::PropertyNames { .. } => self.property_name(flats),
            Kind::Contains => self.contains(error, keyword, at),
            Kind::UnevaluatedProperties { unexpected } => {
                let names = unexpected.iter().map(|name| (name.clone(), &instance[name]));
                self.unevaluated(error, names, at)
            }
            Kind::UnevaluatedItems { unexpected } => {
                let items = instance.as_array().into_iter().flatten().enumerate();
                let items = items.filter(|(_, item)| unexpected.contains(&item.to_string()));
                self.unevaluated(error, items.map(|(i, item)| (i.to_string(), item)), at)
            }
            Kind::FalseSchema if keyword == "additionalProperties" => {
                let object = self.values.pointer(error.instance_path().as_str()).and_then(Json::as_object);
                let names: Vec<String> = object.into_iter().flatten().map(|(name, _)| name.clone()).collect();
                let text = format!("additional properties {} not allowed", words::list(&names));
                vec![Node { surplus: names.into_iter().next(), ..Node::new(at, text) }]
            }
            Kind::AdditionalProperties { unexpected } => {
                let text = words::sentence(error.kind(), instance).unwrap_or_else(|| error.to_string());
                vec![Node { surplus: unexpected.first().cloned(), ..Node::new(at, text) }]
            }
            kind => node(words::sentence(kind, instance).unwrap_or_else(|| error.to_string())),
        }
    }

    /// The errors of the branches of an `anyOf` or `oneOf`.
    fn branches(&self, context: &[Vec<ValidationError<'static>>], base: usize, depth: usize) -> Vec<Node> {
        let branch = |errors: &Vec<ValidationError<'static>>| {
            let flats: Vec<Flat> = errors.iter().map(Flat::new).collect();
            self.level(&flats.iter().collect::<Vec<_>>(), base + 1, depth)
        };
        context.iter().filter_map(branch).collect()
    }

    /// The errors of one name.
    fn property_name(&self, flats: &[&Flat]) -> Vec<Node> {
        let errors = flats.iter().filter_map(|flat| match flat.error.kind() {
            Kind::PropertyNames { error } => Some(Flat { at: Vec::new(), ..Flat::new(error) }),
            _ => None,
        });
        // Upstream checks the name as a document of its own, so it has no place.
        let inner: Vec<Flat> = errors.collect();
        let (Some(flat), Some(first)) = (flats.first(), inner.first()) else { return Vec::new() };
        let name = first.error.instance().as_str().unwrap_or_default();
        let below = flat.keywords.iter().rposition(|keyword| keyword == "propertyNames").unwrap_or_default() + 1;
        let causes = match self.level(&inner.iter().collect::<Vec<_>>(), below, 0) {
            Some(node) if node.kind == NodeKind::Group => node.causes,
            node => node.into_iter().collect(),
        };
        vec![Node::new(&[], format!("invalid propertyName {}", words::quote(name))).because(causes)]
    }

    /// The errors of parts that no other keyword has looked at.
    fn unevaluated<'v>(
        &self,
        error: &ValidationError,
        parts: impl Iterator<Item = (String, &'v Json)>,
        at: &[String],
    ) -> Vec<Node> {
        let schema = self.schema.pointer(error.schema_path().as_str()).unwrap_or(&Json::Bool(false));
        parts.flat_map(|(name, part)| below(schema, part, &[at, &[name]].concat())).collect()
    }

    /// The array form of `dependencies`, of which the validator only says what is missing.
    fn dependencies(&self, error: &ValidationError, at: &[String]) -> Vec<Node> {
        let wanted = self.schema.pointer(error.schema_path().as_str()).and_then(Json::as_object);
        let node = |(name, wanted): (&String, &Json)| {
            error.instance().get(name)?;
            let missing: Vec<String> = wanted
                .as_array()?
                .iter()
                .filter_map(Json::as_str)
                .filter(|name| error.instance().get(name).is_none())
                .map(String::from)
                .collect();
            let text = format!("properties {} required, if {} exists", words::list(&missing), words::quote(name));
            (!missing.is_empty()).then(|| Node::new(at, text))
        };
        wanted.into_iter().flatten().filter_map(node).collect()
    }

    /// `contains` and its bounds; the validator does not say which items match.
    fn contains(&self, error: &ValidationError, keyword: &str, at: &[String]) -> Vec<Node> {
        let schema_path = error.schema_path();
        let parent = schema_path.as_str().rsplit_once('/').map_or("", |(parent, _)| parent);
        let Some(schema) = self.schema.pointer(parent) else { return Vec::new() };
        let (mut causes, mut matched) = (Vec::new(), Vec::new());
        for (i, item) in error.instance().as_array().into_iter().flatten().enumerate() {
            match below(&schema["contains"], item, &[at, &[i.to_string()]].concat()) {
                nodes if nodes.is_empty() => matched.push(i.to_string()),
                nodes => causes.extend(nodes),
            }
        }
        let found = format!("matched {} items at {}", matched.len(), matched.join(" "));
        let text = match keyword {
            "maxContains" => {
                causes.clear();
                format!("max {} items required to match contains schema, but {found}", schema["maxContains"])
            }
            "minContains" if matched.is_empty() => {
                format!("min {} items required to match contains schema, but none matched", schema["minContains"])
            }
            "minContains" => {
                format!("min {} items required to match contains schema, but {found}", schema["minContains"])
            }
            _ => "no items match contains schema".to_string(),
        };
        vec![Node::new(at, text).because(causes)]
    }
}

/// The errors of a value against a part of a schema, as far as that part stands alone.
fn below(schema: &Json, value: &Json, at: &[String]) -> Vec<Node> {
    let Ok(validator) = super::options().build(schema) else { return Vec::new() };
    let errors: Vec<ValidationError> = validator.iter_errors(value).collect();
    let nodes = Report::new(schema, value, &errors).0;
    nodes.into_iter().map(|node| node.moved(at)).collect()
}

fn required(error: &ValidationError) -> Option<String> {
    match error.kind() {
        Kind::Required { property } => property.as_str().map(String::from),
        _ => None,
    }
}

fn place(flat: &Flat, base: usize, depth: usize) -> Place {
    let keyword = match flat.keywords[base].as_str() {
        "patternProperties" => "properties",
        "additionalProperties" if flat.keywords.len() > base + 1 => "properties",
        keyword => keyword,
    };
    let rank = KEYWORDS.iter().position(|known| *known == keyword).unwrap_or(KEYWORDS.len());
    let about_parts =
        ["properties", "prefixItems", "items", "additionalItems", "unevaluatedProperties", "unevaluatedItems"];
    let part = match (flat.at.get(depth), flat.error.kind()) {
        (Some(part), _) if about_parts.contains(&keyword) => part.as_str(),
        (_, Kind::PropertyNames { error }) => error.instance().as_str().unwrap_or_default(),
        _ => "",
    };
    let subschema = match keyword {
        "properties" | "dependentSchemas" | "dependencies" => flat.keywords[base..].iter().take(2).cloned().collect(),
        _ => keyword.to_string(),
    };
    (rank, part.parse().unwrap_or_default(), part.to_string(), subschema)
}
