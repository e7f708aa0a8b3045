//! `spec` of a policy: its expressions as they were written, and compiled.

use std::sync::Arc;

use super::Error;
use super::decode::Node;
use super::environment::Global;
use crate::cel::{self, Program, Shared};
use crate::value::Path;

/// The variable that an evaluation sets to the minor version of Kubernetes that the release is meant for.
///
/// Its expression is what holds where nobody sets it: in a cluster.
pub const KUBERNETES_MINOR: &str = "kubernetesMinor";

/// The most `matchConditions` and `auditAnnotations`, and the longest `valueExpression` in bytes: those of the API server.
const MAX_CONDITIONS: usize = 64;
const MAX_AUDIT_ANNOTATIONS: usize = 20;
const MAX_VALUE_EXPRESSION: usize = 5 << 10;

/// The expressions as they were written, each with its path in the document.
#[derive(Debug, Default)]
pub(super) struct Spec {
    pub conditions: Vec<Path>,
    pub variables: Vec<(Arc<str>, Path)>,
    pub validations: Vec<Validation>,
    pub audit_annotations: Vec<(String, Path)>,
}

#[derive(Debug)]
pub(super) struct Validation {
    pub expression: Path,
    pub message_expression: Option<Path>,
    /// `message`, or the expression itself as the API server has it
    pub message: String,
    pub reason: Option<Reason>,
}

/// `reason` of a validation: what kind of error a client sees that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// 401
    Unauthorized,
    /// 403
    Forbidden,
    /// 413
    RequestEntityTooLarge,
    /// 422
    Invalid,
}

impl Reason {
    const ALL: [Self; 4] = [Self::Unauthorized, Self::Forbidden, Self::Invalid, Self::RequestEntityTooLarge];

    /// `Forbidden`
    pub fn name(self) -> &'static str {
        match self {
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::RequestEntityTooLarge => "RequestEntityTooLarge",
            Self::Invalid => "Invalid",
        }
    }

    /// The status code of HTTP.
    pub fn code(self) -> i64 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::RequestEntityTooLarge => 413,
            Self::Invalid => 422,
        }
    }
}

/// A policy's expressions, ready to be evaluated.
#[derive(Debug)]
pub(super) struct Compiled {
    /// The variables of the environment
    pub globals: Vec<&'static Global>,
    /// `matchConditions`
    pub conditions: Vec<Written>,
    /// `variables`
    pub variables: Vec<Program>,
    /// Which of them are the same for every object of a release
    pub common: Vec<bool>,
    /// `validations`
    pub validations: Vec<CompiledValidation>,
    /// `auditAnnotations`, with their keys
    pub audit_annotations: Vec<(String, Written)>,
}

impl Compiled {
    /// Room for what the variables are for all objects of a release: as they are, and traced.
    pub fn shared(&self) -> [Shared<'_>; 2] {
        [Shared::new(&self.common), Shared::new(&self.common)]
    }
}

/// An expression, and where it was written.
#[derive(Debug)]
pub(super) struct Written {
    pub program: Program,
    pub path: Path,
}

#[derive(Debug)]
pub(super) struct CompiledValidation {
    /// What must be true
    pub expression: Written,
    /// What is wrong where `messageExpression` says nothing
    pub message: String,
    pub reason: Option<Reason>,
}

impl Spec {
    /// Reads the expressions, with the checks that the API server makes when a policy is created.
    pub fn read(spec: &Node<'_>) -> Result<Self, Error> {
        let validations = spec.list_of("validations")?;
        let audit_annotations = spec.list_of("auditAnnotations")?;
        if validations.is_empty() && audit_annotations.is_empty() {
            return Err(spec.error("spec.validations must not be empty"));
        }
        if audit_annotations.len() > MAX_AUDIT_ANNOTATIONS {
            return Err(spec.need("auditAnnotations")?.error("there are more than 20 auditAnnotations"));
        }
        let spec = Self {
            conditions: conditions(spec)?,
            variables: variables(spec)?,
            validations: validations.iter().map(Validation::read).collect::<Result<_, _>>()?,
            audit_annotations: audit_annotations.iter().map(audit_annotation).collect::<Result<_, _>>()?,
        };
        let mut seen = std::collections::HashSet::new();
        for ((key, _), node) in spec.audit_annotations.iter().zip(&audit_annotations) {
            if !seen.insert(key) {
                return Err(node.need("key")?.error(format!("audit annotation {key} is defined twice")));
            }
        }
        Ok(spec)
    }
}

impl Validation {
    fn read(node: &Node<'_>) -> Result<Self, Error> {
        node.only(&["expression", "message", "messageExpression", "reason"])?;
        let reason = node.one_of("reason", &Reason::ALL.map(Reason::name))?;
        let written = expression(node, "expression")?;
        if let Some(message) = node.get("message") {
            let text = message.text()?.trim();
            if text.is_empty() || text.contains(['\n', '\r']) {
                return Err(message.error("message must be one line of text"));
            }
        }
        let message = node.text_of("message")?.map(|text| text.trim().to_owned());
        let failed = || Ok(format!("failed expression: {}", node.need("expression")?.text()?.trim()));
        Ok(Self {
            expression: written,
            message_expression: match node.get("messageExpression") {
                Some(_) => Some(expression(node, "messageExpression")?),
                None => None,
            },
            message: message.map_or_else(failed, Ok)?,
            reason: Reason::ALL.into_iter().find(|known| Some(known.name()) == reason),
        })
    }
}

/// The path of an expression, which must not be empty.
fn expression(node: &Node<'_>, key: &str) -> Result<Path, Error> {
    let found = node.need(key)?;
    match found.text()?.trim() {
        "" => Err(found.error(format!("{key} must not be empty"))),
        _ => Ok(found.path),
    }
}

fn conditions(spec: &Node<'_>) -> Result<Vec<Path>, Error> {
    let mut names = Vec::new();
    let mut paths = Vec::new();
    for condition in spec.list_of("matchConditions")? {
        condition.only(&["name", "expression"])?;
        let name = condition.need("name")?;
        if names.contains(&name.text()?) {
            return Err(name.error(format!("condition {} is defined twice", name.text()?)));
        }
        names.push(name.text()?);
        paths.push(expression(&condition, "expression")?);
    }
    if paths.len() > MAX_CONDITIONS {
        return Err(spec.need("matchConditions")?.error("there are more than 64 matchConditions"));
    }
    Ok(paths)
}

fn variables(spec: &Node<'_>) -> Result<Vec<(Arc<str>, Path)>, Error> {
    let mut variables: Vec<(Arc<str>, Path)> = Vec::new();
    for variable in spec.list_of("variables")? {
        variable.only(&["name", "expression"])?;
        let name = variable.need("name")?;
        if !cel::is_identifier(name.text()?) {
            return Err(name.error(format!("a variable's name must be a CEL identifier, found {:?}", name.text()?)));
        }
        let name: Arc<str> = name.text()?.into();
        if variables.iter().any(|(known, _)| *known == name) {
            return Err(variable.error(format!("variable {name} is defined twice")));
        }
        let path = expression(&variable, "expression")?;
        if &*name == KUBERNETES_MINOR && variable.need("expression")?.text()?.trim().parse::<i64>().is_err() {
            return Err(variable.error(format!("variable {name} must be a number, such as \"35\": it is replaced")));
        }
        variables.push((name, path));
    }
    Ok(variables)
}

fn audit_annotation(node: &Node<'_>) -> Result<(String, Path), Error> {
    node.only(&["key", "valueExpression"])?;
    let key = node.need("key")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if key.text()?.is_empty() || key.text()?.len() > 63 || !key.text()?.chars().all(is_name) {
        return Err(key.error("the key of an audit annotation must have 1 to 63 letters, digits, - _ or ."));
    }
    let path = expression(node, "valueExpression")?;
    let value = node.need("valueExpression")?;
    if value.text()?.trim().len() > MAX_VALUE_EXPRESSION {
        return Err(value.error("valueExpression must not be longer than 5 KiB"));
    }
    Ok((key.text()?.to_owned(), path))
}
