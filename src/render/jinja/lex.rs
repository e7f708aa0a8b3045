//! The tokens of tags, as minijinja's lexer sees them.

use crate::source::Span;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A name or a keyword
    Word(String),
    /// A string, without its quotes, escapes as they are
    Text(String),
    /// A number
    Number(String),
    /// Anything else; `≟` for a comparison of two characters
    Sign(char),
}

/// A token of an expression.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where.
    pub span: Span,
}

impl Token {
    /// The name, if it is one.
    pub fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The string, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is a sign.
    pub fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }
}

/// The tokens up to the closing delimiter (outside brackets and strings), and where it ends.
pub fn lex(text: &str, start: usize, close: &str) -> (Vec<Token>, usize) {
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if depth == 0 && rest.starts_with(close) {
            return (tokens, at + close.len());
        }
        let (len, kind) = match c {
            '"' | '\'' => {
                let (len, string) = quoted(rest, c);
                (len, Some(Kind::Text(string)))
            }
            c if c.is_alphabetic() || c == '_' => {
                let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                (len, Some(Kind::Word(rest[..len].to_owned())))
            }
            c if c.is_ascii_digit() => {
                let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                (len, Some(Kind::Number(rest[..len].to_owned())))
            }
            '-' | '+' if depth == 0 && rest[1..].starts_with(close) => (1, None),
            // A trim mark after the opening delimiter.
            '-' | '+' if at == start => (1, None),
            '=' | '!' | '<' | '>' if rest[1..].starts_with('=') => (2, Some(Kind::Sign('≟'))),
            c if c.is_whitespace() => (c.len_utf8(), None),
            c => {
                match c {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                (c.len_utf8(), Some(Kind::Sign(c)))
            }
        };
        if let Some(kind) = kind {
            tokens.push(Token { kind, span: Span::new(at, at + len) });
        }
        at += len;
    }
    (tokens, text.len())
}

/// The length of a quoted string with its quotes, and what is in it, escapes as they are.
fn quoted(text: &str, quote: char) -> (usize, String) {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return (i + 1, text[1..i].to_owned());
        }
        escaped = c == '\\' && !escaped;
    }
    (text.len(), text[1..].to_owned())
}

/// Where a `raw` block ends that began before `from`.
pub fn end_of_raw(text: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(found) = text[at..].find("{%") {
        let (tokens, end) = lex(text, at + found + 2, "%}");
        if tokens.first().and_then(Token::word) == Some("endraw") {
            return end;
        }
        at += found + 2;
    }
    text.len()
}
