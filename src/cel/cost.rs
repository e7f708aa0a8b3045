//! What the API server counts for an expression: cel-go's runtime cost (`interpreter/runtimecost.go`, `ext/lists.go`,
//! `ext/sets.go`), and Kubernetes' own for its functions (`apiserver/pkg/cel/library/cost.go`).
//!
//! Known differences, all of them small: where an error is absorbed by `&&`, `||`, `all` or `exists`, cel-go also pays for
//! the calls that passed it on; what `optMap` is called on is not evaluated again if the body does not read it; the `in`
//! of an empty list that is written out is a constant; and an index that is computed is not, after an optional field that
//! is missing.

use super::functions::Style;
use super::tree::{Expr, Kind};
use super::value::{Data, Opaque, Val};

/// What a call costs, of its arguments.
pub type OfCall = fn(&[Val]) -> u64;

/// Functions that are called before there is an object, where they are given a constant.
pub const CONVERSIONS: [&str; 10] =
    ["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"];

/// What a list costs where it is made.
const LIST: u64 = 10;
/// What a map costs where it is made.
const MAP: u64 = 30;

/// What evaluating a node costs, without what is below it and without each field that is selected.
pub fn of_node(kind: &Kind) -> u64 {
    match kind {
        _ if is_constant(kind) => 0,
        Kind::List(_) => LIST,
        Kind::Map(_) => MAP,
        Kind::Select { operand, .. } | Kind::Index { operand, .. } => root(&operand.kind),
        Kind::Global(_) | Kind::Local(_) | Kind::Composed(_) => 1,
        _ => 0,
    }
}

/// cel-go pays once for a name or a value from which fields are selected, and not for a condition's.
fn root(kind: &Kind) -> u64 {
    match kind {
        Kind::Select { operand, .. } | Kind::Index { operand, .. } => root(&operand.kind),
        Kind::Conditional(..) => 0,
        _ => 1,
    }
}

/// Whether cel-go evaluates this as part of what is selected from it.
pub fn is_attribute(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Global(_)
            | Kind::Local(_)
            | Kind::Composed(_)
            | Kind::Select { .. }
            | Kind::Index { .. }
            | Kind::Conditional(..)
    )
}

/// Whether cel-go evaluates this before it knows any object.
pub fn is_constant(kind: &Kind) -> bool {
    match kind {
        Kind::Literal(_) => true,
        Kind::List(elements) => elements.iter().all(|(element, _)| is_constant(&element.kind)),
        Kind::Map(entries) => entries.iter().all(|(key, value, _)| is_constant(&key.kind) && is_constant(&value.kind)),
        _ => false,
    }
}

/// What a call costs. `only` is the one overload that it can be: where types leave more, cel-go counts a single step.
pub fn of_call(name: &str, style: Style, only: Option<&str>, args: &[Expr]) -> OfCall {
    // Of Kubernetes, whatever the overload.
    match name {
        "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" => return |args| traversal(args.first()),
        "url"
        | "lowerAscii"
        | "upperAscii"
        | "substring"
        | "trim"
        | "cidr"
        | "isIP"
        | "isCIDR"
        | "quantity"
        | "isQuantity"
        | "semver"
        | "isSemver"
        | "jsonpatch.escapeKey" => return |args| text(size(args.first())),
        "ip" if style == Style::Global => return |args| text(size(args.first())),
        "replace" | "split" | "ip.isCanonical" => return |args| scaled(size(args.first()), 0.2),
        "join" => return |args| scaled(joined(args), 0.2),
        "find" | "findAll" => return matching,
        "containsIP" => return |args| text(2 * size(args.first())) + parsed(args.get(1)),
        "containsCIDR" => {
            return |args| {
                let prefix = size(args.first());
                text(2 * prefix) + text(prefix) + 1 + parsed(args.get(1))
            };
        }
        "validate" => return validating,
        "_==_" => return |args| if is_opaque(args.first()) { 1 } else { shorter(args) },
        "_!=_" => return shorter,
        "or" | "orValue" => return |_| 0,
        _ if CONVERSIONS.contains(&name) && args.iter().all(|arg| is_constant(&arg.kind)) => return |_| 0,
        _ => {}
    }
    let Some(only) = only else { return |_| 1 };
    let is_of = |kinds: &[&str]| kinds.iter().any(|kind| only.starts_with(&format!("({kind}")));
    match name {
        "startsWith" | "endsWith" | "format" | "strings.quote" => |args| text(size(args.first())),
        "bytes" if is_of(&["string"]) => |args| text(size(args.first())),
        "string" if is_of(&["bytes"]) => |args| text(size(args.first())),
        "@in" if only.contains(", list(") => match args.get(1).map(|list| &list.kind) {
            Some(Kind::List(elements)) if elements.iter().all(|(element, _)| is_hashed(&element.kind)) => |_| 0,
            _ => |args| size(args.get(1)),
        },
        "_<_" | "_<=_" | "_>_" | "_>=_" if is_of(&["string", "bytes"]) => shorter,
        "_+_" if is_of(&["string", "bytes"]) => |args| text(args.iter().map(|arg| size(Some(arg))).sum()),
        "matches" if style == Style::Member => matching,
        "contains" => |args| text(size(args.first())).saturating_mul(text(size(args.get(1)))),
        "slice" => |args| allocating(number(args.get(2)).saturating_sub(number(args.get(1))), 1.0),
        "flatten" => |args| allocating(size(args.first()), args.get(1).map_or(1.0, |_| number(args.get(1)) as f64)),
        "lists.range" => |args| allocating(number(args.first()), 1.0),
        "reverse" => |args| allocating(size(args.first()), 1.0),
        "distinct" | "sort" => |args| {
            let list = args.first().and_then(Val::as_list);
            of_comparing_all(list.map_or(0, |list| list.len()), list.and_then(|list| list.get(0, None)).as_ref())
        },
        "sets.contains" | "sets.intersects" => |args| 1 + size(args.first()).saturating_mul(size(args.get(1))),
        "sets.equivalent" => |args| 1 + size(args.first()).saturating_mul(size(args.get(1))).saturating_mul(2),
        _ => |_| 1,
    }
}

/// What sorting a list costs, or finding what is in it twice.
pub fn of_comparing_all(count: usize, first: Option<&Val>) -> u64 {
    let of_text = matches!(first.map(|first| &first.data), Some(Data::String(_) | Data::Bytes(_)));
    let count = count as u64;
    allocating(count.saturating_mul(count), if of_text { 2.1 } else { 2.0 })
}

/// A call that makes a list.
fn allocating(size: u64, factor: f64) -> u64 {
    ((size as f64 * factor) as u64).saturating_add(1 + LIST)
}

/// What is in a list of constants is looked up, not compared: if it has a hash.
fn is_hashed(kind: &Kind) -> bool {
    let Kind::Literal(value) = kind else { return false };
    matches!(value.data, Data::Null | Data::Bool(_) | Data::Int(_) | Data::Uint(_) | Data::Double(_) | Data::String(_))
}

fn is_opaque(value: Option<&Val>) -> bool {
    matches!(value.map(|value| &value.data), Some(Data::Opaque(_)))
}

fn number(value: Option<&Val>) -> u64 {
    match value.map(|value| &value.data) {
        Some(Data::Int(number)) => u64::try_from(*number).unwrap_or(0),
        _ => 0,
    }
}

/// Characters, elements or entries; one for what has none.
fn size(value: Option<&Val>) -> u64 {
    let size = match value.map(|value| &value.data) {
        Some(Data::String(text)) => text.chars().count(),
        Some(Data::Bytes(bytes)) => bytes.len(),
        Some(Data::List(list)) => list.len(),
        Some(Data::Map(map)) => map.len(),
        Some(Data::Optional(Some(inner))) => return size(Some(inner)),
        Some(Data::Opaque(opaque)) => match &**opaque {
            Opaque::Ip(ip) => {
                if ip.is_ipv4() {
                    4
                } else {
                    16
                }
            }
            Opaque::Cidr(cidr) => cidr.bytes(),
            Opaque::Regex(pattern) => pattern.as_str().chars().count(),
            _ => 1,
        },
        _ => 1,
    };
    size as u64
}

fn scaled(size: u64, factor: f64) -> u64 {
    (size as f64 * factor).ceil() as u64
}

/// Reading a text of this size.
fn text(size: u64) -> u64 {
    scaled(size, 0.1)
}

/// Reading the shorter of two.
fn shorter(args: &[Val]) -> u64 {
    text(args.iter().map(|arg| size(Some(arg))).min().unwrap_or(0))
}

/// Reading a text that stands for an address.
fn parsed(value: Option<&Val>) -> u64 {
    match value.map(|value| &value.data) {
        Some(Data::String(_)) => text(size(value)),
        _ => 0,
    }
}

fn regex(of_text: u64, of_pattern: u64) -> u64 {
    text(1 + of_text).saturating_mul(scaled(of_pattern, 0.25))
}

fn matching(args: &[Val]) -> u64 {
    regex(size(args.first()), size(args.get(1)))
}

fn validating(args: &[Val]) -> u64 {
    match args.first().map(|format| &format.data) {
        Some(Data::Opaque(opaque)) => match &**opaque {
            Opaque::Format(format) => regex(size(args.get(1)), format.pattern_size),
            _ => 1,
        },
        _ => 1,
    }
}

/// The size of what `join` makes.
fn joined(args: &[Val]) -> u64 {
    let Some(list) = args.first().and_then(Val::as_list) else { return 0 };
    let between = args.get(1).map_or(0, |separator| size(Some(separator)));
    let texts: u64 = list.iter(None).map(|item| size(Some(&item))).sum();
    texts.saturating_add(between.saturating_mul((list.len() as u64).saturating_sub(1)))
}

/// What a value takes to be read, with all that is in it.
fn traversal(value: Option<&Val>) -> u64 {
    match value.map(|value| &value.data) {
        Some(Data::String(text)) => (text.len() as f64 * 0.1) as u64,
        Some(Data::Bytes(bytes)) => (bytes.len() as f64 * 0.1) as u64,
        Some(Data::List(list)) => list.iter(None).map(|item| traversal(Some(&item))).sum(),
        Some(Data::Map(map)) => {
            let entries = map.entries(None);
            entries.iter().map(|(key, value)| traversal(Some(key)) + traversal(Some(value))).sum()
        }
        _ => 1,
    }
}
