//! What a graph is made of: who reaches what, how, and by which fields.

use std::rc::Rc;

use super::field::Field;
use super::roles::Subject;

/// One relation between somebody and Secrets, or the ServiceAccounts through which Secrets are reached.
#[derive(Debug, Clone)]
pub struct Edge<'a> {
    /// Who.
    pub who: Who<'a>,
    /// Does what.
    pub action: Action,
    /// To what.
    pub target: Target<'a>,
    /// The last step of the way there.
    pub(super) last: usize,
    /// The first step that goes beyond what the container is given by its own pod.
    pub via: Via,
}

/// Who reaches something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who<'a> {
    /// A container, by the number of its object, its index among all containers of the pod, and its name.
    Container(usize, usize, &'a str),
    /// The kubelet and storage drivers, for the pods of an object: no container sees what they use.
    Pods(usize),
    /// The controller of an Ingress or Gateway.
    Controller(usize),
    /// A ServiceAccount, a user or a group.
    Subject(Subject<'a>),
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Sees what is in a Secret.
    Read,
    /// Changes or deletes a Secret.
    Change,
    /// Has a component of the cluster use a Secret, without seeing it.
    Use,
    /// Does what a ServiceAccount may do.
    ActAs,
}

/// What is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target<'a> {
    /// Secrets or ServiceAccounts.
    pub kind: TargetKind,
    /// The namespace; all of them where there is none.
    pub namespace: Option<&'a str>,
    /// The name; all of `among` where there is none.
    pub name: Option<&'a str>,
    /// Which of them, where there is no name.
    pub among: Among,
    /// The keys of the Secret; all of them where it is empty.
    pub keys: Rc<[&'a str]>,
}

/// What targets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// `v1 Secret`
    Secret,
    /// `v1 ServiceAccount`
    ServiceAccount,
}

/// Of which objects "every" speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Among {
    /// All there are.
    All,
    /// Those that a pod uses.
    Pods,
    /// Those that a ServiceAccount may read or change by name.
    Accounts,
    /// Those that a pod of the same node uses.
    Node,
}

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// `env[].valueFrom.secretKeyRef`
    Env,
    /// `envFrom[].secretRef`
    EnvFrom,
    /// A mounted volume.
    Volume,
    /// `imagePullSecrets`
    ImagePull,
    /// The driver of a volume logs in with it.
    Driver,
    /// `tls[].secretName`
    Tls,
    /// `secrets` of a ServiceAccount.
    Listed,
    /// The token of the pod's ServiceAccount, mounted.
    Token,
    /// A rule on Secrets.
    Rbac,
    /// Running pods.
    CreatePods,
    /// Adding containers to pods that run.
    EphemeralContainers,
    /// Entering containers that run.
    Exec,
    /// Requesting a token.
    TokenRequest,
    /// Reading a Secret that holds a token.
    TokenSecret,
    /// Impersonation.
    Impersonate,
    /// Taking more rights.
    Escalate,
    /// Processes of another container of the pod.
    ProcessNamespace,
    /// The node below.
    Node,
}

/// One step on the way to a target.
#[derive(Debug, Clone)]
pub struct Hop<'a> {
    /// How.
    pub via: Via,
    /// The verb and the resource that a rule allows; empty where no rule is meant.
    pub allows: (&'static str, &'static str),
    /// Whose rights are had after this step, if they are another's.
    pub becomes: Option<Subject<'a>>,
    /// The fields that make it possible, in their order.
    pub fields: Rc<[Field<'a>]>,
    pub(super) parent: Option<usize>,
}

impl Via {
    /// The name in data.
    pub fn name(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::EnvFrom => "envFrom",
            Self::Volume => "volume",
            Self::ImagePull => "imagePullSecrets",
            Self::Driver => "volume-driver",
            Self::Tls => "tls",
            Self::Listed => "serviceaccount-secrets",
            Self::Token => "token",
            Self::Rbac => "rbac",
            Self::CreatePods => "create-pods",
            Self::EphemeralContainers => "ephemeral-containers",
            Self::Exec => "exec",
            Self::TokenRequest => "token-request",
            Self::TokenSecret => "token-secret",
            Self::Impersonate => "impersonate",
            Self::Escalate => "escalate",
            Self::ProcessNamespace => "process-namespace",
            Self::Node => "node",
        }
    }

    /// Whether the Secret is one that the pod itself names.
    pub fn is_own_reference(self) -> bool {
        matches!(
            self,
            Self::Env | Self::EnvFrom | Self::Volume | Self::ImagePull | Self::Driver | Self::Tls | Self::Listed
        )
    }
}

impl Action {
    /// The name in data.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Change => "change",
            Self::Use => "use",
            Self::ActAs => "act-as",
        }
    }
}

impl TargetKind {
    /// The kind of the objects.
    pub fn name(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ServiceAccount => "ServiceAccount",
        }
    }
}

impl Among {
    /// The name in data.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Pods => "pods",
            Self::Accounts => "accounts",
            Self::Node => "node",
        }
    }
}

impl<'a> Target<'a> {
    pub(super) fn one(kind: TargetKind, namespace: Option<&'a str>, name: &'a str) -> Self {
        Self { kind, namespace, name: Some(name), among: Among::All, keys: Rc::default() }
    }

    pub(super) fn every(kind: TargetKind, namespace: Option<&'a str>, among: Among) -> Self {
        Self { kind, namespace, name: None, among, keys: Rc::default() }
    }

    /// Whether an object of this kind, namespace and name is, or may be, among what is reached.
    pub fn covers(&self, kind: TargetKind, namespace: &str, name: &str) -> bool {
        self.kind == kind
            && self.namespace.is_none_or(|own| own == namespace)
            && self.name.is_none_or(|own| own == name)
    }
}
