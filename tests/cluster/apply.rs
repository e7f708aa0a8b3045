//! Objects are applied in the order in which they need each other, and no further than the first failure.

use plimsoll::cluster::normal;
use serde_json::{Value, json};

use crate::applying::{Applying, predicted, told};
use crate::kubectl::kubectl;
use crate::server::Server;

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'web:1', ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {a: b}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {password: hunter2}
";

/// Everything in a namespace that a test may have made, by its path, with its resource version.
fn versions(server: &Server, namespace: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in ["api/v1", "apis/apps/v1"] {
        for plural in ["configmaps", "secrets", "services", "deployments"] {
            let list = server.get(&format!("/{folder}/namespaces/{namespace}/{plural}")).body;
            for item in list["items"].as_array().into_iter().flatten() {
                let text = |field: &str| item["metadata"][field].as_str().unwrap().to_owned();
                all.push((format!("{plural}/{}", text("name")), text("resourceVersion")));
            }
        }
    }
    all
}

#[test]
fn kinds_follow_helms_order_and_a_second_apply_changes_nothing() {
    let server = Server::shared();
    let namespace = server.namespace("order");
    let applying = Applying::new(server, &namespace);
    let (wanted, applied, events) = applying.apply_checked(WEB, |seen| Err(format!("{seen:?}")));
    let order = ["Secret", "ConfigMap", "Service", "Deployment"].map(|kind| format!("{kind} {namespace}/web: created"));
    assert_eq!(told(&wanted, &applied), order.join("\n") + "\n");
    assert_eq!(events, order);

    let before = versions(server, &namespace);
    assert_eq!(before.len(), 4);
    let dry_runs = applying.dry_run(&wanted).unwrap();
    assert!(dry_runs.iter().all(|dry_run| dry_run.live.is_some()));
    assert!(dry_runs.iter().all(|dry_run| dry_run.live.as_ref().map(normal) == dry_run.stored().map(normal)));
    assert_eq!(applying.apply(WEB).matches(": unchanged").count(), 4);
    assert_eq!(versions(server, &namespace), before);

    let next = WEB.replace("web:1", "web:2");
    let told = applying.apply(&next);
    assert!(told.contains(&format!("Deployment {namespace}/web: configured")), "{told}");
    assert_eq!(told.matches(": unchanged").count(), 3, "{told}");
}

#[test]
fn fields_that_are_no_longer_wanted_go_and_those_of_others_stay() {
    let server = Server::shared();
    let namespace = server.namespace("fields");
    let applying = Applying::new(server, &namespace);
    let map = |data: &str| format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {data}}}");
    let secret = |data: &str| format!("{{apiVersion: v1, kind: Secret, metadata: {{name: a}}, stringData: {data}}}");
    applying.apply(&secret("{a: '1', b: '2'}"));
    applying.apply(&secret("{a: '1'}"));
    let data = &server.get(&format!("/api/v1/namespaces/{namespace}/secrets/a")).body["data"];
    assert_eq!(*data, json!({"a": "MQ=="}));

    applying.apply(&map("{a: '1', b: '2'}"));
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/a");
    server.patch(&path, &json!({"data": {"c": "3"}}));
    assert_eq!(applying.apply(&map("{a: '1'}")), format!("ConfigMap {namespace}/a: configured\n"));
    assert_eq!(server.get(&path).body["data"], json!({"a": "1", "c": "3"}));
}

/// A CRD of a group of its own, with a field of a type.
pub fn definition(group: &str, field: &str) -> String {
    format!(
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, properties: {{{field}}}}}}}}}}}
"
    )
}

#[test]
fn crds_and_namespaces_come_with_what_needs_them() {
    let server = Server::shared();
    let namespace = server.namespace("crd");
    let (group, new) = (format!("{namespace}.example.com"), format!("{namespace}-new"));
    let widget =
        |spec: &str| format!("\n---\n{{apiVersion: {group}/v1, kind: Widget, metadata: {{name: a}}, spec: {spec}}}\n");
    let rest = format!(
        "---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a, namespace: {new}}}}}\n---\n{{apiVersion: v1, kind: \
         Namespace, metadata: {{name: {new}}}}}\n---\n"
    );
    let text = format!("{}{rest}{}", widget("{size: 1}"), definition(&group, "size: {type: integer}"));
    let applying = Applying::new(server, &namespace);
    let dry_runs = applying.dry_run(&applying.wanted(&text).unwrap()).unwrap();
    let expected = [
        "stored".to_owned(),
        "stored".to_owned(),
        format!("later than Namespace {new}"),
        format!("later than CustomResourceDefinition widgets.{group}"),
    ];
    assert_eq!(dry_runs.iter().map(predicted).collect::<Vec<_>>(), expected);

    let mut seen_later = Vec::new();
    let (wanted, applied, events) = applying.apply_checked(&text, |seen| {
        // Nothing but what they need is there yet.
        let path = format!("/api/v1/namespaces/{new}/configmaps/a");
        assert_eq!(server.get(&path).status, 404);
        seen_later.extend(seen.iter().map(|(index, dry_run)| (*index, predicted(dry_run))));
        Ok(())
    });
    assert_eq!(seen_later, [(2, "stored".to_owned()), (3, "stored".to_owned())]);
    assert!(applied.stopped.is_none(), "{}", told(&wanted, &applied));
    let crd = format!("CustomResourceDefinition widgets.{group}");
    assert_eq!(
        events,
        [
            format!("Namespace {new}: created"),
            format!("{crd}: created"),
            format!("{crd}: waiting"),
            format!("ConfigMap {new}/a: created"),
            format!("Widget {namespace}/a: created"),
        ]
    );
    assert_eq!(applying.apply(&text).matches("unchanged").count(), 4);

    // A field that only the new CRD has.
    let definition = definition(&group, "size: {type: integer}, colour: {type: string}");
    let text = widget("{size: 1, colour: red}") + "---" + &definition;
    let told = applying.apply(&text);
    assert_eq!(told, format!("{crd}: configured\nWidget {namespace}/a: configured\n"));
    server.delete(&format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}"));
}

#[test]
fn what_is_refused_at_its_turn_is_not_applied() {
    let server = Server::shared();
    let namespace = server.namespace("turn");
    let new = format!("{namespace}-new");
    let text = format!(
        "{{apiVersion: v1, kind: Namespace, metadata: {{name: {new}}}}}
---
{{apiVersion: v1, kind: ConfigMap, metadata: {{name: here}}}}
---
{{apiVersion: v1, kind: ConfigMap, metadata: {{name: there, namespace: {new}}}}}
"
    );
    let applying = Applying::new(server, &namespace);
    let (wanted, applied, _) = applying.apply_checked(&text, |_| Err("no".to_owned()));
    let expected = format!(
        "Namespace {new}: created\nConfigMap {namespace}/here: not tried\nConfigMap {new}/there: not tried\nstopped: \
         Refused(\"no\")\n"
    );
    assert_eq!(told(&wanted, &applied), expected);
}

#[test]
fn conflicts_are_told_field_by_field_and_forced_only_on_request() {
    let server = Server::shared();
    let namespace = server.namespace("conflict");
    let mut applying = Applying::new(server, &namespace);
    // Of `stringData` the server keeps no owner.
    let theirs = WEB.replace("stringData: {password: hunter2}", "data: {password: aHVudGVyMg==}");
    for (args, stdin) in [
        (&["apply", "--server-side", "--field-manager=them", "-f", "-"][..], theirs.as_str()),
        (&["scale", "deployment", "web", "--replicas=5"], ""),
    ] {
        let run = kubectl(server, &[&["--namespace", &namespace], args].concat(), stdin);
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
    let text = WEB.replace("web:1", "web:2").replace("hunter2", "hunter3");
    let wanted = applying.wanted(&text).unwrap();
    let dry_runs = applying.dry_run(&wanted).unwrap();
    let mut found = Vec::new();
    for (one, dry_run) in wanted.iter().zip(&dry_runs) {
        if let plimsoll::cluster::Predicted::Conflicts(conflicts) = &dry_run.predicted {
            for conflict in conflicts {
                let owner = &conflict.owner;
                // Of `scale` the server tells no time.
                assert_eq!(owner.time.is_none(), owner.subresource == "scale", "{owner}");
                let owner = format!("{} {} {}", owner.manager, owner.operation, owner.subresource);
                let values = [&conflict.live, &conflict.wanted]
                    .map(|value| plimsoll::json::to_json(value.as_ref().unwrap()).unwrap());
                found.push(format!(
                    "{} {}: {} ({})",
                    one.reference.kind,
                    conflict.field,
                    values.join(" → "),
                    owner.trim()
                ));
            }
        }
    }
    found.sort();
    assert_eq!(
        found,
        [
            "Deployment spec.replicas: 5 → 2 (kubectl Update scale)",
            "Deployment spec.template.spec.containers[name=web].image: \"web:1\" → \"web:2\" (them Apply)",
            "Secret data.password: \"***\" → \"***\" (them Apply)",
        ]
    );
    // What is the same is no conflict, and nothing is applied after one.
    let told = applying.apply(&text);
    assert!(told.starts_with(&format!("Secret {namespace}/web: conflicts over data.password\n")), "{told}");
    assert!(told.ends_with("stopped: Failed\n"), "{told}");
    assert_eq!(
        server.get(&format!("/apis/apps/v1/namespaces/{namespace}/deployments/web")).body["spec"]["replicas"],
        5
    );

    applying.options.force = true;
    assert!(!applying.apply(&text).contains("stopped"));
    let web = server.get(&format!("/apis/apps/v1/namespaces/{namespace}/deployments/web")).body;
    assert_eq!(web["spec"]["replicas"], 2);
    let managers: Vec<&Value> = web["metadata"]["managedFields"].as_array().unwrap().iter().collect();
    assert!(managers.iter().any(|entry| entry["manager"] == "plimsoll"), "{managers:?}");
}

#[test]
fn all_that_would_fail_is_known_before_anything_is_sent() {
    let server = Server::shared();
    let namespace = server.namespace("invalid");
    let applying = Applying::new(server, &namespace);
    let text = "
{apiVersion: v1, kind: ConfigMap, metadata: {name: good}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: Bad}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: lost, namespace: nowhere}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: misspelt}, dta: {}}
";
    let wanted = applying.wanted(text).unwrap();
    let told: Vec<String> = applying.dry_run(&wanted).unwrap().iter().map(predicted).collect();
    assert_eq!(told[0], "stored");
    for (told, part) in
        told[1..].iter().zip(["RFC 1123 subdomain", "namespaces \"nowhere\" not found", "field not declared"])
    {
        assert!(told.starts_with("refused: ") && told.contains(part), "{told}");
    }
    // Nothing of it is there.
    assert!(versions(server, &namespace).is_empty());
}

#[test]
fn objects_that_nobody_could_apply_are_told_with_their_places() {
    let server = Server::shared();
    let applying = Applying::new(server, "default");
    let text = "
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}}
---
{apiVersion: v1, kind: Pod, metadata: {generateName: a-}}
---
{apiVersion: v1, kind: Pod, metadata: {}}
---
{apiVersion: v1, kind: Confgmap, metadata: {name: a}}
---
{apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: a}}
---
{apiVersion: example.com/v1, kind: Widget, metadata: {name: a}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: b, managedFields: [{manager: x}]}}
";
    let faults = applying.wanted(text).unwrap_err();
    let told: Vec<String> = faults
        .iter()
        .map(|fault| {
            let places: Vec<_> = fault.labels.iter().map(|(place, text)| (place.position().line, text)).collect();
            format!("{} {places:?} {}", fault.message, fault.help.as_deref().unwrap_or_default())
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    ConfigMap default/a is there twice [(4, "this"), (2, "the first one")] 
    ConfigMap default/b has metadata.managedFields [(16, "this")] it is what a server says of an object, not what is wanted: take it out
    a Pod has a generateName, but no name [(6, "this")] each apply would make another object: give it a name, or make it a hook
    a Pod has no name [(8, "this")] set metadata.name
    Ingress default/a is of a kind that the server does not have: extensions/v1beta1 Ingress [(12, "this")] the server has Ingress of networking.k8s.io/v1
    Confgmap default/a is of a kind that the server does not have: v1 Confgmap [(10, "this")] v1 has ConfigMap
    Widget default/a is of a kind that the server does not have: example.com/v1 Widget [(14, "this")] install what defines it first, or add its CRD to the manifests
    "#);
}

#[test]
fn whoever_may_not_is_told_so_for_each_object() {
    let server = Server::shared();
    let namespace = server.namespace("forbidden");
    server.allow("alice", Some(&namespace), &[""], &["configmaps"], &["get", "create", "patch"]);
    let applying = Applying::by(server, "alice", &namespace);
    let wanted = applying.wanted(WEB).unwrap();
    let told: Vec<String> = applying.dry_run(&wanted).unwrap().iter().map(predicted).collect();
    for told in [&told[0], &told[2], &told[3]] {
        assert!(told.contains("is forbidden: User \"alice\" cannot"), "{told}");
    }
    assert_eq!(told[1], "stored");
}

#[test]
fn a_quota_stops_the_apply_and_tells_what_was_applied() {
    let server = Server::shared();
    let namespace = server.namespace("quota");
    let hard = json!({"count/secrets": "1"});
    let quota =
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": hard}});
    let folder = format!("/api/v1/namespaces/{namespace}/resourcequotas");
    server.post(&folder, &quota);
    // The controller's part.
    server.patch(&format!("{folder}/few/status"), &json!({"status": {"hard": hard, "used": {"count/secrets": "0"}}}));
    let secret = |name: &str| format!("---\n{{apiVersion: v1, kind: Secret, metadata: {{name: {name}}}}}\n");
    let text =
        format!("{}{}{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}}}\n", secret("a"), secret("b") + "---\n");
    let applying = Applying::new(server, &namespace);
    // Each alone has room: only in earnest are they too many.
    let told = applying.apply(&text);
    assert_eq!(told.matches(": created").count(), 1, "{told}");
    assert!(told.contains("exceeded quota: few"), "{told}");
    assert!(told.ends_with(&format!("ConfigMap {namespace}/a: not tried\nstopped: Failed\n")), "{told}");
}

#[test]
fn a_binding_waits_for_its_role() {
    let server = Server::shared();
    let namespace = server.namespace("binding");
    let rbac = ["rbac.authorization.k8s.io"];
    let all = ["get", "create", "patch"];
    server.allow("bob", Some(&namespace), &rbac, &["roles", "rolebindings"], &all);
    server.allow("bob", Some(&namespace), &[""], &["configmaps"], &all);
    let text = "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}
subjects: [{kind: User, name: carol, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: a}
rules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]
";
    let applying = Applying::by(server, "bob", &namespace);
    let wanted = applying.wanted(text).unwrap();
    let told: Vec<String> = applying.dry_run(&wanted).unwrap().iter().map(predicted).collect();
    assert_eq!(told, ["stored".to_owned(), format!("later than Role {namespace}/a")]);
    let told = applying.apply(text);
    assert_eq!(told, format!("Role {namespace}/a: created\nRoleBinding {namespace}/a: created\n"));
}
