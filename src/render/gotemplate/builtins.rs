//! The functions of Go's template package (`text/template/funcs.go`) that need nothing but their arguments.

use super::ast::Builtin;
use super::compare::{equal, less, less_or_equal};
use crate::render::any::{Any, Text};
use crate::render::print::{sprint, sprintf, sprintln};
use crate::render::strconv::{decode, is_print};

/// Calls a function. `boxed` says whether a nil argument of `len` is a nil interface and not nothing at all.
///
/// The error is Go's text. Functions that need the executor are not here and give an error.
pub fn call(function: Builtin, args: &[Any], boxed: bool) -> Result<Any, String> {
    let operand = |index: usize| args.get(index).unwrap_or(&Any::Nil);
    let (a, b) = (operand(0), operand(1));
    let rest = args.get(1..).unwrap_or_default();
    match function {
        Builtin::Not => Ok(Any::Bool(!a.truth())),
        Builtin::Eq => equal(a, rest).map(Any::Bool),
        Builtin::Ne => equal(a, rest).map(|equal| Any::Bool(!equal)),
        Builtin::Lt => less(a, b).map(Any::Bool),
        Builtin::Le => less_or_equal(a, b).map(Any::Bool),
        Builtin::Gt => less_or_equal(a, b).map(|other| Any::Bool(!other)),
        Builtin::Ge => less(a, b).map(|other| Any::Bool(!other)),
        Builtin::Len => length(a, boxed),
        Builtin::Index => index(a, rest),
        Builtin::Print => printed(sprint(args)),
        Builtin::Println => printed(sprintln(args)),
        Builtin::Printf => match a {
            Any::String(format) => printed(sprintf(format.as_bytes(), rest)),
            _ => Err("the format is not a string".into()),
        },
        Builtin::Html => Ok(Any::String(html(joined(args)?.as_bytes()).into())),
        Builtin::Js => Ok(Any::String(js(joined(args)?.as_bytes()).into())),
        Builtin::Urlquery => Ok(Any::String(urlquery(joined(args)?.as_bytes()).into())),
        Builtin::And
        | Builtin::Or
        | Builtin::Call
        | Builtin::Fail
        | Builtin::Include
        | Builtin::Required
        | Builtin::Tpl => Err(format!("{} needs the executor", function.name())),
    }
}

fn printed(text: Result<Text, crate::render::print::PrintError>) -> Result<Any, String> {
    text.map(Any::String).map_err(|error| error.to_string())
}

fn length(value: &Any, boxed: bool) -> Result<Any, String> {
    let length = match value {
        Any::Nil if boxed => return Err("len of nil pointer".into()),
        Any::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        Any::String(text) | Any::Bytes(text) => text.as_bytes().len(),
        Any::List(list) => list.items.len(),
        Any::Map(map) => map.len(),
        Any::Object(object) => match object.underlying() {
            Some(inner) => return length(&inner, boxed),
            None => return Err(format!("len of type {}", value.type_name().trim_start_matches('*'))),
        },
        _ => return Err(format!("len of type {}", value.type_name())),
    };
    Ok(Any::Int(length as i64))
}

fn index(item: &Any, indexes: &[Any]) -> Result<Any, String> {
    if matches!(item, Any::Nil) {
        return Err("index of untyped nil".into());
    }
    let mut item = item.clone();
    for index in indexes {
        let inner = match &item {
            Any::Object(object) => object.underlying(),
            _ => None,
        };
        item = match inner.as_ref().unwrap_or(&item) {
            Any::Nil => return Err("index of nil pointer".into()),
            Any::List(list) => {
                let at = position(index, list.items.len())?;
                list.items.get(at).cloned().ok_or("reflect: slice index out of range")?
            }
            Any::Bytes(bytes) => {
                let at = position(index, bytes.as_bytes().len())?;
                Any::Uint8(*bytes.as_bytes().get(at).ok_or("reflect: slice index out of range")?)
            }
            Any::String(text) => {
                let at = position(index, text.as_bytes().len())?;
                Any::Uint8(*text.as_bytes().get(at).ok_or("reflect: string index out of range")?)
            }
            Any::Map(map) => match index {
                Any::String(key) => map.get(key.as_bytes()).unwrap_or_else(|| map.of.zero()),
                Any::Nil => return Err("value is nil; should be of type string".into()),
                other => return Err(format!("value has type {}; should be string", other.type_name())),
            },
            other => return Err(format!("can't index item of type {}", other.type_name().trim_start_matches('*'))),
        };
    }
    Ok(item)
}

fn position(index: &Any, length: usize) -> Result<usize, String> {
    let value = match index {
        Any::Int(value) | Any::Int64(value) => *value,
        Any::Uint8(value) => (*value).into(),
        Any::Uint64(value) => *value as i64,
        Any::Nil => return Err("cannot index slice/array with nil".into()),
        other => return Err(format!("cannot index slice/array with type {}", other.type_name())),
    };
    usize::try_from(value).ok().filter(|at| *at <= length).ok_or_else(|| format!("index out of range: {value}"))
}

/// `fmt.Sprint`, but what is nothing at all prints as an action prints it.
fn joined(args: &[Any]) -> Result<Text, String> {
    if let [Any::String(text)] = args {
        return Ok(text.clone());
    }
    let shown: Vec<Any> = args
        .iter()
        .map(|arg| match arg {
            Any::Nil => Any::String("<no value>".into()),
            other => other.clone(),
        })
        .collect();
    sprint(&shown).map_err(|error| error.to_string())
}

fn html(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            other => out.push(*other),
        }
    }
    out
}

fn js(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(byte) = rest.first() {
        let (c, length) = decode(rest);
        match (byte, c) {
            (b'\\' | b'\'' | b'"', _) => out.extend_from_slice(&[b'\\', *byte]),
            (b'<' | b'>' | b'&' | b'=' | 0..b' ', _) => out.extend_from_slice(format!("\\u{byte:04X}").as_bytes()),
            (_, Some(c)) if c.is_ascii() || is_print(c) => out.extend_from_slice(&rest[..length]),
            (_, c) => {
                let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
                // An invalid byte decodes to U+FFFD, which counts as printable: it stays.
                if c == char::REPLACEMENT_CHARACTER {
                    out.extend_from_slice(&rest[..length]);
                } else {
                    out.extend_from_slice(format!("\\u{:04X}", c as u32).as_bytes());
                }
            }
        }
        rest = &rest[length..];
    }
    out
}

fn urlquery(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b' ' => out.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(*byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
