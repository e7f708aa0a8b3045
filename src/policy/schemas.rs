//! `SchemaPolicy`: objects are held to the schemas of their kinds, and each policy stands for one way to fall short.

use std::cell::OnceCell;
use std::panic::resume_unwind;
use std::thread;

use super::evaluate::{Blamed, Subject, Violation};
use super::fleet::{Fleet, Prepared};
use super::{Error, ErrorKind, Policy};
use crate::schema::{Check, Problem, Schemas};
use crate::source::{Location, SourceFile, Span};
use crate::value::{Path, Value};

/// The parameter of `schema/unknown-kind` that lists API groups whose kinds need no schema.
const GROUPS: &str = "groups";

/// The fewest objects that are worth a thread.
const OBJECTS_PER_THREAD: usize = 200;

/// What is wrong with each object of a release, found when the first policy asks.
#[derive(Default)]
pub(super) struct Problems(OnceCell<Result<Vec<Vec<Problem>>, Error>>);

/// The violations of one policy.
pub(super) fn judge<'p>(
    policy: &'p Policy,
    check: Check,
    fleet: &Fleet<'_>,
    schemas: &Schemas,
) -> Result<Vec<Violation<'p>>, Error> {
    let mut violations = Vec::new();
    for (index, release) in fleet.releases.iter().enumerate() {
        let problems = release.problems.0.get_or_init(|| release.held_to(schemas));
        let problems = problems.as_ref().map_err(|error| error.clone().of(&policy.id))?;
        for (number, (object, problems)) in release.release.objects.iter().zip(problems).enumerate() {
            for problem in problems.iter().filter(|problem| problem.check == check && !policy.allows(object)) {
                let object = release.first + number;
                violations.push(Violation {
                    policy,
                    severity: policy.severity,
                    release: Some(index),
                    object: Some(object),
                    message: problem.message.clone(),
                    blamed: vec![Blamed { subject: Subject::Object(object), path: problem.path.clone() }],
                });
            }
        }
    }
    Ok(violations)
}

impl Prepared<'_> {
    /// What is wrong with each object; on all cores where there are many.
    fn held_to(&self, schemas: &Schemas) -> Result<Vec<Vec<Problem>>, Error> {
        let objects = self.release.objects;
        let most = objects.len() / OBJECTS_PER_THREAD;
        let threads = if most < 2 { 1 } else { thread::available_parallelism().map_or(1, usize::from).min(most) };
        let (first, duplicates) = (self.first, self.release.duplicates);
        let part = |from: usize, part: &[Value]| -> Result<Vec<Vec<Problem>>, Error> {
            let number = |(at, object)| judge_one(schemas, object, duplicates.get(from + at), first + from + at);
            part.iter().enumerate().map(number).collect()
        };
        let length = objects.len().div_ceil(threads).max(1);
        let mut parts = objects.chunks(length).enumerate().map(|(at, objects)| (at * length, objects));
        let Some((_, own)) = parts.next() else { return Ok(Vec::new()) };
        thread::scope(|scope| {
            let part = &part;
            let others: Vec<_> = parts.map(|(from, objects)| scope.spawn(move || part(from, objects))).collect();
            let mut all = part(0, own)?;
            for other in others {
                all.append(&mut other.join().unwrap_or_else(|panic| resume_unwind(panic))?);
            }
            Ok(all)
        })
    }
}

/// What is wrong with the object of an index.
fn judge_one(
    schemas: &Schemas,
    object: &Value,
    duplicates: Option<&Vec<Path>>,
    index: usize,
) -> Result<Vec<Problem>, Error> {
    schemas.judge(object, duplicates.map_or(&[], Vec::as_slice)).map_err(|error| {
        // A schema that no file holds is one of the binary.
        let nowhere = || Location::new(SourceFile::new("", ""), Span::default());
        let place = error.location.clone().unwrap_or_else(nowhere);
        Error::new(ErrorKind::Schema { error: Box::new(error), object: Some(index) }, place)
    })
}

impl Policy {
    /// Whether its parameters name the API group of an object; that of `v1` is empty and cannot be named.
    fn allows(&self, object: &Value) -> bool {
        let version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let params = self.params();
        let groups = params.iter().filter(|(key, _)| &****key == GROUPS).filter_map(|(_, value)| value.as_str());
        groups.flat_map(str::split_whitespace).any(|allowed| allowed == group)
    }
}
