//! The output of a template, and the record of what wrote it.
//!
//! minijinja writes a template's own text as slices of its copy of the source: their addresses tell the place to the
//! byte. A printed value is announced by the formatter; which expression printed it follows from the text before and
//! after it.

use std::io;
use std::sync::Arc;

use super::Parsed;
use super::lines::Lines;
use super::nested;
use super::scan::{Chain, Tag};
use super::session::{Printing, Session};
use crate::source::{Location, SourceMap, Span};
use crate::value::Path;

/// The most bytes that one template may become.
const MAX_OUTPUT: usize = 32 << 20;
/// Why the output ended.
pub const TOO_LARGE: &str = "the output is too large";

/// Takes a template's output.
pub struct Sink<'a> {
    templates: &'a [Parsed],
    main: usize,
    text: String,
    /// The end of the template text that was written last, per template.
    ends: Vec<usize>,
    map: Option<SourceMap>,
    pending: Vec<Printed>,
}

/// A printed value whose expression is not yet known.
struct Printed {
    span: Span,
    template: usize,
    /// The index of the innermost loop.
    index: Option<usize>,
    reads: Vec<Arc<Path>>,
}

impl<'a> Sink<'a> {
    /// For the output of one of the templates.
    pub fn new(templates: &'a [Parsed], main: usize, trace: bool) -> Self {
        let ends = vec![0; templates.len()];
        let map = trace.then(SourceMap::default);
        Self { templates, main, text: String::new(), ends, map, pending: Vec::new() }
    }

    /// The output and its map.
    pub fn finish(mut self) -> (String, Option<SourceMap>) {
        self.settle(self.main, usize::MAX);
        (self.text, self.map)
    }

    /// The template whose output this is, and the tag that it is at.
    pub fn current(&self) -> (usize, Option<Span>) {
        let scan = self.templates[self.main].scan();
        let tag = scan.tags.iter().find(|tag| tag.span.start >= self.ends[self.main] && scan.prints(tag));
        (self.main, tag.map(|tag| tag.span))
    }

    fn write_text(&mut self, text: &str) -> io::Result<()> {
        if self.text.len() + text.len() > MAX_OUTPUT {
            return Err(io::Error::other(TOO_LARGE));
        }
        let start = self.text.len();
        self.text.push_str(text);
        let (printing, reads) =
            Session::with(|session| (session.printing.take(), std::mem::take(&mut session.reads))).unwrap_or_default();
        let address = text.as_ptr() as usize;
        if let Some(Printing { template, index }) = printing {
            if self.map.is_some() {
                let template = self.templates.iter().position(|known| known.key == template).unwrap_or(self.main);
                self.pending.push(Printed { span: Span::new(start, self.text.len()), template, index, reads });
            }
        } else if let Some((template, offset)) = self.place(address) {
            self.settle(template, offset);
            self.literal(start, template, offset);
            self.ends[template] = offset + text.len();
        }
        Ok(())
    }

    /// The template and the offset of a slice of its text.
    fn place(&self, address: usize) -> Option<(usize, usize)> {
        let holds = |template: &Parsed| {
            address.checked_sub(template.address).filter(|&offset| offset < template.source.text.len())
        };
        self.templates.iter().enumerate().find_map(|(index, template)| Some((index, holds(template)?)))
    }

    fn literal(&mut self, start: usize, template: usize, offset: usize) {
        let Some(mut map) = self.map.take() else { return };
        let caller = self.include(template).map(|at| map.frame(&self.templates[self.main].source, at, None));
        let parsed = &self.templates[template];
        let frame = map.frame(&parsed.source, offset, caller);
        map.push_literal(start, frame, parsed.scan().guards(offset).into());
        self.map = Some(map);
    }

    /// Where the main template includes another one that writes now.
    fn include(&self, template: usize) -> Option<usize> {
        if template == self.main {
            return None;
        }
        let (tags, end) = (&self.templates[self.main].scan().tags, self.ends[self.main]);
        let includes = |tag: &&Tag| matches!(tag.keyword.as_str(), "include" | "extends");
        let next = tags.iter().filter(includes).find(|tag| tag.span.start >= end);
        next.or_else(|| tags.iter().rfind(includes)).map(|tag| tag.inside().start)
    }

    /// Finds the expressions of the values printed since the last text, now that the next text is known.
    fn settle(&mut self, template: usize, offset: usize) {
        let pending = std::mem::take(&mut self.pending);
        let Some(mut map) = self.map.take() else { return };
        let mut chosen: Vec<Option<usize>> = Vec::with_capacity(pending.len());
        for (i, printed) in pending.iter().enumerate() {
            let begin = self.ends[printed.template];
            let end = if printed.template == template { offset } else { usize::MAX };
            let candidates = self.candidates(printed.template, begin, end);
            let tags = &self.templates[printed.template].scan().tags;
            let adjacent = candidates.iter().copied().find(|&tag| tags[tag].span.end == offset);
            let last = i + 1 == pending.len();
            let tag = adjacent.filter(|_| last && end == offset).or_else(|| {
                let previous = chosen.last().copied().flatten();
                let after = candidates.iter().position(|&tag| previous.is_none_or(|previous| tag > previous));
                let from = after.unwrap_or(0);
                let rest = candidates.get(from..).unwrap_or_default();
                let likely = rest.iter().find(|&&tag| self.names_any(printed.template, tag, &printed.reads));
                likely.or(rest.first()).copied()
            });
            chosen.push(tag);
        }
        for (printed, tag) in pending.iter().zip(chosen) {
            self.printed(&mut map, printed, tag);
        }
        self.map = Some(map);
    }

    /// The tags that may print between two places of a template; from the second on again where a loop went back.
    fn candidates(&self, template: usize, begin: usize, end: usize) -> Vec<usize> {
        let scan = self.templates[template].scan();
        let prints = |from: usize, to: usize| {
            let tags = scan.tags.iter().enumerate();
            let inside = tags.filter(move |(_, tag)| tag.span.start >= from && tag.span.end <= to);
            inside.filter(|(_, tag)| scan.prints(tag)).map(|(index, _)| index)
        };
        if begin <= end {
            return prints(begin, end).collect();
        }
        let around = scan.around(begin.saturating_sub(1)).filter(|block| block.keyword == "for").last();
        let (first, last) = around.map_or((0, usize::MAX), |block| (block.body.start, block.body.end));
        prints(begin, last).chain(prints(first, end)).collect()
    }

    fn names_any(&self, template: usize, tag: usize, reads: &[Arc<Path>]) -> bool {
        let scan = self.templates[template].scan();
        scan.keys(&scan.tags[tag], None).iter().any(|key| reads.iter().any(|read| read.0.starts_with(&key.0)))
    }

    fn printed(&self, map: &mut SourceMap, printed: &Printed, tag: Option<usize>) {
        let parsed = &self.templates[printed.template];
        let scan = parsed.scan();
        let caller = self.include(printed.template).map(|at| map.frame(&self.templates[self.main].source, at, None));
        let Some(tag) = tag.map(|tag| &scan.tags[tag]) else {
            let frame = map.frame(&parsed.source, self.ends[printed.template], caller);
            map.push(printed.span.start, frame, Arc::default(), Arc::default());
            return;
        };
        let lines = Lines::of(self.templates, printed.template, tag);
        let keys: Arc<[Path]> = self.keys(printed, tag, lines.is_empty()).into();
        let given = scan.keys(tag, None);
        let guards: Arc<[Path]> = scan.guards(tag.span.start).into();
        let call = map.frame(&parsed.source, tag.inside().start, caller);
        map.push(printed.span.start, call, keys.clone(), guards.clone());
        let text = &self.text[printed.span.start..printed.span.end];
        if let ([key], true) = (&keys[..], lines.is_empty()) {
            for (offset, key) in nested::keys(key, text) {
                map.push(printed.span.start + offset, call, [key].into(), guards.clone());
            }
        }
        for (offset, line) in lines.matching(text) {
            let inner = self.templates[line.template].scan();
            let frame = map.frame(&self.templates[line.template].source, line.offset, Some(call));
            let tags = || inner.tags[line.tags.clone()].iter().filter(|tag| tag.keyword.is_empty());
            let mut named: Vec<Path> = tags().flat_map(|tag| inner.keys(tag, None)).collect();
            if named.is_empty() {
                // Parameters: what was read of the keys that the call gives, and ends as the parameter's path does.
                let locals: Vec<Chain> = tags().flat_map(Tag::locals).collect();
                let ours = |key: &&Path| {
                    given.iter().any(|given| key.0.starts_with(&given.0))
                        && locals.iter().any(|local| key.0.ends_with(&local.steps))
                };
                named.extend(keys.iter().filter(ours).cloned());
            }
            let mut around = inner.guards(line.offset);
            around.extend(guards.iter().cloned());
            map.push(printed.span.start + offset, frame, named.into(), around.into());
        }
    }

    /// The values keys behind a printed value: those its expression names, and of those that were read before it the
    /// ones that are more exact, or, where it calls a macro or names none, all that no statement before it names.
    fn keys(&self, printed: &Printed, tag: &Tag, plain: bool) -> Vec<Path> {
        let scan = self.templates[printed.template].scan();
        let named: Vec<Path> = scan.keys(tag, printed.index).into_iter().map(nested::named).collect();
        let before = scan.tags.iter().filter(|other| {
            other.span.start >= self.ends[printed.template] && other.span.end <= tag.span.start && !scan.prints(other)
        });
        let elsewhere: Vec<Path> = before.flat_map(|other| scan.keys(other, None)).collect();
        let ours = |read: &Path| {
            named.iter().any(|key| read.0.starts_with(&key.0))
                || ((!plain || named.is_empty()) && !elsewhere.contains(read))
        };
        let mut keys: Vec<Path> = Vec::new();
        for read in printed.reads.iter().filter(|read| !read.0.is_empty() && ours(read)) {
            if !keys.contains(read) {
                keys.push((**read).clone());
            }
        }
        keys.extend(
            named.into_iter().filter(|key| !key.0.is_empty() && !printed.reads.iter().any(|read| **read == *key)),
        );
        let all = keys.clone();
        keys.retain(|key| !all.iter().any(|other| other != key && other.0.starts_with(&key.0)));
        keys
    }
}

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        self.write_text(text).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A place in one of the templates.
pub fn location(template: &Parsed, span: Span) -> Location {
    Location::new(template.source.clone(), span)
}
