//! The events of a YAML text, by libyaml-safer, with go-yaml's errors and our limits.

use libyaml_safer::{ErrorKind, EventData, Parser};

use super::error::Error;
use crate::source::Span;

/// Longest text that is read, in bytes.
const MAX_TEXT: usize = 64 << 20;

/// go-yaml decodes this many bytes at a time, and refuses a character as soon as it decodes it.
const CHUNK: usize = 512;

/// An event with the bytes that it covers.
pub(super) struct Event {
    pub span: Span,
    pub line: usize,
    pub data: EventData,
}

/// A pull parser over one text.
pub(super) struct Events<'t> {
    parser: Parser<&'t [u8]>,
    /// Bytes before the text that the parser sees.
    skipped: usize,
    /// Where the text was cut off because go-yaml would refuse what follows.
    cut: Option<(usize, Error)>,
}

impl<'t> Events<'t> {
    /// Starts at the beginning of a text.
    pub fn new(text: &'t str) -> Result<Self, Error> {
        if text.len() > MAX_TEXT {
            return Err(yaml_error(
                format!("the text is longer than {MAX_TEXT} bytes"),
                Span::new(MAX_TEXT, text.len()),
            ));
        }
        let skipped = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let body = text.get(skipped..).unwrap_or_default();
        let cut = body.char_indices().find(|(_, c)| !is_allowed(*c)).map(|(at, c)| {
            let at = at + skipped;
            let error = yaml_error("control characters are not allowed", Span::new(at, at + c.len_utf8()));
            (body.floor_char_boundary((at / CHUNK * CHUNK).saturating_sub(skipped)), error)
        });
        let body = cut.as_ref().map_or(body, |(end, _)| body.get(..*end).unwrap_or_default());
        let mut parser = Parser::new();
        parser.set_input(body.as_bytes());
        Ok(Self { parser, skipped, cut })
    }

    /// The next event.
    pub fn next(&mut self) -> Result<Event, Error> {
        let found = self.parser.parse().map_err(|error| self.explain(&error));
        let reached = match &found {
            Ok(event) => event.end_mark.index as usize,
            Err((_, offset)) => *offset,
        };
        // The scanner looks four characters ahead.
        if let Some((_, refused)) = self.cut.take_if(|(end, _)| reached + 4 >= *end) {
            return Err(refused);
        }
        let event = found.map_err(|(error, _)| error)?;
        let place = |index: u64| index as usize + self.skipped;
        Ok(Event {
            span: Span::new(place(event.start_mark.index), place(event.end_mark.index)),
            line: event.start_mark.line as usize + 1,
            data: event.data,
        })
    }

    /// An error as go-yaml's `parser.fail` puts it, and its offset.
    fn explain(&self, error: &libyaml_safer::Error) -> (Error, usize) {
        let scanner = usize::from(error.kind() == ErrorKind::Scanner);
        let problem = error.problem_mark().unwrap_or_default();
        let context = error.context_mark().unwrap_or_default();
        let line = match (problem.line as usize, context.line as usize) {
            (0, 0) => None,
            (0, context) => Some(context),
            (problem, _) => Some(problem + scanner),
        };
        let at = problem.index as usize;
        let place = at + self.skipped;
        (Error::Yaml { problem: error.problem().to_owned(), line, span: Span::new(place, place) }, at)
    }
}

/// An error without a line.
pub(super) fn yaml_error(problem: impl Into<String>, span: Span) -> Error {
    Error::Yaml { problem: problem.into(), line: None, span }
}

fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
