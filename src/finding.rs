//! What a check has to say: data only, every format prints the same.

use std::collections::BTreeMap;
use std::fmt;

use crate::source::Location;
use crate::value::Path;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Should be mended.
    Warning,
    /// Must be mended.
    Error,
}

/// A Kubernetes object as findings name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// `v1`, `apps/v1`
    pub api_version: String,
    /// `Deployment`
    pub kind: String,
    /// The namespace as written, or that of the release
    pub namespace: Option<String>,
    /// `metadata.name`
    pub name: String,
}

/// A values key, and who set it.
#[derive(Debug, Clone)]
pub struct ValuesKey {
    /// The path below `.Values` of the chart that was rendered.
    pub path: Path,
    /// Where its value was written; `None` where nothing sets it.
    pub set_by: Option<Setter>,
}

/// What set a value.
#[derive(Debug, Clone)]
pub enum Setter {
    /// A line of a values file.
    File(Location),
    /// A flag, as it was given: `--set ingress.auth.type=none`.
    Flag(String),
}

/// One violation of one policy.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The policy's id, `<category>/<name>`.
    pub policy: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a sentence.
    pub message: String,
    /// The release that was judged, where several are: `namespace/name` in a project, else its name. `None` where it was
    /// all of them.
    pub release: Option<String>,
    /// The object that was judged; `None` where it was the release.
    pub object: Option<ObjectRef>,
    /// The fields at fault, the first one first. Empty where only values are.
    pub places: Vec<Place>,
    /// The values keys behind it, the likeliest first.
    pub values: Vec<ValuesKey>,
    /// The place in the project file, where it is that which is at fault.
    pub configured: Option<Location>,
    /// Who has answered for it: then it refuses nothing.
    pub exemption: Option<Exempted>,
    /// Whether it is in the baseline: then it was there before, and refuses nothing.
    pub is_known: bool,
    /// Why it matters.
    pub rationale: String,
    /// How to mend it.
    pub remediation: String,
}

/// Why a finding is no reason to refuse.
#[derive(Debug, Clone)]
pub struct Exempted {
    /// Why it is all right, in one line.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day on which that holds: `2026-12-31`.
    pub expires: Option<String>,
    /// Where that is written: in the project file, or in the template of an object's annotation.
    pub place: Location,
}

/// A field at fault.
#[derive(Debug, Clone)]
pub struct Place {
    /// The object that has it, or should have it.
    pub object: ObjectRef,
    /// The way to it.
    pub field: Path,
    /// The same with names for numbers, as an exemption has it: `spec.containers[name=web].image`.
    pub named: String,
    /// Where it was rendered, or its nearest parent if it is missing.
    pub rendered: Location,
    /// The places in templates that wrote it, innermost first. Empty for plain manifests.
    pub template: Vec<Location>,
}

/// Why work could not be done: a chart that does not render, a policy that does not compile. Never a pass.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What is wrong; where Helm fails on the same input, Helm's text is in it.
    pub message: String,
    /// The places to look at, the first one first, each with what is to be seen there.
    pub labels: Vec<(Location, String)>,
    /// The way out.
    pub help: Option<String>,
}

/// A release that could not be checked.
#[derive(Debug, Clone)]
pub struct Failed {
    /// Which: `namespace/name`.
    pub release: String,
    /// Why.
    pub faults: Vec<Fault>,
}

/// What a policy is about, whatever it finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What must hold, in one line.
    pub title: String,
    /// How bad a violation is.
    pub severity: Severity,
}

/// What a check of releases, or of plain manifests, came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// All violations, in the order of objects and policies; those that are exempted too.
    pub findings: Vec<Finding>,
    /// The policies that found them, by their ids.
    pub rules: BTreeMap<String, Rule>,
    /// The releases of a project that could not be checked: with one of them the whole has failed.
    pub failed: Vec<Failed>,
    /// How many releases of a project were checked; none where it was no project.
    pub releases: Option<usize>,
    /// How many committed manifests are not what is rendered.
    pub stale: usize,
    /// How many objects were checked.
    pub objects: usize,
    /// How many policies were evaluated.
    pub policies: usize,
    /// The profiles that the policies were chosen by.
    pub profiles: Vec<String>,
    /// What Helm would have printed as warnings.
    pub warnings: Vec<String>,
}

impl Finding {
    /// Whether it counts: nobody has answered for it, and it was not there before.
    pub fn is_open(&self) -> bool {
        self.exemption.is_none() && !self.is_known
    }
}

impl Fault {
    /// A fault without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), labels: Vec::new(), help: None }
    }

    /// Adds a place to look at.
    pub fn label(mut self, location: Location, text: impl Into<String>) -> Self {
        self.labels.push((location, text.into()));
        self
    }

    /// Says first what it is about: `Deployment shop/web: …`.
    pub fn about(self, what: impl fmt::Display) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }

    /// Says the way out.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Severity {
    /// The severity of a name: `error`, `warning` or `info`.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Error].into_iter().find(|severity| severity.to_string() == name)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// `Deployment alice/workspace`, or without a namespace `Deployment workspace`.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}
