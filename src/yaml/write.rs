//! Values as YAML: what sigs.k8s.io/yaml and go-yaml v3 make of them.

use std::borrow::Cow;
use std::sync::Arc;

use super::emit::Emitter;
use super::order;
use super::style::Dialect;
use crate::number::{self, Integer};
use crate::value::{MAX_DEPTH, Value};

/// The longest key that YAML reads back from JSON, in characters with its quotes.
const MAX_JSON_KEY: usize = 1024;

/// A value that has no YAML. `toYaml` then gives an empty text, `mustToYaml` fails with this one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// An infinity or NaN.
    #[error("error marshaling into JSON: json: unsupported value: {0}")]
    Number(String),
    /// A character that go-yaml refuses to read, and it has to read the JSON first.
    #[error("yaml: control characters are not allowed")]
    Character,
    /// A key that is too long for go-yaml to read it.
    #[error("yaml: did not find expected ',' or '}}'")]
    Key,
    /// Text that looks like the end of a document to go-yaml.
    #[error("yaml: line 2: found unexpected document indicator")]
    Indicator,
    /// Nested too deeply.
    #[error("yaml: exceeded max depth of {MAX_DEPTH}")]
    Depth,
}

/// Writes a value as `sigs.k8s.io/yaml.Marshal` does, ending with a line break (Helm's `toYaml` takes it off).
///
/// The value goes through JSON, which go-yaml v2 reads and writes again: `1e6` becomes `1000000`.
pub fn to_yaml(value: &Value) -> Result<String, WriteError> {
    write(value, Dialect::V2)
}

/// Writes a value as go-yaml v3 does with an indentation of two, ending with a line break (Helm's `toYamlPretty` takes
/// it off).
pub fn to_yaml_pretty(value: &Value) -> Result<String, WriteError> {
    write(value, Dialect::V3)
}

fn write(value: &Value, dialect: Dialect) -> Result<String, WriteError> {
    let mut writer = Writer { emitter: Emitter::new(dialect), dialect };
    writer.value(value, false, 0)?;
    Ok(writer.emitter.finish())
}

struct Writer {
    emitter: Emitter,
    dialect: Dialect,
}

impl Writer {
    fn value(&mut self, value: &Value, in_mapping: bool, depth: usize) -> Result<(), WriteError> {
        if depth > MAX_DEPTH {
            return Err(WriteError::Depth);
        }
        match value {
            Value::Null => self.emitter.word("null"),
            Value::Bool(value) => self.emitter.word(if *value { "true" } else { "false" }),
            Value::Int(value) => self.emitter.word(&value.to_string()),
            Value::Float(value) => self.emitter.word(&self.float(*value)?),
            Value::String(text) => self.emitter.text(&self.as_read(text)?),
            Value::List(items) if items.is_empty() => self.emitter.empty("[]"),
            Value::Map(map) if map.is_empty() => self.emitter.empty("{}"),
            Value::List(items) => {
                let outer = self.emitter.open_sequence(in_mapping);
                for item in items.iter() {
                    self.emitter.item();
                    self.value(item, false, depth + 1)?;
                }
                self.emitter.close(outer);
            }
            Value::Map(map) => {
                let mut entries: Vec<(&Arc<str>, &Value)> = map.iter().collect();
                order::sort(&mut entries, |(key, _)| key, self.dialect);
                let outer = self.emitter.open_mapping();
                for (key, value) in entries {
                    self.check_key(key)?;
                    self.emitter.key(key);
                    self.value(value, true, depth + 1)?;
                }
                self.emitter.close(outer);
            }
        }
        Ok(())
    }

    fn float(&self, value: f64) -> Result<String, WriteError> {
        if self.dialect == Dialect::V3 {
            return Ok(match value {
                f64::INFINITY => ".inf".to_owned(),
                f64::NEG_INFINITY => "-.inf".to_owned(),
                _ if value.is_nan() => ".nan".to_owned(),
                _ => number::general(value),
            });
        }
        let json = number::json(value);
        if !value.is_finite() {
            return Err(WriteError::Number(json));
        }
        Ok(match number::parse_integer(&json, 10) {
            Some(Integer::Signed(whole)) => whole.to_string(),
            Some(Integer::Unsigned(whole)) => whole.to_string(),
            None => number::general(value),
        })
    }

    /// A text after it was written as JSON and read as YAML, where U+0085 is a line break to be folded.
    fn as_read<'t>(&self, text: &'t str) -> Result<Cow<'t, str>, WriteError> {
        if self.dialect == Dialect::V3 {
            return Ok(text.into());
        }
        if text.chars().any(|c| matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')) {
            return Err(WriteError::Character);
        }
        if !text.contains('\u{85}') {
            return Ok(text.into());
        }
        let mut lines = text.split('\u{85}').peekable();
        let mut read = lines.next().unwrap_or_default().to_owned();
        let mut breaks = 0;
        while let Some(line) = lines.next() {
            if ["---", "..."].iter().any(|mark| {
                line.strip_prefix(mark)
                    .is_some_and(|rest| rest.starts_with(' ') || rest.is_empty() && lines.peek().is_some())
            }) {
                return Err(WriteError::Indicator);
            }
            if breaks == 0 {
                read.truncate(read.trim_end_matches(' ').len());
            }
            breaks += 1;
            let line = line.trim_start_matches(' ');
            if !line.is_empty() || lines.peek().is_none() {
                match breaks {
                    1 => read.push(' '),
                    more => read.extend(std::iter::repeat_n('\n', more - 1)),
                }
                read.push_str(line);
                breaks = 0;
            }
        }
        Ok(read.into())
    }

    fn check_key(&self, key: &str) -> Result<(), WriteError> {
        if self.dialect == Dialect::V3 {
            return Ok(());
        }
        self.as_read(key)?;
        let escaped = |c: char| match c {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => 6,
            _ => 1,
        };
        let length = 2 + key.chars().map(escaped).sum::<usize>();
        if length > MAX_JSON_KEY || key.contains('\u{85}') { Err(WriteError::Key) } else { Ok(()) }
    }
}
