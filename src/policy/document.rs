//! Policies: what their documents say.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use super::binding::{Binding, ParamKind};
use super::decode::{Document, Node};
use super::environment::{Global, globals, is_common};
use super::file::{self, File};
use super::kyverno;
use super::matching::MatchResources;
use super::selection::Profile;
use super::spec::{Compiled, CompiledValidation, KUBERNETES_MINOR, Spec, Written};
use super::{Error, ErrorKind};
use crate::cel::types::Type;
use crate::cel::{CompileError, Program, Scope, common};
use crate::finding::Severity;
use crate::schema::Check;
use crate::source::{Location, SourceFile, Span};
use crate::value::{Path, Value};

/// The prefix of the annotations that hold a policy's catalogue data.
const ANNOTATION: &str = "plimsoll.dev/";

/// A policy.
#[derive(Debug)]
pub struct Policy {
    /// `<category>/<name>`
    pub id: String,
    /// `metadata.name`
    pub name: String,
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
    pub profiles: Vec<Profile>,
    /// Which objects it is about; a release policy without it is about the release as a whole.
    pub constraints: Option<MatchResources>,
    /// The kind of its parameters.
    pub param_kind: Option<ParamKind>,
    /// Whether an expression that cannot be evaluated is passed over (`failurePolicy: Ignore`).
    pub ignores_failures: bool,
    /// Where it holds; everywhere, and with all its parameters, if there is none.
    pub(super) bindings: Vec<Binding>,
    /// The parameters to choose from.
    pub(super) params: Vec<Value>,
    /// The same policy for what makes pods: see [`kyverno`].
    pub(super) generated: Vec<Self>,
    /// The check of schemas that it stands for, in place of expressions.
    pub(super) check: Option<Check>,
    /// What is asked in place of expressions.
    #[cfg(feature = "rego")]
    pub(super) rego: Option<super::rego::Body>,
    spec: Spec,
    document: Document,
    compiled: OnceLock<Result<Compiled, Error>>,
    messages: OnceLock<Result<Vec<Option<Written>>, Error>>,
}

/// The kinds of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// `ValidatingAdmissionPolicy`: one object at a time, as in a cluster.
    Object,
    /// `ReleasePolicy`: all objects of a release and the values that they came from.
    Release,
    /// `FleetPolicy`: several releases together.
    Fleet,
    /// `SchemaPolicy`: one object at a time, held to the schema of its kind.
    Schema,
    /// Kyverno's `ValidatingPolicy`: one object at a time.
    Kyverno,
    /// Rego, conftest's or Gatekeeper's: one object at a time.
    #[cfg(feature = "rego")]
    Rego,
}

impl PolicyKind {
    /// The kind of a policy's document; `None` if it is another document.
    pub(super) fn of(api_version: &str, kind: &str) -> Option<Self> {
        match (api_version, kind) {
            ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy") => Some(Self::Object),
            ("plimsoll.dev/v1", "ReleasePolicy") => Some(Self::Release),
            ("plimsoll.dev/v1", "FleetPolicy") => Some(Self::Fleet),
            ("plimsoll.dev/v1", "SchemaPolicy") => Some(Self::Schema),
            (version, "ValidatingPolicy") if kyverno::VERSIONS.contains(&version) => Some(Self::Kyverno),
            _ => None,
        }
    }
}

impl Policy {
    /// Reads the policy of a file, and the bindings and parameters beside it; `id` is its path without the ending.
    ///
    /// Nothing is compiled yet: see [`Policy::check`].
    pub fn read(id: &str, file: &Arc<SourceFile>) -> Result<Self, Error> {
        let policies = file::assemble(vec![File::read(id, file)?]).map_err(|error| error.of(id))?;
        let whole = || Location::new(file.clone(), Span::new(0, file.text.len()));
        let nothing = || Error::new(ErrorKind::Document("there is no policy".into()), whole()).of(id);
        policies.into_iter().flatten().next().ok_or_else(nothing)
    }

    pub(super) fn from_document(id: &str, kind: PolicyKind, document: Document) -> Result<Self, Error> {
        let root = document.root();
        let metadata = root.need("metadata")?;
        let name = metadata.need("name")?.text()?;
        let notes = Notes::read(&metadata, kind)?;
        let spec = root.need("spec")?;
        let (severity, generated) = match kind {
            PolicyKind::Kyverno => {
                kyverno::check(&spec)?;
                let documents = kyverno::generated(&document)?.into_iter();
                let policies = documents.map(|document| Self::from_document(id, kind, document));
                (kyverno::severity(&metadata, &spec)?, policies.collect::<Result<_, _>>()?)
            }
            PolicyKind::Schema => {
                spec.only(&["check", "paramKind"])?;
                (Severity::Error, Vec::new())
            }
            _ => {
                spec.only(&[
                    "failurePolicy",
                    "paramKind",
                    "matchConstraints",
                    "matchConditions",
                    "variables",
                    "validations",
                    "auditAnnotations",
                ])?;
                (Severity::Error, Vec::new())
            }
        };
        Ok(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            title: notes.text("title")?.unwrap_or(name).to_owned(),
            severity: notes.severity()?.unwrap_or(severity),
            rationale: notes.text("description")?.unwrap_or_default().trim().to_owned(),
            remediation: notes.text("remediation")?.unwrap_or_default().trim().to_owned(),
            aliases: words(notes.text("aliases")?.unwrap_or_default()),
            profiles: notes.profiles()?,
            constraints: constraints(&spec, kind)?,
            param_kind: spec.get("paramKind").map(|node| ParamKind::read(&node)).transpose()?,
            ignores_failures: spec.one_of("failurePolicy", &["Fail", "Ignore"])? == Some("Ignore"),
            bindings: Vec::new(),
            params: Vec::new(),
            generated,
            check: (kind == PolicyKind::Schema).then(|| check(&spec)).transpose()?,
            #[cfg(feature = "rego")]
            rego: None,
            spec: if kind == PolicyKind::Schema { Spec::default() } else { Spec::read(&spec)? },
            document,
            compiled: OnceLock::new(),
            messages: OnceLock::new(),
        })
    }

    /// A policy whose body is Rego.
    #[cfg(feature = "rego")]
    pub(super) fn in_rego(id: &str, name: &str, document: Document, body: super::rego::Body) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            kind: PolicyKind::Rego,
            title: name.to_owned(),
            severity: Severity::Error,
            rationale: String::new(),
            remediation: String::new(),
            aliases: Vec::new(),
            profiles: Vec::new(),
            constraints: None,
            param_kind: None,
            ignores_failures: false,
            bindings: Vec::new(),
            params: Vec::new(),
            generated: Vec::new(),
            check: None,
            rego: Some(body),
            spec: Spec::default(),
            document,
            compiled: OnceLock::new(),
            messages: OnceLock::new(),
        }
    }

    /// Compiles all expressions: what the API server does when a policy is created.
    pub fn check(&self) -> Result<(), Error> {
        self.messages()?;
        #[cfg(feature = "rego")]
        if let Some(rego) = &self.rego {
            rego.check(self)?;
        }
        self.generated.iter().try_for_each(Self::check)
    }

    /// Compiles what is needed to judge. What does not compile is told when it is asked for.
    pub(super) fn prepare(&self) {
        _ = self.compiled();
        #[cfg(feature = "rego")]
        if let Some(rego) = &self.rego {
            _ = rego.check(self);
        }
        self.generated.iter().for_each(Self::prepare);
    }

    /// The compiled expressions; compiled when they are first asked for.
    pub(super) fn compiled(&self) -> Result<&Compiled, Error> {
        let result = self.compiled.get_or_init(|| self.compile());
        result.as_ref().map_err(Error::clone)
    }

    /// `messageExpression` of each validation; compiled when they are first asked for, as most objects are in order.
    pub(super) fn messages(&self) -> Result<&[Option<Written>], Error> {
        let result = self.messages.get_or_init(|| self.compile_messages(self.compiled()?));
        result.as_deref().map_err(Error::clone)
    }

    /// The resources that it is about, without their subresources; `*` is all of them.
    pub fn resources(&self) -> Vec<&str> {
        let all = std::iter::once(self).chain(&self.generated);
        all.flat_map(|policy| policy.constraints.as_ref().map_or_else(|| vec!["*"], MatchResources::resources))
            .collect()
    }

    /// Whether bindings lie beside it.
    pub fn is_bound(&self) -> bool {
        !self.bindings.is_empty()
    }

    /// An error about its document.
    pub(super) fn error(&self, path: &[&str], message: impl Into<String>) -> Error {
        let path = path.iter().fold(Path::default(), |path, key| path.key(*key));
        self.error_at(&path, ErrorKind::Document(message.into()))
    }

    /// The document as it was written.
    pub fn manifest(&self) -> &Value {
        self.document.root().value
    }

    /// An error of an expression, placed in the file.
    pub(super) fn error_at(&self, path: &Path, kind: ErrorKind) -> Error {
        let span = match &kind {
            ErrorKind::Compile(error) | ErrorKind::KyvernoOnly(error) => Some(error.span),
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

    /// The variables of its environment.
    fn globals(&self) -> Vec<&'static Global> {
        globals(self.kind, self.constraints.is_some(), self.param_kind.is_some())
    }

    fn compile(&self) -> Result<Compiled, Error> {
        let globals = self.globals();
        let mut compiler = Compiler::new(self, &globals);
        // It has no value: without a cluster there is no user to ask about.
        compiler.globals.extend((self.kind == PolicyKind::Object).then_some("authorizer"));
        // As in the API server, conditions are evaluated before there are variables.
        let conditions = compiler.all(&self.spec.conditions, Type::Bool)?;
        let mut variables = Vec::new();
        for (name, path) in &self.spec.variables {
            variables.push(compiler.variable(name, path)?);
        }
        let expressions: Vec<Path> = self.spec.validations.iter().map(|one| one.expression.clone()).collect();
        let expressions = compiler.all(&expressions, Type::Bool)?;
        let audit_annotations = self.spec.audit_annotations.iter();
        let audit_annotations = audit_annotations
            .map(|(key, path)| Ok((key.clone(), compiler.written(path, None)?)))
            .collect::<Result<_, Error>>()?;
        let validations = self.spec.validations.iter().zip(expressions);
        let validations = validations
            .map(|(validation, expression)| CompiledValidation {
                expression,
                message: validation.message.clone(),
                reason: validation.reason,
            })
            .collect();
        let varies = |index: usize| globals.get(index).is_none_or(|global| !is_common(global));
        let common = common(&variables, &varies);
        Ok(Compiled { conditions, variables, common, validations, audit_annotations, globals })
    }

    /// As in the API server, a message cannot ask what the user may do: there is no `authorizer`.
    fn compile_messages(&self, compiled: &Compiled) -> Result<Vec<Option<Written>>, Error> {
        let mut compiler = Compiler::new(self, &compiled.globals);
        let variables = self.spec.variables.iter().zip(&compiled.variables);
        compiler.variables = variables.map(|((name, _), program)| (name.clone(), program.declared())).collect();
        let messages = self.spec.validations.iter().map(|validation| validation.message_expression.as_ref());
        messages.map(|path| path.map(|path| compiler.written(path, Some(Type::String))).transpose()).collect()
    }
}

/// What compiles the expressions of a policy.
struct Compiler<'a> {
    policy: &'a Policy,
    globals: Vec<&'static str>,
    /// The variables that are there so far, with their types.
    variables: Vec<(Arc<str>, Type)>,
    /// All that these were compiled from.
    written: String,
}

/// The most variables that are kept compiled.
const MAX_KEPT: usize = 1_000;

impl<'a> Compiler<'a> {
    fn new(policy: &'a Policy, globals: &[&'static Global]) -> Self {
        let globals: Vec<_> = globals.iter().map(|global| global.name).collect();
        let written = format!("{:?} {globals:?}", policy.kind);
        Self { policy, globals, variables: Vec::new(), written }
    }

    /// Compiles the next variable. What several policies begin with, such as the pod and its containers, is compiled once
    /// a process.
    fn variable(&mut self, name: &Arc<str>, path: &Path) -> Result<Program, Error> {
        static KEPT: LazyLock<Mutex<HashMap<String, Program>>> = LazyLock::new(Mutex::default);
        let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        self.written.push_str(&format!("\n{name} {:?}", self.source(path)));
        let known = kept().get(&self.written).cloned();
        let program = match known {
            Some(program) => program,
            None => {
                let program = self.program(path, None)?;
                let mut kept = kept();
                if kept.len() < MAX_KEPT {
                    kept.insert(self.written.clone(), program.clone());
                }
                program
            }
        };
        self.variables.push((name.clone(), program.declared()));
        Ok(program)
    }

    fn source(&self, path: &Path) -> &str {
        self.policy.document.root().value.follow(path).and_then(Value::as_str).unwrap_or_default()
    }

    fn program(&self, path: &Path, wanted: Option<Type>) -> Result<Program, Error> {
        let joins = matches!(self.policy.kind, PolicyKind::Release | PolicyKind::Fleet);
        let scope = Scope { globals: &self.globals, types: &[], composed: &self.variables, joins };
        let source = self.source(path);
        let program = match wanted {
            Some(wanted) => Program::compile_to(source, scope, &wanted),
            None => Program::compile(source, scope),
        };
        program.map_err(|error: CompileError| {
            let kind = match self.policy.kind {
                PolicyKind::Kyverno => kyverno::compile_error(error),
                _ => ErrorKind::Compile(error.into()),
            };
            self.policy.error_at(path, kind)
        })
    }

    fn written(&self, path: &Path, wanted: Option<Type>) -> Result<Written, Error> {
        Ok(Written { program: self.program(path, wanted)?, path: path.clone() })
    }

    fn all(&self, paths: &[Path], wanted: Type) -> Result<Vec<Written>, Error> {
        paths.iter().map(|path| self.written(path, Some(wanted.clone()))).collect()
    }
}

fn constraints(spec: &Node<'_>, kind: PolicyKind) -> Result<Option<MatchResources>, Error> {
    let Some(node) = spec.get("matchConstraints") else {
        return match kind {
            PolicyKind::Object | PolicyKind::Kyverno => Err(spec.error("spec.matchConstraints is missing")),
            _ => Ok(None),
        };
    };
    if kind == PolicyKind::Fleet {
        return Err(
            spec.error_at_key("matchConstraints", "a FleetPolicy has no matchConstraints: it judges all releases")
        );
    }
    let constraints = MatchResources::read(&node)?;
    if constraints.has_no_rules() {
        return Err(node.error("matchConstraints needs at least one of resourceRules"));
    }
    Ok(Some(constraints))
}

/// The check that a `SchemaPolicy` stands for.
fn check(spec: &Node<'_>) -> Result<Check, Error> {
    let names = Check::ALL.map(Check::name);
    let found = spec.one_of("check", &names)?.and_then(Check::named);
    found.ok_or_else(|| spec.error(format!("spec.check is missing: one of {}", names.join(", "))))
}

/// The annotations of a policy.
struct Notes<'a> {
    notes: Option<Node<'a>>,
    /// Where a title and a description are looked for as well.
    prefix: Option<&'static str>,
}

impl<'a> Notes<'a> {
    const KNOWN: &'static [&'static str] = &["title", "severity", "description", "remediation", "aliases", "profiles"];

    fn read(metadata: &Node<'a>, kind: PolicyKind) -> Result<Self, Error> {
        let notes = metadata.get("annotations");
        let keys = notes.iter().filter_map(|notes| notes.value.as_map()).flat_map(|map| map.iter().map(|(key, _)| key));
        for key in keys {
            if let Some(name) = key.strip_prefix(ANNOTATION)
                && !Self::KNOWN.contains(&name)
                && let Some(notes) = &notes
            {
                let known: Vec<String> = Self::KNOWN.iter().map(|name| format!("{ANNOTATION}{name}")).collect();
                let known = known.join(", ");
                return Err(notes.error_at_key(key, format!("unknown annotation {key}; known are {known}")));
            }
        }
        Ok(Self { notes, prefix: (kind == PolicyKind::Kyverno).then_some(kyverno::ANNOTATION) })
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, Error> {
        let Some(notes) = &self.notes else { return Ok(None) };
        match (notes.text_of(&format!("{ANNOTATION}{key}"))?, self.prefix) {
            (None, Some(prefix)) => notes.text_of(&format!("{prefix}{key}")),
            (found, _) => Ok(found),
        }
    }

    fn profiles(&self) -> Result<Vec<Profile>, Error> {
        let Some(notes) = &self.notes else { return Ok(Vec::new()) };
        let named = |name: String| {
            let known = Profile::ALL.map(Profile::name).join(", ");
            Profile::named(&name).ok_or_else(|| {
                let key = format!("{ANNOTATION}profiles");
                notes.error_at_key(&key, format!("unknown profile {name}; known are {known}"))
            })
        };
        words(self.text("profiles")?.unwrap_or_default()).into_iter().map(named).collect()
    }

    fn severity(&self) -> Result<Option<Severity>, Error> {
        let Some(notes) = &self.notes else { return Ok(None) };
        let found = notes.one_of(&format!("{ANNOTATION}severity"), &["error", "warning", "info"])?;
        Ok(found.map(|found| match found {
            "warning" => Severity::Warning,
            "info" => Severity::Info,
            _ => Severity::Error,
        }))
    }
}

/// The words of a list that is separated by commas or blanks.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
