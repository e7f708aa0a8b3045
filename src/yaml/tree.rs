//! One YAML document as nodes with places: what values and positions are both made from.

use std::borrow::Cow;
use std::collections::HashMap;

use super::error::Error;
use super::parser::{Data, Event, Parser};
use super::style::is_break;
use crate::source::Span;
use crate::value::MAX_DEPTH;

/// Nodes of one document.
const MAX_NODES: usize = 4_000_000;

/// The place of a node in its tree.
pub(super) type NodeId = usize;

/// One document.
pub(super) struct Tree<'t> {
    nodes: Vec<Node<'t>>,
    /// From the line of the first directive, `---` or content to the end of the content.
    pub span: Span,
    pub root: NodeId,
}

pub(super) struct Node<'t> {
    /// With tag and anchor, without blanks, breaks and comments around it.
    pub span: Span,
    /// The line of its start, from 1.
    pub line: usize,
    pub tag: Option<Box<str>>,
    pub kind: Kind<'t>,
}

pub(super) enum Kind<'t> {
    /// `plain`: the text decides the type
    Scalar {
        text: Cow<'t, str>,
        plain: bool,
    },
    Alias {
        anchor: &'t str,
        target: NodeId,
    },
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
}

impl<'t> Tree<'t> {
    /// All nodes: a [`NodeId`] is the index of one.
    pub fn nodes(&self) -> &[Node<'t>] {
        &self.nodes
    }

    pub fn node(&self, id: NodeId) -> &Node<'t> {
        &self.nodes[id]
    }

    /// The node itself, or what it is an alias of.
    pub fn resolved(&self, id: NodeId) -> &Node<'t> {
        match &self.nodes[id].kind {
            Kind::Alias { target, .. } => &self.nodes[*target],
            _ => &self.nodes[id],
        }
    }
}

/// The documents of a text, one after the other.
pub(super) struct Documents<'t> {
    text: &'t str,
    parser: Parser<'t>,
}

impl<'t> Documents<'t> {
    pub fn new(text: &'t str) -> Result<Self, Error> {
        Ok(Self { text, parser: Parser::new(text)? })
    }

    /// The next document; `None` at the end of the stream.
    pub fn next(&mut self) -> Result<Option<Tree<'t>>, Error> {
        let start = self.parser.next()?;
        let Data::DocumentStart = start.data else { return Ok(None) };
        let start = start.span;
        let mut builder = Builder { text: self.text, last_end: start.end, ..Builder::default() };
        loop {
            let event = self.parser.next()?;
            if let Data::DocumentEnd | Data::StreamEnd = event.data {
                break;
            }
            builder.add(event)?;
        }
        // With the indentation of the first line, the span can be read on its own.
        let before = self.text.get(..start.start).unwrap_or_default();
        let first = before.trim_end_matches(' ');
        let first = if first.is_empty() || first.ends_with(is_break) { first.len() } else { start.start };
        Ok(Some(Tree { nodes: builder.nodes, span: Span::new(first, builder.last_end), root: 0 }))
    }
}

/// Puts events together.
#[derive(Default)]
struct Builder<'t> {
    text: &'t str,
    nodes: Vec<Node<'t>>,
    anchors: HashMap<&'t str, NodeId>,
    open: Vec<Open>,
    /// Where the last thing that has text ended.
    last_end: usize,
}

/// A collection that has not ended.
struct Open {
    id: NodeId,
    key: Option<NodeId>,
}

impl<'t> Builder<'t> {
    fn add(&mut self, event: Event<'t>) -> Result<(), Error> {
        let Event { mut span, line, data } = event;
        let (anchor, tag, kind) = match data {
            Data::Scalar { anchor, tag, text, plain } => {
                if span.start == span.end {
                    span = self.empty_span(span.start);
                }
                (anchor, tag, Kind::Scalar { text, plain })
            }
            Data::Alias(anchor) => {
                let Some(target) = self.anchors.get(anchor).copied() else {
                    return Err(Error::yaml(format!("unknown anchor '{anchor}' referenced"), span));
                };
                (None, None, Kind::Alias { anchor, target })
            }
            Data::SequenceStart { anchor } => (anchor, None, Kind::Sequence(Vec::new())),
            Data::MappingStart { anchor } => (anchor, None, Kind::Mapping(Vec::new())),
            Data::SequenceEnd | Data::MappingEnd => {
                self.close(span);
                return Ok(());
            }
            Data::DocumentStart | Data::DocumentEnd | Data::StreamEnd => return Ok(()),
        };
        self.last_end = self.last_end.max(span.end);
        let id = self.nodes.len();
        if id >= MAX_NODES {
            return Err(Error::yaml(format!("the document has more than {MAX_NODES} values"), span));
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        let collection = matches!(kind, Kind::Sequence(_) | Kind::Mapping(_));
        self.nodes.push(Node { span, line, tag, kind });
        self.attach(id);
        if collection {
            self.open.push(Open { id, key: None });
            if self.open.len() > MAX_DEPTH {
                return Err(Error::yaml(format!("exceeded max depth of {MAX_DEPTH}"), span));
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

    /// Where a scalar that is not written belongs, which is found before the token at `next`: behind the indicator.
    fn empty_span(&self, next: usize) -> Span {
        let mut at = self.last_end;
        let mut comment = false;
        for (i, byte) in self.text.get(self.last_end..next).unwrap_or_default().bytes().enumerate() {
            match byte {
                b'\n' => comment = false,
                b'#' => comment = true,
                b':' | b'-' | b'?' if !comment => at = self.last_end + i + 1,
                _ => {}
            }
        }
        Span::new(at, at)
    }
}
