//! The grammar of `--set` and its siblings.
//!
//! Source: Helm's `pkg/strvals/parser.go` and `literal_parser.go`, quirks included: a text that ends inside an index is
//! ignored, and an item of a list that is not there yet is padded with nulls.

use std::num::IntErrorKind;
use std::sync::Arc;

use crate::value::{Map, Numbers, Value};
use crate::{json, number};

/// The largest index of a list.
const MAX_INDEX: i64 = 65_536;
/// The most dots in one key.
const MAX_NAMES: usize = 30;
/// The most brackets in one key. Helm has no limit.
const MAX_BRACKETS: usize = 100;
/// The most nulls that one flag may pad lists with. Helm has no limit.
const MAX_PADDING: usize = 1_000_000;

/// Reads the file of a `--set-file`.
pub(super) type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// What the right side of `=` is.
#[derive(Clone, Copy)]
pub(super) enum Right<'a> {
    /// Text that may be an integer, a boolean or null (`--set`).
    Typed,
    /// Text (`--set-string`).
    Text,
    /// The name of a file (`--set-file`).
    File(ReadFile<'a>),
    /// JSON (`--set-json`).
    Json,
    /// Everything up to the end, as it is (`--set-literal`).
    Literal,
}

/// Why a flag's text cannot be used. The texts are Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// `a`
    #[error("key {} has no value", number::quote(.0))]
    NoValue(String),
    /// `a,b=1`
    #[error("key {} has no value (cannot end with ,)", number::quote(.0))]
    NoValueBeforeComma(String),
    /// `a.[0]=1`
    #[error("key map {} has no value", number::quote(.0))]
    EmptyMap(String),
    /// `a[x]=1`
    #[error("error parsing index: strconv.Atoi: parsing {}: {problem}", number::quote(text))]
    Index {
        /// What stands between the brackets.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// `a[-1]=1`
    #[error("negative {0} index not allowed")]
    NegativeIndex(i64),
    /// `a[65537]=1`
    #[error("index of {0} is greater than maximum supported index of {MAX_INDEX}")]
    LargeIndex(i64),
    /// `a[0]x=1`
    #[error("unexpected data at end of array index: [{}]", .0.chars().map(|c| format!("{c:?}")).collect::<Vec<_>>().join(" "))]
    AfterIndex(String),
    /// `a={1`
    #[error("list must terminate with '}}'")]
    UnclosedList,
    /// `a.b=1` where `a` is no map.
    #[error("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}")]
    Type {
        /// What it is, in Go's words.
        found: &'static str,
        /// What it should be, in Go's words.
        wanted: &'static str,
    },
    /// Too many dots.
    #[error("value name nested level is greater than maximum supported nested level of {MAX_NAMES}")]
    Depth,
    /// Too many brackets, or too much padding.
    #[error("lists are nested or padded too much")]
    Lists,
    /// Not JSON.
    #[error("invalid JSON: {0}")]
    Json(#[source] json::Error),
    /// A file that cannot be read.
    #[error("{0}")]
    File(String),
}

/// Applies a flag's text, `a=1,b.c[0]=2`, to a map.
pub(super) fn apply(text: &str, right: Right, target: &mut Map) -> Result<(), SetError> {
    let mut parser = Parser { rest: text, right, brackets: 0, padding: MAX_PADDING };
    loop {
        match parser.key(target, 0) {
            Ok(()) => parser.brackets = 0,
            Err(Stop::End) => return Ok(()),
            Err(Stop::Error(error)) => return Err(error),
        }
    }
}

/// Why reading stopped: at the end of the text, which is no failure wherever it comes, or at an error.
enum Stop {
    End,
    Error(SetError),
}

impl From<SetError> for Stop {
    fn from(error: SetError) -> Self {
        Self::Error(error)
    }
}

struct Parser<'t> {
    rest: &'t str,
    right: Right<'t>,
    brackets: usize,
    padding: usize,
}

impl Parser<'_> {
    /// Reads one `key=value` into a map. What was changed before the end of the text stays changed.
    fn key(&mut self, data: &mut Map, names: usize) -> Result<(), Stop> {
        let literal = matches!(self.right, Right::Literal);
        let (key, stop) = self.until(if literal { "=[." } else { "=[,." });
        match stop {
            None if key.is_empty() => Err(Stop::End),
            None => Err(SetError::NoValue(key).into()),
            Some('[') => {
                let index = self.index()?;
                let mut list = match data.get(&key) {
                    None => Vec::new(),
                    Some(Value::List(items)) => items.to_vec(),
                    Some(other) => return Err(mismatch(other, "[]interface {}")),
                };
                let result = self.item(&mut list, index, names);
                set(data, key, list.into());
                result
            }
            Some('.') => {
                if names == MAX_NAMES {
                    return Err(SetError::Depth.into());
                }
                let (existed, mut inner) = match data.remove(&key) {
                    None => (false, Arc::default()),
                    Some(Value::Map(map)) => (true, map),
                    Some(other) => return Err(mismatch(&other, "map[string]interface {}")),
                };
                let result = self.key(Arc::make_mut(&mut inner), names + 1);
                if result.is_ok() && inner.is_empty() {
                    return Err(SetError::EmptyMap(key).into());
                }
                if existed {
                    data.insert(key, Value::Map(inner));
                } else if !inner.is_empty() {
                    set(data, key, Value::Map(inner));
                }
                result
            }
            Some(',') => Err(SetError::NoValueBeforeComma(key).into()),
            Some(_) => {
                let ends = self.rest.is_empty() && matches!(self.right, Right::Typed | Right::Text | Right::File(_));
                let value = self.value()?;
                set(data, key, value);
                if ends { Err(Stop::End) } else { Ok(()) }
            }
        }
    }

    /// Reads what follows `[i]` into a list.
    fn item(&mut self, list: &mut Vec<Value>, index: i64, names: usize) -> Result<(), Stop> {
        self.brackets += 1;
        if self.brackets > MAX_BRACKETS {
            return Err(SetError::Lists.into());
        }
        let at = usize::try_from(index).map_err(|_| SetError::NegativeIndex(index))?;
        let (text, stop) = self.until("[.=");
        if !text.is_empty() {
            return Err(SetError::AfterIndex(text).into());
        }
        match stop {
            None => Err(Stop::End),
            Some('=') => {
                let value = self.value()?;
                self.set_item(list, at, value)
            }
            Some('[') => {
                let index = self.index()?;
                let mut inner = match list.get(at) {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::List(items)) => items.to_vec(),
                    Some(other) => return Err(mismatch(other, "[]interface {}")),
                };
                let result = self.item(&mut inner, index, names);
                self.finish_item(list, at, inner.into(), result)
            }
            Some(_) => {
                let mut inner = match list.get(at) {
                    Some(Value::Map(map)) => map.clone(),
                    _ => Arc::default(),
                };
                let result = self.key(Arc::make_mut(&mut inner), names);
                self.finish_item(list, at, Value::Map(inner), result)
            }
        }
    }

    /// Puts a changed item back. At the end of the text it only is where it was already.
    fn finish_item(
        &mut self,
        list: &mut Vec<Value>,
        at: usize,
        item: Value,
        result: Result<(), Stop>,
    ) -> Result<(), Stop> {
        match (&result, list.get_mut(at)) {
            (Ok(()), _) => self.set_item(list, at, item),
            (Err(Stop::End), Some(slot)) if !matches!(slot, Value::Null) => {
                *slot = item;
                result
            }
            _ => result,
        }
    }

    fn set_item(&mut self, list: &mut Vec<Value>, at: usize, item: Value) -> Result<(), Stop> {
        if at as i64 > MAX_INDEX {
            return Err(SetError::LargeIndex(at as i64).into());
        }
        if let Some(missing) = (at + 1).checked_sub(list.len()) {
            self.padding = self.padding.checked_sub(missing).ok_or(SetError::Lists)?;
            list.resize(list.len() + missing, Value::Null);
        }
        list[at] = item;
        Ok(())
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let (text, stop) = self.until("]");
        if stop.is_none() {
            return Err(Stop::End);
        }
        text.parse().map_err(|error: std::num::ParseIntError| {
            let problem = match error.kind() {
                IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
                _ => "invalid syntax",
            };
            SetError::Index { text, problem }.into()
        })
    }

    /// Reads the right side of `=` and the comma behind it.
    fn value(&mut self) -> Result<Value, Stop> {
        match self.right {
            Right::Literal => Ok(std::mem::take(&mut self.rest).into()),
            Right::Json => self.json(),
            _ if self.rest.is_empty() => Ok("".into()),
            _ => match self.rest.strip_prefix('{') {
                Some(rest) => {
                    self.rest = rest;
                    self.list()
                }
                None => {
                    let (text, _) = self.until(",");
                    self.scalar(text)
                }
            },
        }
    }

    fn list(&mut self) -> Result<Value, Stop> {
        let mut items = Vec::new();
        loop {
            let (text, stop) = self.until(",}");
            if stop.is_none() {
                return Err(SetError::UnclosedList.into());
            }
            items.push(self.scalar(text)?);
            if stop == Some('}') {
                self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
                return Ok(items.into());
            }
        }
    }

    fn json(&mut self) -> Result<Value, Stop> {
        if self.skip_to_comma() {
            return Ok(Value::Null);
        }
        let (value, end) = json::parse_prefix(self.rest, Numbers::Floats).map_err(SetError::Json)?;
        self.rest = self.rest.get(end..).unwrap_or_default();
        self.skip_to_comma();
        Ok(value)
    }

    /// Skips blanks and a comma. Whether that, or the end, was all there was.
    fn skip_to_comma(&mut self) -> bool {
        let rest = self.rest.trim_start();
        self.rest = rest.strip_prefix(',').unwrap_or(rest);
        rest.is_empty() || rest.starts_with(',')
    }

    fn scalar(&self, text: String) -> Result<Value, Stop> {
        match self.right {
            Right::File(read) => Ok(read(&text).map_err(SetError::File)?.into()),
            Right::Typed => Ok(typed(text)),
            Right::Text | Right::Json | Right::Literal => Ok(text.into()),
        }
    }

    /// Reads up to one of some characters, which is read too; `None` at the end. A backslash takes the next character
    /// as it is.
    fn until(&mut self, stops: &str) -> (String, Option<char>) {
        let escapes = !matches!(self.right, Right::Literal);
        let mut text = String::new();
        let mut chars = self.rest.chars();
        let mut stop = None;
        while let Some(c) = chars.next() {
            if stops.contains(c) {
                stop = Some(c);
                break;
            }
            match c {
                '\\' if escapes => text.extend(chars.next()),
                c => text.push(c),
            }
        }
        self.rest = chars.as_str();
        (text, stop)
    }
}

/// Sets a key; the empty key is nobody's.
fn set(data: &mut Map, key: String, value: Value) {
    if !key.is_empty() {
        data.insert(key, value);
    }
}

fn typed(text: String) -> Value {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") || is("false") {
        return Value::Bool(is("true"));
    }
    if is("null") {
        return Value::Null;
    }
    if text == "0" {
        return Value::Int(0);
    }
    match text.parse() {
        Ok(number) if !text.starts_with('0') => Value::Int(number),
        _ => text.into(),
    }
}

fn mismatch(value: &Value, wanted: &'static str) -> Stop {
    let found = match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::String(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    };
    SetError::Type { found, wanted }.into()
}
