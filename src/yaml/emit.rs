//! The layout of YAML: indentation, line breaks and escapes as libyaml's emitter makes them.

use super::style::{Analysis, Dialect, Style, is_break, is_printable};

/// Where `toYaml` folds long lines; `toYamlPretty` never does.
const BEST_WIDTH: usize = 80;

/// Spaces a level is indented by.
const INDENT: usize = 2;

/// Longest key, in bytes, that is written without `? `.
const MAX_SIMPLE_KEY: usize = 128;

/// Writes one document into a string.
pub(super) struct Emitter {
    pub out: String,
    dialect: Dialect,
    /// `None` outside of everything.
    indent: Option<usize>,
    column: usize,
    /// The last character was a blank, or nothing was written yet.
    whitespace: bool,
    /// The line has only indentation and indicators so far.
    indention: bool,
}

impl Emitter {
    pub fn new(dialect: Dialect) -> Self {
        Self { out: String::new(), dialect, indent: None, column: 0, whitespace: true, indention: true }
    }

    /// Ends the document with a line break.
    pub fn finish(mut self) -> String {
        self.indent = None;
        self.write_indent();
        self.out
    }

    /// Writes `[]` or `{}`.
    pub fn empty(&mut self, brackets: &str) {
        self.indicator(brackets, true, false);
    }

    /// Opens a block sequence; returns the indentation to give back to [`close`](Self::close).
    pub fn open_sequence(&mut self, in_mapping: bool) -> Option<usize> {
        // v2 writes `- ` below the key itself.
        let indentless = self.dialect == Dialect::V2 && in_mapping && !self.indention;
        let outer = self.indent;
        if !indentless {
            self.indent = Some(outer.map_or(0, |indent| indent + INDENT));
        }
        outer
    }

    /// Begins an item of a block sequence.
    pub fn item(&mut self) {
        self.write_indent();
        self.indicator("-", true, true);
    }

    /// Opens a block mapping; returns the indentation to give back to [`close`](Self::close).
    pub fn open_mapping(&mut self) -> Option<usize> {
        let outer = self.indent;
        self.indent = Some(outer.map_or(0, |indent| indent + INDENT));
        outer
    }

    /// Goes back to the indentation outside of a collection.
    pub fn close(&mut self, outer: Option<usize>) {
        self.indent = outer;
    }

    /// Writes a key and all that stands before its value.
    pub fn key(&mut self, key: &str) {
        self.write_indent();
        let analysis = Analysis::new(key, self.dialect);
        if !analysis.multiline && key.len() <= MAX_SIMPLE_KEY {
            self.scalar(key, analysis, true);
            self.indicator(":", false, false);
        } else {
            self.indicator("?", true, true);
            self.scalar(key, analysis, false);
            self.write_indent();
            self.indicator(":", true, true);
        }
    }

    /// Writes a text as a value.
    pub fn text(&mut self, text: &str) {
        self.scalar(text, Analysis::new(text, self.dialect), false);
    }

    /// Writes what is plain whatever it looks like: numbers, booleans, null.
    pub fn word(&mut self, word: &str) {
        self.plain(word, false);
    }

    fn scalar(&mut self, text: &str, analysis: Analysis, key: bool) {
        let outer = self.indent;
        self.indent = Some(outer.map_or(INDENT, |indent| indent + INDENT));
        match analysis.style(text, self.dialect, key) {
            Style::Plain => self.plain(text, !key),
            Style::SingleQuoted => self.single_quoted(text, !key),
            Style::DoubleQuoted => self.double_quoted(text, !key),
            Style::Literal => self.literal(text),
        }
        self.indent = outer;
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn put_break(&mut self, c: char) {
        self.out.push(c);
        self.column = 0;
        if self.dialect == Dialect::V3 {
            self.indention = true;
        }
    }

    fn write_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.put_break('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        if self.dialect == Dialect::V2 {
            self.indention = true;
        }
    }

    fn indicator(&mut self, indicator: &str, needs_blank: bool, indention: bool) {
        if needs_blank && !self.whitespace {
            self.put(' ');
        }
        self.out.push_str(indicator);
        self.column += indicator.len();
        self.whitespace = false;
        self.indention &= indention;
    }

    /// Whether a blank at this column becomes a line break.
    fn folds(&self, allowed: bool) -> bool {
        allowed && self.dialect == Dialect::V2 && self.column > BEST_WIDTH
    }

    fn plain(&mut self, text: &str, folding: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        let mut spaces = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == ' ' && !spaces && self.folds(folding) && chars.peek() != Some(&' ') {
                self.write_indent();
            } else {
                self.put(c);
            }
            self.indention &= c == ' ';
            spaces = c == ' ';
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn single_quoted(&mut self, text: &str, folding: bool) {
        self.indicator("'", true, false);
        let (mut spaces, mut breaks) = (false, false);
        let mut chars = text.char_indices().peekable();
        while let Some((i, c)) = chars.next() {
            if c == ' ' {
                let next = chars.peek().map(|(_, c)| *c);
                if !spaces && self.folds(folding) && i > 0 && next.is_some_and(|next| next != ' ') {
                    self.write_indent();
                } else {
                    self.put(c);
                }
                spaces = true;
            } else if is_break(c) {
                if !breaks && c == '\n' {
                    self.put_break('\n');
                }
                self.put_break(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if c == '\'' {
                    self.put('\'');
                }
                self.put(c);
                self.indention = false;
                (spaces, breaks) = (false, false);
            }
        }
        self.indicator("'", false, false);
    }

    fn double_quoted(&mut self, text: &str, folding: bool) {
        self.indicator("\"", true, false);
        // libyaml looks for the mark at the start of the text, whatever character it is at.
        let marked = text.starts_with('\u{feff}');
        let mut spaces = false;
        let mut chars = text.char_indices().peekable();
        while let Some((i, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            if marked || !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') {
                self.escape(c);
            } else if c == ' ' && !spaces && self.folds(folding) && i > 0 && next.is_some() {
                self.write_indent();
                if next == Some(' ') {
                    self.put('\\');
                }
            } else {
                self.put(c);
            }
            spaces = c == ' ' && !marked;
        }
        self.indicator("\"", false, false);
    }

    fn escape(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' | '\\' => c,
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = u32::from(c);
                let text = match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    0x1_0000.. => format!("\\U{code:08X}"),
                };
                self.out.push_str(&text);
                self.column += text.len();
                return;
            }
        };
        self.put('\\');
        self.put(short);
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator("2", false, false);
        }
        let mut backwards = text.chars().rev();
        let chomping = match (backwards.next().is_some_and(is_break), backwards.next()) {
            (false, _) => "-",
            (true, None) => "+",
            (true, Some(c)) if is_break(c) => "+",
            (true, Some(_)) => "",
        };
        self.indicator(chomping, false, false);
        self.put_break('\n');
        self.indention = true;
        self.whitespace = true;
        let mut breaks = true;
        for c in text.chars() {
            if is_break(c) {
                self.put_break(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                self.put(c);
                self.indention = false;
                breaks = false;
            }
        }
    }
}
