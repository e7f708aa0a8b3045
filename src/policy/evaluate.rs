//! Policies on the objects of releases, as the API server would judge their creation.

use std::cell::RefCell;
use std::collections::HashSet;

use super::document::{Policy, PolicyKind};
use super::environment::{Environment, Phase};
use super::fleet::{Fleet, Prepared, Release};
use super::matching::MatchResources;
use super::request::Request;
use super::spec::{Compiled, CompiledValidation, Reason, Written};
use super::{Error, ErrorKind};
use crate::cel::value::{Data, Root, Val};
use crate::cel::{BUDGET, EvalError, Evaluation, Failure, Shared, blame};
use crate::finding::Severity;
use crate::parallel;
use crate::value::{Path, Step, Value};

/// The steps that the `matchConditions` of a policy may take on one object: the API server's share.
const CONDITIONS_BUDGET: u64 = BUDGET / 4;
/// The steps for each object of what is judged as a whole, where that is more than [`BUDGET`].
const BUDGET_PER_OBJECT: u64 = 10_000;
/// The most bytes that `messageExpression` and `valueExpression` may give, as in the API server.
const MAX_MESSAGE: usize = 5 << 10;
const MAX_AUDIT_VALUE: usize = 10 << 10;

/// A validation that is false.
#[derive(Debug, Clone)]
pub struct Violation<'p> {
    /// The policy.
    pub policy: &'p Policy,
    /// How bad it is.
    pub severity: Severity,
    /// The release that was judged, by its index; `None` where it was the fleet.
    pub release: Option<usize>,
    /// The object that was judged, by its index among those of all releases; `None` where it was a release or the fleet.
    pub object: Option<usize>,
    /// What is wrong, in a sentence.
    pub message: String,
    /// The fields that are at fault, the first ones named first.
    pub blamed: Vec<Blamed>,
    /// What of the policy says so.
    pub source: Source<'p>,
}

/// What of a policy finds a violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source<'p> {
    /// A validation, with its `reason`.
    Validation {
        /// What a client is told that was refused.
        reason: Option<Reason>,
    },
    /// An audit annotation: no violation, but good to know.
    Annotation {
        /// Its key.
        key: &'p str,
        /// Its value.
        value: String,
    },
    /// An expression without a value, or a binding that asks for what is not there: nobody knows whether all is well.
    Failure,
}

/// A field that made a validation false.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Blamed {
    /// What it is a field of.
    pub subject: Subject,
    /// The way to it. It may be missing: then its nearest parent is the place to show.
    pub path: Path,
}

/// What can be blamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An object, by its index among those of all releases.
    Object(usize),
    /// The values of a release, by its index.
    Values(usize),
}

/// Evaluates policies on releases; of each policy, in the order given, the violations are in the order of the releases and
/// their objects.
///
/// A release is held to those policies alone that it [chooses](Release::chosen); a `FleetPolicy` judges all of them. The
/// policies that a release brings itself are evaluated on it after the others. Objects are seen as the API server
/// would show them: without null fields, and with the namespace that they will have. What a `SchemaPolicy` says rests on
/// the schemas of the release, and on the objects as they were written.
pub fn evaluate<'p, 'c: 'p>(
    policies: impl IntoIterator<Item = &'c Policy>,
    releases: &[Release<'p>],
) -> Result<Vec<Violation<'p>>, Error> {
    let fleet = Fleet::new(releases);
    let policies: Vec<&Policy> = policies.into_iter().filter(|policy| concerns(policy, &fleet)).collect();
    let found = std::thread::scope(|threads| {
        // Compiling takes longer than evaluating: another thread does it from the other end, until they meet.
        // What does not compile is told when its turn comes.
        threads.spawn(|| policies.iter().rev().for_each(|policy| policy.prepare()));
        let on_release = |index: usize, release: &Release<'p>| on_release(&policies, &fleet, index, release);
        parallel::map(releases, releases.len(), on_release)
    });
    let mut violations = found.into_iter().collect::<Result<Vec<_>, Error>>()?.concat();
    for (index, policy) in policies.iter().enumerate().filter(|(_, policy)| policy.kind == PolicyKind::Fleet) {
        violations.extend(on_fleet(policy, &fleet)?.into_iter().map(|violation| (index, violation)));
    }
    violations.sort_by_key(|(policy, _)| *policy);
    Ok(violations.into_iter().map(|(_, violation)| violation).collect())
}

/// The violations of one release, each with the place of its policy in the order of all.
fn on_release<'p>(
    policies: &[&'p Policy],
    fleet: &Fleet<'_>,
    index: usize,
    release: &Release<'p>,
) -> Result<Vec<(usize, Violation<'p>)>, Error> {
    let mut found = Vec::new();
    let ours = policies.iter().copied().enumerate();
    for (order, policy) in ours.filter(|(_, policy)| policy.kind != PolicyKind::Fleet && release.chooses(policy)) {
        let violations = judge_release(policy, fleet, index, Failures::Stop)?;
        found.extend(violations.into_iter().map(|violation| (order, violation)));
    }
    for (number, policy) in release.policies.iter().enumerate() {
        let violations = judge_release(policy, fleet, index, Failures::Stop)?;
        found.extend(violations.into_iter().map(|violation| (policies.len() + number, violation)));
    }
    Ok(found)
}

/// The violations of one policy in one release, in the order of its objects.
pub(super) fn judge_release<'p>(
    policy: &'p Policy,
    fleet: &Fleet<'_>,
    index: usize,
    failures: Failures,
) -> Result<Vec<Violation<'p>>, Error> {
    if let Some(check) = policy.check {
        return super::schemas::judge(policy, check, fleet, index);
    }
    #[cfg(feature = "rego")]
    if let Some(rego) = &policy.rego {
        return rego.judge(policy, fleet, index);
    }
    let mut violations = Vec::new();
    for variant in std::iter::once(policy).chain(&policy.generated) {
        let judge = Judge::new(variant, fleet, failures, violations)?;
        judge.release(index)?;
        violations = judge.violations.into_inner();
    }
    if !policy.generated.is_empty() {
        violations.iter_mut().for_each(|violation| violation.policy = policy);
        violations.sort_by_key(|violation| violation.object);
    }
    Ok(violations)
}

/// The violations of a policy that judges all releases together.
fn on_fleet<'p>(policy: &'p Policy, fleet: &Fleet<'_>) -> Result<Vec<Violation<'p>>, Error> {
    let judge = Judge::new(policy, fleet, Failures::Stop, Vec::new())?;
    judge.unbound(None, None)?;
    Ok(judge.violations.into_inner())
}

/// Whether a policy has anything to judge here: the others need not be compiled.
fn concerns(policy: &Policy, fleet: &Fleet<'_>) -> bool {
    let matches = |constraints: &MatchResources| {
        fleet.releases.iter().any(|release| {
            let mut requests = release.requests.iter();
            requests.any(|request| constraints.matches(request, release.namespace(request)) != Ok(None))
        })
    };
    std::iter::once(policy).chain(&policy.generated).any(|policy| policy.constraints.as_ref().is_none_or(matches))
}

/// What becomes of an expression that has no value, where the policy does not ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failures {
    /// Nothing else is judged: the policy is to be mended first.
    Stop,
    /// It is a violation as bad as others, as in the API server.
    Count,
}

/// A policy at work.
struct Judge<'p, 'a> {
    policy: &'p Policy,
    compiled: &'p Compiled,
    fleet: &'a Fleet<'a>,
    failures: Failures,
    violations: RefCell<Vec<Violation<'p>>>,
    /// What the objects of a release have in common: as they are, and with the fields that it comes from. Policies of single
    /// objects read nothing else.
    shared: Option<[Shared<'p>; 2]>,
}

/// What is judged at once.
#[derive(Clone, Copy)]
struct Case<'a> {
    /// The index of the release.
    release: Option<usize>,
    object: Option<Chosen<'a>>,
    params: &'a Value,
    severity: Severity,
}

/// What is said about a case.
struct Found<'p> {
    severity: Severity,
    message: String,
    blamed: Vec<Blamed>,
    source: Source<'p>,
}

/// An object that a policy is about.
#[derive(Clone, Copy)]
struct Chosen<'a> {
    /// Its index among those of all releases.
    index: usize,
    request: &'a Request,
    /// The group and version of the rule that chose it.
    served: (&'a str, &'a str),
}

impl<'p, 'a> Judge<'p, 'a> {
    fn new(
        policy: &'p Policy,
        fleet: &'a Fleet<'a>,
        failures: Failures,
        violations: Vec<Violation<'p>>,
    ) -> Result<Self, Error> {
        let compiled = policy.compiled()?;
        let shared = (policy.kind == PolicyKind::Release).then(|| compiled.shared());
        Ok(Self { policy, compiled, fleet, failures, violations: violations.into(), shared })
    }

    fn release(&self, index: usize) -> Result<(), Error> {
        let (policy, fleet) = (self.policy, self.fleet);
        let Some(constraints) = &policy.constraints else { return self.unbound(Some(index), None) };
        let Some(release) = fleet.releases.get(index) else { return Ok(()) };
        for (object, request) in release.requests.iter().enumerate() {
            let object = release.first + object;
            match constraints.matches(request, release.namespace(request)) {
                Ok(None) => {}
                Ok(Some(served)) => self.object(index, Chosen { index: object, request, served })?,
                Err(unknown) => self.misconfigured(index, object, format!("failed to configure policy: {unknown}")),
            }
        }
        Ok(())
    }

    /// Judges an object that the policy is about, wherever the policy is bound.
    fn object(&self, release: usize, object: Chosen<'_>) -> Result<(), Error> {
        let policy = self.policy;
        if policy.bindings.is_empty() {
            return self.unbound(Some(release), Some(object));
        }
        let Some(prepared) = self.fleet.releases.get(release) else { return Ok(()) };
        let wrong = |reason: &dyn std::fmt::Display| {
            self.misconfigured(release, object.index, format!("failed to configure binding: {reason}"));
        };
        for binding in &policy.bindings {
            match binding.matches(object.request, prepared.namespace(object.request)) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(unknown) => {
                    wrong(&unknown);
                    continue;
                }
            }
            match binding.params(policy.param_kind.as_ref(), &policy.params, object.request) {
                Ok(params) => {
                    for params in params {
                        let (release, object) = (Some(release), Some(object));
                        self.judge(&Case { release, object, params, severity: binding.severity })?;
                    }
                }
                Err(reason) => wrong(&reason),
            }
        }
        Ok(())
    }

    /// Takes note of what keeps the policy or a binding from being asked about an object: as in the API server it
    /// refuses the object, whatever the binding's actions, unless failures are ignored.
    fn misconfigured(&self, release: usize, object: usize, message: String) {
        if self.policy.ignores_failures {
            return;
        }
        self.violations.borrow_mut().push(Violation {
            policy: self.policy,
            severity: Severity::Error,
            release: Some(release),
            object: Some(object),
            message,
            blamed: Vec::new(),
            source: Source::Failure,
        });
    }

    /// Judges with each of the policy's parameters.
    fn unbound(&self, release: Option<usize>, object: Option<Chosen<'_>>) -> Result<(), Error> {
        const NONE: &[Value] = &[Value::Null];
        let policy = self.policy;
        let params = if policy.param_kind.is_some() { &policy.params } else { NONE };
        params.iter().try_for_each(|params| self.judge(&Case { release, object, params, severity: policy.severity }))
    }

    fn judge(&self, case: &Case<'_>) -> Result<(), Error> {
        let (policy, compiled) = (self.policy, self.compiled);
        if !self.conditions_hold(case)? {
            return Ok(());
        }
        let environment = self.environment(case, Phase::Validations);
        let evaluation = self.evaluation(&environment);
        for (index, validation) in compiled.validations.iter().enumerate() {
            match evaluation.truth(&validation.expression.program) {
                Ok(true) => {}
                Ok(false) => self.violated(validation, policy.messages()?.get(index), &evaluation, case)?,
                Err(error) => self.unevaluated(&validation.expression.path, error, case, case.severity)?,
            }
        }
        self.audit(case)
    }

    fn violated(
        &self,
        validation: &CompiledValidation,
        message: Option<&Option<Written>>,
        evaluation: &Evaluation<'_>,
        case: &Case<'_>,
    ) -> Result<(), Error> {
        match self.message(evaluation, message.and_then(Option::as_ref), &validation.message) {
            Ok(message) => {
                let blamed = self.blame(validation, case);
                let source = Source::Validation { reason: validation.reason };
                self.found(case, Found { severity: case.severity, message, blamed, source });
                Ok(())
            }
            Err((path, error)) => self.unevaluated(path, error, case, case.severity),
        }
    }

    /// `matchConditions`: one that is false excludes the object, even if another one fails.
    fn conditions_hold(&self, case: &Case<'_>) -> Result<bool, Error> {
        if self.compiled.conditions.is_empty() {
            return Ok(true);
        }
        let environment = self.environment(case, Phase::Conditions);
        let evaluation = self.limited(Evaluation::new(&environment, &[]).with_budget(CONDITIONS_BUDGET));
        let mut failed = None;
        for Written { program, path } in &self.compiled.conditions {
            match evaluation.truth(program) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(error) => failed = failed.or(Some((path, error))),
            }
        }
        match failed {
            None => Ok(true),
            Some((path, error)) => self.unevaluated(path, error, case, case.severity).map(|()| false),
        }
    }

    /// `auditAnnotations`: what a cluster would write into its audit log is good to know here.
    fn audit(&self, case: &Case<'_>) -> Result<(), Error> {
        let compiled = self.compiled;
        if compiled.audit_annotations.is_empty() {
            return Ok(());
        }
        let environment = self.environment(case, Phase::Validations);
        let evaluation = self.evaluation(&environment);
        for (key, Written { program, path }) in &compiled.audit_annotations {
            match evaluation.value(program) {
                Ok(Val { data: Data::String(text), .. }) if !text.trim().is_empty() => {
                    let text = text.trim();
                    let end = text.floor_char_boundary(MAX_AUDIT_VALUE);
                    let value = text.get(..end).unwrap_or_default().to_owned();
                    let message = format!("audit annotation {key}: {value}");
                    let (severity, source) = (Severity::Info, Source::Annotation { key, value });
                    self.found(case, Found { severity, message, blamed: Vec::new(), source });
                }
                Ok(Val { data: Data::String(_) | Data::Null, .. }) => {}
                Ok(value) => {
                    let found = format!("expected a string or null but the result is of type {}", value.type_name());
                    let error = EvalError { failure: Failure::Other(found), variable: None, span: program.span() };
                    self.unusable(path, error, case, Severity::Error)?;
                }
                // The API server refuses for these, whatever the binding's actions.
                Err(error) => self.unevaluated(path, error, case, Severity::Error)?,
            }
        }
        Ok(())
    }

    fn environment<'e>(&self, case: &Case<'e>, phase: Phase) -> Environment<'e>
    where
        'p: 'e,
        'a: 'e,
    {
        Environment {
            globals: &self.compiled.globals,
            fleet: self.fleet,
            release: case.release.and_then(|index| self.fleet.releases.get(index)),
            object: case.object.map(|object| (object.request, object.served)),
            params: case.params,
            phase,
        }
    }

    /// An evaluation of the policy's expressions. What is judged as a whole may take more steps the larger it is.
    fn evaluation<'e>(&'e self, environment: &'e Environment<'e>) -> Evaluation<'e> {
        let objects = match (self.policy.kind, environment.release) {
            (PolicyKind::Object, _) => 1,
            (_, Some(release)) => release.requests.len(),
            (_, None) => self.fleet.objects(),
        };
        let steps = BUDGET.max(BUDGET_PER_OBJECT.saturating_mul(objects as u64));
        let mut evaluation = self.limited(Evaluation::new(environment, &self.compiled.variables).with_budget(steps));
        if let Some([plain, traced]) = &self.shared {
            evaluation = evaluation.sharing(if environment.phase == Phase::Blame { traced } else { plain });
        }
        let minor = environment.release.map_or_else(|| self.fleet.minor(), Prepared::minor);
        if let (Some(variable), Some(minor)) = (self.policy.kubernetes_minor(), minor) {
            evaluation.preset(variable, Val::new(Data::Int(minor)));
        }
        evaluation
    }

    /// What runs in a cluster must stay within the cluster's limits.
    fn limited<'e>(&self, evaluation: Evaluation<'e>) -> Evaluation<'e> {
        if self.policy.kind == PolicyKind::Object { evaluation.of_admission() } else { evaluation }
    }

    /// `messageExpression` if it gives a text of one line, else `message`: as in the API server.
    fn message<'w>(
        &self,
        evaluation: &Evaluation<'_>,
        expression: Option<&'w Written>,
        message: &str,
    ) -> Result<String, (&'w Path, EvalError)> {
        let Some(Written { program, path }) = expression else {
            return Ok(message.to_owned());
        };
        match evaluation.value(program) {
            Ok(Val { data: Data::String(text), .. }) => {
                let text = text.trim();
                let fits = !text.is_empty() && !text.contains('\n') && text.len() <= MAX_MESSAGE;
                Ok(if fits { text } else { message }.to_owned())
            }
            // An expression that costs too much gives no text; a policy whose budget is used up tells nothing.
            Err(error)
                if error.failure == Failure::OverBudget && evaluation.left() == 0 && !self.policy.ignores_failures =>
            {
                Err((path, error))
            }
            _ => Ok(message.to_owned()),
        }
    }

    fn blame(&self, validation: &CompiledValidation, case: &Case<'_>) -> Vec<Blamed> {
        let environment = self.environment(case, Phase::Blame);
        let evaluation = self.evaluation(&environment);
        let mut known = HashSet::new();
        let places = blame::blame(&evaluation, &validation.expression.program, false);
        let places = places.into_iter().filter_map(|(root, path)| self.place(root, path, case));
        places.filter(|place| known.insert(place.clone())).collect()
    }

    /// Takes note of a violation. Bindings and parameters that agree on it say it once, as hard as the hardest.
    fn found(&self, case: &Case<'_>, Found { severity, message, blamed, source }: Found<'p>) {
        let (policy, release, object) = (self.policy, case.release, case.object.map(|object| object.index));
        let mut violations = self.violations.borrow_mut();
        let same = violations.iter_mut().rev().take_while(|known| {
            std::ptr::eq(known.policy, policy) && (known.release, known.object) == (release, object)
        });
        match same.into_iter().find(|known| known.message == message && known.blamed == blamed) {
            Some(known) => known.severity = known.severity.max(severity),
            None => violations.push(Violation { policy, severity, release, object, message, blamed, source }),
        }
    }

    /// An expression that has no value.
    fn unevaluated(&self, path: &Path, error: EvalError, case: &Case<'_>, severity: Severity) -> Result<(), Error> {
        if self.policy.ignores_failures { Ok(()) } else { self.unusable(path, error, case, severity) }
    }

    /// The same, and it cannot be ignored.
    fn unusable(&self, path: &Path, error: EvalError, case: &Case<'_>, severity: Severity) -> Result<(), Error> {
        let error = self.failed(path, error, case);
        if self.failures == Failures::Stop {
            return Err(error);
        }
        let message = format!("could not be evaluated: {}", error.kind);
        self.found(case, Found { severity, message, blamed: Vec::new(), source: Source::Failure });
        Ok(())
    }

    fn failed(&self, path: &Path, error: EvalError, case: &Case<'_>) -> Error {
        // A failure inside a variable is reported at the variable.
        let path = error.variable.and_then(|index| self.policy.variable_path(index)).unwrap_or(path);
        let object = case.object.map(|object| object.index);
        let kind = ErrorKind::Evaluate { error: Box::new(error), object };
        self.policy.error_at(path, kind)
    }

    /// What a place below a variable of the environment is a field of. A list of objects as a whole is no place:
    /// something is missing from it.
    fn place(&self, root: Root, path: Path, case: &Case<'_>) -> Option<Blamed> {
        let release = case.release.unwrap_or_default();
        let object =
            |release: usize, index: usize| Some(Subject::Object(self.fleet.releases.get(release)?.first + index));
        let (subject, path) = match (root, path.0.as_slice()) {
            (Root::Values, _) => (Subject::Values(release), path),
            (Root::Object, _) => (Subject::Object(case.object?.index), path),
            (Root::Objects, [Step::Index(index), rest @ ..]) => (object(release, *index)?, Path(rest.to_vec())),
            (Root::Releases, [Step::Index(release), Step::Key(field), rest @ ..]) => match (field.as_ref(), rest) {
                ("objects", [Step::Index(index), rest @ ..]) => (object(*release, *index)?, Path(rest.to_vec())),
                ("values" | "suppliedValues", rest) => (Subject::Values(*release), Path(rest.to_vec())),
                _ => return None,
            },
            (Root::Objects | Root::Releases, _) => return None,
        };
        Some(Blamed { subject, path })
    }
}
