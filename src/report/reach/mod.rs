//! How the graph of who can read which Secret is printed: one file a format.

mod dot;
mod json;
mod picture;
mod svg;
mod text;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};

use super::Style;
use crate::policy::reach::{Edge, Field, Graph, Locate, Subject, TargetKind, Who};
use crate::source::Location;

/// A format of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: by Secret, then by who, each with the lines that make it so.
    #[default]
    Text,
    /// For programs: schemas/reach.schema.json, one document.
    Json,
    /// For Graphviz.
    Dot,
    /// A picture: who on the left, Secrets on the right.
    Svg,
}

/// What of a graph is printed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'f> {
    /// Only ways to the Secrets of this name, `name` or `namespace/name`.
    pub secret: Option<&'f str>,
    /// Only those of this container, object, ServiceAccount, user or group.
    pub who: Option<&'f str>,
}

/// A graph, and where the fields of its objects are.
pub struct Reach<'g, 'a> {
    graph: &'g Graph<'a>,
    edges: Vec<&'g Edge<'a>>,
    locate: &'g Locate<'g>,
    places: RefCell<HashMap<&'g Field<'a>, Location>>,
}

impl<'g, 'a> Reach<'g, 'a> {
    /// What of a graph is to be printed.
    pub fn new(graph: &'g Graph<'a>, locate: &'g Locate<'g>, filter: Filter<'_>) -> Self {
        let edges = graph.edges().iter().filter(|edge| filter.keeps(graph, edge)).collect();
        Self { graph, edges, locate, places: RefCell::default() }
    }

    /// Prints it.
    pub fn write(&self, format: Format, style: Style, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Text => text::write(self, style, out),
            Format::Json => json::write(self, out),
            Format::Dot => dot::write(self, out),
            Format::Svg => svg::write(self, out),
        }
    }

    /// Where a field was rendered, or its nearest parent if it is missing.
    fn place(&self, field: &'g Field<'a>) -> Option<Location> {
        if let Some(known) = self.places.borrow().get(field) {
            return Some(known.clone());
        }
        let place = (self.locate)(field.object, &field.path())?;
        self.places.borrow_mut().insert(field, place.clone());
        Some(place)
    }
}

impl Filter<'_> {
    fn keeps(&self, graph: &Graph<'_>, edge: &Edge<'_>) -> bool {
        let target = &edge.target;
        let to_secret = self.secret.is_none_or(|wanted| {
            let (namespace, name) = wanted.rsplit_once('/').map_or((None, wanted), |(of, name)| (Some(of), name));
            let namespace = namespace.or(target.namespace).unwrap_or_default();
            target.covers(TargetKind::Secret, namespace, name)
        });
        to_secret && self.who.is_none_or(|wanted| names(graph, edge.who).contains(&wanted))
    }
}

/// The names by which people may ask for somebody.
fn names<'a>(graph: &Graph<'a>, who: Who<'a>) -> Vec<&'a str> {
    let object = |number: usize| graph.objects().get(number).map_or("", |object| object.name);
    match who {
        Who::Container(number, _, name) => vec![name, object(number)],
        Who::Pods(number) | Who::Controller(number) => vec![object(number)],
        Who::Subject(Subject::Account(_, name) | Subject::User(name) | Subject::Group(name)) => vec![name],
    }
}
