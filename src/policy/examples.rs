//! The examples beside a policy: releases that it must pass, and releases in which it must find something.
//!
//! ```yaml
//! pass:
//!   - name: what is shown
//!     release: {name: alice, namespace: workspaces}
//!     kubernetes: "1.30"
//!     values: {}
//!     suppliedValues: {}
//!     objects: []
//! fail:
//!   - name: what is wrong
//!     objects: []
//!     findings:
//!       - object: Deployment workspace
//!         severity: warning
//!         message: part of the message
//!         fields: ["spec.template.spec.hostNetwork"]
//!         values: ["ingress.auth.type"]
//! ```
//!
//! An example of a fleet has `releases` in place of all that: a list of `name`, `namespace`, `kubernetes`, `values`,
//! `suppliedValues` and `objects`. What is found is then named after its release: `alice: Deployment workspace`.
//!
//! `manifests` has further objects as text, for what only text can show, such as a key that is written twice.
//!
//! `base` at the top holds objects that every example has, in each release. Each finding is one violation, in their order; of a finding
//! only what is stated is compared. Where `suppliedValues` is missing, `values` is what the user set.

use std::sync::Arc;

use super::decode::{Node, documents};
use super::evaluate::{Subject, Violation, evaluate};
use super::fleet::Release;
use super::{Error, ErrorKind, Policy, PolicyKind};
use crate::manifest;
use crate::schema::Schemas;
use crate::source::{Location, SourceFile};
use crate::value::{Map, Path, Value};

const NOTHING: &Value = &Value::Null;

/// The examples of one policy.
#[derive(Debug)]
pub struct Examples {
    /// Objects that every example has.
    pub base: Vec<Value>,
    /// Releases without a finding.
    pub pass: Vec<Example>,
    /// Releases with findings.
    pub fail: Vec<Example>,
}

/// One release, or several, and what is found in it.
#[derive(Debug)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// What is written of it: the value in its file, without anchors and aliases.
    pub written: Value,
    /// Where it is in its file.
    pub location: Location,
    releases: Vec<ExampleRelease>,
    findings: Vec<Expected>,
}

#[derive(Debug)]
struct ExampleRelease {
    name: String,
    namespace: String,
    kube_version: String,
    values: Value,
    supplied: Value,
    objects: Vec<Value>,
    /// The keys that each of the objects writes more than once.
    duplicates: Vec<Vec<Path>>,
}

#[derive(Debug)]
struct Expected {
    object: Option<String>,
    severity: Option<String>,
    message: Option<String>,
    fields: Option<Vec<String>>,
    values: Option<Vec<String>>,
}

/// An example that is not as it says.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{policy}: {example}: {reason}")]
pub struct Mismatch {
    /// The policy's id.
    pub policy: String,
    /// The example's name.
    pub example: String,
    /// What differs.
    pub reason: String,
    /// The example in its file.
    pub location: Location,
}

impl Examples {
    /// Reads a file of examples.
    pub fn read(file: &Arc<SourceFile>) -> Result<Self, Error> {
        let documents = documents(file)?;
        let [document] = documents.as_slice() else {
            let place = Location::new(file.clone(), Default::default());
            return Err(Error::new(ErrorKind::Document("a file of examples holds one document".into()), place));
        };
        let root = document.root();
        root.only(&["base", "pass", "fail"])?;
        let base = objects(&root, "base")?;
        let read = |key, fails| -> Result<Vec<Example>, Error> {
            root.list_of(key)?.iter().map(|node| Example::read(node, &base, fails)).collect()
        };
        Ok(Self { pass: read("pass", false)?, fail: read("fail", true)?, base })
    }

    /// Runs the policy on its examples. `Err` is a policy that cannot be evaluated on one.
    pub fn run(&self, policy: &Policy) -> Result<Vec<Mismatch>, Error> {
        let mut mismatches = Vec::new();
        for example in self.pass.iter().chain(&self.fail) {
            let schemas = match policy.kind {
                PolicyKind::Schema => example.schemas().map_err(|error| error.of(&policy.id))?,
                _ => Schemas::default(),
            };
            let held_to = |release| Release { schemas: &schemas, ..release };
            let releases: Vec<_> = example.releases().into_iter().map(held_to).collect();
            let violations = evaluate([policy], &releases)?;
            if let Some(reason) = example.differs(&violations) {
                let (policy, example, location) = (policy.id.clone(), example.name.clone(), example.location.clone());
                mismatches.push(Mismatch { policy, example, reason, location });
            }
        }
        Ok(mismatches)
    }
}

impl ExampleRelease {
    /// Reads a release; its head is written in `head`, everything else in `node`.
    fn read(node: &Node<'_>, head: &Node<'_>, base: &[Value]) -> Result<Self, Error> {
        let mapping = |key| node.get(key).map_or_else(|| Map::default().into(), |node| node.value.clone());
        let values = mapping("values");
        let text = |node: &Node<'_>, key, fallback: &str| -> Result<String, Error> {
            Ok(node.text_of(key)?.unwrap_or(fallback).to_owned())
        };
        let mut all = base.to_vec();
        all.extend(objects(node, "objects")?);
        let mut duplicates = vec![Vec::new(); all.len()];
        if let Some(text) = node.text_of("manifests")? {
            let file = SourceFile::new("manifests", text);
            let read = manifest::read([(file, None)]).map_err(|error| node.error(error.to_string()))?;
            for object in read.iter().flat_map(|manifest| manifest.objects(0, "")) {
                all.push(object.value);
                duplicates.push(object.duplicates);
            }
        }
        Ok(Self {
            name: text(head, "name", "alice")?,
            namespace: text(head, "namespace", "workspace-alice")?,
            kube_version: text(node, "kubernetes", "1.35")?,
            supplied: if node.get("suppliedValues").is_some() { mapping("suppliedValues") } else { values.clone() },
            values,
            objects: all,
            duplicates,
        })
    }

    fn as_release(&self) -> Release<'_> {
        Release {
            name: &self.name,
            values: &self.values,
            supplied: &self.supplied,
            duplicates: &self.duplicates,
            ..Release::plain(&self.namespace, &self.kube_version, &self.objects)
        }
    }
}

impl Example {
    /// The releases that policies are evaluated on.
    pub fn releases(&self) -> Vec<Release<'_>> {
        self.releases.iter().map(ExampleRelease::as_release).collect()
    }

    /// The schemas of the version that its release is meant for, and of its CRDs.
    fn schemas(&self) -> Result<Schemas, Error> {
        let version = self.releases.first().and_then(|release| release.kube_version.parse().ok());
        let mut schemas = Schemas::new(version, None);
        for object in self.releases.iter().flat_map(|release| &release.objects) {
            let failed = |error| {
                let kind = ErrorKind::Schema { error: Box::new(error), object: None };
                Error::new(kind, self.location.clone())
            };
            schemas.add_crd(object, || self.location.clone()).map_err(failed)?;
        }
        Ok(schemas)
    }

    fn read(node: &Node<'_>, base: &[Value], fails: bool) -> Result<Self, Error> {
        let mut known = vec!["name"];
        known.extend(fails.then_some("findings"));
        let releases = if node.get("releases").is_some() {
            known.push("releases");
            let releases = node.list_of("releases")?;
            let read = |release: &Node<'_>| {
                release.only(&[
                    "name",
                    "namespace",
                    "kubernetes",
                    "values",
                    "suppliedValues",
                    "objects",
                    "manifests",
                ])?;
                ExampleRelease::read(release, release, base)
            };
            releases.iter().map(read).collect::<Result<_, _>>()?
        } else {
            known.extend(["release", "kubernetes", "values", "suppliedValues", "objects", "manifests"]);
            // Its head is a mapping of its own, as an example has a name too.
            let head = node.child("release", node.value.get("release").unwrap_or(NOTHING));
            if let Some(release) = node.get("release") {
                release.only(&["name", "namespace"])?;
            }
            vec![ExampleRelease::read(node, &head, base)?]
        };
        node.only(&known)?;
        let findings = node.list_of("findings")?.iter().map(Expected::read).collect::<Result<Vec<_>, _>>()?;
        if fails && findings.is_empty() {
            return Err(node.error("an example that fails needs findings"));
        }
        let name = node.need("name")?.text()?.to_owned();
        Ok(Self { name, written: node.value.clone(), location: node.location(), releases, findings })
    }

    fn differs(&self, violations: &[Violation<'_>]) -> Option<String> {
        if violations.len() != self.findings.len() {
            let found: Vec<String> = violations.iter().map(|violation| self.describe(violation)).collect();
            let (wanted, given) = (self.findings.len(), violations.len());
            return Some(format!("expected {wanted} findings, got {given}: {}", found.join("; ")));
        }
        self.findings.iter().zip(violations).find_map(|(expected, violation)| expected.differs(self, violation))
    }

    /// `Deployment ide`, or where there are several releases `alice: Deployment ide`.
    fn object_name(&self, index: usize) -> String {
        let objects =
            self.releases.iter().flat_map(|release| release.objects.iter().map(move |object| (release, object)));
        let Some((release, object)) = objects.into_iter().nth(index) else { return String::new() };
        let text = |keys: &[&str]| object.at(keys.iter().copied()).and_then(Value::as_str).unwrap_or_default();
        let name = format!("{} {}", text(&["kind"]), text(&["metadata", "name"]));
        if self.releases.len() > 1 { format!("{}: {name}", release.name) } else { name }
    }

    fn describe(&self, violation: &Violation<'_>) -> String {
        let (fields, values) = self.places(violation);
        let object = violation.object.map(|index| self.object_name(index)).unwrap_or_default();
        format!("{object} {}: {:?} at {fields:?}, values {values:?}", violation.severity, violation.message)
    }

    /// The fields that are blamed, and the values. Fields of objects other than the one judged carry its name.
    fn places(&self, violation: &Violation<'_>) -> (Vec<String>, Vec<String>) {
        let mut fields = Vec::new();
        let mut values = Vec::new();
        for blamed in &violation.blamed {
            match blamed.subject {
                Subject::Values(index) => match self.releases.get(index).filter(|_| self.releases.len() > 1) {
                    Some(release) => values.push(format!("{}: {}", release.name, blamed.path)),
                    None => values.push(blamed.path.to_string()),
                },
                Subject::Object(index) if violation.object == Some(index) => fields.push(blamed.path.to_string()),
                Subject::Object(index) => fields.push(format!("{}: {}", self.object_name(index), blamed.path)),
            }
        }
        (fields, values)
    }
}

impl Expected {
    fn read(node: &Node<'_>) -> Result<Self, Error> {
        node.only(&["object", "severity", "message", "fields", "values"])?;
        let texts =
            |key| -> Result<Option<Vec<String>>, Error> { node.get(key).map(|_| node.texts_of(key)).transpose() };
        Ok(Self {
            object: node.text_of("object")?.map(str::to_owned),
            severity: node.one_of("severity", &["error", "warning", "info"])?.map(str::to_owned),
            message: node.text_of("message")?.map(str::to_owned),
            fields: texts("fields")?,
            values: texts("values")?,
        })
    }

    fn differs(&self, example: &Example, violation: &Violation<'_>) -> Option<String> {
        let (fields, values) = example.places(violation);
        let object = violation.object.map(|index| example.object_name(index));
        let differs = self.object.is_some() && self.object != object
            || self.severity.as_ref().is_some_and(|severity| *severity != violation.severity.to_string())
            || self.message.as_ref().is_some_and(|message| !violation.message.contains(message))
            || self.fields.as_ref().is_some_and(|wanted| *wanted != fields)
            || self.values.as_ref().is_some_and(|wanted| *wanted != values);
        differs.then(|| format!("expected {self:?}, got {}", example.describe(violation)))
    }
}

fn objects(node: &Node<'_>, key: &str) -> Result<Vec<Value>, Error> {
    Ok(node.list_of(key)?.into_iter().map(|node| node.value.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::{EvalError, Failure};
    use crate::policy::Catalogue;
    use crate::value::Step;

    /// The way to every key below a value, and to every element of its lists.
    fn places(value: &Value, path: &Path, all: &mut Vec<Path>) {
        match value {
            Value::Map(map) => {
                for (key, value) in map.iter() {
                    all.push(path.key(key.clone()));
                    places(value, &path.key(key.clone()), all);
                }
            }
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    places(item, &path.index(index), all);
                }
            }
            _ => {}
        }
    }

    /// The value without the key that a path leads to.
    fn without(value: &Value, path: &[Step]) -> Value {
        match (value, path) {
            (Value::Map(map), [Step::Key(key), rest @ ..]) => {
                let mut map = (**map).clone();
                if let Some(value) = map.remove(key).filter(|_| !rest.is_empty()) {
                    map.insert(key.clone(), without(&value, rest));
                }
                map.into()
            }
            (Value::List(items), [Step::Index(index), rest @ ..]) => {
                let item = |(at, item)| if at == *index { without(item, rest) } else { item.clone() };
                items.iter().enumerate().map(item).collect::<Vec<_>>().into()
            }
            _ => value.clone(),
        }
    }

    /// Whatever is missing from an object, the built-in policies have a verdict: nobody's gate fails for `spec: {}`.
    #[test]
    fn built_in_policies_can_judge_objects_that_lack_something() {
        let mut wrong = std::collections::BTreeSet::new();
        for entry in Catalogue::builtin().unwrap().entries() {
            let examples = Examples::read(&entry.examples().unwrap()).unwrap();
            let mut examples: Vec<Example> = examples.pass.into_iter().chain(examples.fail).collect();
            for release in examples.iter_mut().flat_map(|example| &mut example.releases) {
                for at in 0..release.objects.len() {
                    let whole = release.objects[at].clone();
                    let mut all = Vec::new();
                    places(&whole, &Path::default(), &mut all);
                    for path in all.iter().filter(|path| !matches!(path.to_string().as_str(), "apiVersion" | "kind")) {
                        release.objects[at] = without(&whole, &path.0);
                        if let Err(error) = evaluate([&entry.policy], &[release.as_release()])
                            && let ErrorKind::Evaluate { error: inner, .. } = &error.kind
                            && let EvalError { failure: Failure::NoSuchKey(_), .. } = &**inner
                        {
                            wrong.insert(format!("{}: {error} (without {path})", error.location));
                        }
                    }
                    release.objects[at] = whole;
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
    }
}
