//! Strings: trimming, cutting, padding, quoting, replacing.

use super::args::Args;
use super::runes::{self, is_digit, is_letter, is_space};
use super::types::{sprint, strval};
use super::{Failure, Host, Row, Type};
use crate::render::any::{Any, Text};
use crate::render::strconv;

pub(super) const ROWS: &[Row] = &[
    Row::new("hello", &[], |_, _| text("Hello!")),
    Row::new("trim", &[Type::String], trim),
    Row::new("upper", &[Type::String], |_, args| text(runes::map(args.text(0)?.as_bytes(), runes::to_upper))),
    Row::new("lower", &[Type::String], |_, args| text(runes::map(args.text(0)?.as_bytes(), runes::to_lower))),
    Row::new("title", &[Type::String], title),
    Row::new("untitle", &[Type::String], untitle),
    Row::new("swapcase", &[Type::String], swapcase),
    Row::new("substr", &[Type::Int, Type::Int, Type::String], substr),
    Row::new("trunc", &[Type::Int, Type::String], trunc),
    Row::new("repeat", &[Type::Int, Type::String], repeat),
    Row::new("trimall", &[Type::String, Type::String], trim_all),
    Row::new("trimAll", &[Type::String, Type::String], trim_all),
    Row::new("trimSuffix", &[Type::String, Type::String], trim_suffix),
    Row::new("trimPrefix", &[Type::String, Type::String], trim_prefix),
    Row::new("nospace", &[Type::String], nospace),
    Row::new("contains", &[Type::String, Type::String], |_, args| {
        Ok(Any::Bool(find(args.text(1)?.as_bytes(), args.text(0)?.as_bytes()).is_some()))
    }),
    Row::new("hasPrefix", &[Type::String, Type::String], |_, args| {
        Ok(Any::Bool(args.text(1)?.as_bytes().starts_with(args.text(0)?.as_bytes())))
    }),
    Row::new("hasSuffix", &[Type::String, Type::String], |_, args| {
        Ok(Any::Bool(args.text(1)?.as_bytes().ends_with(args.text(0)?.as_bytes())))
    }),
    Row::new("quote", &[], quote).variadic(Type::Any),
    Row::new("squote", &[], squote).variadic(Type::Any),
    Row::new("cat", &[], cat).variadic(Type::Any),
    Row::new("indent", &[Type::Int, Type::String], |host, args| indent(host, args, "")),
    Row::new("nindent", &[Type::Int, Type::String], |host, args| indent(host, args, "\n")),
    Row::new("replace", &[Type::String, Type::String, Type::String], replace),
    Row::new("plural", &[Type::String, Type::String, Type::Int], |_, args| {
        Ok(Any::String(args.text(usize::from(args.int(2)? != 1))?.clone()))
    }),
    Row::new("toString", &[Type::Any], |_, args| Ok(Any::String(strval(args.any(0)?)?))),
];

/// A string result.
pub(super) fn text(value: impl Into<Text>) -> Result<Any, Failure> {
    Ok(Any::String(value.into()))
}

/// Where a text first occurs.
pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    memchr::memmem::find(haystack, needle)
}

fn trim(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    text(trim_matching(args.text(0)?.as_bytes(), is_space))
}

fn trim_all(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let cutset: Vec<char> = runes::runes(args.text(0)?.as_bytes()).map(|(c, _)| c).collect();
    text(trim_matching(args.text(1)?.as_bytes(), |c| cutset.contains(&c)))
}

/// `strings.TrimFunc`
fn trim_matching(bytes: &[u8], cut: impl Fn(char) -> bool) -> &[u8] {
    let (mut start, mut end, mut at) = (None, 0, 0);
    for (c, width) in runes::runes(bytes) {
        if !cut(c) {
            start = start.or(Some(at));
            end = at + width;
        }
        at += width;
    }
    &bytes[start.unwrap_or(end)..end]
}

fn title(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let mut previous = ' ';
    let mut out = String::new();
    for (c, _) in runes::runes(args.text(0)?.as_bytes()) {
        out.push(if is_separator(previous) { runes::to_title(c) } else { c });
        previous = c;
    }
    text(out)
}

/// What `strings.Title` starts words after.
fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        return !(c.is_ascii_alphanumeric() || c == '_');
    }
    !is_letter(c) && !is_digit(c) && is_space(c)
}

fn untitle(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let mut start = true;
    let mut out = String::new();
    for (c, _) in runes::runes(args.text(0)?.as_bytes()) {
        out.push(if start && !is_space(c) { runes::to_lower(c) } else { c });
        start = is_space(c);
    }
    text(out)
}

/// goutils' `SwapCase`, which gives the first letter of a word its title case.
fn swapcase(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let mut after_space = true;
    let mut out = String::new();
    for (c, _) in runes::runes(args.text(0)?.as_bytes()) {
        if runes::is_upper(c) || runes::is_title(c) {
            out.push(runes::to_lower(c));
            after_space = false;
        } else if runes::is_lower(c) {
            out.push(if after_space { runes::to_title(c) } else { runes::to_upper(c) });
            after_space = false;
        } else {
            after_space = is_space(c);
            out.push(c);
        }
    }
    text(out)
}

fn substr(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let (start, end, bytes) = (args.int(0)?, args.int(1)?, args.text(2)?.as_bytes());
    let length = bytes.len() as i64;
    let cut = if start < 0 {
        slice(bytes, None, Some(end))?
    } else if end < 0 || end > length {
        slice(bytes, Some(start), None)?
    } else {
        slice(bytes, Some(start), Some(end))?
    };
    text(cut)
}

/// `s[start:end]` with the panics of Go's runtime.
fn slice(bytes: &[u8], start: Option<i64>, end: Option<i64>) -> Result<&[u8], Failure> {
    let length = bytes.len();
    let out_of_range = |what: String| Failure::new(format!("runtime error: slice bounds out of range [{what}]"));
    let to = match end {
        Some(end) if end < 0 => return Err(out_of_range(format!(":{end}"))),
        Some(end) if end > length as i64 => {
            return Err(Failure::new(format!(
                "runtime error: slice bounds out of range [:{end}] with length {length}"
            )));
        }
        Some(end) => end,
        None => length as i64,
    };
    let from = start.unwrap_or(0);
    usize::try_from(from)
        .ok()
        .and_then(|from| bytes.get(from..to as usize))
        .ok_or_else(|| out_of_range(format!("{from}:{to}")))
}

fn trunc(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let (count, whole) = (args.int(0)?, args.text(1)?);
    let bytes = whole.as_bytes();
    let length = bytes.len() as i64;
    if count < 0 && length + count > 0 {
        return text(&bytes[(length + count) as usize..]);
    }
    if count >= 0 && length > count {
        return text(&bytes[..count as usize]);
    }
    Ok(Any::String(whole.clone()))
}

fn repeat(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    text(repeated(host, args.text(1)?.as_bytes(), args.int(0)?)?)
}

/// `strings.Repeat`, within what the host allows.
fn repeated(host: &mut dyn Host, bytes: &[u8], count: i64) -> Result<Vec<u8>, Failure> {
    let count = usize::try_from(count).map_err(|_| Failure::new("strings: negative Repeat count"))?;
    let size = bytes
        .len()
        .checked_mul(count)
        .filter(|size| i64::try_from(*size).is_ok())
        .ok_or_else(|| Failure::new("strings: Repeat output length overflow"))?;
    host.allocate(size)?;
    Ok(bytes.repeat(if bytes.is_empty() { 0 } else { count }))
}

fn trim_suffix(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let whole = args.text(1)?;
    match whole.as_bytes().strip_suffix(args.text(0)?.as_bytes()) {
        Some(rest) => text(rest),
        None => Ok(Any::String(whole.clone())),
    }
}

fn trim_prefix(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let whole = args.text(1)?;
    match whole.as_bytes().strip_prefix(args.text(0)?.as_bytes()) {
        Some(rest) => text(rest),
        None => Ok(Any::String(whole.clone())),
    }
}

/// goutils' `DeleteWhiteSpace`: it takes every byte for a character, so other text is mangled once there is a space.
fn nospace(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let whole = args.text(0)?;
    let kept: String = whole.as_bytes().iter().map(|&b| char::from(b)).filter(|&c| !is_space(c)).collect();
    if kept.chars().count() == whole.as_bytes().len() {
        return Ok(Any::String(whole.clone()));
    }
    text(kept)
}

fn quote(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let words = args.iter().filter(|value| !matches!(value, Any::Nil));
    let words = words
        .map(|value| Ok(strconv::quote(strval(value)?.as_bytes(), false).into()))
        .collect::<Result<Vec<Text>, Failure>>()?;
    join(host, &words, b" ")
}

fn squote(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let words = args.iter().filter(|value| !matches!(value, Any::Nil));
    let words = words.map(|value| Ok([b"'", sprint(value)?.as_bytes(), b"'"].concat().into()));
    join(host, &words.collect::<Result<Vec<Text>, Failure>>()?, b" ")
}

fn cat(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let words = args.iter().filter(|value| !matches!(value, Any::Nil)).map(sprint);
    join(host, &words.collect::<Result<Vec<Text>, Failure>>()?, b" ")
}

/// `strings.Join`
pub(super) fn join(host: &mut dyn Host, words: &[Text], separator: &[u8]) -> Result<Any, Failure> {
    let size = words.iter().fold(0_usize, |size, word| size.saturating_add(word.as_bytes().len() + separator.len()));
    host.allocate(size)?;
    let mut out = Vec::with_capacity(size);
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(word.as_bytes());
    }
    text(out)
}

fn indent(host: &mut dyn Host, args: &[Any], start: &str) -> Result<Any, Failure> {
    let bytes = args.text(1)?.as_bytes();
    let pad = repeated(host, b" ", args.int(0)?)?;
    let lines = memchr::memchr_iter(b'\n', bytes).count() + 1;
    let size = lines.saturating_mul(pad.len()).saturating_add(bytes.len() + start.len());
    host.allocate(size)?;
    let mut out = Vec::with_capacity(size);
    out.extend_from_slice(start.as_bytes());
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        out.extend_from_slice(&pad);
        out.extend_from_slice(line);
    }
    if bytes.last().is_none_or(|&b| b == b'\n') {
        out.extend_from_slice(&pad);
    }
    text(out)
}

fn replace(host: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let (old, new, source) = (args.text(0)?.as_bytes(), args.text(1)?.as_bytes(), args.text(2)?);
    let bytes = source.as_bytes();
    let starts: Vec<usize> = if old.is_empty() {
        let mut at = 0;
        let widths = runes::runes(bytes).map(|(_, width)| {
            at += width;
            at
        });
        std::iter::once(0).chain(widths).collect()
    } else {
        memchr::memmem::find_iter(bytes, old).collect()
    };
    if starts.is_empty() || old == new {
        return Ok(Any::String(source.clone()));
    }
    let size = starts.len().saturating_mul(new.len()).saturating_add(bytes.len());
    host.allocate(size)?;
    let mut out = Vec::with_capacity(size);
    let mut done = 0;
    for start in starts {
        out.extend_from_slice(&bytes[done..start]);
        out.extend_from_slice(new);
        done = start + old.len();
    }
    out.extend_from_slice(&bytes[done..]);
    text(out)
}
