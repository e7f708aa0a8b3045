//! What pods say about themselves: which Secrets each container refers to, which token it has, what it shares.

use std::collections::{HashMap, HashSet};

use super::field::{At, Field};
use super::objects::Objects;
use super::volumes::Volumes;
use super::{Error, Via, node};

/// The pods of one object.
pub(super) struct Pod<'a> {
    pub object: usize,
    pub namespace: &'a str,
    /// The name of its ServiceAccount.
    pub account: &'a str,
    pub containers: Vec<Container<'a>>,
    /// `shareProcessNamespace`, if it is true.
    pub shares_processes: Option<Field<'a>>,
    /// What the kubelet and storage drivers use on behalf of the pod.
    pub used: Vec<Reference<'a>>,
}

pub(super) struct Container<'a> {
    pub name: &'a str,
    pub name_field: Field<'a>,
    pub phase: Phase,
    pub references: Vec<Reference<'a>>,
    /// The fields by which it has the token of the pod's ServiceAccount.
    pub token: Option<Vec<Field<'a>>>,
    /// The fields by which it reaches the node.
    pub node: Vec<Field<'a>>,
}

/// When a container runs, which decides whose processes it may see.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// One after the other, before all others.
    Init,
    /// From its turn among the init containers to the end of the pod.
    Sidecar,
    Main,
}

/// One way in which a Secret of the pod's namespace is referred to.
#[derive(Clone)]
pub(super) struct Reference<'a> {
    pub secret: &'a str,
    /// Where a volume names a Secret of another namespace.
    pub namespace: Option<&'a str>,
    /// The keys that are read; all of them where there are none.
    pub keys: Vec<&'a str>,
    pub via: Via,
    pub fields: Vec<Field<'a>>,
}

/// What a ServiceAccount says about its pods.
#[derive(Default)]
pub(super) struct Account<'a> {
    pub automount: Option<(bool, Field<'a>)>,
    pub pull_secrets: Vec<Reference<'a>>,
    /// `secrets`
    pub secrets: Vec<Reference<'a>>,
    pub object: usize,
}

/// Where a container finds the token that is mounted without being asked for.
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(super) fn accounts<'a>(objects: &Objects<'a>) -> Result<HashMap<(&'a str, &'a str), Account<'a>>, Error> {
    let mut accounts = HashMap::new();
    for (number, object) in objects.all.iter().enumerate() {
        if object.kind != "ServiceAccount" || !object.group.is_empty() {
            continue;
        }
        let root = At::root(number, object.value);
        let automount = root.flag("automountServiceAccountToken")?;
        let account = Account {
            automount: match automount {
                Some(flag) => Some((flag, root.get("automountServiceAccountToken")?.field())),
                None => None,
            },
            pull_secrets: named(&root, "imagePullSecrets", Via::ImagePull)?,
            secrets: named(&root, "secrets", Via::Listed)?,
            object: number,
        };
        accounts.insert((object.namespace, object.name), account);
    }
    Ok(accounts)
}

/// The way to the `metadata` and `spec` of the pods that an object of a kind makes.
pub(crate) fn template(group: &str, kind: &str) -> Option<&'static [&'static str]> {
    match (group, kind) {
        ("", "Pod") => Some(&[]),
        ("", "PodTemplate") => Some(&["template"]),
        ("batch", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template"]),
        ("", "ReplicationController")
        | ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("batch", "Job") => Some(&["spec", "template"]),
        _ => None,
    }
}

pub(super) fn pods<'a>(
    objects: &Objects<'a>,
    accounts: &HashMap<(&'a str, &'a str), Account<'a>>,
) -> Result<Vec<Pod<'a>>, Error> {
    let mut pods = Vec::new();
    for (number, object) in objects.all.iter().enumerate() {
        let Some(way) = template(object.group, object.kind) else { continue };
        At::root(number, object.value).descend(way, &mut |template| {
            pods.push(pod(&template.get("spec")?, object.namespace, accounts)?);
            Ok(())
        })?;
    }
    Ok(pods)
}

fn pod<'a>(
    spec: &At<'_, 'a>,
    namespace: &'a str,
    accounts: &HashMap<(&'a str, &'a str), Account<'a>>,
) -> Result<Pod<'a>, Error> {
    let volumes = Volumes::read(spec)?;
    let named_account = spec.get("serviceAccountName")?;
    let (account, account_field) = match (named_account.text()?, spec.text_of("serviceAccount")?) {
        ("", "") => ("default", named_account.field()),
        ("", old) => (old, spec.get("serviceAccount")?.field()),
        (name, _) => (name, named_account.field()),
    };
    let known = accounts.get(&(namespace, account));
    // The pod's word counts first; without any the token is mounted (admission plugin ServiceAccount).
    let own = spec.flag("automountServiceAccountToken")?;
    let of_account = known.and_then(|account| account.automount.as_ref());
    let is_mounted = own.or(of_account.map(|(flag, _)| *flag)).unwrap_or(true);
    let automount = is_mounted.then(|| {
        let mut fields = vec![account_field.clone()];
        fields.extend(spec.get("automountServiceAccountToken").ok().map(|at| at.field()));
        fields.extend(of_account.filter(|_| own.is_none()).map(|(_, field)| field.clone()));
        fields
    });
    let mut containers = Vec::new();
    for (list, phase) in
        [("initContainers", Phase::Init), ("containers", Phase::Main), ("ephemeralContainers", Phase::Main)]
    {
        for at in spec.items(list)? {
            // Nothing is mounted into ephemeral containers but what they name.
            let automount = automount.as_ref().filter(|_| list != "ephemeralContainers");
            let mut container = container(&at, phase, automount, &volumes, &account_field)?;
            container.node = node::reached(spec, &at, &volumes)?;
            containers.push(container);
        }
    }
    let mut used = named(spec, "imagePullSecrets", Via::ImagePull)?;
    if used.is_empty()
        && let Some(known) = known
    {
        used.extend(known.pull_secrets.iter().cloned());
    }
    used.extend(volumes.used());
    let shares = spec.flag("shareProcessNamespace")?.unwrap_or_default();
    let shares_processes = if shares { Some(spec.get("shareProcessNamespace")?.field()) } else { None };
    Ok(Pod { object: spec.object, namespace, account, containers, shares_processes, used })
}

fn container<'a>(
    at: &At<'_, 'a>,
    phase: Phase,
    automount: Option<&Vec<Field<'a>>>,
    volumes: &Volumes<'a>,
    account_field: &Field<'a>,
) -> Result<Container<'a>, Error> {
    let mut references = Vec::new();
    for env in at.items("env")? {
        let from = env.get("valueFrom")?;
        let reference = from.get("secretKeyRef")?;
        let secret = reference.get("name")?;
        if reference.exists() && !secret.text()?.is_empty() {
            let key = reference.get("key")?;
            let fields = vec![secret.field(), key.field()];
            references.push(Reference::new(secret.text()?, vec![key.text()?], Via::Env, fields));
        }
    }
    for from in at.items("envFrom")? {
        let reference = from.get("secretRef")?;
        let secret = reference.get("name")?;
        if !secret.text()?.is_empty() {
            references.push(Reference::new(secret.text()?, Vec::new(), Via::EnvFrom, vec![secret.field()]));
        }
    }
    let mut token = None;
    let mut is_shadowed = false;
    for mount in at.items("volumeMounts")? {
        let name = mount.get("name")?;
        is_shadowed |= mount.text_of("mountPath")? == TOKEN_PATH;
        let Some(volume) = volumes.get(name.text()?) else { continue };
        let part = mount.text_of("subPath")?;
        references.extend(volume.references(part, &name.field()));
        if let Some(field) = volume.token(part) {
            token = token.or_else(|| Some(vec![account_field.clone(), name.field(), field.clone()]));
        }
    }
    // Something else at its path keeps the token out of this container.
    let token = token.or_else(|| automount.filter(|_| !is_shadowed).cloned());
    let phase = match at.text_of("restartPolicy")? {
        "Always" if phase == Phase::Init => Phase::Sidecar,
        _ => phase,
    };
    let name = at.get("name")?;
    Ok(Container { name: name.text()?, name_field: name.field(), phase, references, token, node: Vec::new() })
}

impl<'a> Reference<'a> {
    pub(super) fn new(secret: &'a str, keys: Vec<&'a str>, via: Via, fields: Vec<Field<'a>>) -> Self {
        Self { secret, namespace: None, keys, via, fields }
    }
}

impl Pod<'_> {
    /// Whether two containers run at the same time, so that one may look into the other.
    pub(super) fn meet(one: Phase, other: Phase) -> bool {
        !matches!((one, other), (Phase::Init, Phase::Init | Phase::Main) | (Phase::Main, Phase::Init))
    }
}

/// The Secrets of a list of `{name}`.
fn named<'a>(at: &At<'_, 'a>, list: &'a str, via: Via) -> Result<Vec<Reference<'a>>, Error> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for item in at.items(list)? {
        let name = item.get("name")?;
        if !name.text()?.is_empty() && seen.insert(name.text()?) {
            found.push(Reference::new(name.text()?, Vec::new(), via, vec![name.field()]));
        }
    }
    Ok(found)
}
