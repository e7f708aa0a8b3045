//! JSON as Go's `encoding/json` reads and writes it.

use std::fmt::Write;

use crate::number::{self, Integer};
use crate::source::Span;
use crate::value::{MAX_DEPTH, Map, Numbers, Value};

/// Why there is no JSON, or no value. Prints what Go prints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A byte that JSON does not allow there.
    #[error("invalid character {} {context}", quote_byte(*byte))]
    Character {
        /// The byte.
        byte: u8,
        /// What was being read.
        context: String,
        /// Where.
        span: Span,
    },
    /// The text ends too early.
    #[error("unexpected end of JSON input")]
    End {
        /// Where.
        span: Span,
    },
    /// Nested too deeply.
    #[error("exceeded max depth")]
    Depth {
        /// Where.
        span: Span,
    },
    /// Something else than what was asked for, or a number beyond `float64`.
    #[error("json: cannot unmarshal {found} into Go value of type {wanted}")]
    Type {
        /// What it is.
        found: String,
        /// What it should be, in Go's words.
        wanted: &'static str,
        /// Where.
        span: Span,
    },
    /// A value that JSON cannot hold: an infinity or NaN.
    #[error("json: unsupported value: {number}")]
    Unsupported {
        /// The number.
        number: String,
    },
}

impl Error {
    /// The place in the text that was read; empty at 0 when writing failed.
    pub fn span(&self) -> Span {
        match self {
            Self::Character { span, .. } | Self::End { span } | Self::Depth { span } | Self::Type { span, .. } => *span,
            Self::Unsupported { .. } => Span::default(),
        }
    }
}

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
                for (i, (key, item)) in map.iter().enumerate() {
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

/// Reads a text that is one JSON value (`json.Unmarshal`). Of a key given twice the last value stays.
///
/// What is not UTF-8 becomes U+FFFD, and so do halves of surrogate pairs.
pub fn parse(text: impl AsRef<[u8]>, numbers: Numbers) -> Result<Value, Error> {
    let (value, end) = parse_prefix(text.as_ref(), numbers)?;
    let mut parser = Parser::new(text.as_ref(), numbers);
    parser.at = end;
    parser.skip_blanks();
    match parser.peek() {
        Some(_) => Err(parser.unexpected("after top-level value")),
        None => Ok(value),
    }
}

/// Reads a text that is an object, as `fromJson` does; `None` is `null`.
pub fn parse_map(text: impl AsRef<[u8]>, numbers: Numbers) -> Result<Option<Map>, Error> {
    match parse(text.as_ref(), numbers)? {
        Value::Map(map) => Ok(Some((*map).clone())),
        Value::Null => Ok(None),
        other => Err(wrong_type(text.as_ref(), &other, "map[string]interface {}")),
    }
}

/// Reads a text that is an array, as `fromJsonArray` does; `None` is `null`.
pub fn parse_list(text: impl AsRef<[u8]>, numbers: Numbers) -> Result<Option<Vec<Value>>, Error> {
    match parse(text.as_ref(), numbers)? {
        Value::List(items) => Ok(Some(items.to_vec())),
        Value::Null => Ok(None),
        other => Err(wrong_type(text.as_ref(), &other, "[]interface {}")),
    }
}

/// Reads the value that a text begins with (`json.Decoder`, `--set-json`); also returns where it ends.
pub fn parse_prefix(text: impl AsRef<[u8]>, numbers: Numbers) -> Result<(Value, usize), Error> {
    let mut parser = Parser::new(text.as_ref(), numbers);
    parser.skip_blanks();
    let value = parser.value(0)?;
    match parser.too_large {
        Some(error) => Err(error),
        None => Ok((value, parser.at)),
    }
}

fn wrong_type(text: &[u8], found: &Value, wanted: &'static str) -> Error {
    Error::Type { found: found.go_json_type().to_owned(), wanted, span: Span::new(0, text.len()) }
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    numbers: Numbers,
    /// The first number beyond `float64`: Go finds them after it has read everything.
    too_large: Option<Error>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t [u8], numbers: Numbers) -> Self {
        Self { text, at: 0, numbers, too_large: None }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The error for the byte at hand, or for its absence.
    fn unexpected(&self, context: impl Into<String>) -> Error {
        match self.peek() {
            Some(byte) => Error::Character { byte, context: context.into(), span: Span::new(self.at, self.at + 1) },
            None => Error::End { span: Span::new(self.at, self.at) },
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => Ok(self.string()?.into()),
            Some(b't') => self.literal("true", true.into()),
            Some(b'f') => self.literal("false", false.into()),
            Some(b'n') => self.literal("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn descend(&mut self, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::Depth { span: Span::new(self.at, self.at + 1) });
        }
        self.at += 1;
        self.skip_blanks();
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<Value, Error> {
        self.descend(depth)?;
        let mut entries: Vec<(String, Value)> = Vec::new();
        if self.eat(b'}') {
            return Ok(Map::default().into());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let key = self.string()?;
            self.skip_blanks();
            if !self.eat(b':') {
                return Err(self.unexpected("after object key"));
            }
            self.skip_blanks();
            entries.push((key, self.value(depth)?));
            self.skip_blanks();
            if self.eat(b'}') {
                return Ok(entries.into_iter().collect::<Map>().into());
            }
            if !self.eat(b',') {
                return Err(self.unexpected("after object key:value pair"));
            }
            self.skip_blanks();
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Error> {
        self.descend(depth)?;
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(items.into());
        }
        loop {
            items.push(self.value(depth)?);
            self.skip_blanks();
            if self.eat(b']') {
                return Ok(items.into());
            }
            if !self.eat(b',') {
                return Err(self.unexpected("after array element"));
            }
            self.skip_blanks();
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, Error> {
        for byte in word.bytes() {
            if !self.eat(byte) {
                return Err(self.unexpected(format!("in literal {word} (expecting '{}')", char::from(byte))));
            }
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits("in numeric literal")?;
        }
        let mut whole = true;
        if self.eat(b'.') {
            whole = false;
            self.digits("after decimal point in numeric literal")?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            whole = false;
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits("in exponent of numeric literal")?;
        }
        let text = String::from_utf8_lossy(self.text.get(start..self.at).unwrap_or_default());
        if whole
            && self.numbers == Numbers::Exact
            && let Some(Integer::Signed(value)) = number::parse_integer(&text, 10)
        {
            return Ok(Value::Int(value));
        }
        let span = Span::new(start, self.at);
        let value = number::parse_float(&text).unwrap_or_else(|| {
            let found = format!("number {text}");
            self.too_large.get_or_insert(Error::Type { found, wanted: "float64", span });
            0.0
        });
        Ok(self.numbers.float(value))
    }

    fn digits(&mut self, context: &str) -> Result<(), Error> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected(context));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, Error> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            push_utf8(self.text.get(start..self.at).unwrap_or_default(), &mut text);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                _ => return Err(self.unexpected("in string literal")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let c = match self.peek() {
            Some(b @ (b'"' | b'\\' | b'/')) => char::from(b),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.at += 1;
        Ok(c)
    }

    /// A character behind `\u`, of a surrogate pair where there are two.
    fn unicode(&mut self) -> Result<char, Error> {
        let first = self.four_digits()?;
        if let Some(c) = char::from_u32(first.into()) {
            return Ok(c);
        }
        let after = self.at;
        if self.eat(b'\\')
            && self.eat(b'u')
            && let Ok(second) = self.four_digits()
            && let Some(Ok(c)) = char::decode_utf16([first, second]).next()
        {
            return Ok(c);
        }
        // Half a pair; what follows is read again, on its own.
        self.at = after;
        Ok('\u{fffd}')
    }

    fn four_digits(&mut self) -> Result<u16, Error> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return Err(self.unexpected("in \\u hexadecimal character escape")) };
            code = code << 4 | digit as u16;
            self.at += 1;
        }
        Ok(code)
    }
}

/// Appends text, with U+FFFD for each byte that belongs to no character, as Go decodes it.
pub(crate) fn push_utf8(mut bytes: &[u8], text: &mut String) {
    loop {
        match std::str::from_utf8(bytes) {
            Ok(rest) => return text.push_str(rest),
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(valid));
                text.push('\u{fffd}');
                bytes = rest.get(1..).unwrap_or_default();
            }
        }
    }
}

/// `quoteChar`: the byte as if it were a character.
fn quote_byte(byte: u8) -> String {
    match byte {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        _ => {
            let quoted = number::quote(char::from(byte).encode_utf8(&mut [0; 4]));
            format!("'{}'", quoted.trim_matches('"'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_of_go() {
        for (text, expected) in [
            ("", "unexpected end of JSON input"),
            ("x", "invalid character 'x' looking for beginning of value"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 2}", "invalid character '2' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("1 2", "invalid character '2' after top-level value"),
            ("nul", "unexpected end of JSON input"),
            ("nuxl", "invalid character 'x' in literal null (expecting 'l')"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("01", "invalid character '1' after top-level value"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1e+x", "invalid character 'x' in exponent of numeric literal"),
            ("\"\n\"", "invalid character '\\n' in string literal"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("\"\\u12x\"", "invalid character 'x' in \\u hexadecimal character escape"),
            ("'a'", "invalid character '\\'' looking for beginning of value"),
            ("é", "invalid character 'Ã' looking for beginning of value"),
            ("1e400", "json: cannot unmarshal number 1e400 into Go value of type float64"),
        ] {
            let error = parse(text, Numbers::Floats).expect_err(text);
            assert_eq!(error.to_string(), expected, "{text}");
        }
        let error = parse_map("[1]", Numbers::Floats).expect_err("an array");
        assert_eq!(error.to_string(), "json: cannot unmarshal array into Go value of type map[string]interface {}");
        assert!(parse("[".repeat(100_000), Numbers::Exact).is_err());
    }

    #[test]
    fn strings_are_read_as_in_go() {
        let read = |text: &[u8]| parse(text, Numbers::Exact).ok().and_then(|value| value.as_str().map(str::to_owned));
        assert_eq!(read(br#""\ud83d\ude00\ud83d\ud83dx""#).as_deref(), Some("😀\u{fffd}\u{fffd}x"));
        assert_eq!(read(b"\"a\xe2\x98b\"").as_deref(), Some("a\u{fffd}\u{fffd}b"));
        assert_eq!(parse_prefix("{\"a\": 1},b=2", Numbers::Exact).map(|(_, end)| end), Ok(8));
    }

    #[test]
    fn values_are_written_as_in_go() {
        let value =
            parse("{\"b\":[1,2.50,1e21,[],{}],\"a\":\"<\u{2028}\u{7f}\\u0001&\"}", Numbers::Exact).expect("JSON");
        assert_eq!(
            to_json(&value).as_deref(),
            Ok("{\"a\":\"\\u003c\\u2028\u{7f}\\u0001\\u0026\",\"b\":[1,2.5,1e+21,[],{}]}")
        );
        assert_eq!(to_json_raw(value.get("a").expect("a")).as_deref(), Ok("\"<\\u2028\u{7f}\\u0001&\""));
        assert_eq!(
            to_json_pretty(value.get("b").expect("b")).as_deref(),
            Ok("[\n  1,\n  2.5,\n  1e+21,\n  [],\n  {}\n]")
        );
        assert!(to_json(&Value::Float(f64::NAN)).is_err());
    }
}
