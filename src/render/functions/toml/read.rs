//! TOML read in one pass, refused in BurntSushi's words.

use super::key::{dotted, is_bare};
use super::tree::{Node, Tree, table_any};
use crate::render::any::{Any, List, Map};
use crate::render::functions::cast::{NumberError, parse_float, parse_int};
use crate::render::functions::parse_date;
use crate::render::functions::runes::is_letter;
use crate::render::functions::time::{Time, Zone};
use crate::render::strconv::quote;

/// How deep arrays and inline tables may nest, and how many parts a key may have.
const MAX_DEPTH: usize = 500;

/// The end of the text. A NUL in it is refused as a control character.
const END: char = '\0';

type Read<T> = Result<T, String>;

/// Whether a character is a digit of a base.
type Digit = fn(char) -> bool;

/// Reads a document into a map; the error is the text that Helm puts under `Error`.
pub(super) fn read(bytes: &[u8]) -> Read<Any> {
    let bytes = [&b"\xff\xfe"[..], b"\xfe\xff", b"\xef\xbb\xbf"]
        .iter()
        .find_map(|mark| bytes.strip_prefix(*mark))
        .unwrap_or(bytes);
    if bytes.iter().take(6).any(|&b| b == 0) {
        return Err(
            "toml: line 1: files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8".into()
        );
    }
    let mut parser = Parser { bytes, at: 0, line: 1, key_line: 1, tree: Tree::default(), key: String::new(), depth: 0 };
    while parser.top_level()? {}
    Ok(table_any(&parser.tree.root))
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    /// The line of the last key, which errors about keys name
    key_line: usize,
    tree: Tree,
    /// The key that is being read, without its tables
    key: String,
    depth: usize,
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

fn is_newline(c: char) -> bool {
    c == '\n' || c == '\r'
}

/// Go's `%q` of a character.
fn quoted_char(c: char) -> String {
    crate::render::strconv::quote_char(c, false)
}

impl Parser<'_> {
    fn fail_at<T>(&self, line: usize, message: &str) -> Read<T> {
        let context = &self.tree.context;
        let last = match (self.key.is_empty(), context.is_empty()) {
            (true, _) => dotted(context),
            (false, true) => self.key.clone(),
            (false, false) => format!("{}.{}", dotted(context), self.key),
        };
        if last.is_empty() {
            return Err(format!("toml: line {line}: {message}"));
        }
        Err(format!("toml: line {line} (last key {}): {message}", quote(last.as_bytes(), false)))
    }

    fn fail<T>(&self, message: &str) -> Read<T> {
        self.fail_at(self.line, message)
    }

    fn peek(&self) -> Read<char> {
        let rest = &self.bytes[self.at..];
        let Some(&first) = rest.first() else { return Ok(END) };
        let (c, width) = crate::render::functions::runes::first(rest);
        if c == char::REPLACEMENT_CHARACTER && width == 1 {
            return self.fail(&format!("invalid UTF-8 byte: 0x{first:02x}"));
        }
        let lonely_return = c == '\r' && rest.get(1) != Some(&b'\n');
        if c.is_ascii_control() && !matches!(c, '\t' | '\r' | '\n') || lonely_return {
            return self.fail(&format!("TOML files cannot contain control characters: '0x{:02x}'", c as u32));
        }
        Ok(c)
    }

    fn next(&mut self) -> Read<char> {
        let c = self.peek()?;
        if self.at < self.bytes.len() {
            self.at += c.len_utf8();
            self.line += usize::from(c == '\n');
        }
        Ok(c)
    }

    fn accept(&mut self, wanted: char) -> Read<bool> {
        let found = self.peek()? == wanted;
        if found {
            self.next()?;
        }
        Ok(found)
    }

    fn skip(&mut self, what: impl Fn(char) -> bool) -> Read<()> {
        while what(self.peek()?) {
            self.next()?;
        }
        Ok(())
    }

    fn since(&self, start: usize) -> String {
        String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned()
    }

    fn comment(&mut self) -> Read<()> {
        self.skip(|c| !is_newline(c) && c != END)
    }

    /// Blanks, line breaks and comments.
    fn skip_all(&mut self) -> Read<()> {
        loop {
            self.skip(|c| is_blank(c) || is_newline(c))?;
            if !self.accept('#')? {
                return Ok(());
            }
            self.comment()?;
        }
    }

    /// A table, an array of tables or a key with its value; false at the end.
    fn top_level(&mut self) -> Read<bool> {
        self.skip_all()?;
        match self.peek()? {
            END => return Ok(false),
            '[' => self.header()?,
            _ => {
                let outer = self.tree.context.clone();
                self.key_value()?;
                self.tree.context = outer;
                self.key.clear();
            }
        }
        self.skip(is_blank)?;
        match self.next()? {
            '#' => self.comment()?,
            c if is_newline(c) || c == END => {}
            c => {
                let message = format!(
                    "expected a top-level item to end with a newline, comment, or EOF, but got {} instead",
                    quoted_char(c)
                );
                return self.fail(&message);
            }
        }
        Ok(true)
    }

    /// `[a.b]` or `[[a.b]]`
    fn header(&mut self) -> Read<()> {
        self.next()?;
        let array = self.accept('[')?;
        let mut keys = Vec::new();
        loop {
            self.skip(is_blank)?;
            match self.peek()? {
                ']' | END => return self.fail("unexpected end of table name (table names cannot be empty)"),
                '.' => return self.fail("unexpected table separator (table names cannot be empty)"),
                _ => {}
            }
            let part = self.key_part()?;
            if keys.is_empty() {
                self.key_line = self.line;
            }
            self.add_part(&mut keys, part)?;
            self.skip(is_blank)?;
            match self.next()? {
                '.' => {}
                ']' => break,
                c => {
                    let message = format!("expected '.' or ']' to end table name, but got {} instead", quoted_char(c));
                    return self.fail(&message);
                }
            }
        }
        if array {
            let c = self.next()?;
            if c != ']' {
                let message =
                    format!("expected end of table array name delimiter ']', but got {} instead", quoted_char(c));
                return self.fail(&message);
            }
        }
        self.enter(&keys, array)?;
        self.tree.set_array("", false);
        Ok(())
    }

    fn add_part(&self, keys: &mut Vec<String>, part: String) -> Read<()> {
        if keys.len() >= MAX_DEPTH {
            return self.fail(&format!("keys cannot have more than {MAX_DEPTH} parts"));
        }
        keys.push(part);
        Ok(())
    }

    fn enter(&mut self, keys: &[String], array: bool) -> Read<()> {
        match self.tree.enter(keys, array) {
            Ok(()) => Ok(()),
            Err(message) => self.fail_at(self.key_line, &message),
        }
    }

    fn set(&mut self, node: Node) -> Read<()> {
        let key = self.key.clone();
        match self.tree.set(&key, node) {
            Ok(()) => Ok(()),
            Err(message) => self.fail_at(self.key_line, &message),
        }
    }

    fn key_part(&mut self) -> Read<String> {
        if self.accept('"')? {
            return self.basic_string();
        }
        if self.accept('\'')? {
            return self.raw_string();
        }
        let start = self.at;
        self.skip(is_bare)?;
        Ok(self.since(start))
    }

    /// `a.b = value`. Leaves the context inside; the caller restores it. Returns the parts of the key and the value.
    fn key_value(&mut self) -> Read<(Vec<String>, Any)> {
        self.skip(is_blank)?;
        match self.peek()? {
            '=' | END => return self.fail("unexpected '=': key name appears blank"),
            '.' => return self.fail("unexpected '.': keys cannot start with a '.'"),
            _ => {}
        }
        let mut keys = Vec::new();
        self.key_line = self.line;
        loop {
            self.skip(is_blank)?;
            match self.peek()? {
                '=' | END => return self.fail("unexpected '='"),
                '.' => return self.fail("unexpected '.'"),
                _ => {}
            }
            let part = self.key_part()?;
            self.add_part(&mut keys, part)?;
            self.skip(is_blank)?;
            match self.next()? {
                '.' => {}
                '=' => break,
                END => return self.fail("unexpected EOF; expected key separator '='"),
                c => {
                    let line = self.line - usize::from(c == '\n');
                    let message = format!("expected '.' or '=', but got {} instead", quoted_char(c));
                    return self.fail_at(line, &message);
                }
            }
        }
        let Some((last, parents)) = keys.split_last() else { return Ok((keys, Any::Nil)) };
        self.key = last.clone();
        for parent in parents {
            let path = self.tree.path(parent);
            self.tree.imply(&path);
            self.enter(&path, false)?;
        }
        let value = self.value(false)?;
        let is_array = matches!(value, Any::List(_));
        self.set(Node::Value(value.clone()))?;
        self.tree.set_array(last, is_array);
        Ok((keys, value))
    }

    fn value(&mut self, in_array: bool) -> Read<Any> {
        self.skip(is_blank)?;
        let start = self.at;
        let c = self.peek()?;
        if c.is_ascii_digit() {
            return self.number_or_date();
        }
        self.next()?;
        match c {
            '[' => self.nested(|parser| parser.array()),
            '{' => self.nested(|parser| parser.inline_table(in_array)),
            '"' if self.bytes[self.at..].starts_with(b"\"\"") => {
                self.at += 2;
                self.multiline_string().map(|text| Any::String(text.into()))
            }
            '"' => self.basic_string().map(|text| Any::String(text.into())),
            '\'' if self.bytes[self.at..].starts_with(b"''") => {
                self.at += 2;
                self.multiline_raw_string().map(|text| Any::String(text.into()))
            }
            '\'' => self.raw_string().map(|text| Any::String(text.into())),
            '.' => self.fail("floats must start with a digit, not '.'"),
            'i' if self.bytes[self.at..].starts_with(b"nf") => {
                self.at += 2;
                Ok(Any::Float64(f64::INFINITY))
            }
            'n' if self.bytes[self.at..].starts_with(b"an") => {
                self.at += 2;
                Ok(Any::Float64(f64::NAN))
            }
            '-' | '+' => self.signed_number(start),
            END => self.fail("unexpected EOF; expected value"),
            c if is_letter(c) => {
                self.skip(is_letter)?;
                match self.since(start).as_str() {
                    "true" => Ok(Any::Bool(true)),
                    "false" => Ok(Any::Bool(false)),
                    word => self.fail(&format!("expected value but found {} instead", quote(word.as_bytes(), false))),
                }
            }
            c => {
                let line = self.line - usize::from(c == '\n');
                let message = format!("expected value but found {} instead", quoted_char(c));
                self.fail_at(line, &message)
            }
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Read<Any>) -> Read<Any> {
        if self.depth >= MAX_DEPTH {
            return self.fail(&format!("values are nested more than {MAX_DEPTH} deep"));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn array(&mut self) -> Read<Any> {
        let key = self.key.clone();
        self.tree.set_array(&key, true);
        let mut items = Vec::new();
        loop {
            self.skip_all()?;
            if self.accept(',')? {
                return self.fail("unexpected comma");
            }
            if self.accept(']')? {
                break;
            }
            items.push(self.value(true)?);
            self.skip_all()?;
            match self.next()? {
                ',' => {}
                ']' => break,
                c => {
                    let message =
                        format!("expected a comma (',') or array terminator (']'), but got {}", char_or_end(c));
                    return self.fail(&message);
                }
            }
        }
        Ok(Any::List(List::new(items)))
    }

    fn inline_table(&mut self, in_array: bool) -> Read<Any> {
        let outer_context = self.tree.context.clone();
        let outer_key = std::mem::take(&mut self.key);
        let context = self.tree.path(&outer_key);
        self.tree.context = context.clone();
        self.tree.imply(&context);
        self.enter(&context, in_array)?;
        let table = Map::new(Default::default());
        loop {
            self.skip_all()?;
            if self.accept(',')? {
                return self.fail("unexpected comma");
            }
            if self.accept('}')? {
                break;
            }
            let (keys, value) = self.key_value()?;
            let Some((last, parents)) = keys.split_last() else { break };
            let mut into = table.clone();
            for parent in parents {
                let next = into.get(parent.as_bytes()).unwrap_or_else(|| Any::Map(Map::new(Default::default())));
                into.insert(parent.as_str(), next.clone());
                let Any::Map(next) = next else {
                    let name = quote(format!("[{}]", self.tree.context.join(" ")).as_bytes(), false);
                    return self.fail_at(self.key_line, &format!("{name} is not a table"));
                };
                into = next;
            }
            into.insert(last.as_str(), value);
            self.tree.context = context.clone();
            self.skip_all()?;
            match self.next()? {
                ',' => self.skip(is_blank)?,
                '}' => break,
                c => {
                    let message = format!(
                        "expected a comma or an inline table terminator '}}', but got {} instead",
                        char_or_end(c)
                    );
                    return self.fail(&message);
                }
            }
        }
        self.tree.context = outer_context;
        self.key = outer_key;
        Ok(Any::Map(table))
    }

    fn raw_string(&mut self) -> Read<String> {
        let start = self.at;
        loop {
            match self.next()? {
                END => return self.fail("unexpected EOF; expected \"'\""),
                c if is_newline(c) => {
                    return self.fail_at(self.line - 1, "strings cannot contain newlines");
                }
                '\'' => {
                    let text = self.since(start);
                    return Ok(text[..text.len() - 1].to_owned());
                }
                _ => {}
            }
        }
    }

    fn basic_string(&mut self) -> Read<String> {
        let mut out = String::new();
        loop {
            match self.next()? {
                END => return self.fail("unexpected EOF; expected '\"'"),
                c if is_newline(c) => {
                    return self.fail_at(self.line - 1, "strings cannot contain newlines");
                }
                '\\' => self.escape(&mut out)?,
                '"' => return Ok(out),
                c => out.push(c),
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self, out: &mut String) -> Read<()> {
        let start = self.at - 1;
        let c = self.next()?;
        let simple = match c {
            'b' => Some('\u{8}'),
            't' => Some('\t'),
            'n' => Some('\n'),
            'f' => Some('\u{c}'),
            'r' => Some('\r'),
            'e' => Some('\u{1b}'),
            '"' | '\\' => Some(c),
            _ => None,
        };
        if let Some(simple) = simple {
            out.push(simple);
            return Ok(());
        }
        let digits = match c {
            c if is_blank(c) => return self.fail(&format!("invalid escape: '\\{c}'")),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            c => return self.fail(&format!("invalid escape in string '\\{c}'")),
        };
        for _ in 0..digits {
            if !self.next()?.is_ascii_hexdigit() {
                let (count, letter) = match digits {
                    2 => ("two", 'x'),
                    4 => ("four", 'u'),
                    _ => ("eight", 'U'),
                };
                let found = quote(self.since(start).as_bytes(), false);
                return self
                    .fail(&format!("expected {count} hexadecimal digits after '\\{letter}', but got {found} instead"));
            }
        }
        let text = self.since(start + 2);
        match u32::from_str_radix(&text, 16).ok().and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                Ok(())
            }
            None => self.fail(&format!("Escaped character '\\u{text}' is not valid UTF-8.")),
        }
    }

    /// What follows three quotes, up to the next three. The first line break is left out.
    fn multiline_string(&mut self) -> Read<String> {
        let mut out = String::new();
        self.first_newline()?;
        loop {
            match self.next()? {
                END => return self.fail("unexpected EOF; expected '\"\"\"'"),
                '\\' => {
                    // A backslash before a line break takes all blanks away.
                    let rest = &self.bytes[self.at..];
                    let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
                    if rest[..blanks].contains(&b'\n') {
                        for _ in 0..blanks {
                            self.next()?;
                        }
                    } else {
                        self.escape(&mut out)?;
                    }
                }
                '"' => match self.closing(b'"')? {
                    None => return self.fail("unexpected '\"\"\"\"\"\"'"),
                    Some((quotes, closed)) => {
                        out.push_str(&"\"".repeat(quotes));
                        if closed {
                            return Ok(out);
                        }
                    }
                },
                c => out.push(c),
            }
        }
    }

    fn multiline_raw_string(&mut self) -> Read<String> {
        let mut out = String::new();
        self.first_newline()?;
        loop {
            match self.next()? {
                END => return self.fail("unexpected EOF; expected \"'''\""),
                '\'' => match self.closing(b'\'')? {
                    None => return self.fail("unexpected \"''''''\""),
                    Some((quotes, closed)) => {
                        out.push_str(&"'".repeat(quotes));
                        if closed {
                            return Ok(out);
                        }
                    }
                },
                c => out.push(c),
            }
        }
    }

    fn first_newline(&mut self) -> Read<()> {
        if self.bytes[self.at..].starts_with(b"\r\n") {
            self.next()?;
        }
        self.accept('\n').map(drop)
    }

    /// After one quote: how many quotes are text, and whether the string ends. `None` where there are six.
    fn closing(&mut self, mark: u8) -> Read<Option<(usize, bool)>> {
        let more = self.bytes[self.at..].iter().take_while(|b| **b == mark).count();
        let quotes = more + 1;
        if quotes >= 6 {
            return Ok(None);
        }
        self.at += more;
        Ok(Some(if quotes >= 3 { (quotes - 3, true) } else { (quotes, false) }))
    }

    fn signed_number(&mut self, start: usize) -> Read<Any> {
        let c = self.next()?;
        match c {
            'i' | 'n' => {
                let rest: &[u8] = if c == 'i' { b"nf" } else { b"an" };
                for &wanted in rest {
                    if !self.accept(char::from(wanted))? {
                        let found = self.since(start);
                        return self.fail(&format!("invalid float: '{found}'"));
                    }
                }
                let negative = self.bytes[start] == b'-';
                let value: f64 = if c == 'i' { f64::INFINITY } else { f64::NAN };
                Ok(Any::Float64(if negative { -value } else { value }))
            }
            '0' if matches!(self.peek()?, 'b' | 'o' | 'x') => {
                let found = format!("{}{}", self.since(start), self.peek()?);
                self.fail(&format!("cannot use sign with non-decimal numbers: '{found}'"))
            }
            '.' => self.fail("floats must start with a digit, not '.'"),
            c if c.is_ascii_digit() => self.decimal(start),
            c => self.fail(&format!("expected a digit but got {}", quoted_char(c))),
        }
    }

    fn number_or_date(&mut self) -> Read<Any> {
        let start = self.at;
        if self.next()? == '0' {
            let belongs: Option<(Digit, &str)> = match self.peek()? {
                'b' => Some((|c| matches!(c, '0' | '1'), "a binary")),
                'o' => Some((|c| ('0'..='7').contains(&c), "an octal")),
                'x' => Some((|c| c.is_ascii_hexdigit(), "a hexadecimal")),
                _ => None,
            };
            if let Some((belongs, what)) = belongs {
                self.next()?;
                let c = self.peek()?;
                if !belongs(c) {
                    let found = self.since(start);
                    return self.fail(&format!("not {what} number: '{found}{c}'"));
                }
                self.skip(|c| belongs(c) || c == '_')?;
                return self.integer(&self.since(start));
            }
        }
        self.skip(|c| c.is_ascii_digit())?;
        match self.peek()? {
            '-' | ':' => {
                self.skip(|c| c.is_ascii_digit() || "-:Tt .Zz+".contains(c))?;
                self.date(self.since(start).trim())
            }
            _ => self.decimal(start),
        }
    }

    fn decimal(&mut self, start: usize) -> Read<Any> {
        self.skip(|c| c.is_ascii_digit() || c == '_')?;
        if matches!(self.peek()?, '.' | 'e' | 'E') {
            self.skip(|c| c.is_ascii_digit() || "_.-+eE".contains(c))?;
            return self.float(&self.since(start));
        }
        self.integer(&self.since(start))
    }

    fn integer(&self, text: &str) -> Read<Any> {
        let name = quote(text.as_bytes(), false);
        if !underscores_ok(text) {
            return self.fail(&format!("Invalid integer {name}: underscores must be surrounded by digits"));
        }
        if has_leading_zero(text) {
            return self.fail(&format!("Invalid integer {name}: cannot have leading zeroes"));
        }
        match parse_int(text, 0) {
            Ok(value) => Ok(Any::Int64(value)),
            Err(NumberError::Range(_)) => self.fail(&format!("{text} is out of range for int64")),
            Err(NumberError::Syntax) => self.fail(&format!("Expected integer value, but got '{text}'.")),
        }
    }

    fn float(&self, text: &str) -> Read<Any> {
        let name = quote(text.as_bytes(), false);
        let parts: Vec<&str> = text.split(['.', 'e', 'E']).filter(|part| !part.is_empty()).collect();
        if !parts.iter().all(|part| underscores_ok(part)) {
            return self.fail(&format!("Invalid float {name}: underscores must be surrounded by digits"));
        }
        if parts.first().is_some_and(|part| has_leading_zero(part)) {
            return self.fail(&format!("Invalid float {name}: cannot have leading zeroes"));
        }
        let mut after = text.split('.').skip(1);
        if !after.all(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            return self.fail(&format!("Invalid float {name}: '.' must be followed by one or more digits"));
        }
        match parse_float(&text.replace('_', "")) {
            Some(value) => Ok(Any::Float64(value)),
            None if text.replace('_', "").parse::<f64>().is_ok() => {
                self.fail(&format!("{text} is out of range for float64"))
            }
            None => self.fail(&format!("Invalid float value: {name}")),
        }
    }

    /// With an offset, or local: then the zone's name tells what the text had.
    fn date(&self, text: &str) -> Read<Any> {
        const LAYOUTS: [(&str, Option<&str>); 7] = [
            ("2006-01-02T15:04:05.999999999Z07:00", None),
            ("2006-01-02T15:04:05.999999999", Some("datetime-local")),
            ("2006-01-02", Some("date-local")),
            ("15:04:05.999999999", Some("time-local")),
            ("2006-01-02T15:04Z07:00", None),
            ("2006-01-02T15:04", Some("datetime-local")),
            ("15:04", Some("time-local")),
        ];
        let text = text.replace('z', "Z").replace(['t', ' '], "T");
        for (layout, local) in LAYOUTS {
            let Ok(time) = parse_date::parse(layout, &text) else { continue };
            // `2021-1-2` must not pass for lack of zeros.
            let shape = layout.split(['.', 'Z']).next().unwrap_or_default();
            if shape.bytes().zip(text.bytes()).any(|(wanted, found)| !wanted.is_ascii_digit() && wanted != found) {
                break;
            }
            let zone = local.map_or(time.zone.clone(), |name| Zone::Fixed(name.into(), 0));
            return Ok(Time { zone, ..time }.into_any());
        }
        self.fail(&format!("invalid datetime: {}", quote(text.as_bytes(), false)))
    }
}

fn char_or_end(c: char) -> String {
    if c == END { "end of file".into() } else { format!("'{c}'") }
}

fn underscores_ok(text: &str) -> bool {
    let mut digit = false;
    for c in text.chars() {
        if c == '_' && !digit {
            return false;
        }
        digit = c.is_ascii_hexdigit();
    }
    digit
}

fn has_leading_zero(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        [b'0', second, ..] => !matches!(second, b'b' | b'o' | b'x'),
        [b'-' | b'+', b'0', _, ..] => true,
        _ => false,
    }
}
