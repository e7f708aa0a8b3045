//! Which objects belong to a release, with kubectl as the second opinion.

use std::time::Duration;

use plimsoll::cluster::prune::Prune;
use plimsoll::cluster::{ApplySet, Cluster, Error, Extent, Lock, Members, PATIENCE, Patch, Target, reference};
use plimsoll::finding::ObjectRef;
use plimsoll::json;
use plimsoll::value::{Map, Numbers, Value};
use serde_json::json;

use super::kubectl::kubectl;
use super::server::{ADMIN, Server};

/// A release as `plimsoll apply` makes it, step by step.
pub struct Release {
    pub cluster: Cluster,
    pub set: ApplySet,
}

impl Release {
    pub fn new(server: &Server, namespace: &str, name: &str) -> Self {
        let cluster = connect(server, ADMIN);
        let set = cluster.run(ApplySet::read(cluster.api(), name, namespace)).unwrap();
        Self { cluster, set }
    }

    /// Widens the set, and applies.
    pub fn apply(&mut self, objects: &[serde_json::Value]) {
        let objects: Vec<Value> = objects.iter().map(value).collect();
        let extent = Extent::of(&objects.iter().map(reference).collect::<Vec<_>>());
        let api = self.cluster.api();
        self.cluster.run(self.set.widen(api, &extent)).unwrap();
        for object in objects {
            let ObjectRef { api_version, kind, namespace, name } = reference(&object);
            let resources = api.resources();
            let resource = resources.of(&api_version, &kind).unwrap();
            let (label, id) = self.set.label();
            let map = |value: Option<&Value>| value.and_then(Value::as_map).cloned().unwrap_or_default();
            let (mut top, mut metadata) = (map(Some(&object)), map(object.get("metadata")));
            metadata.insert("labels", [(label, Value::from(id))].into_iter().collect::<Map>().into());
            top.insert("metadata", metadata.into());
            let object = Value::from(top);
            let apply = api.apply(resource, namespace.as_deref(), &name, &object, Patch::default());
            self.cluster.run(apply).unwrap();
        }
    }

    /// What is no longer wanted.
    pub fn orphans(&self, wanted: &[serde_json::Value]) -> Vec<Value> {
        let documents: String = wanted.iter().map(|object| format!("{object}\n---\n")).collect();
        let file = plimsoll::source::SourceFile::new("wanted.yaml", documents);
        let manifests = plimsoll::manifest::read([(file, None)]).unwrap();
        let manifests: Vec<_> = manifests.iter().collect();
        let wanted = plimsoll::cluster::wanted(&manifests, &self.cluster.api().resources(), "default", &[]).unwrap();
        self.members().orphans(&wanted)
    }

    pub fn members(&self) -> Members {
        self.cluster.run(Members::find(self.cluster.api(), &self.set)).unwrap()
    }

    pub fn prune<'a>(&'a self, lock: &'a Lock) -> Prune<'a> {
        let timeout = Duration::from_secs(5);
        Prune { api: self.cluster.api(), set: &self.set, lock: Some(lock), timeout, patience: PATIENCE }
    }

    pub fn lock(&self) -> Result<Lock, Error> {
        self.cluster.run(Lock::acquire(self.cluster.api(), &self.set))
    }
}

pub fn connect(server: &Server, user: &str) -> Cluster {
    let request_timeout = Some(Duration::from_secs(10));
    let target = Target { kubeconfig: Some(server.kubeconfig(user)), context: None, request_timeout };
    Cluster::connect(&target).unwrap()
}

pub fn value(object: &serde_json::Value) -> Value {
    json::parse(&object.to_string(), Numbers::Exact).unwrap()
}

pub fn names(objects: &[Value]) -> Vec<String> {
    objects.iter().map(|object| reference(object).to_string()).collect()
}

pub fn config_map(namespace: &str, name: &str) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}})
}

/// An object of a kind that Helm's order does not know, and that a finalizer holds.
pub fn held(namespace: &str) -> serde_json::Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "held", "namespace": namespace, "finalizers": ["example.com/hold"]},
        "addressType": "IPv4",
        "endpoints": [],
    })
}

pub fn parent(server: &Server, namespace: &str, release: &str) -> serde_json::Value {
    server.get(&format!("/api/v1/namespaces/{namespace}/configmaps/plimsoll-{release}")).body
}

#[test]
fn kubectl_and_plimsoll_give_a_set_the_same_id_and_refuse_each_others() {
    let server = Server::shared();
    let namespace = server.namespace("applyset-peers");
    let object = config_map(&namespace, "settings").to_string();
    let apply = |set: &str| {
        let set = format!("--applyset=configmaps/{set}");
        kubectl(server, &["apply", "-n", &namespace, "--server-side", "--prune", &set, "-f", "-"], &object)
    };

    // What kubectl writes on a parent of this name is what plimsoll looks for, but for the tool.
    let run = apply("plimsoll-web");
    assert_eq!(run.status, 0, "{}", run.stderr);
    let theirs = parent(server, &namespace, "web");
    let cluster = connect(server, ADMIN);
    let read = |release: &str| cluster.run(ApplySet::read(cluster.api(), release, &namespace));
    let error = read("web").unwrap_err();
    assert!(error.message.contains(r#"is managed by "kubectl", not by plimsoll"#), "{error}");
    server.patch(
        &format!("/api/v1/namespaces/{namespace}/configmaps/plimsoll-web"),
        &json!({"metadata": {"annotations": {"applyset.kubernetes.io/tooling": "plimsoll/v0.0.1"}}}),
    );
    let set = read("web").unwrap();
    assert_eq!(theirs["metadata"]["labels"]["applyset.kubernetes.io/id"], set.label().1);
    let members = cluster.run(Members::find(cluster.api(), &set)).unwrap();
    assert!(members.objects.is_empty(), "kubectl has applied it, not plimsoll: {:?}", names(&members.objects));

    // And the other way round.
    let mut release = Release::new(server, &namespace, "shop");
    release.apply(&[config_map(&namespace, "shop")]);
    let run = apply("plimsoll-shop");
    assert_ne!(run.status, 0);
    assert!(run.stderr.contains(r#"is managed by tooling "plimsoll" instead of "kubectl""#), "{}", run.stderr);
    let ours = parent(server, &namespace, "shop");
    for (kind, keys) in [
        ("labels", ["applyset.kubernetes.io/id"].as_slice()),
        (
            "annotations",
            &[
                "applyset.kubernetes.io/tooling",
                "applyset.kubernetes.io/contains-group-kinds",
                "applyset.kubernetes.io/additional-namespaces",
            ],
        ),
    ] {
        for key in keys {
            assert!(ours["metadata"][kind][key].is_string() && theirs["metadata"][kind][key].is_string(), "{key}");
        }
    }
    let annotations = &ours["metadata"]["annotations"];
    assert_eq!(annotations["applyset.kubernetes.io/contains-group-kinds"], "ConfigMap");
    assert_eq!(annotations["applyset.kubernetes.io/additional-namespaces"], "");

    // With the tool's name changed, kubectl takes the parent as its own would be: it prunes what plimsoll has applied.
    server.patch(
        &format!("/api/v1/namespaces/{namespace}/configmaps/plimsoll-shop"),
        &json!({"metadata": {"annotations": {"applyset.kubernetes.io/tooling": "kubectl/v0.0.1"}}}),
    );
    let other = config_map(&namespace, "other").to_string();
    let args =
        ["apply", "-n", &namespace, "--server-side", "--prune", "--applyset=configmaps/plimsoll-shop", "-f", "-"];
    let run = kubectl(server, &args, &other);
    assert_eq!(run.stdout, "configmap/other serverside-applied\nconfigmap/shop pruned\n", "{}", run.stderr);
}

#[test]
fn a_parent_that_no_tool_has_written_so_is_refused() {
    let server = Server::shared();
    let namespace = server.namespace("applyset-malformed");
    let cluster = connect(server, ADMIN);
    let id = cluster.run(ApplySet::read(cluster.api(), "web", &namespace)).unwrap().label().1.to_owned();
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let kinds = "applyset.kubernetes.io/contains-group-kinds";
    let namespaces = "applyset.kubernetes.io/additional-namespaces";
    let many = (0..501).map(|index| format!("ns-{index}")).collect::<Vec<_>>().join(",");
    let good = json!({"applyset.kubernetes.io/tooling": "plimsoll/v0.1.0", kinds: "ConfigMap"});
    let with = |key: &str, value: serde_json::Value| {
        let mut annotations = good.clone();
        annotations[key] = value;
        annotations
    };
    let cases = [
        (json!({}), id.as_str(), "has no annotation applyset.kubernetes.io/tooling"),
        (with("applyset.kubernetes.io/tooling", json!("helm/v4")), &id, r#"is managed by "helm", not by plimsoll"#),
        (with("applyset.kubernetes.io/tooling", json!("a/plimsoll/v4")), &id, r#"is managed by "a/plimsoll""#),
        (good.clone(), "applyset-x-v1", r#"has the label applyset.kubernetes.io/id of another: "applyset-x-v1", not "#),
        (
            json!({"applyset.kubernetes.io/tooling": "plimsoll/v1"}),
            &id,
            "has no annotation applyset.kubernetes.io/contains-group-kinds",
        ),
        (with(kinds, json!("ConfigMap,")), &id, r#""" is no kind (Deployment.apps)"#),
        (with(kinds, json!("../secrets")), &id, r#""../secrets" is no kind"#),
        (with(kinds, json!("Deployment.")), &id, r#""Deployment." is no kind"#),
        (with(namespaces, json!("a,B")), &id, r#""B" is no name of a namespace"#),
        (with(namespaces, json!("a,,b")), &id, r#""" is no name of a namespace"#),
        (with(namespaces, json!(many)), &id, "more than 500 items"),
    ];
    for (annotations, id, expected) in cases {
        let metadata =
            json!({"name": "plimsoll-web", "annotations": annotations, "labels": {"applyset.kubernetes.io/id": id}});
        server.post(&path, &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}));
        let error = cluster.run(ApplySet::read(cluster.api(), "web", &namespace)).unwrap_err();
        assert!(error.message.contains(expected), "{expected}: {error}");
        assert!(error.is_taken() && error.help.is_some());
        server.delete(&format!("{path}/plimsoll-web"));
    }
}

#[test]
fn the_parent_covers_what_is_and_what_comes_until_all_is_done() {
    let server = Server::shared();
    let namespace = server.namespace("applyset-flow");
    let elsewhere = server.namespace("applyset-flow-other");
    let mut release = Release::new(server, &namespace, "web");
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": elsewhere}, "spec": {"ports": [{"port": 80}]}});
    release.apply(&[config_map(&namespace, "a"), service]);
    let job = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "job", "namespace": namespace}});
    let extent = Extent::of(&[reference(&value(&job))]);
    release.cluster.run(release.set.widen(release.cluster.api(), &extent)).unwrap();
    let listed = || {
        let annotations = parent(server, &namespace, "web")["metadata"]["annotations"].clone();
        let text = |key: &str| annotations[format!("applyset.kubernetes.io/{key}")].as_str().unwrap().to_owned();
        [text("contains-group-kinds"), text("additional-namespaces"), text("tooling")]
    };
    let tooling = concat!("plimsoll/v", env!("CARGO_PKG_VERSION"));
    assert_eq!(listed(), ["ConfigMap,CronJob.batch,Service", elsewhere.as_str(), tooling]);
    let version = || parent(server, &namespace, "web")["metadata"]["resourceVersion"].clone();
    release.cluster.run(release.set.narrow(release.cluster.api(), &extent)).unwrap();
    assert_eq!(listed(), ["CronJob.batch", "", tooling]);
    // Nothing is written where nothing changes.
    let before = version();
    release.cluster.run(release.set.widen(release.cluster.api(), &extent)).unwrap();
    assert_eq!(version(), before);
    let managers = parent(server, &namespace, "web")["metadata"]["managedFields"].clone();
    assert_eq!(managers[0]["manager"], "plimsoll-applyset");
    assert_eq!(managers.as_array().unwrap().len(), 1);
}

#[test]
fn a_parent_that_others_have_changed_meanwhile_is_not_overwritten() {
    let server = Server::shared();
    let namespace = server.namespace("applyset-race");
    let mut first = Release::new(server, &namespace, "web");
    first.apply(&[config_map(&namespace, "a")]);
    let mut second = Release::new(server, &namespace, "web");
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/plimsoll-web");
    // What is not ours does not matter.
    server.patch(&path, &json!({"metadata": {"annotations": {"backup": "yes"}}}));
    first.apply(&[json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b", "namespace": namespace}})]);
    let job = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "job", "namespace": namespace}});
    let extent = Extent::of(&[reference(&value(&job))]);
    let error = second.cluster.run(second.set.widen(second.cluster.api(), &extent)).unwrap_err();
    assert!(error.is_taken() && error.message.contains("somebody else has changed ConfigMap"), "{error}");
    let parent = parent(server, &namespace, "web");
    assert_eq!(parent["metadata"]["annotations"]["applyset.kubernetes.io/contains-group-kinds"], "ConfigMap,Secret");
    assert_eq!(parent["metadata"]["annotations"]["backup"], "yes");
}

#[test]
fn an_object_of_another_release_is_refused_and_its_release_is_named() {
    let server = Server::shared();
    let namespace = server.namespace("applyset-other");
    let mut shop = Release::new(server, &namespace, "shop");
    shop.apply(&[config_map(&namespace, "settings")]);
    let web = Release::new(server, &namespace, "web");
    let live = value(&server.get(&format!("/api/v1/namespaces/{namespace}/configmaps/settings")).body);
    let live = shop.members().objects.into_iter().next().unwrap_or(live);
    let error = web.cluster.run(web.set.check_member(web.cluster.api(), &live)).unwrap_err();
    assert_eq!(
        error.message,
        format!(
            "ConfigMap {namespace}/settings belongs to the release shop in the namespace {namespace}, not to the release web"
        )
    );
    shop.cluster.run(shop.set.check_member(shop.cluster.api(), &live)).unwrap();
    // Where the parent is not found, the id must do.
    server.delete(&format!("/api/v1/namespaces/{namespace}/configmaps/plimsoll-shop"));
    let error = web.cluster.run(web.set.check_member(web.cluster.api(), &live)).unwrap_err();
    assert!(error.message.contains(&format!("belongs to another set, {}", shop.set.label().1)), "{error}");

    let own = |name: &str| ObjectRef {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        namespace: Some(namespace.clone()),
        name: name.into(),
    };
    web.set.check_names(&[own("plimsoll-shop")]).unwrap();
    let error = web.set.check_names(&[own("settings"), own("plimsoll-web")]).unwrap_err();
    assert!(error.message.contains("/plimsoll-web is where plimsoll keeps what belongs to the release web"), "{error}");
}
