//! `plimsoll policy export`: what a cluster is given to hold the same policies itself.

use std::collections::BTreeMap;

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

/// What every exported policy leaves to the cluster itself, as the condition's name and expression.
///
/// At its start the API server writes the roles and bindings that it cannot be without, cluster-admin among them, and ends
/// where it cannot. Into the roles admin, edit and view a controller gathers what is granted by others, which was judged.
const CONDITIONS: [(&str, &str); 2] = [
    ("not-the-api-server-itself", "request.?userInfo.?username.orValue('') != 'system:apiserver'"),
    (
        "not-gathered-roles",
        "!(request.resource.resource == 'clusterroles' && request.?userInfo.?username.orValue('') in [\
         'system:serviceaccount:kube-system:clusterrole-aggregation-controller', 'system:kube-controller-manager'])",
    ),
];

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
    let chosen = select.choose(&project, None, &catalogue, false)?;
    let version = args.kube_version.as_deref().map(super::cluster_args::kube_version).transpose()?;
    let version = version.as_ref().or(project.kube_version.as_ref());
    let can = |policy: &&Policy| policy.kind == PolicyKind::Object && !policy.is_bound();
    let (exported, kept): (Vec<&Policy>, Vec<&Policy>) = chosen.policies.iter().copied().partition(can);
    let why = |policy: &Policy| match policy.kind {
        PolicyKind::Object => "has bindings of its own: apply its files",
        PolicyKind::Release | PolicyKind::Fleet => {
            "judges whole releases, and the API server sees one object at a time"
        }
        PolicyKind::Schema => "holds objects to schemas, as the API server does by itself",
        _ => "is another engine's: apply its files to a cluster that has that engine",
    };
    let mut whys: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for policy in &kept {
        whys.entry(why(policy)).or_default().push(&policy.id);
    }
    let whys: Vec<String> = whys.iter().map(|(why, ids)| format!("{} ({why})", ids.join(", "))).collect();
    if exported.is_empty() || select.names_one_of(&kept) {
        let fault = Fault::new(format!("there are policies that cannot be exported\n{}", whys.join("\n")));
        return Err(fault.help("whole releases are checked with `plimsoll lint`").into());
    }
    for policy in exported {
        policy.check().map_err(super::select_args::fault)?;
        let export = Export { policy, version, args };
        for document in export.documents() {
            let text = yaml::to_yaml_pretty(&document).map_err(|error| Fault::new(error.to_string()))?;
            write!(streams.stdout, "---\n{text}")?;
        }
    }
    if !streams.is_quiet() {
        for why in whys {
            writeln!(streams.stderr, "note: not exported: {why}")?;
        }
    }
    Ok(ExitStatus::Clean)
}

/// A policy for a cluster.
struct Export<'a> {
    policy: &'a Policy,
    version: Option<&'a KubeVersion>,
    args: &'a Args,
}

impl Export<'_> {
    /// The policy, and for each object of its parameters a binding that makes it count; a single one without.
    fn documents(&self) -> Vec<Value> {
        let mut documents = vec![self.policy()];
        let params = self.policy.param_objects();
        for (index, object) in params.iter().enumerate() {
            let name = if index == 0 { self.name() } else { format!("{}-{}", self.name(), index + 1) };
            let (object, reference) = self.params(&name, object);
            documents.extend([object, self.binding(&name, Some(reference))]);
        }
        if params.is_empty() {
            documents.push(self.binding(&self.name(), None));
        }
        documents
    }

    /// An object of parameters under a name, and a `paramRef` to it.
    fn params(&self, name: &str, object: &Value) -> (Value, Value) {
        let mut metadata = map(object.get("metadata"));
        metadata.insert("name", name.into());
        let mut reference = vec![("name", Value::from(name)), ("parameterNotFoundAction", "Deny".into())];
        // Whether objects of other kinds have a namespace is not known here.
        if object.get("kind").and_then(Value::as_str) == Some("ConfigMap") {
            metadata.insert("namespace", self.args.namespace.as_str().into());
        }
        reference.extend(metadata.get("namespace").map(|namespace| ("namespace", namespace.clone())));
        let mut object = map(Some(object));
        object.insert("metadata", metadata.into());
        (object.into(), reference.into_iter().collect::<Map>().into())
    }

    fn name(&self) -> String {
        format!("plimsoll-{}", self.policy.id.replace('/', "-"))
    }

    fn policy(&self) -> Value {
        let mut policy = self.policy.manifest().as_map().cloned().unwrap_or_default();
        let mut metadata = map(policy.get("metadata"));
        metadata.insert("name", self.name().into());
        policy.insert("metadata", metadata.into());
        let mut spec = map(policy.get("spec"));
        if let Some(version) = self.version {
            spec = with_minor(spec, &version.minor);
        }
        let conditions = CONDITIONS.map(|(name, text)| object([("name", name.into()), ("expression", text.into())]));
        let own = spec.get("matchConditions").and_then(Value::as_list).unwrap_or_default();
        let conditions: Vec<Value> = conditions.iter().chain(own).cloned().collect();
        spec.insert("matchConditions", conditions.into());
        policy.insert("spec", spec.into());
        policy.into()
    }

    fn binding(&self, name: &str, params: Option<Value>) -> Value {
        let actions = match (self.args.actions.as_slice(), self.policy.severity) {
            ([], Severity::Error) => &[Action::Deny],
            ([], Severity::Warning) => &[Action::Warn],
            ([], Severity::Info) => &[Action::Audit],
            (actions, _) => actions,
        };
        let actions: Vec<Value> = actions.iter().map(|action| format!("{action:?}").into()).collect();
        let mut spec = vec![("policyName", Value::from(self.name())), ("validationActions", actions.into())];
        spec.extend(params.map(|params| ("paramRef", params)));
        object([
            ("apiVersion", "admissionregistration.k8s.io/v1".into()),
            ("kind", "ValidatingAdmissionPolicyBinding".into()),
            ("metadata", object([("name", name.into())])),
            ("spec", spec.into_iter().collect::<Map>().into()),
        ])
    }
}

/// A policy's spec for a minor version of Kubernetes.
fn with_minor(mut spec: Map, minor: &str) -> Map {
    let Some(variables) = spec.get("variables").and_then(Value::as_list) else { return spec };
    let set = |variable: &Value| {
        let mut variable = map(Some(variable));
        if variable.get("name").and_then(Value::as_str) == Some(KUBERNETES_MINOR) {
            variable.insert("expression", minor.into());
        }
        variable.into()
    };
    let variables: Vec<Value> = variables.iter().map(set).collect();
    spec.insert("variables", variables.into());
    spec
}

fn map(value: Option<&Value>) -> Map {
    value.and_then(Value::as_map).cloned().unwrap_or_default()
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    entries.into_iter().collect::<Map>().into()
}
