//! Policies on the objects of a release, as the API server would judge their creation.

use std::sync::Arc;

use super::cel::value::{Data, Origin, Root, Val};
use super::cel::{EvalError, Evaluation, Program, blame};
use super::document::{Compiled, CompiledValidation, Policy, PolicyKind};
use super::kinds;
use super::matching::{Candidate, identity};
use super::{Error, ErrorKind};
use crate::value::{Map, Path, Step, Value};

/// What policies are evaluated on: the objects that a chart rendered to, and what they came from.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    /// The release's name.
    pub name: &'a str,
    /// The namespace that it is installed to.
    pub namespace: &'a str,
    /// The Kubernetes version that it is rendered for: `v1.35.0`.
    pub kube_version: &'a str,
    /// All values, the chart's defaults among them.
    pub values: &'a Value,
    /// What the user set: values files and flags.
    pub supplied: &'a Value,
    /// The objects.
    pub objects: &'a [Value],
}

/// A validation that is false.
#[derive(Debug, Clone)]
pub struct Violation<'p> {
    /// The policy.
    pub policy: &'p Policy,
    /// The object that was judged; `None` where it was the release.
    pub object: Option<usize>,
    /// What is wrong, in a sentence.
    pub message: String,
    /// The fields that are at fault, the first ones named first.
    pub blamed: Vec<Blamed>,
}

/// A field that made a validation false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blamed {
    /// What it is a field of.
    pub subject: Subject,
    /// The way to it. It may be missing: then its nearest parent is the place to show.
    pub path: Path,
}

/// What can be blamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An object, by its index in the release.
    Object(usize),
    /// The values.
    Values,
}

/// Evaluates policies on a release, in the order given; of each policy the violations are in the order of the objects.
///
/// Objects are seen as the API server would show them: without null fields, and with the namespace that they will have.
pub fn evaluate<'p>(
    policies: impl IntoIterator<Item = &'p Policy>,
    release: &Release<'_>,
) -> Result<Vec<Violation<'p>>, Error> {
    let policies: Vec<&Policy> = policies.into_iter().collect();
    std::thread::scope(|threads| {
        // Compiling takes longer than evaluating: another thread does it from the other end, until they meet.
        // What does not compile is told when its turn comes.
        threads.spawn(|| policies.iter().rev().for_each(|policy| _ = policy.compiled()));
        let prepared = Prepared::new(release);
        let mut violations = Vec::new();
        for policy in &policies {
            prepared.evaluate(policy, &mut violations)?;
        }
        Ok(violations)
    })
}

/// A release as expressions see it.
struct Prepared<'a> {
    release: &'a Release<'a>,
    objects: Vec<Value>,
    all: Value,
    identities: Vec<Identity>,
    about: Value,
    minor: Option<i64>,
}

struct Identity {
    group: String,
    version: String,
    kind: String,
    resource: String,
    name: String,
    namespace: Option<String>,
}

impl<'a> Prepared<'a> {
    fn new(release: &'a Release<'a>) -> Self {
        let identities: Vec<Identity> = release.objects.iter().map(|o| Identity::of(o, release.namespace)).collect();
        let objects: Vec<Value> =
            release.objects.iter().zip(&identities).map(|(object, identity)| identity.admitted(object)).collect();
        let about = text_map([
            ("name", release.name),
            ("namespace", release.namespace),
            ("service", "Helm"),
            ("kubeVersion", release.kube_version),
        ]);
        let minor = release.kube_version.split('.').nth(1).and_then(|minor| minor.parse().ok());
        Self { release, all: objects.clone().into(), objects, identities, about, minor }
    }

    /// An evaluation of a policy's expressions.
    fn evaluation<'e>(&self, policy: &Policy, compiled: &'e Compiled, globals: &'e [Val]) -> Evaluation<'e> {
        let evaluation = Evaluation::new(globals, &compiled.variables);
        if let (Some(variable), Some(minor)) = (policy.kubernetes_minor(), self.minor) {
            evaluation.preset(variable, Val::new(Data::Int(minor)));
        }
        evaluation
    }

    fn evaluate<'p>(&self, policy: &'p Policy, violations: &mut Vec<Violation<'p>>) -> Result<(), Error> {
        let compiled = policy.compiled()?;
        if policy.constraints.is_none() {
            return self.judge(policy, compiled, None, violations);
        }
        for index in 0..self.objects.len() {
            if self.matches(policy, index) {
                self.judge(policy, compiled, Some(index), violations)?;
            }
        }
        Ok(())
    }

    fn matches(&self, policy: &Policy, index: usize) -> bool {
        let (Some(constraints), Some(object), Some(identity)) =
            (&policy.constraints, self.objects.get(index), self.identities.get(index))
        else {
            return false;
        };
        let namespace = identity.namespace.as_ref().map(|name| self.namespace(name));
        let own = (identity.group.is_empty() && identity.kind == "Namespace").then_some(object);
        constraints.matches(&Candidate {
            object,
            group: &identity.group,
            version: &identity.version,
            resource: &identity.resource,
            name: &identity.name,
            namespaced: identity.namespace.is_some(),
            namespace_labels: namespace.as_ref().or(own).map(labels),
        })
    }

    /// The namespace of a name: the release's own object, or what a cluster would have at least.
    fn namespace(&self, name: &str) -> Value {
        let is =
            |identity: &&Identity| identity.group.is_empty() && identity.kind == "Namespace" && identity.name == name;
        let found = self.objects.iter().zip(&self.identities).find(|(_, identity)| is(identity));
        let labels = text_map([("kubernetes.io/metadata.name", name)]);
        let mut metadata = found.and_then(|(object, _)| object.get("metadata")?.as_map().cloned()).unwrap_or_default();
        let mut all = metadata.get("labels").and_then(Value::as_map).cloned().unwrap_or_default();
        for (key, value) in labels.as_map().into_iter().flat_map(Map::iter) {
            all.insert(key.clone(), value.clone());
        }
        metadata.insert("name", name.into());
        metadata.insert("labels", all.into());
        let entries = [("apiVersion", "v1".into()), ("kind", "Namespace".into()), ("metadata", metadata.into())];
        entries.into_iter().collect::<Map>().into()
    }

    /// The values of the environment's variables; with traced roots where fields are to be blamed.
    fn globals(&self, policy: &Policy, index: Option<usize>, traced: bool) -> Vec<Val> {
        let root = |root: Root| traced.then(|| Arc::new(Origin::Root(root)));
        let plain = |value: &Value| Val::plain(value, None);
        let object = index.and_then(|index| self.objects.get(index));
        match policy.kind {
            PolicyKind::Object => {
                let identity = index.and_then(|index| self.identities.get(index));
                let request = identity.map(Identity::request).unwrap_or_default();
                let namespace = identity.and_then(|identity| identity.namespace.as_ref());
                let namespace = namespace.map(|name| self.namespace(name)).unwrap_or_default();
                vec![
                    object.map_or(Val::new(Data::Null), |object| Val::plain(object, root(Root::Object))),
                    Val::new(Data::Null),
                    plain(&request),
                    Val::new(Data::Null),
                    plain(&namespace),
                ]
            }
            PolicyKind::Release => {
                let mut globals = vec![
                    plain(&self.about),
                    Val::plain(self.release.values, root(Root::Values)),
                    Val::plain(self.release.supplied, root(Root::Values)),
                    Val::plain(&self.all, root(Root::Objects)),
                ];
                globals.extend(object.map(|object| Val::plain(object, root(Root::Object))));
                globals
            }
        }
    }

    fn judge<'p>(
        &self,
        policy: &'p Policy,
        compiled: &Compiled,
        object: Option<usize>,
        violations: &mut Vec<Violation<'p>>,
    ) -> Result<(), Error> {
        let globals = self.globals(policy, object, false);
        let evaluation = self.evaluation(policy, compiled, &globals);
        // Of a failed expression the failure decides, unless the policy says that it does not matter.
        let verdict = |program: &Program, path: &Path| match evaluation.truth(program) {
            Ok(verdict) => Ok(Some(verdict)),
            Err(_) if policy.ignores_failures => Ok(None),
            Err(error) => Err(self.failed(policy, path, error, object)),
        };
        // One false condition excludes the object, even if another one fails.
        let mut failed = None;
        for (condition, path) in &compiled.conditions {
            match verdict(condition, path) {
                Ok(Some(true)) => {}
                Ok(Some(false)) => return Ok(()),
                Ok(None) => failed = Some(Ok(())),
                Err(error) => failed = failed.or(Some(Err(error))),
            }
        }
        if let Some(failed) = failed {
            return failed;
        }
        for validation in &compiled.validations {
            if verdict(&validation.expression, &validation.path)? == Some(false) {
                violations.push(Violation {
                    policy,
                    object,
                    message: message(&evaluation, validation),
                    blamed: self.blame(policy, compiled, validation, object),
                });
            }
        }
        Ok(())
    }

    fn blame(
        &self,
        policy: &Policy,
        compiled: &Compiled,
        validation: &CompiledValidation,
        object: Option<usize>,
    ) -> Vec<Blamed> {
        let globals = self.globals(policy, object, true);
        let evaluation = self.evaluation(policy, compiled, &globals);
        let mut blamed = Vec::new();
        for (root, path) in blame::blame(&evaluation, &validation.expression, false) {
            let (subject, path) = match (root, path.0.split_first(), object) {
                (Root::Values, _, _) => (Subject::Values, path),
                (Root::Object, _, Some(index)) => (Subject::Object(index), path),
                (Root::Objects, Some((Step::Index(index), rest)), _) => (Subject::Object(*index), Path(rest.to_vec())),
                // The list of objects as a whole: something is missing from it.
                (Root::Object | Root::Objects, _, _) => continue,
            };
            let place = Blamed { subject, path };
            if !blamed.contains(&place) {
                blamed.push(place);
            }
        }
        blamed
    }

    fn failed(&self, policy: &Policy, path: &Path, error: EvalError, object: Option<usize>) -> Error {
        // A failure inside a variable is reported at the variable.
        let path = error.variable.and_then(|index| policy.variable_path(index)).unwrap_or(path);
        policy.error_at(path, ErrorKind::Evaluate { error: Box::new(error), object })
    }
}

/// `messageExpression` if it gives a text of one line, else `message`: as in the API server.
fn message(evaluation: &Evaluation<'_>, validation: &CompiledValidation) -> String {
    let computed = validation.message_expression.as_ref().and_then(|program| evaluation.value(program).ok());
    match computed.map(|value| value.data) {
        Some(Data::String(text)) if !text.trim().is_empty() && !text.contains('\n') && text.len() <= 5 << 10 => {
            text.trim().to_owned()
        }
        _ => validation.message.clone(),
    }
}

fn labels(object: &Value) -> &Value {
    const NONE: &Value = &Value::Null;
    object.at(["metadata", "labels"]).unwrap_or(NONE)
}

fn text_map<const N: usize>(entries: [(&str, &str); N]) -> Value {
    entries.into_iter().map(|(key, value)| (key, value.into())).collect::<Map>().into()
}

impl Identity {
    fn of(object: &Value, release_namespace: &str) -> Self {
        let (group, version, kind, resource) = identity(object);
        let text = |key| object.at(["metadata", key]).and_then(Value::as_str).filter(|text| !text.is_empty());
        let namespaced = kinds::is_namespaced(group, kind);
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            resource,
            name: text("name").unwrap_or_default().into(),
            namespace: namespaced.then(|| text("namespace").unwrap_or(release_namespace).into()),
        }
    }

    /// The object as the API server admits it: without null fields, with a head, and in its namespace.
    fn admitted(&self, object: &Value) -> Value {
        let object = without_nulls(object).unwrap_or_else(|| object.clone());
        let Some(map) = object.as_map() else { return object };
        let text = |key| map.get(key).and_then(Value::as_str).is_some();
        let metadata = map.get("metadata").and_then(Value::as_map);
        let placed = |metadata: &Map| metadata.get("namespace").and_then(Value::as_str).is_some_and(|n| !n.is_empty());
        let namespace = self.namespace.as_deref().filter(|namespace| !namespace.is_empty());
        let complete = namespace.is_none() || metadata.is_some_and(placed);
        if complete && text("apiVersion") && text("kind") && metadata.is_some() {
            return object;
        }
        let mut metadata = metadata.cloned().unwrap_or_default();
        if let Some(namespace) = namespace.filter(|_| !complete) {
            metadata.insert("namespace", namespace.into());
        }
        let mut map = map.clone();
        for key in ["apiVersion", "kind"] {
            if !text(key) {
                map.insert(key, "".into());
            }
        }
        map.insert("metadata", metadata.into());
        map.into()
    }

    /// `request` of its creation. There is no user: an expression that asks for one cannot be evaluated.
    fn request(&self) -> Value {
        let kind = text_map([("group", &*self.group), ("version", &self.version), ("kind", &self.kind)]);
        let resource = text_map([("group", &*self.group), ("version", &self.version), ("resource", &self.resource)]);
        let mut request = Map::default();
        for (key, value) in
            [("kind", &kind), ("requestKind", &kind), ("resource", &resource), ("requestResource", &resource)]
        {
            request.insert(key, value.clone());
        }
        request.insert("operation", "CREATE".into());
        request.insert("name", self.name.as_str().into());
        request.insert("namespace", self.namespace.as_deref().unwrap_or_default().into());
        request.insert("dryRun", false.into());
        request.into()
    }
}

/// The value without null fields, as the API server decodes it; `None` if it has none.
fn without_nulls(value: &Value) -> Option<Value> {
    match value {
        Value::List(items) => {
            let changed: Vec<Option<Value>> = items.iter().map(without_nulls).collect();
            if changed.iter().all(Option::is_none) {
                return None;
            }
            let items = items.iter().zip(changed).map(|(item, changed)| changed.unwrap_or_else(|| item.clone()));
            Some(items.collect::<Vec<_>>().into())
        }
        Value::Map(map) => {
            let mut changed = false;
            let mut kept = Vec::with_capacity(map.len());
            for (key, value) in map.iter() {
                if matches!(value, Value::Null) {
                    changed = true;
                    continue;
                }
                let inner = without_nulls(value);
                changed |= inner.is_some();
                kept.push((key.clone(), inner.unwrap_or_else(|| value.clone())));
            }
            changed.then(|| kept.into_iter().collect::<Map>().into())
        }
        _ => None,
    }
}
