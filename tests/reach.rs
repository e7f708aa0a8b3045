//! Who can read which Secret: every case of tests/fixtures/reach, what is printed, and how the effort grows.

mod common;

use std::fs;
use std::time::{Duration, Instant};

use common::{folder, plimsoll, root, snapshots};
use plimsoll::policy::reach::{Error, Graph, Member, words};
use plimsoll::value::Value;
use plimsoll::yaml;

fn parse(text: &str) -> Value {
    yaml::parse(text, yaml::Options { strict: true, ..Default::default() }).unwrap()
}

fn graph(objects: &[Value]) -> Result<Graph<'_>, Error> {
    Graph::new(&[Member { name: "r", namespace: "ns", objects }])
}

/// The edges in words, and what is not known.
fn told(objects: &[Value]) -> Vec<String> {
    let graph = graph(objects).unwrap();
    let edges = graph.edges().iter().map(|edge| {
        let keys =
            if edge.target.keys.is_empty() { String::new() } else { format!(" [{}]", edge.target.keys.join(" ")) };
        let (who, target) = (words::who(&graph, edge.who), words::target(&edge.target));
        format!("{who} {} {target}{keys} via {}", edge.action.name(), edge.via.name())
    });
    let unknown = graph.unknown().iter().map(|unknown| format!("unknown {} {}", unknown.kind, unknown.name));
    edges.chain(unknown).collect()
}

#[test]
fn every_way_is_found_and_no_other() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for file in fs::read_dir(root().join("tests/fixtures/reach")).unwrap() {
        let fixture = parse(&fs::read_to_string(file.unwrap().path()).unwrap());
        for case in fixture.get("cases").and_then(Value::as_list).unwrap() {
            let list = |key: &str| case.get(key).and_then(Value::as_list).unwrap();
            let mut wanted: Vec<String> = list("edges").iter().map(|edge| edge.as_str().unwrap().to_owned()).collect();
            let mut found = told(list("objects"));
            wanted.sort();
            found.sort();
            if wanted != found {
                wrong.push(format!("{:?}\n  wanted {wanted:#?}\n  got {found:#?}", case.get("name")));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 50, "{count} cases");
}

/// Evidence that leads nowhere would be none: each field is there, or is what is missing beside what is there.
#[test]
fn evidence_is_where_it_says() {
    for file in fs::read_dir(root().join("tests/fixtures/reach")).unwrap() {
        let fixture = parse(&fs::read_to_string(file.unwrap().path()).unwrap());
        for case in fixture.get("cases").and_then(Value::as_list).unwrap() {
            let graph = graph(case.get("objects").and_then(Value::as_list).unwrap()).unwrap();
            for edge in graph.edges() {
                let evidence = graph.evidence(edge);
                assert!(!evidence.is_empty(), "{:?}", case.get("name"));
                for field in evidence {
                    let (object, path) = (graph.objects()[field.object].value, field.path());
                    let is_there = object.follow(&path).is_some() || object.follow(&path.parent().unwrap()).is_some();
                    assert!(is_there, "{path} of {object:?}");
                }
            }
        }
    }
}

#[test]
fn what_no_server_takes_is_no_graph() {
    for (object, message) in [
        (
            "{apiVersion: v1, kind: Pod, spec: {containers: {a: b}}}",
            "spec.containers must be a list, not of type object",
        ),
        (
            "{apiVersion: v1, kind: Pod, spec: {containers: [{env: [{valueFrom: {secretKeyRef: {name: 1}}}]}]}}",
            "spec.containers[0].env[0].valueFrom.secretKeyRef.name must be a text, not of type number",
        ),
        (
            "{apiVersion: v1, kind: Pod, spec: {automountServiceAccountToken: 'no'}}",
            "spec.automountServiceAccountToken must be true or false, not of type string",
        ),
        ("{apiVersion: v1, kind: Pod, spec: [a]}", "spec must be a map, not of type array"),
    ] {
        let objects = [parse(object)];
        assert_eq!(graph(&objects).err().unwrap().to_string(), message);
    }
}

fn tenant(index: usize, namespace: &str) -> Vec<Value> {
    let text = format!(
        "[{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: ide-{index}, namespace: {namespace}}}}},
        {{apiVersion: v1, kind: Secret, metadata: {{name: key-{index}, namespace: {namespace}}}}},
        {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: ide-{index}, namespace: {namespace}}}, spec: {{template: {{spec: {{
            serviceAccountName: ide-{index}, containers: [{{name: ide, envFrom: [{{secretRef: {{name: key-{index}}}}}]}}]}}}}}}}},
        {{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: ide-{index}, namespace: {namespace}}}, rules: [
            {{apiGroups: [batch], resources: [jobs], verbs: [create]}},
            {{apiGroups: [''], resources: [pods/exec, serviceaccounts/token], verbs: [create]}},
            {{apiGroups: [''], resources: [secrets], verbs: [get, update], resourceNames: [key-{index}]}}]}},
        {{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: ide-{index}, namespace: {namespace}}},
            roleRef: {{kind: Role, name: ide-{index}}}, subjects: [{{kind: ServiceAccount, name: ide-{index}}}]}}]"
    );
    parse(&text).as_list().unwrap().to_vec()
}

/// In one namespace everybody becomes everybody: what is reached as a whole must stay one edge.
#[test]
fn the_effort_grows_with_the_objects() {
    for shared in [false, true] {
        let fleet = |count: usize| -> Vec<Vec<Value>> {
            let namespace = |index: usize| if shared { "shared".to_owned() } else { format!("tenant-{index}") };
            (0..count).map(|index| tenant(index, &namespace(index))).collect()
        };
        let edges = |tenants: &[Vec<Value>]| {
            let members: Vec<Member<'_>> =
                tenants.iter().map(|objects| Member { name: "t", namespace: "n", objects }).collect();
            Graph::new(&members).unwrap().edges().len()
        };
        let (few, many) = (fleet(100), fleet(1000));
        let start = Instant::now();
        assert_eq!(edges(&many), 10 * edges(&few), "shared: {shared}");
        assert!(start.elapsed() < Duration::from_secs(30), "shared: {shared}");
    }
}

/// Who multiplies rights is told so, and soon.
#[test]
fn what_multiplies_is_refused() {
    let accounts: Vec<String> = (0..1200).map(|index| format!("{{kind: ServiceAccount, name: a{index}}}")).collect();
    let names: Vec<String> = (0..1200).map(|index| format!("s{index}")).collect();
    let text = format!(
        "[{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: r}}, rules: [
            {{apiGroups: [''], resources: [secrets], verbs: [get], resourceNames: [{}]}}]}},
        {{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: r}},
            roleRef: {{kind: Role, name: r}}, subjects: [{}]}}]",
        names.join(","),
        accounts.join(",")
    );
    let objects = parse(&text);
    assert!(matches!(graph(objects.as_list().unwrap()), Err(Error::TooLarge { .. })));
}

const RELEASE: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: '<b>&"', namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      serviceAccountName: web
      imagePullSecrets: [{name: registry}]
      containers:
      - name: app
        envFrom: [{secretRef: {name: '<b>&"'}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web, namespace: shop}
rules:
- {apiGroups: [batch], resources: [jobs], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, namespace: shop}
roleRef: {kind: Role, name: web}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}, {kind: Group, name: "a\e[2J"}]
"#;

fn printed(args: &[&str]) -> String {
    let dir = folder(&[("release.yaml", RELEASE)]);
    let run = plimsoll(dir.path(), &[&["policy", "reach", "release.yaml"], args].concat(), "");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    run.stdout
}

#[test]
fn every_format_is_as_it_was() {
    for format in ["text", "json", "dot", "svg"] {
        let text = printed(&["--format", format]);
        assert!(!text.contains('\u{1b}'), "{format} steers a terminal");
        snapshots("reach").bind(|| insta::assert_snapshot!(format, text));
    }
    snapshots("reach")
        .bind(|| insta::assert_snapshot!("filtered", printed(&["--secret", "shop/registry", "--who", "web"])));
}

#[test]
fn json_follows_its_schema() {
    let schema = serde_json::from_str(include_str!("../schemas/reach.schema.json")).unwrap();
    let document = serde_json::from_str(&printed(&["--format", "json"])).unwrap();
    jsonschema::draft202012::new(&schema).unwrap().validate(&document).unwrap();
}
