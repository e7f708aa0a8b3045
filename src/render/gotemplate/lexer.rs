//! Go's template lexer (`text/template/parse/lex.go`): text, and the tokens between `{{` and `}}`.

use std::fmt;

use crate::render::strconv::{is_alphanumeric, is_print, quote};

/// What a [`Token`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The text says what is wrong; nothing follows
    Error,
    /// `true` or `false`
    Bool,
    /// A printable ASCII character that means nothing by itself
    Char,
    /// `'a'`
    CharConstant,
    /// `1+2i`
    Complex,
    /// `=`
    Assign,
    /// `:=`
    Declare,
    /// The end of the template
    Eof,
    /// `.name`
    Field,
    /// A function's name
    Identifier,
    /// `{{`
    LeftDelim,
    /// `(`
    LeftParen,
    /// A number, imaginary ones included
    Number,
    /// `|`
    Pipe,
    /// A backquoted string
    RawString,
    /// `}}`
    RightDelim,
    /// `)`
    RightParen,
    /// White space between operands
    Space,
    /// A double-quoted string
    String,
    /// Text outside of actions
    Text,
    /// `$` or `$name`
    Variable,
    /// `.`
    Dot,
    /// `block`
    Block,
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `define`
    Define,
    /// `else`
    Else,
    /// `end`
    End,
    /// `if`
    If,
    /// `nil`
    Nil,
    /// `range`
    Range,
    /// `template`
    Template,
    /// `with`
    With,
}

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Where it starts, in bytes.
    pub pos: usize,
    /// Its text.
    pub text: &'a str,
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Go's words
    Message(&'static str),
    /// A character that cannot follow a name
    BadCharacter(char),
    /// A character that cannot stand in an action
    Unrecognized(char),
    /// A malformed number
    BadNumber(String),
}

/// Scans one template.
#[derive(Debug, Clone)]
pub struct Lexer<'a> {
    input: &'a str,
    pos: usize,
    start: usize,
    inside_action: bool,
    parens: usize,
    problem: Option<Problem>,
}

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

impl<'a> Lexer<'a> {
    /// Starts at the beginning of a template.
    pub fn new(input: &'a str) -> Self {
        Self { input, pos: 0, start: 0, inside_action: false, parens: 0, problem: None }
    }

    /// What the last [`Kind::Error`] token was about.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// The next token; after an error or the end always [`Kind::Eof`].
    pub fn next_token(&mut self) -> Token<'a> {
        if self.problem.is_some() {
            return Token { kind: Kind::Eof, pos: self.start, text: "" };
        }
        if self.inside_action { self.action() } else { self.text() }
    }

    fn rest(&self) -> &'a str {
        &self.input[self.pos..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    fn accept(&mut self, set: &str) -> bool {
        let found = self.peek().is_some_and(|c| set.contains(c));
        if found {
            self.bump();
        }
        found
    }

    fn accept_run(&mut self, set: &str) {
        while self.accept(set) {}
    }

    fn emit(&mut self, kind: Kind) -> Token<'a> {
        let token = Token { kind, pos: self.start, text: &self.input[self.start..self.pos] };
        self.start = self.pos;
        token
    }

    fn fail(&mut self, problem: Problem) -> Token<'a> {
        self.problem = Some(problem);
        Token { kind: Kind::Error, pos: self.start, text: "" }
    }

    fn message(&mut self, text: &'static str) -> Token<'a> {
        self.fail(Problem::Message(text))
    }

    /// Text up to the next action that is not a comment.
    fn text(&mut self) -> Token<'a> {
        loop {
            let Some(length) = self.rest().find(LEFT) else {
                self.pos = self.input.len();
                return self.emit(if self.pos > self.start { Kind::Text } else { Kind::Eof });
            };
            let end = self.pos + length;
            let trim = has_left_trim(&self.input[end + LEFT.len()..]);
            if length > 0 {
                let text = &self.input[self.start..end];
                self.pos = self.start + if trim { text.trim_end_matches(SPACES).len() } else { text.len() };
                let token = self.emit(Kind::Text);
                self.pos = end;
                self.start = end;
                if !token.text.is_empty() {
                    return token;
                }
            }
            let after = end + LEFT.len() + if trim { 2 } else { 0 };
            if self.input[after..].starts_with("/*") {
                self.pos = after;
                self.start = after;
                if let Err(problem) = self.comment() {
                    return self.message(problem);
                }
                continue;
            }
            self.pos = end + LEFT.len();
            let token = self.emit(Kind::LeftDelim);
            self.inside_action = true;
            self.pos = after;
            self.start = after;
            self.parens = 0;
            return token;
        }
    }

    fn comment(&mut self) -> Result<(), &'static str> {
        let length = self.rest()[2..].find("*/").ok_or("unclosed comment")?;
        self.pos += 2 + length + 2;
        let trim = self.at_right_delim().ok_or("comment ends before closing delimiter")?;
        self.skip_right_delim(trim);
        self.start = self.pos;
        Ok(())
    }

    /// Whether a right delimiter is here, and whether it trims the text behind it.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim(rest) && rest[2..].starts_with(RIGHT) {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
    }

    fn skip_right_delim(&mut self, trim: bool) {
        self.pos += RIGHT.len() + if trim { 2 } else { 0 };
        if trim {
            self.pos = self.input.len() - self.rest().trim_start_matches(SPACES).len();
        }
    }

    fn right_delim(&mut self, trim: bool) -> Token<'a> {
        if trim {
            self.pos += 2;
            self.start = self.pos;
        }
        self.pos += RIGHT.len();
        let token = self.emit(Kind::RightDelim);
        if trim {
            self.pos = self.input.len() - self.rest().trim_start_matches(SPACES).len();
            self.start = self.pos;
        }
        self.inside_action = false;
        token
    }

    fn action(&mut self) -> Token<'a> {
        if let Some(trim) = self.at_right_delim() {
            if self.parens == 0 {
                return self.right_delim(trim);
            }
            return self.message("unclosed left paren");
        }
        let Some(c) = self.bump() else { return self.message("unclosed action") };
        match c {
            _ if SPACES.contains(&c) => self.space(),
            '=' => self.emit(Kind::Assign),
            ':' if self.accept("=") => self.emit(Kind::Declare),
            ':' => self.message("expected :="),
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant"),
            '`' => match self.rest().find('`') {
                Some(length) => {
                    self.pos += length + 1;
                    self.emit(Kind::RawString)
                }
                None => self.message("unterminated raw quoted string"),
            },
            '$' => self.name(Kind::Variable, Kind::Variable),
            '.' if !self.rest().is_empty() && !self.rest().starts_with(|c: char| c.is_ascii_digit()) => {
                self.name(Kind::Field, Kind::Dot)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos = self.start;
                self.number()
            }
            c if is_alphanumeric(c) => self.identifier(),
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen)
            }
            ')' if self.parens == 0 => self.message("unexpected right paren"),
            ')' => {
                self.parens -= 1;
                self.emit(Kind::RightParen)
            }
            c if c.is_ascii() && is_print(c) => self.emit(Kind::Char),
            c => self.fail(Problem::Unrecognized(c)),
        }
    }

    fn space(&mut self) -> Token<'a> {
        self.pos = self.input.len() - self.rest().trim_start_matches(SPACES).len();
        // The last space may belong to a trimming delimiter.
        if self.rest().starts_with('-') && self.rest()[1..].starts_with(RIGHT) {
            self.pos -= 1;
            if self.pos == self.start {
                return self.right_delim(true);
            }
        }
        self.emit(Kind::Space)
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &'static str) -> Token<'a> {
        loop {
            match self.bump() {
                Some('\\') if !matches!(self.peek(), None | Some('\n')) => {
                    self.bump();
                }
                None | Some('\n' | '\\') => return self.message(unterminated),
                Some(c) if c == quote => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    /// A field or a variable, whose first character is read; `alone` is what it is without a name.
    fn name(&mut self, kind: Kind, alone: Kind) -> Token<'a> {
        if self.at_terminator() {
            return self.emit(alone);
        }
        self.skip_name();
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.emit(kind)
    }

    fn identifier(&mut self) -> Token<'a> {
        self.skip_name();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let kind = match &self.input[self.start..self.pos] {
            "block" => Kind::Block,
            "break" => Kind::Break,
            "continue" => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "nil" => Kind::Nil,
            "range" => Kind::Range,
            "template" => Kind::Template,
            "with" => Kind::With,
            "true" | "false" => Kind::Bool,
            _ => Kind::Identifier,
        };
        self.emit(kind)
    }

    fn skip_name(&mut self) {
        let rest = self.rest();
        self.pos += rest.find(|c| !is_alphanumeric(c)).unwrap_or(rest.len());
    }

    fn bad_character(&mut self) -> Token<'a> {
        let c = self.peek().unwrap_or(char::REPLACEMENT_CHARACTER);
        self.fail(Problem::BadCharacter(c))
    }

    /// Whether what follows may stand behind a name.
    fn at_terminator(&self) -> bool {
        self.peek().is_none_or(|c| SPACES.contains(&c) || matches!(c, '.' | ',' | '|' | ':' | ')' | '('))
            || self.rest().starts_with(RIGHT)
    }

    fn number(&mut self) -> Token<'a> {
        if !self.scan_number() {
            return self.bad_number();
        }
        if self.rest().starts_with(['+', '-']) {
            if !self.scan_number() || !self.input[..self.pos].ends_with('i') {
                return self.bad_number();
            }
            return self.emit(Kind::Complex);
        }
        self.emit(Kind::Number)
    }

    fn bad_number(&mut self) -> Token<'a> {
        self.fail(Problem::BadNumber(self.input[self.start..self.pos].to_owned()))
    }

    /// Takes what looks like a number; the parser reads it closely.
    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.bump();
            return false;
        }
        true
    }
}

fn has_left_trim(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| rest.starts_with(SPACES))
}

fn has_right_trim(text: &str) -> bool {
    text.strip_prefix(SPACES).is_some_and(|rest| rest.starts_with('-'))
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unicode = |c: char| {
            let name = format!("U+{:04X}", c as u32);
            if is_print(c) { format!("{name} '{c}'") } else { name }
        };
        match self {
            Self::Message(text) => f.write_str(text),
            Self::BadCharacter(c) => write!(f, "bad character {}", unicode(*c)),
            Self::Unrecognized(c) => write!(f, "unrecognized character in action: {}", unicode(*c)),
            Self::BadNumber(text) => write!(f, "bad number syntax: {}", quote(text.as_bytes(), false)),
        }
    }
}

/// As Go's error messages show a token.
impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Eof => f.write_str("EOF"),
            Kind::Dot
            | Kind::Block
            | Kind::Break
            | Kind::Continue
            | Kind::Define
            | Kind::Else
            | Kind::End
            | Kind::If
            | Kind::Nil
            | Kind::Range
            | Kind::Template
            | Kind::With => write!(f, "<{}>", self.text),
            _ if self.text.len() > 10 => {
                let head: String = self.text.chars().take(10).collect();
                write!(f, "{}...", quote(head.as_bytes(), false))
            }
            _ => f.write_str(&quote(self.text.as_bytes(), false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(input: &str) -> Vec<(Kind, &str)> {
        let mut lexer = Lexer::new(input);
        let mut out = Vec::new();
        loop {
            let token = lexer.next_token();
            if matches!(token.kind, Kind::Eof) {
                return out;
            }
            out.push((token.kind, token.text));
        }
    }

    #[test]
    fn trim_markers_take_space_away() {
        assert_eq!(
            kinds("a \n{{- .b -}}\n c"),
            [
                (Kind::Text, "a"),
                (Kind::LeftDelim, "{{"),
                (Kind::Field, ".b"),
                (Kind::RightDelim, "}}"),
                (Kind::Text, "c")
            ]
        );
        assert_eq!(kinds("a {{- /* x */ -}} b"), [(Kind::Text, "a"), (Kind::Text, "b")]);
        assert_eq!(kinds("{{-3}}")[1], (Kind::Number, "-3"));
    }

    #[test]
    fn problems_have_gos_words() {
        for (input, expected) in [
            ("{{ .a-b }}", "bad character U+002D '-'"),
            ("{{ \u{1} }}", "unrecognized character in action: U+0001"),
            ("{{ (1 }}", "unclosed left paren"),
            ("{{ ) }}", "unexpected right paren"),
            ("{{ a :b }}", "expected :="),
            ("{{ 1a }}", "bad number syntax: \"1a\""),
            ("{{/* a", "unclosed comment"),
            ("{{/* a */ }}", "comment ends before closing delimiter"),
            ("{{ \"a\n\" }}", "unterminated quoted string"),
            ("{{ `a }}", "unterminated raw quoted string"),
        ] {
            let mut lexer = Lexer::new(input);
            while !matches!(lexer.next_token().kind, Kind::Eof | Kind::Error) {}
            assert_eq!(lexer.problem().map(ToString::to_string).as_deref(), Some(expected), "{input}");
        }
    }
}
