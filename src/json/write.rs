//! Values as JSON: `json.Marshal`.

use std::fmt::Write;

use super::Error;
use crate::number;
use crate::source::Span;
use crate::value::{MAX_DEPTH, Value};

/// Writes a value on one line, with `<`, `>` and `&` escaped (`json.Marshal`, `toJson`).
pub fn to_json(value: &Value) -> Result<String, Error> {
    write(value, true, None)
}

/// Writes a value on one line, with `<`, `>` and `&` as they are (`SetEscapeHTML(false)`, `toRawJson`).
pub fn to_json_raw(value: &Value) -> Result<String, Error> {
    write(value, false, None)
}

/// Writes a value over lines indented by two blanks (`json.MarshalIndent`, `toPrettyJson`).
pub fn to_json_pretty(value: &Value) -> Result<String, Error> {
    write(value, true, Some(0))
}

/// The same, with `<`, `>` and `&` as they are.
pub fn to_json_pretty_raw(value: &Value) -> Result<String, Error> {
    write(value, false, Some(0))
}

fn write(value: &Value, html: bool, indent: Option<usize>) -> Result<String, Error> {
    let mut writer = Writer { out: String::new(), html };
    writer.value(value, indent, 0)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    html: bool,
}

impl Writer {
    fn value(&mut self, value: &Value, indent: Option<usize>, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::Depth { span: Span::default() });
        }
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(value) => _ = write!(self.out, "{value}"),
            Value::Int(value) => _ = write!(self.out, "{value}"),
            Value::Float(value) if value.is_finite() => self.out.push_str(&number::json(*value)),
            Value::Float(value) => return Err(Error::Unsupported { number: number::json(*value) }),
            Value::String(text) => self.string(text),
            Value::List(items) => {
                let inner = indent.map(|indent| indent + 1);
                self.out.push('[');
                for (i, item) in items.iter().enumerate() {
                    self.separate(i, inner);
                    self.value(item, inner, depth + 1)?;
                }
                self.close(']', items.is_empty(), indent);
            }
            Value::Map(map) => {
                let inner = indent.map(|indent| indent + 1);
                self.out.push('{');
                for (i, (key, item)) in map.marshalled().enumerate() {
                    self.separate(i, inner);
                    self.string(key);
                    self.out.push_str(if indent.is_some() { ": " } else { ":" });
                    self.value(item, inner, depth + 1)?;
                }
                self.close('}', map.is_empty(), indent);
            }
        }
        Ok(())
    }

    fn separate(&mut self, index: usize, indent: Option<usize>) {
        if index > 0 {
            self.out.push(',');
        }
        self.line(indent);
    }

    fn close(&mut self, bracket: char, empty: bool, indent: Option<usize>) {
        if !empty {
            self.line(indent);
        }
        self.out.push(bracket);
    }

    fn line(&mut self, indent: Option<usize>) {
        if let Some(indent) = indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", indent));
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        let mut rest = text;
        while let Some(at) = rest.find(|c| self.is_escaped(c)) {
            let (before, from) = rest.split_at(at);
            self.out.push_str(before);
            let mut chars = from.chars();
            match chars.next() {
                Some('"') => self.out.push_str("\\\""),
                Some('\\') => self.out.push_str("\\\\"),
                Some('\u{8}') => self.out.push_str("\\b"),
                Some('\u{c}') => self.out.push_str("\\f"),
                Some('\n') => self.out.push_str("\\n"),
                Some('\r') => self.out.push_str("\\r"),
                Some('\t') => self.out.push_str("\\t"),
                Some(c) => _ = write!(self.out, "\\u{:04x}", u32::from(c)),
                None => {}
            }
            rest = chars.as_str();
        }
        self.out.push_str(rest);
        self.out.push('"');
    }

    fn is_escaped(&self, c: char) -> bool {
        match c {
            '"' | '\\' | '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => true,
            '<' | '>' | '&' => self.html,
            _ => false,
        }
    }
}
