//! Lists.

use super::args::Args;
use super::cast::to_int;
use super::defaults::is_empty;
use super::strings::{find, join};
use super::types::{deep_equal, strval};
use super::walk::Walk;
use super::{Failure, Host, Row, Type};
use crate::render::any::{Any, Elem, List, Map, MapType, Text};
use crate::render::functions::runes;

type Call = fn(&mut dyn Host, &[Any]) -> Result<Any, Failure>;

pub(super) const ROWS: &[Row] = &[
    Row::new("list", &[], list).variadic(Type::Any),
    Row::new("tuple", &[], list).variadic(Type::Any),
    Row::new("append", &[Type::Any, Type::Any], APPEND),
    Row::new("push", &[Type::Any, Type::Any], APPEND),
    Row::new("mustAppend", &[Type::Any, Type::Any], APPEND),
    Row::new("mustPush", &[Type::Any, Type::Any], APPEND),
    Row::new("prepend", &[Type::Any, Type::Any], PREPEND),
    Row::new("mustPrepend", &[Type::Any, Type::Any], PREPEND),
    Row::new("first", &[Type::Any], FIRST),
    Row::new("mustFirst", &[Type::Any], FIRST),
    Row::new("last", &[Type::Any], LAST),
    Row::new("mustLast", &[Type::Any], LAST),
    Row::new("rest", &[Type::Any], REST),
    Row::new("mustRest", &[Type::Any], REST),
    Row::new("initial", &[Type::Any], INITIAL),
    Row::new("mustInitial", &[Type::Any], INITIAL),
    Row::new("reverse", &[Type::Any], REVERSE),
    Row::new("mustReverse", &[Type::Any], REVERSE),
    Row::new("compact", &[Type::Any], COMPACT),
    Row::new("mustCompact", &[Type::Any], COMPACT),
    Row::new("uniq", &[Type::Any], UNIQ),
    Row::new("mustUniq", &[Type::Any], UNIQ),
    Row::new("without", &[Type::Any], without).variadic(Type::Any),
    Row::new("mustWithout", &[Type::Any], without).variadic(Type::Any),
    Row::new("has", &[Type::Any, Type::Any], has),
    Row::new("mustHas", &[Type::Any, Type::Any], has),
    Row::new("slice", &[Type::Any], slice).variadic(Type::Any),
    Row::new("mustSlice", &[Type::Any], slice).variadic(Type::Any),
    Row::new("concat", &[], concat).variadic(Type::Any),
    Row::new("chunk", &[Type::Int, Type::Any], chunk),
    Row::new("mustChunk", &[Type::Int, Type::Any], chunk),
    Row::new("join", &[Type::String, Type::Any], |host, args| {
        join(host, &strings(args.any(1)?)?, args.text(0)?.as_bytes())
    }),
    Row::new("sortAlpha", &[Type::Any], sort_alpha),
    Row::new("toStrings", &[Type::Any], to_strings),
    Row::new("splitList", &[Type::String, Type::String], |_, args| {
        Ok(Any::List(List::strings(split(args.text(0)?.as_bytes(), args.text(1)?.as_bytes(), -1))))
    }),
    Row::new("split", &[Type::String, Type::String], |_, args| {
        Ok(numbered(split(args.text(0)?.as_bytes(), args.text(1)?.as_bytes(), -1)))
    }),
    Row::new("splitn", &[Type::String, Type::Int, Type::String], |_, args| {
        Ok(numbered(split(args.text(0)?.as_bytes(), args.text(2)?.as_bytes(), args.int(1)?)))
    }),
];

fn list(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    Ok(Any::List(List::new(args.to_vec())))
}

/// The elements of a slice of any type. `what` begins the message for anything else.
fn items(value: &Any, what: &str) -> Result<List, Failure> {
    match value {
        Any::List(list) => Ok(list.clone()),
        Any::Bytes(bytes) => Ok(List::of(Elem::Interface, bytes.as_bytes().iter().map(|&b| Any::Uint8(b)))),
        Any::Nil => Err(Failure::new("runtime error: invalid memory address or nil pointer dereference")),
        Any::Object(object) => match object.underlying() {
            Some(inner @ (Any::List(_) | Any::Bytes(_))) => items(&inner, what),
            _ => Err(Failure::new(format!("{what} {}", value.kind()))),
        },
        other => Err(Failure::new(format!("{what} {}", other.kind()))),
    }
}

fn made(items: Vec<Any>) -> Result<Any, Failure> {
    Ok(Any::List(List::new(items)))
}

/// An empty list stays what sprig returns for it: a nil `[]interface {}`.
const NONE: fn() -> Result<Any, Failure> = || Ok(Any::List(List::none(Elem::Interface)));

const APPEND: Call = |host, args| {
    let list = items(args.any(0)?, "Cannot push on type")?;
    host.allocate(list.items.len().saturating_mul(size_of::<Any>()))?;
    made(list.items.iter().chain([args.any(1)?]).cloned().collect())
};

const PREPEND: Call = |host, args| {
    let list = items(args.any(0)?, "Cannot prepend on type")?;
    host.allocate(list.items.len().saturating_mul(size_of::<Any>()))?;
    made([args.any(1)?].into_iter().chain(list.items.iter()).cloned().collect())
};

const FIRST: Call =
    |_, args| Ok(items(args.any(0)?, "Cannot find first on type")?.items.first().cloned().unwrap_or_default());

const LAST: Call =
    |_, args| Ok(items(args.any(0)?, "Cannot find last on type")?.items.last().cloned().unwrap_or_default());

const REST: Call = |_, args| {
    items(args.any(0)?, "Cannot find rest on type")?
        .items
        .split_first()
        .map_or_else(NONE, |(_, rest)| made(rest.to_vec()))
};

const INITIAL: Call = |_, args| {
    items(args.any(0)?, "Cannot find initial on type")?
        .items
        .split_last()
        .map_or_else(NONE, |(_, initial)| made(initial.to_vec()))
};

const REVERSE: Call =
    |_, args| made(items(args.any(0)?, "Cannot find reverse on type")?.items.iter().rev().cloned().collect());

const COMPACT: Call = |_, args| {
    made(items(args.any(0)?, "Cannot compact on type")?.items.iter().filter(|item| !is_empty(item)).cloned().collect())
};

const UNIQ: Call = |_, args| {
    let list = items(args.any(0)?, "Cannot find uniq on type")?;
    let mut walk = Walk::default();
    let mut kept: Vec<Any> = Vec::new();
    for item in list.items.iter() {
        if !contains(&kept, item, &mut walk)? {
            kept.push(item.clone());
        }
    }
    made(kept)
};

/// Whether a list has a value. Each comparison is charged: `uniq` of a long list makes many.
fn contains(list: &[Any], value: &Any, walk: &mut Walk) -> Result<bool, Failure> {
    for item in list {
        walk.charge(1)?;
        if deep_equal(value, item, walk)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn without(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let list = items(args.any(0)?, "Cannot find without on type")?;
    let mut walk = Walk::default();
    let mut kept = Vec::new();
    for item in list.items.iter() {
        if !contains(args.from(1), item, &mut walk)? {
            kept.push(item.clone());
        }
    }
    made(kept)
}

fn has(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    if matches!(args.any(1)?, Any::Nil) {
        return Ok(Any::Bool(false));
    }
    let list = items(args.any(1)?, "Cannot find has on type")?;
    Ok(Any::Bool(contains(&list.items, args.any(0)?, &mut Walk::default())?))
}

fn slice(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let list = items(args.any(0)?, "list should be type of slice or array but")?;
    let length = list.items.len();
    if length == 0 {
        return Ok(Any::Nil);
    }
    let start = args.get(1).map_or(0, to_int);
    let end = args.get(2).map_or(length as i64, to_int);
    let part = usize::try_from(start)
        .ok()
        .zip(usize::try_from(end).ok())
        .and_then(|(start, end)| list.items.get(start..end))
        .ok_or_else(|| Failure::new("reflect.Value.Slice: slice index out of bounds"))?;
    if let Any::Bytes(_) = args.any(0)? {
        let bytes: Vec<u8> = part.iter().map(|item| if let Any::Uint8(b) = item { *b } else { 0 }).collect();
        return Ok(Any::Bytes(bytes.into()));
    }
    Ok(Any::List(List::of(list.of, part.iter().cloned())))
}

fn concat(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let lists = args
        .iter()
        .map(|value| match items(value, "Cannot concat type") {
            Err(failure) if failure.message.starts_with("Cannot") => {
                Err(Failure::new(format!("{} as list", failure.message)))
            }
            other => other,
        })
        .collect::<Result<Vec<_>, _>>()?;
    let total = lists.iter().fold(0_usize, |total, list| total.saturating_add(list.items.len()));
    if total == 0 {
        return NONE();
    }
    host.allocate(total.saturating_mul(size_of::<Any>()))?;
    made(lists.iter().flat_map(|list| list.items.iter().cloned()).collect())
}

fn chunk(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let size = args.int(0)?;
    let list = items(args.any(1)?, "Cannot chunk type")?;
    let length = list.items.len() as i64;
    // sprig's own arithmetic, in floats: a size of zero makes infinitely many chunks, which Go refuses to make.
    let count = super::cast::truncate(((length - 1) as f64 / size as f64).floor() + 1.0);
    if count < 0 || size < 0 && count > 0 && length % size == 0 {
        return Err(Failure::new("runtime error: makeslice: len out of range"));
    }
    host.allocate(usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(size_of::<Any>()))?;
    let size = usize::try_from(size).unwrap_or(1);
    let chunked = if count == 0 { &[] } else { &list.items[..] };
    Ok(Any::List(List::of(Elem::List, chunked.chunks(size).map(|chunk| Any::List(List::new(chunk.to_vec()))))))
}

/// sprig's `strslice`: the texts of a list without its nils, or the text of the one value.
pub(super) fn strings(value: &Any) -> Result<Vec<Text>, Failure> {
    match value {
        Any::Nil => Ok(Vec::new()),
        slice if is_slice(slice) => {
            let list = items(slice, "")?;
            list.items.iter().filter(|item| !matches!(item, Any::Nil)).map(strval).collect()
        }
        other => Ok(vec![strval(other)?]),
    }
}

/// Whether it is a slice, underneath at least (`.Capabilities.APIVersions`).
fn is_slice(value: &Any) -> bool {
    match value {
        Any::List(_) | Any::Bytes(_) => true,
        Any::Object(object) => matches!(object.underlying(), Some(Any::List(_) | Any::Bytes(_))),
        _ => false,
    }
}

fn to_strings(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    if let list @ Any::List(List { of: Elem::String, .. }) = args.any(0)? {
        return Ok(list.clone());
    }
    Ok(Any::List(List::strings(strings(args.any(0)?)?)))
}

fn sort_alpha(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let value = args.any(0)?;
    if !is_slice(value) {
        return Ok(Any::List(List::strings([strval(value)?])));
    }
    let mut words = strings(value)?;
    words.sort();
    Ok(Any::List(List::strings(words)))
}

/// `strings.SplitN`: at most `count` parts, all where it is negative, none where it is zero.
fn split<'a>(separator: &[u8], whole: &'a [u8], count: i64) -> Vec<&'a [u8]> {
    let most = if count < 0 { usize::MAX } else { usize::try_from(count).unwrap_or(usize::MAX) };
    if most == 0 {
        return Vec::new();
    }
    let mut parts = Vec::new();
    let mut rest = whole;
    if separator.is_empty() {
        // Every character by itself; of nothing there is no part.
        while !rest.is_empty() && parts.len() + 1 < most {
            let (part, after) = rest.split_at(runes::first(rest).1);
            parts.push(part);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(rest);
        }
        return parts;
    }
    while parts.len() + 1 < most
        && let Some(at) = find(rest, separator)
    {
        parts.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest);
    parts
}

/// A `map[string]string` of parts under `_0`, `_1` and so on.
fn numbered(parts: Vec<&[u8]>) -> Any {
    let entries = parts.into_iter().enumerate().map(|(index, part)| (format!("_{index}"), Any::String(part.into())));
    Any::Map(entries.collect::<Map>().as_type(MapType::String))
}
