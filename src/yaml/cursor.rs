//! A place in a YAML text, and what stands there.

use super::error::Error;
use crate::source::Span;

/// A place: all numbers count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    /// In bytes
    pub at: usize,
    /// In characters
    pub chars: usize,
    pub line: usize,
    /// In characters
    pub column: usize,
}

/// Reads a text character by character. Behind the end there are zero bytes; the text itself has none.
pub(super) struct Cursor<'t> {
    pub text: &'t str,
    pub mark: Mark,
}

impl<'t> Cursor<'t> {
    pub fn new(text: &'t str, at: usize) -> Self {
        Self { text, mark: Mark { at, ..Mark::default() } }
    }

    /// The byte so many bytes ahead.
    pub fn peek(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.mark.at + ahead).copied().unwrap_or(0)
    }

    /// The text between two offsets.
    pub fn slice(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// An error of the scanner, at this place.
    pub fn error(&self, problem: impl Into<String>) -> Error {
        let Mark { at, line, .. } = self.mark;
        // go-yaml takes line 0 for no line.
        let line = (line > 0).then_some(line + 1);
        Error::Yaml { problem: problem.into(), line, span: Span::new(at, at) }
    }

    /// Goes past a character, or nowhere at the end.
    pub fn bump(&mut self) {
        let width = match self.peek(0) {
            0 => return,
            1..0x80 => 1,
            0x80..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
        };
        self.mark.at += width;
        self.mark.chars += 1;
        self.mark.column += 1;
    }

    /// Goes past so many characters.
    pub fn bump_by(&mut self, count: usize) {
        (0..count).for_each(|_| self.bump());
    }

    /// Goes past all characters that start with such a byte and are no line breaks; returns them.
    pub fn bump_while(&mut self, wanted: impl Fn(&Self, u8) -> bool) -> &'t str {
        let start = self.mark.at;
        while let Some(&byte) = self.text.as_bytes().get(self.mark.at) {
            let ends = match byte {
                0 | b'\n' | b'\r' => true,
                0x80.. => self.is_break(0),
                _ => false,
            };
            if ends || !wanted(self, byte) {
                break;
            }
            self.bump();
        }
        self.slice(start, self.mark.at)
    }

    /// Goes past a line break; returns what it stands for: itself or a line feed.
    pub fn bump_break(&mut self) -> &'t str {
        let width = self.break_width(0);
        if width == 0 {
            return "";
        }
        let start = self.mark.at;
        self.mark.at += width;
        self.mark.chars += if self.slice(start, self.mark.at) == "\r\n" { 2 } else { 1 };
        self.mark.line += 1;
        self.mark.column = 0;
        // U+2028 and U+2029 are kept.
        if width == 3 { self.slice(start, self.mark.at) } else { "\n" }
    }

    /// The bytes of the line break so many bytes ahead, 0 if there is none.
    fn break_width(&self, ahead: usize) -> usize {
        match self.peek(ahead) {
            b'\r' if self.peek(ahead + 1) == b'\n' => 2,
            b'\n' | b'\r' => 1,
            0xc2 if self.peek(ahead + 1) == 0x85 => 2,
            0xe2 if self.peek(ahead + 1) == 0x80 && matches!(self.peek(ahead + 2), 0xa8 | 0xa9) => 3,
            _ => 0,
        }
    }

    pub fn is_break(&self, ahead: usize) -> bool {
        self.break_width(ahead) > 0
    }

    /// A blank or a tab.
    pub fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.peek(ahead), b' ' | b'\t')
    }

    /// A line break or the end.
    pub fn is_breakz(&self, ahead: usize) -> bool {
        self.peek(ahead) == 0 || self.is_break(ahead)
    }

    /// A blank, a tab, a line break or the end.
    pub fn is_blankz(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_breakz(ahead)
    }

    /// A character of names: of anchors, tag handles and directives.
    pub fn is_alpha(&self, ahead: usize) -> bool {
        let byte = self.peek(ahead);
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
    }

    /// Whether a line begins here with this mark (`---` or `...`) alone.
    pub fn is_document_mark(&self, mark: u8) -> bool {
        self.mark.column == 0 && (0..3).all(|ahead| self.peek(ahead) == mark) && self.is_blankz(3)
    }

    /// Goes past blanks, tabs and a comment, up to the end of the line.
    pub fn bump_comment(&mut self) {
        self.bump_while(|_, byte| matches!(byte, b' ' | b'\t'));
        if self.peek(0) == b'#' {
            self.bump_while(|_, _| true);
        }
    }
}
