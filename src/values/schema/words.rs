//! Upstream's words for what is wrong with one value.
//!
//! Source: github.com/santhosh-tekuri/jsonschema v6.0.2, `kind/kind.go`, printed by golang.org/x/text in English.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value as Json;

use crate::number;

/// The sentence for an error without causes.
pub(super) fn sentence(kind: &Kind, instance: &Json) -> Option<String> {
    let length = || instance.as_str().map(|text| text.chars().count()).unwrap_or_default();
    let items = || instance.as_array().map(Vec::len).unwrap_or_default();
    let properties = || instance.as_object().map(serde_json::Map::len).unwrap_or_default();
    let count = |name: &str, got: usize, want: u64| format!("{name}: got {}, want {}", whole(got as u64), whole(want));
    let bound = |name: &str, want: &Json| format!("{name}: got {}, want {}", float(instance), float(want));
    Some(match kind {
        Kind::Type { kind } => format!("got {}, want {}", type_of(instance), types(kind)),
        Kind::Constant { expected_value } => match &**expected_value {
            Json::Array(_) | Json::Object(_) => "'const' failed".to_string(),
            value => format!("value must be {}", display(value)),
        },
        Kind::Enum { options } => enumeration(options.as_array().map_or(&[], Vec::as_slice)),
        Kind::FalseSchema => "false schema".to_string(),
        Kind::Format { format } => format!("{} is not valid {format}", display(instance)),
        Kind::AdditionalItems { limit } => {
            format!("last {} additionalItem(s) not allowed", whole(items().saturating_sub(*limit) as u64))
        }
        Kind::AdditionalProperties { unexpected } => {
            let mut names = unexpected.clone();
            names.sort();
            format!("additional properties {} not allowed", list(&names))
        }
        Kind::MinProperties { limit } => count("minProperties", properties(), *limit),
        Kind::MaxProperties { limit } => count("maxProperties", properties(), *limit),
        Kind::MinItems { limit } => count("minItems", items(), *limit),
        Kind::MaxItems { limit } => count("maxItems", items(), *limit),
        Kind::MinLength { limit } => count("minLength", length(), *limit),
        Kind::MaxLength { limit } => count("maxLength", length(), *limit),
        Kind::Minimum { limit } => bound("minimum", limit),
        Kind::Maximum { limit } => bound("maximum", limit),
        Kind::ExclusiveMinimum { limit } => bound("exclusiveMinimum", limit),
        Kind::ExclusiveMaximum { limit } => bound("exclusiveMaximum", limit),
        Kind::MultipleOf { multiple_of } => bound("multipleOf", &(*multiple_of).into()),
        Kind::Pattern { pattern } => format!("{} does not match pattern {}", display(instance), quote(pattern)),
        Kind::UniqueItems => {
            let (first, second) = duplicates(instance.as_array().map_or(&[], Vec::as_slice))?;
            format!("items at {first} and {second} are equal")
        }
        Kind::Not { .. } => "'not' failed".to_string(),
        _ => return None,
    })
}

/// `missing property 'a'`
pub(super) fn missing(names: &[String]) -> String {
    let noun = if names.len() == 1 { "property" } else { "properties" };
    format!("missing {noun} {}", list(names))
}

/// `'a', 'b'`
pub(super) fn list(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}

/// `'it\'s'`
pub(super) fn quote(text: &str) -> String {
    let quoted = format!("{text:?}").replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{}'", &quoted[1..quoted.len() - 1])
}

fn display(value: &Json) -> String {
    match value {
        Json::String(text) => quote(text),
        Json::Array(_) | Json::Object(_) => "value".to_string(),
        Json::Null => "<nil>".to_string(),
        other => other.to_string(),
    }
}

fn enumeration(options: &[Json]) -> String {
    if options.iter().any(|option| option.is_array() || option.is_object()) {
        return "'enum' failed".to_string();
    }
    let of = if options.len() == 1 { "" } else { "one of " };
    format!("value must be {of}{}", options.iter().map(display).collect::<Vec<_>>().join(", "))
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// In upstream's order.
fn types(kind: &TypeKind) -> String {
    let known = ["null", "boolean", "number", "integer", "string", "array", "object"];
    let wanted: Vec<String> = match kind {
        TypeKind::Single(one) => vec![one.to_string()],
        TypeKind::Multiple(set) => set.iter().map(|one| one.to_string()).collect(),
    };
    let sorted: Vec<&str> = known.into_iter().filter(|name| wanted.iter().any(|wanted| wanted == name)).collect();
    sorted.join(" or ")
}

/// The first two items that are equal.
fn duplicates(items: &[Json]) -> Option<(usize, usize)> {
    items.iter().enumerate().find_map(|(i, item)| items[..i].iter().position(|other| other == item).map(|j| (j, i)))
}

/// `70,000`
fn whole(number: u64) -> String {
    group(&number.to_string())
}

/// `70,000.5`, and `1.5×10⁰⁶` where Go would write an exponent.
fn float(number: &Json) -> String {
    let text = number::general(number.as_f64().unwrap_or_default());
    match text.split_once('e') {
        None => match text.split_once('.') {
            None => group(&text),
            Some((whole, fraction)) => format!("{}.{fraction}", group(whole)),
        },
        Some((mantissa, exponent)) => {
            let superscript = |c| match c {
                '-' => Some('⁻'),
                '1' => Some('¹'),
                '2' => Some('²'),
                '3' => Some('³'),
                c => c.to_digit(10).and_then(|digit| char::from_u32('⁰' as u32 + digit)),
            };
            format!("{mantissa}×10{}", exponent.chars().filter_map(superscript).collect::<String>())
        }
    }
}

/// Puts a comma between thousands.
fn group(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let mut text = sign.to_string();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
