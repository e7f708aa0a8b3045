//! The lines of macros and captures in the text that they became.
//!
//! minijinja hands over a macro's text as one string, perhaps indented by a filter. Each of its lines is still the
//! template's own words around printed values, so it is found by them: the line with the most words in common,
//! among equals the next one in the order of the text.

use std::collections::HashSet;
use std::ops::Range;

use super::Parsed;
use super::scan::{Chain, Scan, Tag};
use crate::source::Span;

/// The lines that an expression may print by calling macros and naming captures.
pub struct Lines<'a>(Vec<Line<'a>>);

/// A line of a macro's or a capture's body.
pub struct Line<'a> {
    /// The template.
    pub template: usize,
    /// Its first byte that is no space.
    pub offset: usize,
    /// The tags in it.
    pub tags: Range<usize>,
    /// The words between the tags; empty first or last ones where a tag begins or ends the line.
    words: Vec<&'a str>,
}

impl<'a> Lines<'a> {
    /// The lines behind a tag.
    pub fn of(templates: &'a [Parsed], template: usize, tag: &Tag) -> Self {
        let mut bodies = Vec::new();
        let mut seen = HashSet::new();
        collect(templates, template, tag, &mut bodies, &mut seen);
        let mut lines = Vec::new();
        for (template, body) in bodies {
            let Parsed { source, .. } = &templates[template];
            let mut start = body.start;
            for text in source.text.get(body.start..body.end).unwrap_or_default().split_inclusive('\n') {
                lines.extend(Line::new(templates[template].scan(), template, start, text));
                start += text.len();
            }
        }
        Self(lines)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For each line of the text that has one, its offset and the line of a template.
    pub fn matching(&self, text: &str) -> Vec<(usize, &Line<'a>)> {
        let mut found = Vec::new();
        let mut cursor = 0;
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            if !self.0.is_empty() && !line.trim().is_empty() {
                let (after, before) = (cursor..self.0.len(), 0..cursor);
                // Of equal scores max_by_key takes the last, hence the reversed order.
                let order = after.chain(before).rev().filter_map(|i| Some((i, self.0[i].score(line.trim())?)));
                if let Some((index, _)) = order.max_by_key(|(_, score)| *score) {
                    found.push((start, &self.0[index]));
                    cursor = index + 1;
                }
            }
            start += line.len();
        }
        found
    }
}

impl<'a> Line<'a> {
    fn new(scan: &Scan, template: usize, start: usize, text: &'a str) -> Option<Self> {
        let offset = start + (text.len() - text.trim_start().len());
        let end = start + text.trim_end().len();
        if offset >= end {
            return None;
        }
        let first = scan.tags.partition_point(|tag| tag.span.end <= offset);
        let last = scan.tags.partition_point(|tag| tag.span.start < end).max(first);
        let tags = &scan.tags[first..last];
        let mut words = Vec::new();
        let mut at = offset;
        for tag in tags {
            words.push(text.get(at - start..tag.span.start.max(at) - start).unwrap_or_default());
            at = tag.span.end.min(end);
        }
        words.push(text.get(at - start..end - start).unwrap_or_default());
        let prints = tags.iter().any(|tag| tag.keyword.is_empty());
        (prints || words.iter().any(|word| !word.is_empty())).then_some(Self {
            template,
            offset,
            tags: first..last,
            words,
        })
    }

    /// How many bytes the line has in common with a rendered one; `None` where it cannot have become it.
    fn score(&self, rendered: &str) -> Option<usize> {
        let [first, rest @ ..] = &self.words[..] else { return None };
        let mut left = rendered.strip_prefix(first)?;
        let mut score = first.len();
        if let [middle @ .., last] = rest {
            for word in middle {
                left = &left[left.find(word)? + word.len()..];
                score += word.len();
            }
            left.strip_suffix(last)?;
            return Some(score + last.len());
        }
        left.is_empty().then_some(score + 1)
    }
}

/// Gathers the bodies of the macros and captures that a tag names, and of those that they name.
fn collect(
    templates: &[Parsed],
    template: usize,
    tag: &Tag,
    bodies: &mut Vec<(usize, Span)>,
    seen: &mut HashSet<(usize, usize)>,
) {
    let scan = templates[template].scan();
    if (tag.keyword == "filter" || tag.keyword == "call")
        && let Some(block) = scan.blocks.iter().find(|block| block.body.start == tag.span.end)
    {
        enter(templates, template, block.body, bodies, seen);
    }
    for chain in tag.chains() {
        if let Some((template, body)) = body(templates, template, &chain) {
            enter(templates, template, body, bodies, seen);
        }
    }
}

fn enter(
    templates: &[Parsed],
    template: usize,
    body: Span,
    bodies: &mut Vec<(usize, Span)>,
    seen: &mut HashSet<(usize, usize)>,
) {
    if !seen.insert((template, body.start)) {
        return;
    }
    bodies.push((template, body));
    let tags = templates[template].scan().tags.iter();
    for tag in tags.filter(|tag| tag.span.start >= body.start && tag.span.end <= body.end) {
        collect(templates, template, tag, bodies, seen);
    }
}

/// The body of the macro or capture that a name means.
pub fn body(templates: &[Parsed], template: usize, chain: &Chain) -> Option<(usize, Span)> {
    let named = |template: usize, name: &str| {
        let mut blocks = templates[template].scan().blocks.iter();
        let found = blocks.rfind(|block| block.captures() && !block.name.is_empty() && block.name == name);
        found.map(|block| (template, block.body))
    };
    named(template, &chain.root).or_else(|| {
        let import = templates[template].scan().imports.iter().find(|import| import.alias == chain.root)?;
        let file = templates.iter().position(|template| template.key == import.file)?;
        named(file, import.name.as_deref().or(chain.method.as_deref())?)
    })
}
