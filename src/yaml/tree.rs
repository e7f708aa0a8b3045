//! One YAML document as nodes with places: what values and positions are both made from.

use std::collections::HashMap;
use std::sync::Arc;

use libyaml_safer::{EventData, ScalarStyle};

use super::error::Error;
use super::events::{Event, Events, yaml_error};
use crate::source::Span;
use crate::value::MAX_DEPTH;

/// Nodes of one document.
const MAX_NODES: usize = 4_000_000;

/// The place of a node in its tree.
pub(super) type NodeId = usize;

/// One document.
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// From the line of the first directive, `---` or content to the end of the content.
    pub span: Span,
    pub root: NodeId,
}

pub(super) struct Node {
    /// With tag and anchor, without blanks, breaks and comments around it.
    pub span: Span,
    /// The line of its start, from 1.
    pub line: usize,
    pub tag: Option<Box<str>>,
    pub kind: Kind,
}

pub(super) enum Kind {
    /// `plain`: the text decides the type
    Scalar {
        text: Arc<str>,
        plain: bool,
    },
    Alias {
        anchor: Box<str>,
        target: NodeId,
    },
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
}

impl Tree {
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// The node itself, or what it is an alias of.
    pub fn resolved(&self, id: NodeId) -> &Node {
        match &self.nodes[id].kind {
            Kind::Alias { target, .. } => &self.nodes[*target],
            _ => &self.nodes[id],
        }
    }
}

/// The documents of a text, one after the other.
pub(super) struct Documents<'t> {
    text: &'t str,
    events: Events<'t>,
}

impl<'t> Documents<'t> {
    pub fn new(text: &'t str) -> Result<Self, Error> {
        Ok(Self { text, events: Events::new(text)? })
    }

    /// The next document; `None` at the end of the stream.
    pub fn next(&mut self) -> Result<Option<Tree>, Error> {
        loop {
            let event = self.events.next()?;
            match event.data {
                EventData::StreamStart { .. } => {}
                EventData::DocumentStart { .. } => break self.document(event.span).map(Some),
                _ => break Ok(None),
            }
        }
    }

    fn document(&mut self, start: Span) -> Result<Tree, Error> {
        let line_start = self.text[..start.start].rfind('\n').map_or(0, |at| at + 1);
        let indented = self.text[line_start..start.start].bytes().all(|b| b == b' ');
        let first = if indented { line_start } else { start.start };
        let mut builder = Builder { text: self.text, last_end: start.end, ..Builder::default() };
        loop {
            let event = self.events.next()?;
            if matches!(event.data, EventData::DocumentEnd { .. }) {
                let span = Span::new(first, builder.last_end.max(start.end));
                return Ok(Tree { nodes: builder.nodes, span, root: 0 });
            }
            builder.add(event)?;
        }
    }
}

/// Puts events together.
#[derive(Default)]
struct Builder<'t> {
    text: &'t str,
    nodes: Vec<Node>,
    anchors: HashMap<String, NodeId>,
    open: Vec<Open>,
    /// Where the last thing that has text ended.
    last_end: usize,
}

/// A collection that has not ended.
struct Open {
    id: NodeId,
    key: Option<NodeId>,
}

impl Builder<'_> {
    fn add(&mut self, event: Event) -> Result<(), Error> {
        let Event { mut span, line, data } = event;
        let (tag, anchor, kind) = match data {
            EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                span = self.scalar_span(span, style);
                (tag, anchor, Kind::Scalar { text: value.into(), plain: plain_implicit })
            }
            EventData::Alias { anchor } => {
                let Some(target) = self.anchors.get(&anchor).copied() else {
                    return Err(yaml_error(format!("unknown anchor '{anchor}' referenced"), span));
                };
                (None, None, Kind::Alias { anchor: anchor.into(), target })
            }
            EventData::SequenceStart { anchor, tag, .. } => (tag, anchor, Kind::Sequence(Vec::new())),
            EventData::MappingStart { anchor, tag, .. } => (tag, anchor, Kind::Mapping(Vec::new())),
            EventData::SequenceEnd | EventData::MappingEnd => {
                self.close(span);
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.last_end = self.last_end.max(span.end);
        let id = self.nodes.len();
        if id >= MAX_NODES {
            return Err(yaml_error(format!("the document has more than {MAX_NODES} values"), span));
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        let collection = matches!(kind, Kind::Sequence(_) | Kind::Mapping(_));
        self.nodes.push(Node { span, line, tag: tag.map(String::into_boxed_str), kind });
        self.attach(id);
        if collection {
            self.open.push(Open { id, key: None });
            if self.open.len() > MAX_DEPTH {
                return Err(yaml_error(format!("exceeded max depth of {MAX_DEPTH}"), span));
            }
        }
        Ok(())
    }

    fn attach(&mut self, id: NodeId) {
        let Some(Open { id: parent, key }) = self.open.last_mut() else { return };
        match &mut self.nodes[*parent].kind {
            Kind::Sequence(items) => items.push(id),
            Kind::Mapping(entries) => match key.take() {
                Some(key) => entries.push((key, id)),
                None => *key = Some(id),
            },
            Kind::Scalar { .. } | Kind::Alias { .. } => {}
        }
    }

    fn close(&mut self, span: Span) {
        // Only the end of a flow collection has text.
        if span.start < span.end {
            self.last_end = span.end;
        }
        if let Some(Open { id, .. }) = self.open.pop() {
            self.nodes[id].span.end = self.last_end;
        }
    }

    /// The parser lets block scalars end where the next token starts, and puts empty ones there.
    fn scalar_span(&self, span: Span, style: ScalarStyle) -> Span {
        if span.start < span.end {
            let end = match style {
                ScalarStyle::Literal | ScalarStyle::Folded => self.text[..span.end].trim_end().len(),
                _ => span.end,
            };
            return Span::new(span.start, end.max(span.start));
        }
        let gap = self.text.get(self.last_end..span.start).unwrap_or_default();
        let mut at = 0;
        let mut comment = false;
        for (i, byte) in gap.bytes().enumerate() {
            match byte {
                b'\n' => comment = false,
                b'#' => comment = true,
                b':' | b'-' | b'?' if !comment => at = i + 1,
                _ => {}
            }
        }
        Span::new(self.last_end + at, self.last_end + at)
    }
}
