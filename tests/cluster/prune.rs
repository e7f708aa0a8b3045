//! Deleting what a release no longer has.

use std::time::{Duration, Instant};

use plimsoll::cluster::prune::{Kept, Outcome, Prune};
use plimsoll::cluster::{ApplySet, Cluster, Members, reference};
use serde_json::json;

use super::applyset::{Release, config_map, connect, held, names, value};
use super::server::{ADMIN, Server};

#[test]
fn an_orphan_goes_and_nothing_else() {
    let server = Server::shared();
    let namespace = server.namespace("prune");
    let elsewhere = server.namespace("prune-other");
    let mut release = Release::new(server, &namespace, "web");
    let cluster_role = |name: &str| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": format!("{namespace}-{name}")}});
    release.apply(&[
        config_map(&namespace, "wanted"),
        config_map(&namespace, "orphan"),
        config_map(&elsewhere, "orphan"),
        cluster_role("wanted"),
        cluster_role("orphan"),
    ]);
    let mut other = Release::new(server, &namespace, "other");
    other.apply(&[config_map(&namespace, "others")]);
    server.post(&format!("/api/v1/namespaces/{namespace}/configmaps"), &config_map(&namespace, "nobodys"));
    // A controller copies labels to what it makes, as that of Endpoints does.
    let mut copied = config_map(&namespace, "copied");
    copied["metadata"]["labels"] = json!({"applyset.kubernetes.io/part-of": release.set.label().1});
    server.post(&format!("/api/v1/namespaces/{namespace}/configmaps"), &copied);

    // A cluster-scoped object is written as if it had the namespace of the release.
    let orphans = release.orphans(&[config_map(&namespace, "wanted"), cluster_role("wanted")]);
    let (own, others) = (format!("ConfigMap {namespace}/orphan"), format!("ConfigMap {elsewhere}/orphan"));
    let role = format!("ClusterRole {namespace}-orphan");
    assert_eq!(names(&orphans), [own.as_str(), &others, &role]);

    let lock = release.lock().unwrap();
    let mut told = Vec::new();
    let mut tell = |object: &plimsoll::finding::ObjectRef, _: &Outcome| told.push(object.to_string());
    let dry = Prune { lock: None, ..release.prune(&lock) };
    let pruned = release.cluster.run(dry.delete(&orphans, &mut tell));
    assert!(pruned.is_done());
    assert_eq!(names(&release.orphans(&[config_map(&namespace, "wanted"), cluster_role("wanted")])).len(), 3);

    let pruned = release.cluster.run(release.prune(&lock).delete(&orphans, &mut tell));
    assert!(pruned.is_done() && pruned.left().next().is_none(), "{pruned:?}");
    assert_eq!(told[..3], [role.clone(), own.clone(), others.clone()], "the reverse of the install order");
    let mut now = told.split_off(3);
    now.sort();
    assert_eq!(now, [role, own, others]);
    let left = server.get(&format!("/api/v1/namespaces/{namespace}/configmaps")).body;
    let left: Vec<&str> =
        left["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(left, ["copied", "nobodys", "others", "plimsoll-other", "plimsoll-web", "wanted"]);
    assert_eq!(server.get(&format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{namespace}-wanted")).status, 200);
}

#[test]
fn what_would_take_more_with_it_stays() {
    let server = Server::shared();
    let namespace = server.namespace("prune-kept");
    let mut release = Release::new(server, &namespace, "web");
    let group = format!("{namespace}.example.com");
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("boats.{group}")},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "boats", "singular": "boat", "kind": "Boat", "listKind": "BoatList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
        },
    });
    let inner = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": format!("{namespace}-inner")}});
    let mut kept = config_map(&namespace, "kept");
    kept["metadata"]["annotations"] = json!({"helm.sh/resource-policy": " Keep"});
    let mut owned = config_map(&namespace, "owned");
    owned["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "1", "controller": true}]);
    release.apply(&[definition, inner, kept, owned]);
    let lock = release.lock().unwrap();
    let orphans = release.orphans(&[]);
    let pruned = release.cluster.run(release.prune(&lock).delete(&orphans, &mut |_, _| {}));
    assert!(pruned.is_done());
    let kept: Vec<(String, Kept)> = pruned
        .outcomes
        .iter()
        .map(|(object, outcome)| match outcome {
            Outcome::Kept(kept) => (object.to_string(), *kept),
            other => panic!("{object}: {other:?}"),
        })
        .collect();
    let expected = [
        (format!("CustomResourceDefinition boats.{group}"), Kept::Definition),
        (format!("ConfigMap {namespace}/kept"), Kept::Policy),
        (format!("ConfigMap {namespace}/owned"), Kept::Owned),
        (format!("Namespace {namespace}-inner"), Kept::Namespace),
    ];
    assert_eq!(kept, expected);
    assert_eq!(pruned.left().count(), 4, "they stay members");
}

#[test]
fn a_custom_resource_is_gone_before_what_serves_its_finalizer_goes() {
    let server = Server::shared();
    let namespace = server.namespace("prune-waves");
    let mut release = Release::new(server, &namespace, "web");
    let slice = held(&namespace);
    release.apply(&[slice, config_map(&namespace, "operator")]);
    let lock = release.lock().unwrap();
    let members = release.members().objects;
    let short = Prune { timeout: Duration::from_millis(400), ..release.prune(&lock) };
    let pruned = release.cluster.run(short.delete(&members, &mut |_, _| {}));
    assert!(!pruned.is_done());
    let [(_, Outcome::Going), (_, Outcome::NotTried)] = pruned.outcomes.as_slice() else { panic!("{pruned:?}") };
    assert_eq!(pruned.left().count(), 2);
    let why = pruned.not_gone.unwrap().to_string();
    assert!(why.contains(&format!("EndpointSlice {namespace}/held")) && why.contains("example.com/hold"), "{why}");
    assert!(release.orphans(&[config_map(&namespace, "operator")]).is_empty(), "it is going already");

    // Whoever set the finalizer takes it away.
    let path = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices/held");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            server.patch(&path, &json!({"metadata": {"finalizers": []}}));
        });
        let pruned = release.cluster.run(release.prune(&lock).delete(&members, &mut |_, _| {}));
        assert!(pruned.is_done(), "{pruned:?}");
    });
    assert!(release.members().objects.is_empty());
}

#[test]
fn an_object_that_was_made_anew_is_not_the_one_that_was_seen() {
    let server = Server::shared();
    let namespace = server.namespace("prune-anew");
    let mut release = Release::new(server, &namespace, "web");
    release.apply(&[config_map(&namespace, "a")]);
    let lock = release.lock().unwrap();
    let seen = release.members().objects;
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    server.delete(&format!("{path}/a"));
    server.post(&path, &config_map(&namespace, "a"));
    let pruned = release.cluster.run(release.prune(&lock).delete(&seen, &mut |_, _| {}));
    let [(_, Outcome::Failed(error))] = pruned.outcomes.as_slice() else { panic!("{pruned:?}") };
    assert!(error.message.contains("UID"), "{error}");
    assert_eq!(server.get(&format!("{path}/a")).status, 200);
    // One that is gone is as good as deleted.
    server.delete(&format!("{path}/a"));
    let pruned = release.cluster.run(release.prune(&lock).delete(&seen, &mut |_, _| {}));
    assert!(pruned.is_done());
}

#[test]
fn kinds_that_the_server_no_longer_has_are_told_and_lists_that_are_not_allowed_are_errors() {
    let server = Server::shared();
    let namespace = server.namespace("prune-gone");
    let mut release = Release::new(server, &namespace, "web");
    release.apply(&[config_map(&namespace, "a")]);
    let boat =
        json!({"apiVersion": "gone.example.com/v1", "kind": "Boat", "metadata": {"name": "b", "namespace": namespace}});
    let extent = plimsoll::cluster::Extent::of(&[reference(&value(&boat))]);
    release.cluster.run(release.set.widen(release.cluster.api(), &extent)).unwrap();
    let members = release.members();
    assert_eq!(members.gone.iter().map(ToString::to_string).collect::<Vec<_>>(), ["Boat.gone.example.com"]);
    assert_eq!(members.objects.len(), 1);

    // Somebody who may read the parent, but not the members.
    let user = "carol";
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": namespace}});
    release.apply(&[secret]);
    server.allow(user, Some(&namespace), &[""], &["configmaps"], &["get", "list"]);
    let cluster: Cluster = connect(server, user);
    let start = Instant::now();
    let error = loop {
        // A role takes a moment to count.
        match cluster.run(async {
            let set = ApplySet::read(cluster.api(), "web", &namespace).await?;
            Members::find(cluster.api(), &set).await
        }) {
            Err(error) if error.message.contains("secrets") || start.elapsed() > Duration::from_secs(5) => break error,
            _ => std::thread::sleep(Duration::from_millis(100)),
        }
    };
    assert!(error.message.contains(r#"cannot list resource "secrets""#), "{error}");
    let _ = connect(server, ADMIN);
}
