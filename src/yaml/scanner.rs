//! The tokens of a YAML text, as go-yaml v2 finds them (`scannerc.go`, a port of libyaml).
//!
//! An own scanner, since no other agrees with go-yaml: libyaml itself accepts `%YAML 1.2` and `\/`, reports other
//! lines, and takes time that grows with the square of the depth of brackets.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::cursor::{Cursor, Mark};
use super::error::Error;
use crate::source::Span;

/// A key without `? ` must be followed by its colon within so many characters.
const MAX_SIMPLE_KEY: usize = 1024;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'t> {
    StreamEnd,
    VersionDirective(u8, u8),
    TagDirective { handle: &'t str, prefix: Box<str> },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'t str),
    Anchor(&'t str),
    Tag { handle: &'t str, suffix: Box<str> },
    Scalar { text: Cow<'t, str>, plain: bool },
}

/// A token and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed<'t> {
    pub token: Token<'t>,
    pub span: Span,
    /// From 0
    pub line: usize,
}

/// Something that turns out to be a key when a colon follows it.
#[derive(Clone, Copy)]
struct SimpleKey {
    /// It stands where a key must stand.
    required: bool,
    /// Its number among all tokens.
    number: usize,
    mark: Mark,
}

/// The block context, or what is between two brackets.
struct Level {
    key: Option<SimpleKey>,
    /// The number of the opening bracket, until a key is possible.
    fresh: Option<usize>,
}

pub(super) struct Scanner<'t> {
    cursor: Cursor<'t>,
    queue: VecDeque<Placed<'t>>,
    /// Tokens taken from the queue.
    taken: usize,
    ended: bool,
    /// Columns of the open block collections; `None` is outside of all.
    indent: Option<usize>,
    indents: Vec<Option<usize>>,
    /// The block context and the open brackets.
    levels: Vec<Level>,
    /// Number and level of the possible keys, oldest first.
    candidates: VecDeque<(usize, usize)>,
    key_allowed: bool,
}

impl<'t> Scanner<'t> {
    /// Starts at an offset.
    pub fn new(text: &'t str, at: usize) -> Self {
        Self {
            cursor: Cursor::new(text, at),
            queue: VecDeque::new(),
            taken: 0,
            ended: false,
            indent: None,
            indents: Vec::new(),
            levels: vec![Level { key: None, fresh: None }],
            candidates: VecDeque::new(),
            key_allowed: true,
        }
    }

    /// How far the text was read.
    pub fn reached(&self) -> usize {
        self.cursor.mark.at
    }

    /// The next token. Behind the end there are only more ends.
    pub fn peek(&mut self) -> Result<&Placed<'t>, Error> {
        while self.queue.is_empty() || self.head_may_be_key()? {
            self.fetch()?;
        }
        Ok(&self.queue[0])
    }

    /// Takes the next token.
    pub fn take(&mut self) -> Result<Placed<'t>, Error> {
        self.peek()?;
        self.taken += 1;
        Ok(self.queue.pop_front().unwrap_or(Placed { token: Token::StreamEnd, span: Span::default(), line: 0 }))
    }

    /// Whether the first token could still become a key: then a KEY token goes in front of it.
    fn head_may_be_key(&mut self) -> Result<bool, Error> {
        while let Some(&(number, level)) = self.candidates.front() {
            match number {
                number if number < self.taken => _ = self.candidates.pop_front(),
                number if number == self.taken => return self.is_possible(level),
                _ => break,
            }
        }
        Ok(false)
    }

    /// Whether a level has a key that is still possible here; forgets it if not.
    fn is_possible(&mut self, level: usize) -> Result<bool, Error> {
        let here = self.cursor.mark;
        match self.levels.get(level).and_then(|level| level.key) {
            Some(key) if key.mark.line < here.line || key.mark.chars + MAX_SIMPLE_KEY < here.chars => {
                if key.required {
                    return Err(self.cursor.error("could not find expected ':'"));
                }
                self.forget(level);
                Ok(false)
            }
            key => Ok(key.is_some()),
        }
    }

    fn forget(&mut self, level: usize) -> Option<SimpleKey> {
        if self.candidates.back().is_some_and(|(_, at)| *at == level) {
            self.candidates.pop_back();
        } else if self.candidates.front().is_some_and(|(_, at)| *at == level) {
            self.candidates.pop_front();
        }
        self.levels.get_mut(level).and_then(|level| level.key.take())
    }

    fn in_flow(&self) -> bool {
        self.levels.len() > 1
    }

    fn push(&mut self, token: Token<'t>, start: Mark) {
        let span = Span::new(start.at, self.cursor.mark.at);
        self.queue.push_back(Placed { token, span, line: start.line });
    }

    /// Reads one more token.
    fn fetch(&mut self) -> Result<(), Error> {
        if self.ended {
            self.push(Token::StreamEnd, self.cursor.mark);
            return Ok(());
        }
        self.skip_to_token();
        self.unroll(Some(self.cursor.mark.column));
        let first = self.cursor.peek(0);
        let alone = self.cursor.is_blankz(1);
        match first {
            0 => self.stream_end(),
            b'%' if self.cursor.mark.column == 0 => self.directive(),
            b'-' if self.cursor.is_document_mark(b'-') => self.document_mark(Token::DocumentStart),
            b'.' if self.cursor.is_document_mark(b'.') => self.document_mark(Token::DocumentEnd),
            b'[' => self.flow_start(Token::FlowSequenceStart),
            b'{' => self.flow_start(Token::FlowMappingStart),
            b']' => self.flow_end(Token::FlowSequenceEnd),
            b'}' => self.flow_end(Token::FlowMappingEnd),
            b',' => self.flow_entry(),
            b'-' if alone => self.block_entry(),
            b'?' if self.in_flow() || alone => self.key(),
            b':' if self.in_flow() || alone => self.value(),
            b'*' | b'&' => self.anchor(first),
            b'!' => self.tag(),
            b'|' | b'>' if !self.in_flow() => self.block_scalar(),
            b'\'' | b'"' => self.quoted_scalar(),
            b'?' | b':' | b'-' => self.plain_scalar(),
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => {
                Err(self.cursor.error("found character that cannot start any token"))
            }
            _ => self.plain_scalar(),
        }
    }

    fn skip_to_token(&mut self) {
        loop {
            // Tabs are no indentation.
            let tabs = self.in_flow() || !self.key_allowed;
            self.cursor.bump_while(|_, byte| byte == b' ' || tabs && byte == b'\t');
            if self.cursor.peek(0) == b'#' {
                self.cursor.bump_while(|_, _| true);
            }
            if !self.cursor.is_break(0) {
                return;
            }
            self.cursor.bump_break();
            self.key_allowed |= !self.in_flow();
        }
    }

    /// Opens a block collection where the column is deeper than the last one; before token `number` or at the end.
    fn roll(&mut self, token: Token<'t>, mark: Mark, number: Option<usize>) {
        if self.in_flow() || self.indent.is_some_and(|indent| indent >= mark.column) {
            return;
        }
        self.indents.push(self.indent);
        self.indent = Some(mark.column);
        self.insert(token, mark, number);
    }

    fn insert(&mut self, token: Token<'t>, mark: Mark, number: Option<usize>) {
        let index = number.and_then(|number| number.checked_sub(self.taken)).unwrap_or(self.queue.len());
        self.queue.insert(index, Placed { token, span: Span::new(mark.at, mark.at), line: mark.line });
    }

    /// Closes the block collections that are deeper than a column.
    fn unroll(&mut self, column: Option<usize>) {
        while !self.in_flow() && self.indent > column {
            self.push(Token::BlockEnd, self.cursor.mark);
            self.indent = self.indents.pop().flatten();
        }
    }

    fn save_key(&mut self) -> Result<(), Error> {
        if !self.key_allowed {
            return Ok(());
        }
        self.remove_key()?;
        let mark = self.cursor.mark;
        let required = !self.in_flow() && self.indent == Some(mark.column);
        let number = self.taken + self.queue.len();
        self.candidates.push_back((number, self.levels.len() - 1));
        if let Some(level) = self.levels.last_mut() {
            *level = Level { key: Some(SimpleKey { required, number, mark }), fresh: None };
        }
        Ok(())
    }

    fn remove_key(&mut self) -> Result<(), Error> {
        match self.forget(self.levels.len() - 1) {
            Some(key) if key.required => Err(self.cursor.error("could not find expected ':'")),
            _ => Ok(()),
        }
    }

    /// Goes past an indicator.
    fn indicator(&mut self, token: Token<'t>, length: usize) {
        let start = self.cursor.mark;
        self.cursor.bump_by(length);
        self.push(token, start);
    }

    fn stream_end(&mut self) -> Result<(), Error> {
        if self.cursor.mark.column != 0 {
            self.cursor.mark.column = 0;
            self.cursor.mark.line += 1;
        }
        self.unroll(None);
        self.remove_key()?;
        self.key_allowed = false;
        self.ended = true;
        self.push(Token::StreamEnd, self.cursor.mark);
        Ok(())
    }

    fn directive(&mut self) -> Result<(), Error> {
        self.unroll(None);
        self.remove_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        let token = self.cursor.directive()?;
        self.push(token, start);
        Ok(())
    }

    fn document_mark(&mut self, token: Token<'t>) -> Result<(), Error> {
        self.unroll(None);
        self.remove_key()?;
        self.key_allowed = false;
        self.indicator(token, 3);
        Ok(())
    }

    fn flow_start(&mut self, token: Token<'t>) -> Result<(), Error> {
        self.save_key()?;
        self.levels.push(Level { key: None, fresh: Some(self.taken + self.queue.len()) });
        self.key_allowed = true;
        self.indicator(token, 1);
        Ok(())
    }

    fn flow_end(&mut self, token: Token<'t>) -> Result<(), Error> {
        self.remove_key()?;
        let level = if self.in_flow() { self.levels.pop() } else { None };
        if let Some(bracket) = level.and_then(|level| level.fresh) {
            // go-yaml no longer waits for a colon, but takes the brackets for a key if one follows.
            if self.candidates.back().is_some_and(|(number, _)| *number == bracket) {
                self.candidates.pop_back();
            }
        }
        self.key_allowed = false;
        self.indicator(token, 1);
        Ok(())
    }

    fn flow_entry(&mut self) -> Result<(), Error> {
        self.remove_key()?;
        self.key_allowed = true;
        self.indicator(Token::FlowEntry, 1);
        Ok(())
    }

    fn block_entry(&mut self) -> Result<(), Error> {
        if !self.in_flow() && !self.key_allowed {
            return Err(self.cursor.error("block sequence entries are not allowed in this context"));
        }
        self.roll(Token::BlockSequenceStart, self.cursor.mark, None);
        self.remove_key()?;
        self.key_allowed = true;
        self.indicator(Token::BlockEntry, 1);
        Ok(())
    }

    fn key(&mut self) -> Result<(), Error> {
        if !self.in_flow() && !self.key_allowed {
            return Err(self.cursor.error("mapping keys are not allowed in this context"));
        }
        self.roll(Token::BlockMappingStart, self.cursor.mark, None);
        self.remove_key()?;
        self.key_allowed = !self.in_flow();
        self.indicator(Token::Key, 1);
        Ok(())
    }

    fn value(&mut self) -> Result<(), Error> {
        let level = self.levels.len() - 1;
        let key = if self.is_possible(level)? { self.forget(level) } else { None };
        if let Some(key) = key {
            self.insert(Token::Key, key.mark, Some(key.number));
            self.roll(Token::BlockMappingStart, key.mark, Some(key.number));
            self.key_allowed = false;
        } else {
            if !self.in_flow() && !self.key_allowed {
                return Err(self.cursor.error("mapping values are not allowed in this context"));
            }
            self.roll(Token::BlockMappingStart, self.cursor.mark, None);
            self.key_allowed = !self.in_flow();
        }
        self.indicator(Token::Value, 1);
        Ok(())
    }

    fn anchor(&mut self, first: u8) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        let name = self.cursor.anchor()?;
        self.push(if first == b'*' { Token::Alias(name) } else { Token::Anchor(name) }, start);
        Ok(())
    }

    fn tag(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        let token = self.cursor.tag()?;
        self.push(token, start);
        Ok(())
    }

    fn block_scalar(&mut self) -> Result<(), Error> {
        self.remove_key()?;
        self.key_allowed = true;
        let start = self.cursor.mark;
        let (text, end) = self.cursor.block(self.indent)?;
        let token = Token::Scalar { text: text.into(), plain: false };
        self.queue.push_back(Placed { token, span: Span::new(start.at, end), line: start.line });
        Ok(())
    }

    fn quoted_scalar(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        let text = self.cursor.quoted()?;
        self.push(Token::Scalar { text, plain: false }, start);
        Ok(())
    }

    fn plain_scalar(&mut self) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        let indent = self.indent.map_or(0, |indent| indent + 1);
        let plain = self.cursor.plain(indent, self.in_flow())?;
        self.key_allowed |= plain.ends_line;
        let token = Token::Scalar { text: plain.text, plain: true };
        self.queue.push_back(Placed { token, span: Span::new(start.at, plain.end.at), line: start.line });
        Ok(())
    }
}
