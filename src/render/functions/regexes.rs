//! Regular expressions: Go's package `regexp` over the crate `regex`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use regex::bytes::{Captures, Regex, RegexBuilder};

use super::args::Args;
use super::runes::{self, is_digit, is_letter};
use super::strings::text;
use super::{Failure, Host, MAX_RESULT, Row, Type};
use crate::re2;
use crate::render::any::{Any, Elem, List, Text};
use crate::render::strconv;

/// Memory for one compiled expression.
const MAX_COMPILED: usize = 32 << 20;

/// How many compiled expressions a process keeps.
const MAX_KEPT: usize = 256;

const FIND: &[Type] = &[Type::String, Type::String];
const FIND_ALL: &[Type] = &[Type::String, Type::String, Type::Int];
const REPLACE: &[Type] = &[Type::String, Type::String, Type::String];

pub(super) const ROWS: &[Row] = &[
    Row::new("regexMatch", FIND, |_, args| {
        Ok(Any::Bool(
            compile(args).is_ok_and(|regex| args.text(1).is_ok_and(|text| regex.regex.is_match(text.as_bytes()))),
        ))
    }),
    Row::new("mustRegexMatch", FIND, |_, args| Ok(Any::Bool(compile(args)?.regex.is_match(args.text(1)?.as_bytes())))),
    Row::new("regexFind", FIND, |_, args| find(must_compile(args)?, args)),
    Row::new("mustRegexFind", FIND, |_, args| find(compile(args)?, args)),
    Row::new("regexFindAll", FIND_ALL, |_, args| find_all(must_compile(args)?, args)),
    Row::new("mustRegexFindAll", FIND_ALL, |_, args| find_all(compile(args)?, args)),
    Row::new("regexSplit", FIND_ALL, |_, args| split(must_compile(args)?, args)),
    Row::new("mustRegexSplit", FIND_ALL, |_, args| split(compile(args)?, args)),
    Row::new("regexReplaceAll", REPLACE, |host, args| replace_all(host, must_compile(args)?, args, true)),
    Row::new("mustRegexReplaceAll", REPLACE, |host, args| replace_all(host, compile(args)?, args, true)),
    Row::new("regexReplaceAllLiteral", REPLACE, |host, args| replace_all(host, must_compile(args)?, args, false)),
    Row::new("mustRegexReplaceAllLiteral", REPLACE, |host, args| replace_all(host, compile(args)?, args, false)),
    Row::new("regexQuoteMeta", &[Type::String], quote_meta),
];

/// A compiled expression and the names of its groups.
struct Expression {
    regex: Regex,
    names: Vec<String>,
}

type Compiled = Result<Arc<Expression>, String>;

/// The expression of the first argument: `regexp.Compile`.
fn compile(args: &[Any]) -> Result<Arc<Expression>, Failure> {
    static KEPT: OnceLock<Mutex<HashMap<Text, Compiled>>> = OnceLock::new();
    let expression = args.text(0)?;
    let kept = || KEPT.get_or_init(Mutex::default).lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let known = kept().get(expression).cloned();
    let compiled = known.unwrap_or_else(|| {
        let compiled = build(expression.as_bytes());
        let mut kept = kept();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(expression.clone(), compiled.clone());
        compiled
    });
    compiled.map_err(Failure::new)
}

fn build(expression: &[u8]) -> Compiled {
    let translated = re2::translate(expression)?;
    let regex = RegexBuilder::new(&translated.pattern).size_limit(MAX_COMPILED).nest_limit(2_000).build();
    // What re2 lets through is well-formed: it can only be too large.
    let regex = regex.map_err(|_| {
        format!("error parsing regexp: expression too large: `{}`", String::from_utf8_lossy(expression))
    })?;
    Ok(Arc::new(Expression { regex, names: translated.names }))
}

/// `regexp.MustCompile`, whose panic quotes the expression.
fn must_compile(args: &[Any]) -> Result<Arc<Expression>, Failure> {
    compile(args).map_err(|failure| {
        let expression = args.text(0).map(|text| text.as_bytes().to_vec()).unwrap_or_default();
        let quoted = if strconv::can_backquote(&expression) {
            format!("`{}`", String::from_utf8_lossy(&expression))
        } else {
            strconv::quote(&expression, false)
        };
        Failure::new(format!("regexp: Compile({quoted}): {}", failure.message))
    })
}

fn find(expression: Arc<Expression>, args: &[Any]) -> Result<Any, Failure> {
    text(expression.regex.find(args.text(1)?.as_bytes()).map_or(&b""[..], |found| found.as_bytes()))
}

/// Go's `allMatches`: no empty match right after another.
fn matches(regex: &Regex, bytes: &[u8], count: i64) -> Vec<(usize, usize)> {
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    let (mut at, mut previous) = (0, None);
    while found.len() < most && at <= bytes.len() {
        let Some(next) = regex.find_at(bytes, at) else { break };
        let accepted = !next.is_empty() || Some(next.start()) != previous;
        at = if next.end() == at { at + runes::first(&bytes[at..]).1.max(1) } else { next.end() };
        previous = Some(next.end());
        if accepted {
            found.push((next.start(), next.end()));
        }
    }
    found
}

fn find_all(expression: Arc<Expression>, args: &[Any]) -> Result<Any, Failure> {
    let bytes = args.text(1)?.as_bytes();
    let found = matches(&expression.regex, bytes, args.int(2)?);
    if found.is_empty() {
        return Ok(Any::List(List::none(Elem::String)));
    }
    Ok(Any::List(List::strings(found.into_iter().map(|(start, end)| &bytes[start..end]))))
}

/// Go's `Regexp.Split`
fn split(expression: Arc<Expression>, args: &[Any]) -> Result<Any, Failure> {
    let (bytes, count) = (args.text(1)?.as_bytes(), args.int(2)?);
    if count == 0 {
        return Ok(Any::List(List::none(Elem::String)));
    }
    if bytes.is_empty() && !args.text(0)?.as_bytes().is_empty() {
        return Ok(Any::List(List::strings([""])));
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    let (mut start, mut end) = (0, 0);
    for (from, to) in matches(&expression.regex, bytes, count) {
        if count > 0 && parts.len() as i64 == count - 1 {
            break;
        }
        end = from;
        if to != 0 {
            parts.push(&bytes[start..from]);
        }
        start = to;
    }
    if end != bytes.len() {
        parts.push(&bytes[start..]);
    }
    Ok(Any::List(List::strings(parts)))
}

/// Go's `replaceAll`; `$1` in the replacement is expanded where it is a template.
fn replace_all(host: &mut dyn Host, expression: Arc<Expression>, args: &[Any], template: bool) -> Result<Any, Failure> {
    let regex = &expression.regex;
    let (whole, replacement) = (args.text(1)?, args.text(2)?.as_bytes());
    let bytes = whole.as_bytes();
    let template = template && replacement.contains(&b'$');
    let mut out = Vec::new();
    let (mut at, mut done) = (0, 0);
    let mut found = false;
    while at <= bytes.len() {
        let captures = if template { regex.captures_at(bytes, at) } else { None };
        let next = match &captures {
            Some(captures) => captures.get(0),
            None if template => None,
            None => regex.find_at(bytes, at),
        };
        let Some(next) = next else { break };
        found = true;
        out.extend_from_slice(&bytes[done..next.start()]);
        if next.end() > done || next.start() == 0 {
            match &captures {
                Some(captures) => expand(&mut out, replacement, captures, &expression.names),
                None => out.extend_from_slice(replacement),
            }
        }
        if out.len() > MAX_RESULT {
            host.allocate(out.len())?;
        }
        done = next.end();
        let width = runes::first(&bytes[at..]).1.max(1);
        at = if at + width > next.end() { at + width } else { next.end() };
    }
    if !found {
        return Ok(Any::String(whole.clone()));
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
    host.allocate(out.len())?;
    text(out)
}

/// Go's `Regexp.Expand`: `$name`, `${name}`, `$1`, `$$`.
fn expand(out: &mut Vec<u8>, template: &[u8], captures: &Captures<'_>, names: &[String]) {
    let mut rest = template;
    while let Some(dollar) = memchr::memchr(b'$', rest) {
        out.extend_from_slice(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix(b"$") {
            out.push(b'$');
            rest = after;
            continue;
        }
        let Some((name, after)) = reference(rest) else {
            out.push(b'$');
            continue;
        };
        rest = after;
        let group = match group_number(name) {
            Some(number) => captures.get(number),
            None => names
                .iter()
                .enumerate()
                .filter(|(_, known)| known.as_bytes() == name)
                .find_map(|(number, _)| captures.get(number)),
        };
        out.extend_from_slice(group.map_or(b"", |group| group.as_bytes()));
    }
    out.extend_from_slice(rest);
}

/// The longest name after a dollar sign, and what follows it.
fn reference(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (braced, text) = text.strip_prefix(b"{").map_or((false, text), |text| (true, text));
    let mut end = 0;
    for (c, width) in runes::runes(text) {
        if !is_letter(c) && !is_digit(c) && c != '_' {
            break;
        }
        end += width;
    }
    let (name, rest) = text.split_at(end);
    let rest = if braced { rest.strip_prefix(b"}")? } else { rest };
    (!name.is_empty()).then_some((name, rest))
}

/// The group that a name of digits stands for.
fn group_number(name: &[u8]) -> Option<usize> {
    if name.len() > 1 && name[0] == b'0' {
        return None;
    }
    std::str::from_utf8(name).ok().filter(|name| name.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
}

fn quote_meta(_: &mut dyn Host, args: &[Any]) -> Result<Any, Failure> {
    let mut out = Vec::new();
    for &byte in args.text(0)?.as_bytes() {
        if b"\\.+*?()|[]{}^$".contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    text(out)
}
