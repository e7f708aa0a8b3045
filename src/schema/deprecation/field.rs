//! Fields, annotations and labels that API servers warn of though the API itself is served.
//!
//! Sources: `warnings.go` and `util.go` of the kinds below pkg/api of k8s.io/kubernetes v1.37.0 and `strategy.go` of those
//! below pkg/registry. Since when: as the warning says, else the changelog, else the first version that warns. Warnings of
//! what is odd but not deprecated, such as overlapping paths of volumes, are not here.

use crate::schema::{Check, Minor, Problem};
use crate::value::{Path, Value};

/// A name that is not for ever.
struct Name {
    /// A name that ends in `/` stands for each that begins so: the rest names a container.
    name: &'static str,
    deprecated: u16,
    /// The first version in which it does nothing.
    dead: Option<u16>,
    replacement: &'static str,
    /// The field that makes it superfluous: of the object, or of the container that it names.
    unless: Option<&'static [&'static str]>,
}

/// Where names are: of which objects, at which path. `*` is each element of a list or entry of a map; the name is the key
/// where the path ends so, else the value.
type Place = (&'static str, &'static [&'static str], &'static [Name]);

/// Stands for pods and for the templates of pods of whatever kind.
const POD: &str = "v1 Pod";
const VOLUME: &str = "v1 PersistentVolume";

const PLACES: &[Place] = &[
    (POD, &["metadata", "annotations", "*"], POD_ANNOTATIONS),
    (POD, &["spec", "volumes", "*", "*"], VOLUMES),
    (POD, &["spec", "nodeSelector", "*"], NODE_LABELS),
    (POD, &["spec", "topologySpreadConstraints", "*", "topologyKey"], NODE_LABELS),
    (
        POD,
        &["spec", "affinity", "nodeAffinity", REQUIRED, "nodeSelectorTerms", "*", EXPRESSIONS, "*", "key"],
        NODE_LABELS,
    ),
    (POD, &["spec", "affinity", "nodeAffinity", PREFERRED, "*", "preference", EXPRESSIONS, "*", "key"], NODE_LABELS),
    (VOLUME, &["metadata", "annotations", "*"], VOLUME_ANNOTATIONS),
    (VOLUME, &["spec", "*"], VOLUMES),
    (
        VOLUME,
        &["spec", "persistentVolumeReclaimPolicy"],
        &[name("Recycle", 30, "a StorageClass that provisions volumes")],
    ),
    (VOLUME, &["spec", "nodeAffinity", "required", "nodeSelectorTerms", "*", EXPRESSIONS, "*", "key"], NODE_LABELS),
    ("storage.k8s.io/v1 StorageClass", &["allowedTopologies", "*", "matchLabelExpressions", "*", "key"], NODE_LABELS),
    ("node.k8s.io/v1 RuntimeClass", &["scheduling", "nodeSelector", "*"], NODE_LABELS),
    ("networking.k8s.io/v1 Ingress", &["metadata", "annotations", "*"], INGRESS_ANNOTATIONS),
    ("v1 Service", &["metadata", "annotations", "*"], SERVICE_ANNOTATIONS),
    ("v1 Service", &["spec", "trafficDistribution"], &[name("PreferClose", 35, "PreferSameZone")]),
    ("v1 Service", &["spec", "*"], &[name("externalIPs", 36, "a Service of type LoadBalancer, or a Gateway")]),
    ("v1 ServiceAccount", &["metadata", "annotations", "*"], ACCOUNT_ANNOTATIONS),
];

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const EXPRESSIONS: &str = "matchExpressions";

const POD_ANNOTATIONS: &[Name] = &[
    name("scheduler.alpha.kubernetes.io/critical-pod", 13, "spec.priorityClassName").dead(16),
    name("security.alpha.kubernetes.io/sysctls", 11, "spec.securityContext.sysctls").dead(11),
    name("security.alpha.kubernetes.io/unsafe-sysctls", 11, "spec.securityContext.sysctls").dead(11),
    name("seccomp.security.alpha.kubernetes.io/pod", 19, "spec.securityContext.seccompProfile").dead(27).unless(&[
        "spec",
        "securityContext",
        "seccompProfile",
    ]),
    name("container.seccomp.security.alpha.kubernetes.io/", 19, "securityContext.seccompProfile of the container")
        .dead(27)
        .unless(&["securityContext", "seccompProfile"]),
    name("container.apparmor.security.beta.kubernetes.io/", 30, "securityContext.appArmorProfile of the container")
        .unless(&["securityContext", "appArmorProfile"]),
];

const VOLUMES: &[Name] = &[
    name("gitRepo", 11, "an emptyDir that an init container clones into").dead(33),
    name("photonPersistentDisk", 11, CSI).dead(16),
    name("scaleIO", 16, CSI).dead(22),
    name("flocker", 22, CSI).dead(25),
    name("storageos", 22, CSI).dead(25),
    name("quobyte", 22, CSI).dead(25),
    name("glusterfs", 25, CSI).dead(26),
    name("cephfs", 28, CSI).dead(31),
    name("rbd", 28, CSI).dead(31),
];

const CSI: &str = "the CSI driver of the storage";

const NODE_LABELS: &[Name] = &[
    name("beta.kubernetes.io/arch", 14, "kubernetes.io/arch"),
    name("beta.kubernetes.io/os", 14, "kubernetes.io/os"),
    name("failure-domain.beta.kubernetes.io/region", 17, "topology.kubernetes.io/region"),
    name("failure-domain.beta.kubernetes.io/zone", 17, "topology.kubernetes.io/zone"),
    name("beta.kubernetes.io/instance-type", 17, "node.kubernetes.io/instance-type"),
    name("node-role.kubernetes.io/master", 20, "node-role.kubernetes.io/control-plane"),
];

const VOLUME_ANNOTATIONS: &[Name] = &[
    name("volume.beta.kubernetes.io/storage-class", 8, "spec.storageClassName"),
    name("volume.beta.kubernetes.io/mount-options", 31, "spec.mountOptions"),
];

const INGRESS_ANNOTATIONS: &[Name] =
    &[name("kubernetes.io/ingress.class", 18, "spec.ingressClassName").unless(&["spec", "ingressClassName"])];

const SERVICE_ANNOTATIONS: &[Name] =
    &[name("service.kubernetes.io/topology-aware-hints", 27, "service.kubernetes.io/topology-mode")];

const ACCOUNT_ANNOTATIONS: &[Name] =
    &[name("kubernetes.io/enforce-mountable-secrets", 32, "separate namespaces for what must not share Secrets")];

const fn name(name: &'static str, deprecated: u16, replacement: &'static str) -> Name {
    Name { name, deprecated, dead: None, replacement, unless: None }
}

/// The fields of an object that a version of Kubernetes warns of. What is only written in another way since that version
/// is said in the same words of later ones.
pub fn problems(object: &Value, at: Minor) -> Vec<Problem> {
    let text = |key| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let kind = format!("{} {}", text("apiVersion"), text("kind"));
    let (kind, root) = match template(&kind) {
        Some(template) => (POD, template),
        None => (kind.as_str(), [].as_slice()),
    };
    let mut root_path = Path::default();
    for &key in root {
        root_path = root_path.key(key);
    }
    let Some(root) = object.follow(&root_path) else { return Vec::new() };
    let mut problems = Vec::new();
    for (_, place, names) in PLACES.iter().filter(|(of, ..)| *of == kind) {
        visit(root, place, &root_path, &mut |written, path| {
            let found =
                names.iter().find(|name| name.is(written) && name.deprecated <= at.0 && name.matters(root, written));
            problems.extend(found.map(|name| Problem {
                check: Check::DeprecatedApi,
                path: path(),
                message: name.message(written, place),
            }));
        });
    }
    problems
}

/// The way to the template of pods that a kind has.
fn template(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        POD => &[],
        "v1 PodTemplate" => &["template"],
        "v1 ReplicationController"
        | "apps/v1 DaemonSet"
        | "apps/v1 Deployment"
        | "apps/v1 ReplicaSet"
        | "apps/v1 StatefulSet"
        | "batch/v1 Job" => &["spec", "template"],
        "batch/v1 CronJob" => &["spec", "jobTemplate", "spec", "template"],
        _ => return None,
    })
}

/// Hands over what is written at a place, with what makes its path.
fn visit(value: &Value, place: &[&str], path: &Path, found: &mut dyn FnMut(&str, &dyn Fn() -> Path)) {
    match (place, value) {
        ([], Value::String(text)) => found(text, &|| path.clone()),
        (["*"], Value::Map(map)) => {
            let set = map.iter().filter(|(_, value)| !matches!(value, Value::Null));
            set.for_each(|(key, _)| found(key, &|| path.key(key.clone())));
        }
        (["*", rest @ ..], Value::List(items)) => {
            items.iter().enumerate().for_each(|(index, item)| visit(item, rest, &path.index(index), found));
        }
        ([key, rest @ ..], Value::Map(_)) => {
            if let Some(value) = value.get(key) {
                visit(value, rest, &path.key(*key), found);
            }
        }
        _ => {}
    }
}

impl Name {
    const fn dead(self, since: u16) -> Self {
        Self { dead: Some(since), ..self }
    }

    const fn unless(self, field: &'static [&'static str]) -> Self {
        Self { unless: Some(field), ..self }
    }

    fn is(&self, written: &str) -> bool {
        if self.name.ends_with('/') { written.starts_with(self.name) } else { written == self.name }
    }

    /// Whether the field that replaces it is not there too.
    fn matters(&self, root: &Value, written: &str) -> bool {
        let Some(field) = self.unless else { return true };
        let has = |value: &Value| value.at(field.iter().copied()).is_some();
        match written.strip_prefix(self.name) {
            Some(container) if self.name.ends_with('/') => {
                let lists = ["containers", "initContainers", "ephemeralContainers"];
                let lists = lists.iter().filter_map(|list| root.at(["spec", list])?.as_list());
                !lists.flatten().any(|it| it.get("name").and_then(Value::as_str) == Some(container) && has(it))
            }
            _ => !has(root),
        }
    }

    fn message(&self, written: &str, place: &[&str]) -> String {
        let what = match place {
            ["metadata", "annotations", ..] => format!("the annotation {written}"),
            _ if written.contains('/') => format!("the node label {written}"),
            _ => format!("`{written}`"),
        };
        let dead = self.dead.map(|dead| format!(" and does not work in {} and later", Minor(dead))).unwrap_or_default();
        format!("{what} is deprecated since Kubernetes {}{dead}: use {}", Minor(self.deprecated), self.replacement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fixture that tests/deprecations.rs compares with an API server's warnings.
    #[test]
    fn the_fixture_has_every_name() {
        let fixture = include_str!("../../../tests/fixtures/deprecations/fields.yaml");
        for name in PLACES.iter().flat_map(|(.., names)| *names) {
            assert!(fixture.contains(name.name), "{}", name.name);
        }
    }
}
