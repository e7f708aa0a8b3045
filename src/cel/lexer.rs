//! The words of an expression. The rules are those of cel-go's grammar, `parser/gen/CEL.g4`.

use super::value::{Data, Val};
use super::{CompileError, CompileErrorKind};
use crate::source::Span;

/// The most operators, brackets and dots: what a tree can be made of.
const MAX_OPERATORS: usize = 1_500;

/// A word.
#[derive(Debug, Clone)]
pub enum Token<'a> {
    /// A name: of a variable, a function, a field
    Name(&'a str),
    /// An integer as it is written: its sign is a word of its own
    Int(&'a str),
    /// A number with a fraction or an exponent, as it is written
    Double(&'a str),
    /// Any other literal
    Literal(Val),
    /// An operator, a bracket, a comma, `in`
    Sign(&'static str),
    /// The end of the expression
    End,
}

/// The operators and brackets, longer ones first.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", ":", "+", "*",
    "/", "%",
];

/// Splits an expression into words, each with its bytes; the last is [`Token::End`].
pub fn tokens(source: &str) -> Result<Vec<(Token<'_>, Span)>, CompileError> {
    let mut tokens = Vec::with_capacity(source.len() / 4 + 1);
    let mut operators = 0;
    let mut at = 0;
    loop {
        let end = at;
        at += blank(source.get(at..).unwrap_or_default());
        let rest = source.get(at..).unwrap_or_default();
        let Some(first) = rest.chars().next() else {
            // Right after the last word: nobody looks for an error behind blanks.
            tokens.push((Token::End, Span::new(end, end)));
            return Ok(tokens);
        };
        let (token, length) = word(rest, first).map_err(|message| {
            let span = Span::new(at, at + first.len_utf8());
            CompileError { kind: CompileErrorKind::Syntax(message), span }
        })?;
        if let Token::Sign(sign) = token {
            operators += usize::from(!matches!(sign, ")" | "]" | "}" | "," | ":"));
            if operators > MAX_OPERATORS {
                let kind = CompileErrorKind::TooLarge("more than 1500 operators");
                return Err(CompileError { kind, span: Span::new(0, source.len()) });
            }
        }
        tokens.push((token, Span::new(at, at + length)));
        at += length;
    }
}

/// The length of the blanks and comments at the start of a text.
fn blank(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{c}']);
        match rest.strip_prefix("//") {
            Some(comment) => rest = comment.find('\n').and_then(|end| comment.get(end..)).unwrap_or_default(),
            None => return text.len() - rest.len(),
        }
    }
}

/// The word at the start of a text, and its length.
fn word(text: &str, first: char) -> Result<(Token<'_>, usize), String> {
    let unknown = || format!("Syntax error: token recognition error at: '{}'", first.escape_debug());
    if first.is_ascii_alphabetic() || first == '_' {
        let name = span_of(text, |b| b.is_ascii_alphanumeric() || b == b'_');
        // Before a quote it can be a prefix: r'…'.
        let before_quote = matches!(text.as_bytes().get(name.len()), Some(b'"' | b'\''));
        if before_quote && let Some(literal) = quoted(text) {
            return literal;
        }
        let token = match name {
            "in" => Token::Sign("in"),
            "true" => Token::Literal(true.into()),
            "false" => Token::Literal(false.into()),
            "null" => Token::Literal(Val::new(Data::Null)),
            _ => Token::Name(name),
        };
        return Ok((token, name.len()));
    }
    if matches!(first, '"' | '\'')
        && let Some(literal) = quoted(text)
    {
        return literal;
    }
    if (first.is_ascii_digit() || first == '.')
        && let Some(number) = number(text)
    {
        return number;
    }
    if first == '`' {
        // Kubernetes does not enable names in backticks.
        return Err("unsupported syntax: '`'".to_owned());
    }
    let sign = SIGNS.iter().find(|sign| text.starts_with(**sign)).ok_or_else(unknown)?;
    Ok((Token::Sign(sign), sign.len()))
}

/// The longest start of a text whose bytes, all ASCII, belong to a class.
fn span_of(text: &str, class: impl Fn(u8) -> bool) -> &str {
    let length = text.bytes().position(|b| !class(b)).unwrap_or(text.len());
    text.get(..length).unwrap_or_default()
}

/// The number at the start of a text.
fn number(text: &str) -> Option<Result<(Token<'_>, usize), String>> {
    let digits = |from: usize| span_of(text.get(from..).unwrap_or_default(), |b| b.is_ascii_digit()).len();
    let byte = |at: usize| text.as_bytes().get(at).copied();
    let whole = digits(0);
    let hex = text.strip_prefix("0x").map_or(0, |rest| span_of(rest, |b| b.is_ascii_hexdigit()).len());
    let mut end = if hex > 0 { 2 + hex } else { whole };
    let mut double = false;
    if hex == 0 && byte(end) == Some(b'.') && digits(end + 1) > 0 {
        double = true;
        end += 1 + digits(end + 1);
    }
    if end == 0 {
        return None;
    }
    if hex == 0 && matches!(byte(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(byte(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            double = true;
            end += 1 + sign + exponent;
        }
    }
    let number = text.get(..end).unwrap_or_default();
    if double {
        return Some(Ok((Token::Double(number), end)));
    }
    if !matches!(byte(end), Some(b'u' | b'U')) {
        return Some(Ok((Token::Int(number), end)));
    }
    let value = match number.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => number.parse(),
    };
    let literal = value.map(|value| (Token::Literal(Val::new(Data::Uint(value))), end + 1));
    Some(literal.map_err(|_| "invalid uint literal".to_owned()))
}

/// The text or bytes at the start of a text, if it starts with a quote or with a prefix and a quote.
fn quoted(text: &str) -> Option<Result<(Token<'_>, usize), String>> {
    let rest = text.strip_prefix(['b', 'B']);
    let (rest, bytes) = (rest.unwrap_or(text), rest.is_some());
    let unprefixed = rest.strip_prefix(['r', 'R']);
    let (rest, raw) = (unprefixed.unwrap_or(rest), unprefixed.is_some());
    let delimiter = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|delimiter| rest.starts_with(delimiter))?;
    let content = rest.get(delimiter.len()..).unwrap_or_default();
    let scanned = Content { delimiter, raw, bytes }.read(content).map(|(value, length)| {
        let length = text.len() - content.len() + length;
        let data = match String::from_utf8(value) {
            Ok(value) if !bytes => Data::String(value.into()),
            Ok(value) => Data::Bytes(value.into_bytes().into()),
            Err(error) => Data::Bytes(error.into_bytes().into()),
        };
        (Token::Literal(Val::new(data)), length)
    });
    Some(scanned)
}

/// What is between quotes.
struct Content {
    delimiter: &'static str,
    raw: bool,
    bytes: bool,
}

impl Content {
    /// The value of a content, and the length up to and with the quotes that close it.
    fn read(&self, content: &str) -> Result<(Vec<u8>, usize), String> {
        let mut value = Vec::new();
        let mut rest = content;
        loop {
            if let Some(after) = rest.strip_prefix(self.delimiter) {
                return Ok((value, content.len() - after.len()));
            }
            let mut chars = rest.chars();
            match chars.next() {
                Some('\\') if !self.raw => {
                    rest = self.escape(chars.as_str(), &mut value)?;
                    continue;
                }
                Some('\n' | '\r') | None if self.delimiter.len() == 1 || rest.is_empty() => {
                    let kind = if self.bytes { "bytes" } else { "string" };
                    return Err(format!("Syntax error: {kind} literal is not closed by {}", self.delimiter));
                }
                // Ends of lines are the same on all systems.
                Some('\r') => {
                    value.push(b'\n');
                    rest = chars.as_str().strip_prefix('\n').unwrap_or(chars.as_str());
                    continue;
                }
                Some(c) => value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                None => {}
            }
            rest = chars.as_str();
        }
    }

    /// Adds what is escaped, without its backslash, and returns what follows.
    fn escape<'a>(&self, text: &'a str, value: &mut Vec<u8>) -> Result<&'a str, String> {
        let kind = text.chars().next();
        let refuse = || {
            let kind = kind.map(String::from).unwrap_or_default();
            Err(format!("Syntax error: invalid escape sequence '\\{}'", kind.escape_debug()))
        };
        let (skipped, length, radix) = match kind {
            Some('x' | 'X') => (1, 2, 16),
            Some('u') if !self.bytes => (1, 4, 16),
            Some('U') if !self.bytes => (1, 8, 16),
            Some('0'..='3') => (0, 3, 8),
            Some(c) => {
                value.push(match c {
                    'a' => 0x07,
                    'b' => 0x08,
                    'f' => 0x0c,
                    'n' => b'\n',
                    'r' => b'\r',
                    't' => b'\t',
                    'v' => 0x0b,
                    '\\' | '\'' | '"' | '`' | '?' => c as u8,
                    _ => return refuse(),
                });
                return Ok(text.get(1..).unwrap_or_default());
            }
            None => return refuse(),
        };
        let (Some(digits), Some(rest)) = (text.get(skipped..skipped + length), text.get(skipped + length..)) else {
            return refuse();
        };
        if !digits.chars().all(|c| c.is_digit(radix)) {
            return refuse();
        }
        let Ok(code) = u32::from_str_radix(digits, radix) else { return refuse() };
        match (u8::try_from(code), char::from_u32(code)) {
            // Of bytes a code is the byte, of text the character.
            (Ok(byte), _) if self.bytes => value.push(byte),
            (_, Some(c)) => value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            (_, None) => return Err("invalid string literal: invalid unicode code point".to_owned()),
        }
        Ok(rest)
    }
}
