//! Policies in Rego: conftest's and Gatekeeper's. Regorus evaluates them, near OPA but not OPA.
//!
//! Each object is judged by itself, with an engine of its package's modules. What an evaluation may take is bounded in
//! time, not in memory. There is no clock, no network, no environment and nothing random.

mod conftest;
mod gatekeeper;
mod imports;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value as Rego};

pub(super) use conftest::{RegoFile, conftest};
pub(super) use gatekeeper::{Constraint, Template, bind};

use super::decode::Document;
use super::document::Policy;
use super::evaluate::{Source, Violation};
use super::fleet::{Fleet, Prepared};
use super::request::Request;
use super::{Error, ErrorKind};
use crate::cel::{EvalError, Failure};
use crate::finding::Severity;
use crate::json;
use crate::source::{Location, SourceFile, Span};
use crate::value::{Path, Value};

/// How long one object may be judged, and after how many steps the time is looked at.
const LIMIT: Duration = Duration::from_secs(5);
const CHECK_INTERVAL: NonZeroU32 = NonZeroU32::MIN.saturating_add(255);

/// The body of a policy that is written in Rego.
#[derive(Debug)]
pub(super) struct Body {
    main: Module,
    /// What it may import.
    others: Vec<Module>,
    /// The package whose rules are asked: `data.main`.
    package: String,
    dialect: Dialect,
}

/// Whose rules they are.
#[derive(Debug)]
enum Dialect {
    /// `deny`, `violation` and `warn` with the object as `input`.
    Conftest,
    /// `violation` with `input.review` and `input.parameters`, on what a constraint matches.
    Gatekeeper(Box<Constraint>),
}

/// A module, and where it was written.
#[derive(Debug, Clone)]
struct Module {
    text: Arc<str>,
    place: Place,
    version: Version,
}

/// Where a module was written.
#[derive(Debug, Clone)]
enum Place {
    File(Arc<SourceFile>),
    Field(Document, Path),
}

/// The version of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V0,
    V1,
}

/// A rule's result about an object.
struct Found {
    severity: Severity,
    message: String,
}

impl Body {
    /// Parses the modules.
    pub fn check(&self, policy: &Policy) -> Result<(), Error> {
        self.engine(&policy.id).map(|_| ())
    }

    /// Judges the objects of a release that the policy is about.
    pub fn judge<'p>(&self, policy: &'p Policy, fleet: &Fleet<'_>, index: usize) -> Result<Vec<Violation<'p>>, Error> {
        let mut violations = Vec::new();
        let Some(release) = fleet.releases.get(index) else { return Ok(violations) };
        let mut engine = self.engine(&policy.id)?;
        if matches!(self.dialect, Dialect::Gatekeeper(_)) {
            let added = rego(&gatekeeper::inventory(release)).and_then(|data| engine.add_data(data).map_err(text));
            added.map_err(|reason| self.error(&policy.id, &reason, None))?;
        }
        for (object, request) in release.requests.iter().enumerate() {
            let object = release.first + object;
            let found = self.object(policy, &mut engine, release, request);
            for Found { severity, message } in found.map_err(|reason| self.error(&policy.id, &reason, Some(object)))? {
                let (release, object) = (Some(index), Some(object));
                let (source, blamed) = (Source::Validation { reason: None }, Vec::new());
                violations.push(Violation { policy, severity, release, object, message, blamed, source });
            }
        }
        Ok(violations)
    }

    fn object(
        &self,
        policy: &Policy,
        engine: &mut Engine,
        release: &Prepared<'_>,
        request: &Request,
    ) -> Result<Vec<Found>, String> {
        match &self.dialect {
            Dialect::Conftest => {
                engine.set_input(rego(&request.object)?);
                conftest::found(&query(engine, &self.package)?)
            }
            Dialect::Gatekeeper(constraint) => {
                let namespace = release.namespace(request).object();
                if !constraint.matches(request, namespace) {
                    return Ok(Vec::new());
                }
                engine.set_input(rego(&constraint.input(request, namespace))?);
                let violations = query(engine, &format!("{}.violation", self.package))?;
                if violations == Rego::Undefined {
                    return Err("the template's package has no rule \"violation\"".into());
                }
                let found = |message| Found { severity: policy.severity, message };
                Ok(messages("violation", &violations)?.into_iter().map(found).collect())
            }
        }
    }

    fn modules(&self) -> impl Iterator<Item = &Module> {
        std::iter::once(&self.main).chain(&self.others)
    }

    fn engine(&self, policy: &str) -> Result<Engine, Error> {
        let mut engine = Engine::new();
        // As in OPA, a built-in function that fails has no value.
        engine.set_strict_builtin_errors(false);
        // What `print` says is for nobody here.
        engine.set_gather_prints(true);
        engine.set_execution_timer_config(ExecutionTimerConfig { limit: LIMIT, check_interval: CHECK_INTERVAL });
        for (index, module) in self.modules().enumerate() {
            if let Some(at) = module.text.find("rand.intn") {
                let message = "rand.intn is not known here: what a policy says must not be left to chance";
                let place = module.locate(Span::new(at, at + "rand.intn".len()));
                return Err(Error::new(ErrorKind::Document(message.into()), place).of(policy));
            }
            module.add_to(&mut engine, index).map_err(|reason| self.error(policy, &reason, None))?;
        }
        Ok(engine)
    }

    /// An error with the place that regorus gives in its text: `--> 0:3:5`, and the reason in its last line.
    fn error(&self, policy: &str, reason: &str, object: Option<usize>) -> Error {
        let found = reason.split("--> ").nth(1).and_then(|rest| {
            let mut numbers = rest.lines().next()?.split(':').map(|number| number.trim().parse::<usize>().ok());
            let (module, line, column) = (numbers.next()??, numbers.next()??, numbers.next()??);
            let module = self.modules().nth(module)?;
            Some(module.locate(module.span(line, column)))
        });
        let last = reason.lines().rfind(|line| !line.trim().is_empty()).unwrap_or(reason).trim();
        let message = last.strip_prefix("error: ").unwrap_or(last).to_owned();
        let place = found.unwrap_or_else(|| self.main.locate(Span::default()));
        let error = EvalError { failure: Failure::new(message), variable: None, span: Span::default() };
        Error::new(ErrorKind::Evaluate { error: Box::new(error), object }, place).of(policy)
    }
}

impl Module {
    /// Adds it to an engine under the name of its index; gives the name of its package: `data.main`.
    fn add_to(&self, engine: &mut Engine, index: usize) -> Result<String, String> {
        engine.set_rego_v0(self.version == Version::V0);
        engine.add_policy(index.to_string(), imports::written_out(&self.text)).map_err(text)
    }

    /// Its package, or why it is none.
    fn package(&self) -> Result<String, String> {
        self.add_to(&mut Engine::new(), 0)
    }

    /// The rest of a line, both counted from 1.
    fn span(&self, line: usize, column: usize) -> Span {
        let lines = self.text.split_inclusive('\n');
        let before: usize = lines.take(line.saturating_sub(1)).map(str::len).sum();
        let rest = self.text.get(before..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let column = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
        Span::new(before + column, before + rest.trim_end().len().max(column))
    }

    fn locate(&self, span: Span) -> Location {
        match &self.place {
            Place::File(file) => Location::new(file.clone(), span),
            Place::Field(document, path) => document.locate_within(path, span),
        }
    }
}

/// The messages of a rule: it is a set or list of texts, or of objects with a `msg`.
fn messages(rule: &str, value: &Rego) -> Result<Vec<String>, String> {
    let one = |value: &Rego| match value {
        Rego::String(text) => Ok(text.to_string()),
        Rego::Object(map) => match map.get(&Rego::from("msg")) {
            Some(Rego::String(text)) => Ok(text.to_string()),
            _ => Err(format!("{rule} gives an object without a text \"msg\"")),
        },
        other => Err(format!("{rule} gives {other}: expected texts, or objects with \"msg\"")),
    };
    match value {
        Rego::Undefined | Rego::Bool(false) => Ok(Vec::new()),
        Rego::Bool(true) => Ok(vec![format!("{rule} is true")]),
        Rego::Set(set) => set.iter().map(one).collect(),
        Rego::Array(list) => list.iter().map(one).collect(),
        value => one(value).map(|message| vec![message]),
    }
}

fn query(engine: &mut Engine, query: &str) -> Result<Rego, String> {
    let results = engine.eval_query(query.to_owned(), false).map_err(text)?;
    let first = results.result.first().and_then(|result| result.expressions.first());
    Ok(first.map_or(Rego::Undefined, |expression| expression.value.clone()))
}

fn rego(value: &Value) -> Result<Rego, String> {
    Rego::from_json_str(&json::to_json(value).map_err(text)?).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
