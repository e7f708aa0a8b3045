//! `plimsoll policy export`: what a cluster is given to hold the same policies itself.

use super::select_args::SelectArgs;
use super::{Stop, Streams};
use crate::chart::KubeVersion;
use crate::finding::{Fault, Severity};
use crate::gate::ExitStatus;
use crate::policy::{KUBERNETES_MINOR, Policy, PolicyKind};
use crate::value::{Map, Value};
use crate::yaml;

/// Print policies with their bindings, to be applied to a cluster
///
/// Each policy of single objects becomes a ValidatingAdmissionPolicy and a ValidatingAdmissionPolicyBinding; policies of
/// whole releases have no such form. Exemptions are not exported: a cluster knows none.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only these policies: ids, `category/*`, or other tools' ids
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// What the cluster does about a violation; where left out an error is denied, a warning warned of, an info audited
    #[arg(long, value_enum, value_name = "ACTION", value_delimiter = ',', ignore_case = true)]
    actions: Vec<Action>,
    /// The cluster's Kubernetes version; the newest known where left out
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// The namespace for the ConfigMaps of parameters
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    namespace: String,

    #[command(flatten)]
    select: SelectArgs,
}

/// One of `validationActions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Action {
    /// Refuse the request
    #[value(name = "Deny")]
    Deny,
    /// Let it pass, and warn whoever sent it
    #[value(name = "Warn")]
    Warn,
    /// Let it pass, and write it into the audit log
    #[value(name = "Audit")]
    Audit,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    if args.actions.contains(&Action::Deny) && args.actions.contains(&Action::Warn) {
        let fault = Fault::new("--actions: Deny and Warn exclude each other in a binding");
        return Err(fault.help("what is denied is told anyway: use Deny,Audit or Warn,Audit").into());
    }
    let mut select = args.select.clone();
    select.name(&args.ids);
    let project = select.project()?;
    let catalogue = select.catalogue(&project)?;
    let chosen = select.choose(&project, &catalogue)?;
    let version = args.kube_version.as_deref().map(super::chart_args::kube_version).transpose()?;
    let version = version.as_ref().or(project.kube_version.as_ref());
    let (exported, whole): (Vec<&Policy>, Vec<&Policy>) =
        chosen.policies.iter().partition(|policy| policy.kind == PolicyKind::Object);
    let names: Vec<&str> = whole.iter().map(|policy| policy.id.as_str()).collect();
    if exported.is_empty() || select.names_one_of(&whole) {
        let fault = Fault::new(format!("not to be exported, as they judge whole releases: {}", names.join(", ")));
        return Err(fault.help("the API server sees one object at a time; check releases with `plimsoll lint`").into());
    }
    for policy in exported {
        policy.check().map_err(super::select_args::fault)?;
        let severity = chosen.severity(policy).unwrap_or(policy.severity);
        let export = Export { policy, severity, version, args };
        for document in export.documents() {
            let text = yaml::to_yaml_pretty(&document).map_err(|error| Fault::new(error.to_string()))?;
            write!(streams.stdout, "---\n{text}")?;
        }
    }
    if !names.is_empty() {
        writeln!(streams.stderr, "note: not exported, as they judge whole releases: {}", names.join(", "))?;
    }
    Ok(ExitStatus::Clean)
}

/// A policy for a cluster.
struct Export<'a> {
    policy: &'a Policy,
    severity: Severity,
    version: Option<&'a KubeVersion>,
    args: &'a Args,
}

impl Export<'_> {
    /// The policy, its parameters, and the binding that makes it count.
    fn documents(&self) -> Vec<Value> {
        vec![self.policy(), self.binding()]
    }

    fn name(&self) -> String {
        format!("plimsoll-{}", self.policy.id.replace('/', "-"))
    }

    fn policy(&self) -> Value {
        let mut policy = self.policy.manifest().as_map().cloned().unwrap_or_default();
        let mut metadata = map(policy.get("metadata"));
        metadata.insert("name", self.name().into());
        policy.insert("metadata", metadata.into());
        if let (Some(version), Some(spec)) = (self.version, policy.get("spec")) {
            let spec = with_minor(spec, &version.minor);
            policy.insert("spec", spec);
        }
        policy.into()
    }

    fn binding(&self) -> Value {
        let actions = match (self.args.actions.as_slice(), self.severity) {
            ([], Severity::Error) => &[Action::Deny],
            ([], Severity::Warning) => &[Action::Warn],
            ([], Severity::Info) => &[Action::Audit],
            (actions, _) => actions,
        };
        let actions: Vec<Value> = actions.iter().map(|action| format!("{action:?}").into()).collect();
        object([
            ("apiVersion", "admissionregistration.k8s.io/v1".into()),
            ("kind", "ValidatingAdmissionPolicyBinding".into()),
            ("metadata", object([("name", self.name().into())])),
            ("spec", object([("policyName", self.name().into()), ("validationActions", actions.into())])),
        ])
    }
}

/// A policy's spec for a minor version of Kubernetes.
fn with_minor(spec: &Value, minor: &str) -> Value {
    let mut spec = map(Some(spec));
    let Some(variables) = spec.get("variables").and_then(Value::as_list) else { return spec.into() };
    let set = |variable: &Value| {
        let mut variable = map(Some(variable));
        if variable.get("name").and_then(Value::as_str) == Some(KUBERNETES_MINOR) {
            variable.insert("expression", minor.into());
        }
        variable.into()
    };
    let variables: Vec<Value> = variables.iter().map(set).collect();
    spec.insert("variables", variables.into());
    spec.into()
}

fn map(value: Option<&Value>) -> Map {
    value.and_then(Value::as_map).cloned().unwrap_or_default()
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    entries.into_iter().collect::<Map>().into()
}
