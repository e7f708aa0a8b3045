//! For programs: the format of schemas/reach.schema.json.

use std::io::{self, Write};

use serde::Serialize;

use super::Reach;
use crate::policy::reach::{Edge, Field, Hop, Subject, Who};

/// Goes up when a field changes its meaning or goes away; new fields do not change it.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    objects: usize,
    edges: Vec<Row<'a>>,
    unknown: Vec<Unknown<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    who: Actor<'a>,
    action: &'static str,
    via: &'static str,
    target: Target<'a>,
    route: Vec<Step<'a>>,
    evidence: Vec<Place<'a>>,
}

#[derive(Serialize, Default)]
struct Actor<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    kind: &'static str,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    among: &'static str,
    keys: &'a [&'a str],
    made_by: Vec<Actor<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    via: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    verb: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    becomes: Option<Actor<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    object: Actor<'a>,
    field: String,
    file: String,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct Unknown<'a> {
    role: Actor<'a>,
    place: Option<Place<'a>>,
}

pub(super) fn write(reach: &Reach<'_, '_>, out: &mut dyn Write) -> io::Result<()> {
    let unknown = reach.graph.unknown().iter().map(|unknown| Unknown {
        role: Actor { kind: unknown.kind, name: unknown.name, ..Actor::default() },
        place: place(reach, &unknown.field),
    });
    let document = Document {
        version: VERSION,
        objects: reach.graph.objects().len(),
        edges: reach.edges.iter().map(|edge| row(reach, edge)).collect(),
        unknown: unknown.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn row<'g, 'a>(reach: &Reach<'g, 'a>, edge: &'g Edge<'a>) -> Row<'g> {
    let target = &edge.target;
    let made_by = match (target.namespace, target.name) {
        (Some(namespace), Some(name)) => reach.graph.makers(namespace, name).collect(),
        _ => Vec::new(),
    };
    Row {
        who: who(reach, edge.who),
        action: edge.action.name(),
        via: edge.via.name(),
        target: Target {
            kind: target.kind.name(),
            namespace: target.namespace,
            name: target.name,
            among: target.among.name(),
            keys: &target.keys,
            made_by: made_by.into_iter().map(|object| named(object.kind, object.namespace, object.name)).collect(),
        },
        route: reach.graph.route(edge).into_iter().map(step).collect(),
        evidence: reach.graph.evidence(edge).into_iter().filter_map(|field| place(reach, field)).collect(),
    }
}

fn who<'g>(reach: &Reach<'g, '_>, who: Who<'g>) -> Actor<'g> {
    let object = |number: usize| {
        let object = reach.graph.objects().get(number);
        object.map(|object| named(object.kind, object.namespace, object.name)).unwrap_or_default()
    };
    match who {
        Who::Container(number, _, name) => Actor { container: Some(name), ..object(number) },
        Who::Pods(number) | Who::Controller(number) => object(number),
        Who::Subject(name) => subject(name),
    }
}

fn subject(subject: Subject<'_>) -> Actor<'_> {
    match subject {
        Subject::Account(namespace, name) => named("ServiceAccount", namespace, name),
        Subject::User(name) => named("User", "", name),
        Subject::Group(name) => named("Group", "", name),
    }
}

fn named<'a>(kind: &'a str, namespace: &'a str, name: &'a str) -> Actor<'a> {
    Actor { kind, namespace: Some(namespace).filter(|name| !name.is_empty()), name, container: None }
}

fn step<'g>(hop: &'g Hop<'_>) -> Step<'g> {
    let (verb, resource) = hop.allows;
    let given = |text: &'g str| Some(text).filter(|text| !text.is_empty());
    Step { via: hop.via.name(), verb: given(verb), resource: given(resource), becomes: hop.becomes.map(subject) }
}

fn place<'g, 'a>(reach: &Reach<'g, 'a>, field: &'g Field<'a>) -> Option<Place<'g>> {
    let object = reach.graph.objects().get(field.object)?;
    let place = reach.place(field)?;
    let position = place.position();
    Some(Place {
        object: named(object.kind, object.namespace, object.name),
        field: field.path().to_string(),
        file: place.file.name.clone(),
        line: position.line,
        column: position.column,
    })
}
