//! JSON as values: `json.Unmarshal`.

use std::borrow::Cow;

use memchr::memchr2;

use super::Error;
use crate::number::{self, Integer};
use crate::source::Span;
use crate::value::{MAX_DEPTH, Map, Numbers, Value};

/// Reads a text that is one JSON value (`json.Unmarshal`). Of a key given twice the last value stays.
///
/// What is not UTF-8 becomes U+FFFD, and so do halves of surrogate pairs.
pub fn parse(text: impl AsRef<[u8]>, numbers: Numbers) -> Result<Value, Error> {
    let mut parser = Parser::new(text.as_ref(), numbers, true);
    let value = parser.value(0)?;
    parser.skip_blanks();
    if parser.peek().is_some() {
        return Err(parser.unexpected("after top-level value"));
    }
    parser.too_large.map_or(Ok(value), Err)
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
///
/// For [`Error::End`] Go's decoder says `unexpected EOF`, or `EOF` where there is nothing but blanks.
pub fn parse_prefix(text: impl AsRef<[u8]>, numbers: Numbers) -> Result<(Value, usize), Error> {
    let mut parser = Parser::new(text.as_ref(), numbers, false);
    let value = parser.value(0)?;
    let end = parser.at;
    parser.too_large.map_or(Ok((value, end)), Err)
}

fn wrong_type(text: &[u8], found: &Value, wanted: &'static str) -> Error {
    Error::Type { found: found.go_json_type().to_owned(), wanted, span: Span::new(0, text.len()) }
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    numbers: Numbers,
    /// The text is one value: Go then takes its end for a blank.
    whole: bool,
    /// The first number beyond `float64`: Go finds them after it has read everything.
    too_large: Option<Error>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t [u8], numbers: Numbers, whole: bool) -> Self {
        let mut parser = Self { text, at: 0, numbers, whole, too_large: None };
        parser.skip_blanks();
        parser
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

    /// The same where a blank is not allowed either.
    fn unexpected_inside(&self, context: impl Into<String>) -> Error {
        match self.peek() {
            None if self.whole => {
                Error::Character { byte: b' ', context: context.into(), span: Span::new(self.at, self.at) }
            }
            _ => self.unexpected(context),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => Ok(Value::String(self.string()?.into())),
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
        let mut entries: Vec<(Cow<'t, str>, Value)> = Vec::new();
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
                return Err(self.unexpected_inside(format!("in literal {word} (expecting '{}')", char::from(byte))));
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
            return Err(self.unexpected_inside(context));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Cow<'t, str>, Error> {
        self.at += 1;
        let run = self.plain();
        if self.peek() == Some(b'"')
            && let Ok(text) = std::str::from_utf8(run)
        {
            self.at += 1;
            return Ok(text.into());
        }
        let mut text = String::new();
        push_utf8(run, &mut text);
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text.into());
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                _ => return Err(self.unexpected("in string literal")),
            }
            push_utf8(self.plain(), &mut text);
        }
    }

    /// What stands in a string for itself, from here on.
    fn plain(&mut self) -> &'t [u8] {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let (run, _) = rest.split_at(memchr2(b'"', b'\\', rest).unwrap_or(rest.len()));
        let is_control = |byte: &u8| *byte < b' ';
        // The least byte is found faster than the first that is too small.
        let end = if run.iter().min().is_some_and(is_control) { run.iter().position(is_control) } else { None };
        let (plain, _) = run.split_at(end.unwrap_or(run.len()));
        self.at += plain.len();
        plain
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
            _ => return Err(self.unexpected_inside("in string escape code")),
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
            let Some(digit) = digit else { return Err(self.unexpected_inside("in \\u hexadecimal character escape")) };
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
