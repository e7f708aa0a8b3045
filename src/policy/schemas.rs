//! `SchemaPolicy`: objects are held to the schemas of their kinds, and each policy stands for one way to fall short.

use std::sync::OnceLock;

use super::evaluate::{Blamed, Source, Subject, Violation};
use super::fleet::{Fleet, Prepared};
use super::{Error, ErrorKind, Policy};
use crate::parallel;
use crate::schema::{self, Check, Problem, Schemas};
use crate::source::{Location, SourceFile, Span};
use crate::value::Value;

/// The parameter of `schema/unknown-kind` that lists API groups whose kinds need no schema.
const GROUPS: &str = "groups";

/// The fewest objects that are worth a thread.
const OBJECTS_PER_THREAD: usize = 200;

/// What is wrong with each object of a release, found when the first policy asks.
#[derive(Default)]
pub(super) struct Problems(OnceLock<Result<Vec<Vec<Problem>>, Error>>);

/// The violations of one policy in one release.
pub(super) fn judge<'p>(
    policy: &'p Policy,
    check: Check,
    fleet: &Fleet<'_>,
    index: usize,
) -> Result<Vec<Violation<'p>>, Error> {
    let mut violations = Vec::new();
    let Some(release) = fleet.releases.get(index) else { return Ok(violations) };
    let problems = release.problems.0.get_or_init(|| release.held_to(release.release.schemas));
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
                source: Source::Validation { reason: None },
            });
        }
    }
    Ok(violations)
}

impl Prepared<'_> {
    /// What is wrong with each object; on all cores where there are many.
    fn held_to(&self, schemas: &Schemas) -> Result<Vec<Vec<Problem>>, Error> {
        let judge = |number: usize, object: &Value| {
            let duplicates = self.release.duplicates.get(number).map_or(&[][..], Vec::as_slice);
            schemas.judge(object, duplicates)
        };
        let objects = self.release.objects;
        let found = parallel::map(objects, objects.len() / OBJECTS_PER_THREAD, judge);
        let failed = |(number, found): (usize, Result<_, schema::Error>)| {
            found.map_err(|error| {
                // A schema that no file holds is one of the binary.
                let nowhere = || Location::new(SourceFile::new("", ""), Span::default());
                let place = error.location.clone().unwrap_or_else(nowhere);
                Error::new(ErrorKind::Schema { error: Box::new(error), object: Some(self.first + number) }, place)
            })
        };
        found.into_iter().enumerate().map(failed).collect()
    }
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
