//! Policy documents: what they say, and their expressions compiled.

use std::sync::{Arc, OnceLock};

use super::cel::{CompileError, Program, Scope};
use super::decode::{Document, Node, documents};
use super::matching::MatchConstraints;
use super::{Error, ErrorKind};
use crate::finding::Severity;
use crate::source::SourceFile;
use crate::value::Path;

/// The prefix of the annotations that hold a policy's catalogue data.
const ANNOTATION: &str = "plimsoll.dev/";

/// The variable that an evaluation sets to the minor version of Kubernetes that the release is meant for.
///
/// Its expression is what holds where nobody sets it: in a cluster.
const KUBERNETES_MINOR: &str = "kubernetesMinor";

/// A policy.
#[derive(Debug)]
pub struct Policy {
    /// `<category>/<name>`
    pub id: String,
    /// What it is evaluated on.
    pub kind: PolicyKind,
    /// One line: what must hold.
    pub title: String,
    /// How bad a violation is.
    pub severity: Severity,
    /// Why it matters.
    pub rationale: String,
    /// How to mend a violation.
    pub remediation: String,
    /// The ids under which other tools know it: `kube-linter:privileged-container`.
    pub aliases: Vec<String>,
    /// The profiles that it belongs to; besides these, every policy is in `all`.
    pub profiles: Vec<String>,
    /// Which objects it is about; a release policy without it is about the release as a whole.
    pub constraints: Option<MatchConstraints>,
    /// Whether an expression that cannot be evaluated is passed over (`failurePolicy: Ignore`).
    pub ignores_failures: bool,
    spec: Spec,
    document: Document,
    compiled: OnceLock<Result<Compiled, Error>>,
}

/// The kinds of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// `ValidatingAdmissionPolicy`: one object at a time, as in a cluster.
    Object,
    /// `ReleasePolicy`: all objects of a release and the values that they came from.
    Release,
}

/// The expressions as they were written, each with its path in the document.
#[derive(Debug)]
struct Spec {
    conditions: Vec<Path>,
    variables: Vec<(Arc<str>, Path)>,
    validations: Vec<Validation>,
}

#[derive(Debug)]
struct Validation {
    expression: Path,
    message_expression: Option<Path>,
    message: Option<String>,
}

/// A policy's expressions, ready to be evaluated.
#[derive(Debug)]
pub(super) struct Compiled {
    /// `matchConditions`, with their paths in the document
    pub conditions: Vec<(Program, Path)>,
    /// `variables`
    pub variables: Vec<Program>,
    /// `validations`
    pub validations: Vec<CompiledValidation>,
}

#[derive(Debug)]
pub(super) struct CompiledValidation {
    /// What must be true
    pub expression: Program,
    /// Where it was written
    pub path: Path,
    /// `messageExpression`
    pub message_expression: Option<Program>,
    /// `message`, or the expression itself as the API server has it
    pub message: String,
}

impl PolicyKind {
    /// The variables of the environment, in the order in which an evaluation gives their values.
    pub(super) fn globals(self, per_object: bool) -> &'static [&'static str] {
        const OBJECT: &[&str] = &["object", "oldObject", "request", "params", "namespaceObject"];
        const RELEASE: &[&str] = &["release", "values", "suppliedValues", "objects", "object"];
        match self {
            Self::Object => OBJECT,
            Self::Release if per_object => RELEASE,
            Self::Release => RELEASE.split_last().map_or(RELEASE, |(_, rest)| rest),
        }
    }
}

impl Policy {
    /// Reads the policy of a file; `id` is its path without the ending.
    ///
    /// Nothing is compiled yet: see [`Policy::check`].
    pub fn read(id: &str, file: &Arc<SourceFile>) -> Result<Self, Error> {
        let mut documents = documents(file).map_err(|error| error.of(id))?;
        let Some(document) = documents.pop().filter(|_| documents.is_empty()) else {
            let whole = crate::source::Location::new(file.clone(), crate::source::Span::new(0, file.text.len()));
            let message = "a policy file holds one document".to_owned();
            return Err(Error::new(ErrorKind::Document(message), whole).of(id));
        };
        Self::from_document(id, document).map_err(|error| error.of(id))
    }

    fn from_document(id: &str, document: Document) -> Result<Self, Error> {
        let root = document.root();
        root.only(&["apiVersion", "kind", "metadata", "spec"])?;
        let kind = match (root.need("apiVersion")?.text()?, root.need("kind")?.text()?) {
            ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy") => PolicyKind::Object,
            ("plimsoll.dev/v1", "ReleasePolicy") => PolicyKind::Release,
            (version, kind) => {
                let known =
                    "admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy and plimsoll.dev/v1 ReleasePolicy";
                return Err(root.error(format!("{version} {kind} is no policy; known are {known}")));
            }
        };
        let metadata = root.need("metadata")?;
        metadata.only(&["name", "labels", "annotations"])?;
        let name = metadata.need("name")?.text()?;
        let notes = metadata.get("annotations");
        let note = |key: &str| match &notes {
            Some(notes) => notes.text_of(&format!("{ANNOTATION}{key}")),
            None => Ok(None),
        };
        if let Some(notes) = &notes {
            check_annotations(notes)?;
        }
        let severity = match note("severity")? {
            None | Some("error") => Severity::Error,
            Some("warning") => Severity::Warning,
            Some("info") => Severity::Info,
            Some(_) => return Err(metadata.error(format!("{ANNOTATION}severity must be error, warning or info"))),
        };
        let spec = root.need("spec")?;
        spec.only(&[
            "failurePolicy",
            "paramKind",
            "matchConstraints",
            "matchConditions",
            "variables",
            "validations",
            "auditAnnotations",
        ])?;
        if let Some(params) = spec.get("paramKind") {
            return Err(params.error("policies with parameters cannot be evaluated without a cluster"));
        }
        let ignores_failures = match spec.text_of("failurePolicy")? {
            None | Some("Fail") => false,
            Some("Ignore") => true,
            Some(_) => return Err(spec.error("failurePolicy must be Fail or Ignore")),
        };
        let constraints = spec.get("matchConstraints").map(|node| MatchConstraints::read(&node)).transpose()?;
        if kind == PolicyKind::Object && constraints.is_none() {
            return Err(spec.error("spec.matchConstraints is missing"));
        }
        Ok(Self {
            id: id.to_owned(),
            kind,
            title: note("title")?.unwrap_or(name).to_owned(),
            severity,
            rationale: note("description")?.unwrap_or_default().trim().to_owned(),
            remediation: note("remediation")?.unwrap_or_default().trim().to_owned(),
            aliases: words(note("aliases")?.unwrap_or_default()),
            profiles: words(note("profiles")?.unwrap_or_default()),
            constraints,
            ignores_failures,
            spec: Spec::read(&spec)?,
            document,
            compiled: OnceLock::new(),
        })
    }

    /// Compiles all expressions: what the API server does when a policy is created.
    pub fn check(&self) -> Result<(), Error> {
        self.compiled().map(|_| ())
    }

    /// The compiled expressions; compiled when they are first asked for.
    pub(super) fn compiled(&self) -> Result<&Compiled, Error> {
        let result = self.compiled.get_or_init(|| self.compile());
        result.as_ref().map_err(Error::clone)
    }

    /// An error of an expression, placed in the file.
    pub(super) fn error_at(&self, path: &Path, kind: ErrorKind) -> Error {
        let span = match &kind {
            ErrorKind::Compile(error) => Some(error.span),
            ErrorKind::Evaluate { error, .. } => Some(error.span),
            _ => None,
        };
        let place = span.map_or_else(|| self.document.locate(path), |span| self.document.locate_within(path, span));
        Error::new(kind, place).of(&self.id)
    }

    /// The index of the variable that is set to the minor version of Kubernetes.
    pub(super) fn kubernetes_minor(&self) -> Option<usize> {
        self.spec.variables.iter().position(|(name, _)| &**name == KUBERNETES_MINOR)
    }

    /// Where the variable of an index was written.
    pub(super) fn variable_path(&self, index: usize) -> Option<&Path> {
        self.spec.variables.get(index).map(|(_, path)| path)
    }

    fn compile(&self) -> Result<Compiled, Error> {
        let names: Vec<Arc<str>> = self.spec.variables.iter().map(|(name, _)| name.clone()).collect();
        let globals = self.kind.globals(self.constraints.is_some());
        let program = |path: &Path, visible: usize, wanted: Option<&'static str>| -> Result<Program, Error> {
            let scope = Scope { globals, composed: names.get(..visible).unwrap_or_default() };
            let source = self.document.root().value.follow(path).and_then(|value| value.as_str()).unwrap_or_default();
            let program = match wanted {
                Some(wanted) => Program::compile_to(source, scope, wanted),
                None => Program::compile(source, scope),
            };
            program.map_err(|error: CompileError| self.error_at(path, ErrorKind::Compile(error)))
        };
        let all = names.len();
        let variables = self.spec.variables.iter().enumerate();
        Ok(Compiled {
            // As in the API server, conditions are evaluated before there are variables.
            conditions: (self.spec.conditions.iter())
                .map(|path| Ok((program(path, 0, Some("bool"))?, path.clone())))
                .collect::<Result<_, Error>>()?,
            variables: variables.map(|(index, (_, path))| program(path, index, None)).collect::<Result<_, _>>()?,
            validations: (self.spec.validations.iter())
                .map(|validation| {
                    let message_expression = validation.message_expression.as_ref();
                    Ok(CompiledValidation {
                        expression: program(&validation.expression, all, Some("bool"))?,
                        path: validation.expression.clone(),
                        message_expression: message_expression
                            .map(|path| program(path, all, Some("string")))
                            .transpose()?,
                        message: validation.message.clone().unwrap_or_else(|| self.failed(&validation.expression)),
                    })
                })
                .collect::<Result<_, Error>>()?,
        })
    }

    /// The API server's message for a validation without one.
    fn failed(&self, path: &Path) -> String {
        let source = self.document.root().value.follow(path).and_then(|value| value.as_str()).unwrap_or_default();
        format!("failed expression: {}", source.trim())
    }
}

impl Spec {
    fn read(spec: &Node<'_>) -> Result<Self, Error> {
        let expression = |node: &Node<'_>, key: &str| -> Result<Path, Error> {
            let found = node.need(key)?;
            found.text()?;
            Ok(found.path)
        };
        let mut conditions = Vec::new();
        for condition in spec.list_of("matchConditions")? {
            condition.only(&["name", "expression"])?;
            condition.need("name")?.text()?;
            conditions.push(expression(&condition, "expression")?);
        }
        let mut variables: Vec<(Arc<str>, Path)> = Vec::new();
        for variable in spec.list_of("variables")? {
            variable.only(&["name", "expression"])?;
            let name: Arc<str> = variable.need("name")?.text()?.into();
            if variables.iter().any(|(known, _)| *known == name) {
                return Err(variable.error(format!("variable {name} is defined twice")));
            }
            let path = expression(&variable, "expression")?;
            if &*name == KUBERNETES_MINOR && variable.need("expression")?.text()?.trim().parse::<i64>().is_err() {
                return Err(variable.error(format!("variable {name} must be a number, such as \"35\": it is replaced")));
            }
            variables.push((name, path));
        }
        let mut validations = Vec::new();
        for validation in spec.list_of("validations")? {
            validation.only(&["expression", "message", "messageExpression", "reason"])?;
            if let Some(reason) = validation.get("reason")
                && !["Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"].contains(&reason.text()?)
            {
                return Err(reason.error("reason must be Unauthorized, Forbidden, Invalid or RequestEntityTooLarge"));
            }
            validations.push(Validation {
                expression: expression(&validation, "expression")?,
                message_expression: match validation.get("messageExpression") {
                    Some(_) => Some(expression(&validation, "messageExpression")?),
                    None => None,
                },
                message: validation.text_of("message")?.map(str::to_owned),
            });
        }
        for annotation in spec.list_of("auditAnnotations")? {
            annotation.only(&["key", "valueExpression"])?;
        }
        if validations.is_empty() {
            return Err(spec.error("spec.validations must not be empty"));
        }
        Ok(Self { conditions, variables, validations })
    }
}

fn check_annotations(notes: &Node<'_>) -> Result<(), Error> {
    const KNOWN: &[&str] = &["title", "severity", "description", "remediation", "aliases", "profiles"];
    let keys = notes.value.as_map().into_iter().flat_map(|map| map.iter().map(|(key, _)| key));
    for key in keys {
        if let Some(name) = key.strip_prefix(ANNOTATION)
            && !KNOWN.contains(&name)
        {
            let known: Vec<String> = KNOWN.iter().map(|name| format!("{ANNOTATION}{name}")).collect();
            return Err(notes.error_at_key(key, format!("unknown annotation {key}; known are {}", known.join(", "))));
        }
    }
    Ok(())
}

/// The words of a list that is separated by commas or blanks.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
