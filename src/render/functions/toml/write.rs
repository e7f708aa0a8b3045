//! Values as TOML.

use super::key;
use crate::render::any::{Any, Text};
use crate::render::functions::convert::{Nils, to_value};
use crate::render::functions::layout;
use crate::render::functions::time::{Time, Zone};
use crate::render::functions::{Failure, MAX_RESULT};
use crate::render::strconv::format_float;
use crate::value::Value;

/// Writes a value: a table's keys and subtables, or one value by itself.
pub(super) fn write(value: &Any) -> Result<String, Failure> {
    // Also bounds size and depth.
    to_value(value, Nils::Null)?;
    let mut writer = Writer { out: String::new() };
    writer.encode(&mut Vec::new(), &plain(value))?;
    Ok(writer.out)
}

/// An object as what TOML sees in it; other values as they are.
fn plain(value: &Any) -> Any {
    match value {
        Any::Object(object) if Time::of(value).is_none() => match object.underlying() {
            Some(inner) => inner,
            None => match object.to_value() {
                Value::Null => value.clone(),
                data => Any::from(&data),
            },
        },
        other => other.clone(),
    }
}

struct Writer {
    out: String,
}

type Written = Result<(), Failure>;

impl Writer {
    fn push(&mut self, text: &str) -> Written {
        self.out.push_str(text);
        if self.out.len() > MAX_RESULT {
            return Err(Failure::new(format!("the result would be larger than {} MiB", MAX_RESULT >> 20)));
        }
        Ok(())
    }

    fn newline(&mut self) -> Written {
        if self.out.is_empty() { Ok(()) } else { self.push("\n") }
    }

    /// A value under a key, or a whole document without one.
    fn encode(&mut self, keys: &mut Vec<String>, value: &Any) -> Written {
        match value {
            Any::Nil => Ok(()),
            Any::Map(map) if map.nil => Ok(()),
            Any::Map(_) => {
                if keys.len() == 1 {
                    self.newline()?;
                }
                if !keys.is_empty() {
                    let line = format!("{}[{}]", indent(keys), key::dotted(keys));
                    self.push(&line)?;
                    self.newline()?;
                }
                self.table(keys, value, false)
            }
            Any::List(list) if is_table_array(value)? => {
                if keys.is_empty() {
                    return Err(Failure::new("toml: top-level values must be Go maps or structs"));
                }
                for item in list.items.iter() {
                    self.newline()?;
                    let line = format!("{}[[{}]]", indent(keys), key::dotted(keys));
                    self.push(&line)?;
                    self.newline()?;
                    self.table(keys, &plain(item), false)?;
                }
                Ok(())
            }
            other => self.key_value(keys, other, false),
        }
    }

    /// A table's keys: plain values first, then those that are tables.
    fn table(&mut self, keys: &mut Vec<String>, value: &Any, inline: bool) -> Written {
        let Any::Map(map) = value else { return Ok(()) };
        let entries: Vec<(Text, Any)> =
            map.entries.borrow().iter().map(|(key, value)| (key.clone(), plain(value))).collect();
        let (mut direct, mut tables) = (Vec::new(), Vec::new());
        for (key, value) in entries {
            let list = if is_table(&value)? { &mut tables } else { &mut direct };
            list.push((key.to_str().into_owned(), value));
        }
        if inline {
            self.push("{")?;
        }
        let follows = [!tables.is_empty(), false];
        for (group, follows) in [direct, tables].into_iter().zip(follows) {
            let count = group.len();
            for (index, (key, value)) in group.into_iter().enumerate() {
                if is_nil(&value) {
                    continue;
                }
                if inline {
                    self.key_value(&mut [key], &value, true)?;
                    if follows || index + 1 < count {
                        self.push(", ")?;
                    }
                } else {
                    keys.push(key);
                    self.encode(keys, &value)?;
                    keys.pop();
                }
            }
        }
        if inline { self.push("}") } else { Ok(()) }
    }

    fn key_value(&mut self, keys: &mut [String], value: &Any, inline: bool) -> Written {
        let Some(last) = keys.last() else {
            return self.element(value);
        };
        let start = format!("{}{} = ", indent(keys), key::part(last));
        self.push(&start)?;
        self.element(value)?;
        if inline { Ok(()) } else { self.newline() }
    }

    fn element(&mut self, value: &Any) -> Written {
        match value {
            Any::Bool(value) => self.push(&value.to_string()),
            Any::Int(value) | Any::Int64(value) => self.push(&value.to_string()),
            Any::Uint8(value) => self.push(&value.to_string()),
            Any::Uint64(value) => self.push(&value.to_string()),
            Any::Float64(value) => self.push(&float(*value)),
            Any::String(text) => self.push(&key::quoted(&text.to_str())),
            Any::Bytes(bytes) => {
                let numbers: Vec<String> = bytes.as_bytes().iter().map(u8::to_string).collect();
                self.push(&format!("[{}]", numbers.join(", ")))
            }
            Any::List(list) => {
                self.push("[")?;
                for (index, item) in list.items.iter().enumerate() {
                    if index > 0 {
                        self.push(", ")?;
                    }
                    self.element(&plain(item))?;
                }
                self.push("]")
            }
            Any::Map(_) => self.table(&mut Vec::new(), value, true),
            Any::Object(object) => match Time::of(value) {
                Some(time) => self.push(&moment(time)),
                None => self.push(&key::quoted(&object.print().to_str())),
            },
            Any::Nil | Any::Complex(..) => Err(Failure::new(format!("unexpected type: {}", value.type_name()))),
        }
    }
}

fn indent(keys: &[String]) -> String {
    "  ".repeat(keys.len().saturating_sub(1))
}

fn is_nil(value: &Any) -> bool {
    match value {
        Any::Nil => true,
        Any::List(list) => list.nil,
        Any::Map(map) => map.nil,
        _ => false,
    }
}

fn is_table(value: &Any) -> Result<bool, Failure> {
    match value {
        Any::Map(map) => Ok(!map.nil),
        Any::List(_) => is_table_array(value),
        Any::Complex(..) => Err(Failure::new("unsupported type: complex128")),
        _ => Ok(false),
    }
}

/// Whether a list has only tables. A nil in it, or in a list inside, cannot be written.
fn is_table_array(value: &Any) -> Result<bool, Failure> {
    let Any::List(list) = value else { return Ok(false) };
    let mut tables = !list.items.is_empty();
    for item in list.items.iter() {
        let item = plain(item);
        if is_nil(&item) {
            return Err(Failure::new("toml: cannot encode array with nil element"));
        }
        if let Any::List(_) = item {
            is_table_array(&item)?;
        }
        tables &= matches!(item, Any::Map(_));
    }
    Ok(tables)
}

fn float(value: f64) -> String {
    if value.is_nan() {
        return if value.is_sign_negative() { "-nan" } else { "nan" }.into();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.into();
    }
    let text = format_float(value, 'g', None);
    if text.contains(['e', '.']) { text } else { text + ".0" }
}

/// Moments without an offset are known by the names of their zones.
fn moment(time: &Time) -> String {
    let format = match &time.zone {
        Zone::Fixed(name, _) if name == "datetime-local" => "2006-01-02T15:04:05.999999999",
        Zone::Fixed(name, _) if name == "date-local" => "2006-01-02",
        Zone::Fixed(name, _) if name == "time-local" => "15:04:05.999999999",
        _ => "2006-01-02T15:04:05.999999999Z07:00",
    };
    layout::format(time, format)
}
