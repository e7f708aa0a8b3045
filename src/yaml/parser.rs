//! The events of a YAML text: its grammar, as go-yaml v2 has it (`parserc.go`, a port of libyaml).

use std::borrow::Cow;
use std::collections::HashMap;

use super::error::Error;
use super::scalar::LONG;
use super::scanner::{Placed, Scanner, Token};
use crate::source::Span;

/// Longest text that is read, in bytes.
const MAX_TEXT: usize = 64 << 20;

/// go-yaml decodes this many bytes at a time, and refuses a character as soon as it decodes it.
const CHUNK: usize = 512;

#[derive(Debug)]
pub(super) enum Data<'t> {
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    Alias(&'t str),
    /// `plain`: without quotes and tag, or with the tag `!`
    Scalar {
        anchor: Option<&'t str>,
        tag: Option<Box<str>>,
        text: Cow<'t, str>,
        plain: bool,
    },
    SequenceStart {
        anchor: Option<&'t str>,
    },
    SequenceEnd,
    MappingStart {
        anchor: Option<&'t str>,
    },
    MappingEnd,
}

/// An event and its place. Ends of block collections and scalars that are not written have empty spans.
#[derive(Debug)]
pub(super) struct Event<'t> {
    pub data: Data<'t>,
    pub span: Span,
    /// From 1
    pub line: usize,
}

/// What is expected next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// `first`: nothing came before it
    DocumentStart {
        first: bool,
    },
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequence,
    IndentlessSequence,
    BlockMappingKey,
    BlockMappingValue,
    /// `first`: no comma is needed
    FlowSequence {
        first: bool,
    },
    /// The single pair of `[a: b]`
    PairKey,
    PairValue,
    PairEnd,
    FlowMappingKey {
        first: bool,
    },
    FlowMappingValue,
    /// The value of a key without a colon
    FlowMappingEmpty,
    End,
}

/// A pull parser over one text.
pub(super) struct Parser<'t> {
    scanner: Scanner<'t>,
    state: State,
    /// Where to go on when a node is complete.
    states: Vec<State>,
    /// Handles of tags and what they stand for.
    tags: HashMap<&'t str, Box<str>>,
    /// Where the text was cut off because go-yaml would refuse what follows.
    cut: Option<(usize, Error)>,
}

impl<'t> Parser<'t> {
    pub fn new(text: &'t str) -> Result<Self, Error> {
        if text.len() > MAX_TEXT {
            let span = Span::new(MAX_TEXT, text.len());
            return Err(Error::yaml(format!("the text is longer than {MAX_TEXT} bytes"), span));
        }
        let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let cut = refused(text).map(|span| {
            let chunk = span.start / CHUNK * CHUNK;
            let end = (chunk..span.start).find(|at| text.is_char_boundary(*at)).unwrap_or(span.start);
            (end.max(start), Error::yaml("control characters are not allowed", span))
        });
        let text = cut.as_ref().and_then(|(end, _)| text.get(..*end)).unwrap_or(text);
        let state = State::DocumentStart { first: true };
        Ok(Self { scanner: Scanner::new(text, start), state, states: Vec::new(), tags: HashMap::new(), cut })
    }

    /// The next event; [`Data::StreamEnd`] is the last.
    pub fn next(&mut self) -> Result<Event<'t>, Error> {
        let event = self.advance();
        // The scanner looks four characters ahead.
        let reached = self.scanner.reached() + 4;
        match self.cut.take_if(|(end, _)| reached > *end) {
            Some((_, refused)) => Err(refused),
            None => event,
        }
    }

    fn advance(&mut self) -> Result<Event<'t>, Error> {
        match self.state {
            State::DocumentStart { first } => self.document_start(first),
            State::DocumentContent => match self.token()? {
                Token::VersionDirective(..)
                | Token::TagDirective { .. }
                | Token::DocumentStart
                | Token::DocumentEnd
                | Token::StreamEnd => {
                    self.pop();
                    self.empty_here()
                }
                _ => self.node(true, false),
            },
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequence => self.block_sequence(),
            State::IndentlessSequence => self.indentless_sequence(),
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequence { first } => self.flow_sequence(first),
            State::PairKey => self.pair_key(),
            State::PairValue => {
                let ends = |token: &Token| matches!(token, Token::FlowEntry | Token::FlowSequenceEnd);
                self.flow_value(State::PairEnd, ends)
            }
            State::PairEnd => {
                self.state = State::FlowSequence { first: false };
                self.here(Data::MappingEnd)
            }
            State::FlowMappingKey { first } => self.flow_mapping_key(first),
            State::FlowMappingValue => {
                let ends = |token: &Token| matches!(token, Token::FlowEntry | Token::FlowMappingEnd);
                self.flow_value(State::FlowMappingKey { first: false }, ends)
            }
            State::FlowMappingEmpty => {
                self.state = State::FlowMappingKey { first: false };
                self.empty_here()
            }
            State::End => self.here(Data::StreamEnd),
        }
    }

    fn token(&mut self) -> Result<&Token<'t>, Error> {
        Ok(&self.scanner.peek()?.token)
    }

    fn pop(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// An error of the grammar, at the next token.
    fn fail<T>(&mut self, problem: &str) -> Result<T, Error> {
        let Placed { span, line, .. } = self.scanner.peek()?;
        Err(grammar_error(problem, *span, *line))
    }

    /// Takes the next token as an event.
    fn event(&mut self, data: Data<'t>) -> Result<Event<'t>, Error> {
        let Placed { span, line, .. } = self.scanner.take()?;
        Ok(Event { data, span, line: line + 1 })
    }

    /// An event in front of the next token.
    fn here(&mut self, data: Data<'t>) -> Result<Event<'t>, Error> {
        let Placed { span, line, .. } = self.scanner.peek()?;
        Ok(Event { data, span: Span::new(span.start, span.start), line: line + 1 })
    }

    /// A scalar that is not written, in front of the next token.
    fn empty_here(&mut self) -> Result<Event<'t>, Error> {
        self.here(Data::Scalar { anchor: None, tag: None, text: Cow::Borrowed(""), plain: true })
    }

    /// A scalar that is not written, behind a token.
    fn empty_behind(span: Span, line: usize) -> Event<'t> {
        let data = Data::Scalar { anchor: None, tag: None, text: Cow::Borrowed(""), plain: true };
        Event { data, span: Span::new(span.end, span.end), line: line + 1 }
    }

    fn document_start(&mut self, first: bool) -> Result<Event<'t>, Error> {
        while !first && *self.token()? == Token::DocumentEnd {
            self.scanner.take()?;
        }
        match self.token()? {
            Token::StreamEnd => {
                self.state = State::End;
                self.event(Data::StreamEnd)
            }
            Token::VersionDirective(..) | Token::TagDirective { .. } | Token::DocumentStart => self.explicit_start(),
            // Only the first document can do without a mark.
            _ if !first => self.explicit_start(),
            _ => {
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                self.here(Data::DocumentStart)
            }
        }
    }

    fn explicit_start(&mut self) -> Result<Event<'t>, Error> {
        let Placed { span: Span { start, .. }, line, .. } = *self.scanner.peek()?;
        self.directives()?;
        if *self.token()? != Token::DocumentStart {
            return self.fail("did not find expected <document start>");
        }
        let end = self.scanner.take()?.span.end;
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok(Event { data: Data::DocumentStart, span: Span::new(start, end), line: line + 1 })
    }

    fn directives(&mut self) -> Result<(), Error> {
        let mut version = false;
        loop {
            match self.token()? {
                Token::VersionDirective(..) if version => return self.fail("found duplicate %YAML directive"),
                Token::VersionDirective(1, 1) => version = true,
                Token::VersionDirective(..) => return self.fail("found incompatible YAML document"),
                Token::TagDirective { handle, prefix } => {
                    let (handle, prefix) = (*handle, prefix.clone());
                    if self.tags.insert(handle, prefix).is_some() {
                        return self.fail("found duplicate %TAG directive");
                    }
                }
                _ => return Ok(()),
            }
            self.scanner.take()?;
        }
    }

    fn document_end(&mut self) -> Result<Event<'t>, Error> {
        self.tags.clear();
        self.state = State::DocumentStart { first: false };
        match self.token()? {
            Token::DocumentEnd => self.event(Data::DocumentEnd),
            _ => self.here(Data::DocumentEnd),
        }
    }

    fn node(&mut self, block: bool, indentless: bool) -> Result<Event<'t>, Error> {
        if let Token::Alias(name) = *self.token()? {
            self.pop();
            return self.event(Data::Alias(name));
        }
        let Placed { span: mut place, line, .. } = *self.scanner.peek()?;
        place.end = place.start;
        let (anchor, tag) = self.properties(&mut place)?;
        let whole = |event: Event<'t>| Event {
            span: Span::new(place.start, event.span.end.max(place.end)),
            line: line + 1,
            ..event
        };
        match self.token()? {
            Token::BlockEntry if indentless => {
                self.state = State::IndentlessSequence;
                self.here(Data::SequenceStart { anchor }).map(whole)
            }
            Token::Scalar { .. } => {
                self.pop();
                let Placed { token, span, line } = self.scanner.take()?;
                let Token::Scalar { text, plain } = token else { return self.fail("did not find expected scalar") };
                let plain = tag.as_deref().map_or(plain, |tag| tag == "!");
                Ok(whole(Event { data: Data::Scalar { anchor, tag, text, plain }, span, line: line + 1 }))
            }
            Token::FlowSequenceStart => {
                self.state = State::FlowSequence { first: true };
                self.event(Data::SequenceStart { anchor }).map(whole)
            }
            Token::FlowMappingStart => {
                self.state = State::FlowMappingKey { first: true };
                self.event(Data::MappingStart { anchor }).map(whole)
            }
            Token::BlockSequenceStart if block => {
                self.state = State::BlockSequence;
                self.event(Data::SequenceStart { anchor }).map(whole)
            }
            Token::BlockMappingStart if block => {
                self.state = State::BlockMappingKey;
                self.event(Data::MappingStart { anchor }).map(whole)
            }
            _ if anchor.is_some() || tag.is_some() => {
                self.pop();
                let plain = tag.is_none();
                Ok(Event {
                    data: Data::Scalar { anchor, tag, text: Cow::Borrowed(""), plain },
                    span: place,
                    line: line + 1,
                })
            }
            _ => self.fail("did not find expected node content"),
        }
    }

    /// Reads an anchor and a tag, in either order; `place` grows over them.
    fn properties(&mut self, place: &mut Span) -> Result<(Option<&'t str>, Option<Box<str>>), Error> {
        let (mut anchor, mut tag) = (None, None);
        loop {
            match self.token()? {
                Token::Anchor(name) if anchor.is_none() => {
                    anchor = Some(*name);
                    place.end = self.scanner.take()?.span.end;
                }
                Token::Tag { .. } if tag.is_none() => {
                    let found = self.scanner.take()?;
                    place.end = found.span.end;
                    tag = Some(found);
                }
                _ => return Ok((anchor, tag.map(|tag| self.resolve_tag(&tag)).transpose()?)),
            }
        }
    }

    /// A tag with its handle replaced.
    fn resolve_tag(&self, tag: &Placed<'t>) -> Result<Box<str>, Error> {
        let Token::Tag { handle, suffix } = &tag.token else { return Ok(Box::default()) };
        let prefix = match (*handle, self.tags.get(handle)) {
            ("", _) => "",
            (_, Some(prefix)) => prefix,
            ("!", None) => "!",
            ("!!", None) => LONG,
            _ => return Err(grammar_error("found undefined tag handle", tag.span, tag.line)),
        };
        Ok(format!("{prefix}{suffix}").into())
    }

    fn block_sequence(&mut self) -> Result<Event<'t>, Error> {
        match self.token()? {
            Token::BlockEntry => {
                let Placed { span, line, .. } = self.scanner.take()?;
                if matches!(self.token()?, Token::BlockEntry | Token::BlockEnd) {
                    return Ok(Self::empty_behind(span, line));
                }
                self.states.push(State::BlockSequence);
                self.node(true, false)
            }
            Token::BlockEnd => {
                self.pop();
                self.event(Data::SequenceEnd)
            }
            _ => self.fail("did not find expected '-' indicator"),
        }
    }

    fn indentless_sequence(&mut self) -> Result<Event<'t>, Error> {
        if *self.token()? != Token::BlockEntry {
            self.pop();
            return self.here(Data::SequenceEnd);
        }
        let Placed { span, line, .. } = self.scanner.take()?;
        if matches!(self.token()?, Token::BlockEntry | Token::Key | Token::Value | Token::BlockEnd) {
            return Ok(Self::empty_behind(span, line));
        }
        self.states.push(State::IndentlessSequence);
        self.node(true, false)
    }

    fn block_mapping_key(&mut self) -> Result<Event<'t>, Error> {
        match self.token()? {
            Token::Key => self.block_entry_part(State::BlockMappingValue),
            Token::BlockEnd => {
                self.pop();
                self.event(Data::MappingEnd)
            }
            _ => self.fail("did not find expected key"),
        }
    }

    fn block_mapping_value(&mut self) -> Result<Event<'t>, Error> {
        if *self.token()? == Token::Value {
            return self.block_entry_part(State::BlockMappingKey);
        }
        self.state = State::BlockMappingKey;
        self.empty_here()
    }

    /// The key behind `?` or the value behind `:`, which may be missing.
    fn block_entry_part(&mut self, next: State) -> Result<Event<'t>, Error> {
        let Placed { span, line, .. } = self.scanner.take()?;
        if matches!(self.token()?, Token::Key | Token::Value | Token::BlockEnd) {
            self.state = next;
            return Ok(Self::empty_behind(span, line));
        }
        self.states.push(next);
        self.node(true, true)
    }

    fn flow_sequence(&mut self, first: bool) -> Result<Event<'t>, Error> {
        if !first && *self.token()? != Token::FlowSequenceEnd {
            if *self.token()? != Token::FlowEntry {
                return self.fail("did not find expected ',' or ']'");
            }
            self.scanner.take()?;
        }
        match self.token()? {
            Token::FlowSequenceEnd => {
                self.pop();
                self.event(Data::SequenceEnd)
            }
            Token::Key => {
                self.state = State::PairKey;
                self.event(Data::MappingStart { anchor: None })
            }
            _ => {
                self.states.push(State::FlowSequence { first: false });
                self.node(false, false)
            }
        }
    }

    fn pair_key(&mut self) -> Result<Event<'t>, Error> {
        if matches!(self.token()?, Token::Value | Token::FlowEntry | Token::FlowSequenceEnd) {
            // go-yaml loses the token here, the colon of `[? : b]` too.
            let Placed { span, line, .. } = self.scanner.take()?;
            self.state = State::PairValue;
            return Ok(Self::empty_behind(span, line));
        }
        self.states.push(State::PairValue);
        self.node(false, false)
    }

    fn flow_mapping_key(&mut self, first: bool) -> Result<Event<'t>, Error> {
        if !first && *self.token()? != Token::FlowMappingEnd {
            if *self.token()? != Token::FlowEntry {
                return self.fail("did not find expected ',' or '}'");
            }
            self.scanner.take()?;
        }
        match self.token()? {
            Token::FlowMappingEnd => {
                self.pop();
                self.event(Data::MappingEnd)
            }
            Token::Key => {
                self.scanner.take()?;
                if matches!(self.token()?, Token::Value | Token::FlowEntry | Token::FlowMappingEnd) {
                    self.state = State::FlowMappingValue;
                    return self.empty_here();
                }
                self.states.push(State::FlowMappingValue);
                self.node(false, false)
            }
            _ => {
                self.states.push(State::FlowMappingEmpty);
                self.node(false, false)
            }
        }
    }

    /// The value of a pair in flow style, which may be missing.
    fn flow_value(&mut self, next: State, ends: impl Fn(&Token) -> bool) -> Result<Event<'t>, Error> {
        if *self.token()? == Token::Value {
            self.scanner.take()?;
            if !ends(self.token()?) {
                self.states.push(next);
                return self.node(false, false);
            }
        }
        self.state = next;
        self.empty_here()
    }
}

/// Errors of the grammar count lines from 0, for whatever reason.
fn grammar_error(problem: &str, span: Span, line: usize) -> Error {
    let line = (line > 0).then_some(line);
    Error::Yaml { problem: problem.to_owned(), line, span: Span::new(span.start, span.start) }
}

/// The first character that YAML does not allow.
fn refused(text: &str) -> Option<Span> {
    let mut at = 0;
    loop {
        // Most texts are all of these. Whole blocks are looked at without branches.
        let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t' | b'\r');
        let all_plain = |block: &&[u8; 32]| block.iter().fold(true, |all, byte| all & plain(byte));
        at += 32 * text.as_bytes().get(at..)?.as_chunks().0.iter().take_while(all_plain).count();
        at += text.as_bytes().get(at..)?.iter().position(|byte| !plain(byte))?;
        let c = text.get(at..)?.chars().next()?;
        let end = at + c.len_utf8();
        match c {
            '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => at = end,
            _ => return Some(Span::new(at, end)),
        }
    }
}
