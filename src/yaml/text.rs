//! The scalars of a YAML text: plain, quoted and block.

use std::borrow::Cow;

use super::cursor::{Cursor, Mark};
use super::error::Error;

/// Line breaks between two lines of a scalar.
#[derive(Default)]
struct Breaks {
    /// The first; empty if there is none.
    first: &'static str,
    more: String,
}

impl Breaks {
    fn add(&mut self, line_break: &str, is_first: bool) {
        match line_break {
            more if !is_first => self.more.push_str(more),
            "\u{2028}" => self.first = "\u{2028}",
            "\u{2029}" => self.first = "\u{2029}",
            "" => self.first = "",
            _ => self.first = "\n",
        }
    }

    /// Writes them folded: one line feed becomes a blank, of several the first is dropped.
    fn fold(&mut self, out: &mut String) {
        match (self.first, self.more.as_str()) {
            ("\n", "") => out.push(' '),
            ("\n", more) => out.push_str(more),
            (first, more) => out.extend([first, more]),
        }
        self.clear();
    }

    fn write(&mut self, out: &mut String) {
        out.extend([self.first, self.more.as_str()]);
        self.clear();
    }

    fn clear(&mut self) {
        self.first = "";
        self.more.clear();
    }
}

/// A plain scalar.
pub(super) struct Plain<'t> {
    pub text: Cow<'t, str>,
    /// Where its last character ends; the cursor has gone on to the next token.
    pub end: Mark,
    /// There was a line break behind it.
    pub ends_line: bool,
}

impl<'t> Cursor<'t> {
    /// Reads a plain scalar; its later lines must be indented by `indent`.
    pub fn plain(&mut self, indent: usize, flow: bool) -> Result<Plain<'t>, Error> {
        let mut line_start = self.mark.at;
        let mut end = self.mark;
        let mut folded: Option<String> = None;
        let mut breaks = Breaks::default();
        let mut in_break = false;
        loop {
            if self.is_document_mark(b'-') || self.is_document_mark(b'.') || self.peek(0) == b'#' {
                break;
            }
            let at = self.mark.at;
            self.bump_while(|cursor, byte| match byte {
                b' ' | b'\t' => false,
                b':' => !cursor.is_blankz(1),
                b',' | b'?' | b'[' | b']' | b'{' | b'}' => !flow,
                _ => true,
            });
            if self.mark.at > at {
                if in_break {
                    let folded = folded.get_or_insert_default();
                    folded.push_str(self.slice(line_start, end.at));
                    breaks.fold(folded);
                    line_start = at;
                    in_break = false;
                }
                end = self.mark;
            }
            if !self.is_blank(0) && !self.is_break(0) {
                break;
            }
            while self.is_blank(0) || self.is_break(0) {
                if self.is_break(0) {
                    breaks.add(self.bump_break(), !in_break);
                    in_break = true;
                } else if in_break && self.mark.column < indent && self.peek(0) == b'\t' {
                    return Err(self.error("found a tab character that violates indentation"));
                } else {
                    self.bump();
                }
            }
            if !flow && self.mark.column < indent {
                break;
            }
        }
        let last = self.slice(line_start, end.at);
        let text = match folded {
            Some(folded) => Cow::Owned(folded + last),
            None => Cow::Borrowed(last),
        };
        Ok(Plain { text, end, ends_line: in_break })
    }

    /// Reads a quoted scalar, from quote to quote.
    pub fn quoted(&mut self) -> Result<Cow<'t, str>, Error> {
        let quote = self.peek(0);
        let is_special = |byte: u8| byte == quote || byte == b'\\' && quote == b'"';
        self.bump();
        let start = self.mark;
        let simple = self.bump_while(|_, byte| !is_special(byte));
        if self.peek(0) == quote && !(quote == b'\'' && self.peek(1) == quote) {
            self.bump();
            return Ok(simple.into());
        }
        // Blanks may be dropped: read them again.
        let mut text = simple.trim_end_matches([' ', '\t']).to_owned();
        self.mark = start;
        while self.mark.at < start.at + text.len() {
            self.bump();
        }
        loop {
            if self.is_document_mark(b'-') || self.is_document_mark(b'.') {
                return Err(self.error("found unexpected document indicator"));
            }
            if self.peek(0) == 0 {
                return Err(self.error("found unexpected end of stream"));
            }
            let mut in_break = false;
            while !self.is_blankz(0) && !in_break {
                match self.peek(0) {
                    b'\'' if quote == b'\'' && self.peek(1) == quote => {
                        text.push('\'');
                        self.bump_by(2);
                    }
                    byte if byte == quote => {
                        self.bump();
                        return Ok(text.into());
                    }
                    b'\\' if quote == b'"' && self.is_break(1) => {
                        self.bump();
                        self.bump_break();
                        in_break = true;
                    }
                    b'\\' if quote == b'"' => text.push(self.escape()?),
                    _ => text.push_str(self.bump_while(|_, b| !matches!(b, b' ' | b'\t') && !is_special(b))),
                }
            }
            let blanks = self.mark.at;
            let mut breaks = Breaks::default();
            while self.is_blank(0) || self.is_break(0) {
                if self.is_break(0) {
                    breaks.add(self.bump_break(), !in_break);
                    in_break = true;
                } else {
                    self.bump();
                }
            }
            match in_break {
                true => breaks.fold(&mut text),
                false => text.push_str(self.slice(blanks, self.mark.at)),
            }
        }
    }

    /// Reads an escape of a double-quoted scalar.
    fn escape(&mut self) -> Result<char, Error> {
        let (c, digits) = match self.peek(1) {
            b'0' => ('\0', 0),
            b'a' => ('\u{7}', 0),
            b'b' => ('\u{8}', 0),
            b't' | b'\t' => ('\t', 0),
            b'n' => ('\n', 0),
            b'v' => ('\u{b}', 0),
            b'f' => ('\u{c}', 0),
            b'r' => ('\r', 0),
            b'e' => ('\u{1b}', 0),
            byte @ (b' ' | b'"' | b'\'' | b'\\') => (char::from(byte), 0),
            b'N' => ('\u{85}', 0),
            b'_' => ('\u{a0}', 0),
            b'L' => ('\u{2028}', 0),
            b'P' => ('\u{2029}', 0),
            b'x' => ('x', 2),
            b'u' => ('u', 4),
            b'U' => ('U', 8),
            _ => return Err(self.error("found unknown escape character")),
        };
        self.bump_by(2);
        if digits == 0 {
            return Ok(c);
        }
        let mut code = 0u32;
        for ahead in 0..digits {
            let Some(digit) = char::from(self.peek(ahead)).to_digit(16) else {
                return Err(self.error("did not find expected hexdecimal number"));
            };
            code = code << 4 | digit;
        }
        let c = char::from_u32(code).ok_or_else(|| self.error("found invalid Unicode character escape code"))?;
        self.bump_by(digits);
        Ok(c)
    }

    /// Reads a block scalar; `parent` is the indentation around it, if there is any. Returns where its last line ends,
    /// too.
    pub fn block(&mut self, parent: Option<usize>) -> Result<(String, usize), Error> {
        let literal = self.peek(0) == b'|';
        self.bump();
        let (mut chomping, mut increment) = (None, None);
        for _ in 0..2 {
            match self.peek(0) {
                byte @ (b'+' | b'-') if chomping.is_none() => chomping = Some(byte),
                b'0' if increment.is_none() => return Err(self.error("found an indentation indicator equal to 0")),
                byte @ b'1'..=b'9' if increment.is_none() => increment = Some(usize::from(byte - b'0')),
                _ => break,
            }
            self.bump();
        }
        let mut end = self.mark.at;
        self.bump_comment();
        if !self.is_breakz(0) {
            return Err(self.error("did not find expected comment or line break"));
        }
        self.bump_break();

        let mut indent = increment.map(|increment| parent.unwrap_or(0) + increment);
        let mut text = String::new();
        let mut breaks = Breaks::default();
        let least = parent.map_or(1, |parent| parent + 1);
        self.block_breaks(&mut indent, least, &mut breaks)?;
        let mut after_blank = false;
        while Some(self.mark.column) == indent && self.peek(0) != 0 {
            let blank = self.is_blank(0);
            if !literal && !after_blank && !blank && breaks.first == "\n" {
                breaks.fold(&mut text);
            } else {
                breaks.write(&mut text);
            }
            after_blank = blank;
            text.push_str(self.bump_while(|_, _| true));
            end = self.mark.at;
            breaks.add(self.bump_break(), true);
            self.block_breaks(&mut indent, least, &mut breaks)?;
        }
        if chomping != Some(b'-') {
            text.push_str(breaks.first);
        }
        if chomping == Some(b'+') {
            text.push_str(&breaks.more);
        }
        Ok((text, end))
    }

    /// Goes past indentation and empty lines; finds the indentation out where it is not known.
    fn block_breaks(&mut self, indent: &mut Option<usize>, least: usize, breaks: &mut Breaks) -> Result<(), Error> {
        let mut deepest = 0;
        loop {
            while self.peek(0) == b' ' && indent.is_none_or(|indent| self.mark.column < indent) {
                self.bump();
            }
            deepest = deepest.max(self.mark.column);
            if self.peek(0) == b'\t' && indent.is_none_or(|indent| self.mark.column < indent) {
                return Err(self.error("found a tab character where an indentation space is expected"));
            }
            if !self.is_break(0) {
                break;
            }
            breaks.add(self.bump_break(), false);
        }
        indent.get_or_insert(deepest.max(least));
        Ok(())
    }
}
