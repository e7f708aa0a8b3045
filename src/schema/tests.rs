//! What is said of objects that are wrong.

use serde_json::{Value as Document, json};

use super::definitions::Definitions;
use super::*;
use crate::source::{SourceFile, Span};
use crate::yaml;

fn parse(text: &str) -> (Value, Vec<Path>) {
    yaml::parse_with_duplicates(text, yaml::Options::default()).unwrap()
}

/// A line for each problem: its check, where it is if the message does not begin with that, and its message.
fn lines(problems: &[Problem]) -> Vec<String> {
    let line = |problem: &Problem| {
        let Problem { check, path, message } = problem;
        let path = format!("`{path}`");
        let place = if message.starts_with(&path) { String::new() } else { format!("{path} ") };
        format!("{} {place}{message}", check.name())
    };
    problems.iter().map(line).collect()
}

fn judged(schemas: &Schemas, text: &str) -> Vec<String> {
    let (object, duplicates) = parse(text);
    lines(&schemas.judge(&object, &duplicates).unwrap())
}

#[test]
fn kubernetes_own_kinds() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nspec: {selector: {}, template: {}";
    let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: web\n    ";
    for (text, expected) in [
        (format!("{deployment}}}"), &[][..]),
        (
            format!("{deployment}, replica: 2, zzz: 1}}"),
            &[
                "unknown-field `spec.replica` is no field of a Deployment (apps/v1): did you mean `replicas`?",
                "unknown-field `spec.zzz` is no field of a Deployment (apps/v1): there are `minReadySeconds`, `paused`, \
                 `progressDeadlineSeconds`, `replicas`, `revisionHistoryLimit`, `selector`, `strategy` and `template`",
            ],
        ),
        (
            format!("{deployment}, containers: []}}\nreplicas: 1"),
            &[
                "unknown-field `replicas` is no field of a Deployment (apps/v1): `spec.replicas` is",
                "unknown-field `spec.containers` is no field of a Deployment (apps/v1): `spec.template.spec.containers` \
                 is",
            ],
        ),
        (
            format!("{pod}hostNetwork: true\n  image: x"),
            &[
                "unknown-field `spec.containers[0].hostNetwork` is no field of a Pod (v1): `spec.hostNetwork` is",
                "unknown-field `spec.image` is no field of a Pod (v1): `spec.containers[].image` is",
            ],
        ),
        (
            "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {}}".to_owned(),
            &["missing-field `spec.selector` is missing: a Deployment (apps/v1) needs it"],
        ),
        (
            format!("{deployment}, replicas: \"3\", paused: \"on\"}}"),
            &[
                "invalid-value `spec.paused` must be true or false, found the string \"on\": write it without quotes",
                "invalid-value `spec.replicas` must be an integer, found the string \"3\": write it without quotes",
            ],
        ),
        (
            format!("{deployment}, replicas: 3000000000, minReadySeconds: 1.5}}"),
            &[
                "invalid-value `spec.minReadySeconds` must be an integer, found the number 1.5",
                "invalid-value `spec.replicas` must be an integer of 32 bits, found the integer 3000000000",
            ],
        ),
        (
            format!("{pod}resources: {{limits: {{cpu: 1, memory: 1 Gi}}}}"),
            &["invalid-value `spec.containers[0].resources.limits.memory` must be a quantity such as 500m, 2 or 1Gi, \
               found the string \"1 Gi\""],
        ),
        (
            format!("{pod}resources: {{limits: {{cpu: null}}}}\n    ports:"),
            &["invalid-value `spec.containers[0].resources.limits.cpu` must be a quantity such as 500m, 2 or 1Gi, \
               found nothing (null)"],
        ),
        (
            format!("{pod}livenessProbe: {{httpGet: {{port: 1.5}}}}"),
            &[
                "invalid-value `spec.containers[0].livenessProbe.httpGet.port` must be an integer or a string, found the \
               number 1.5",
            ],
        ),
        (
            format!("{pod}env: [{{name: A, value: on}}, {{name: B, value: 0777}}, {{name: C, value: 1.10}}]"),
            &[
                "invalid-value `spec.containers[0].env[0].value` must be a string, found the boolean true: write it in \
                 quotes, for YAML reads yes, no, on and off as booleans, too",
                "invalid-value `spec.containers[0].env[1].value` must be a string, found the integer 511: write it in \
                 quotes",
                "invalid-value `spec.containers[0].env[2].value` must be a string, found the number 1.1: write it in \
                 quotes, for YAML reads 1.10 as 1.1",
            ],
        ),
        (
            format!("{pod}on: {{}}\n    command: sh\n    image: {{}}"),
            &[
                "invalid-value `spec.containers[0].command` must be a list, found the string \"sh\"",
                "invalid-value `spec.containers[0].image` must be a string, found an empty map",
                "unknown-field `spec.containers[0].true` is no field of a Pod (v1): YAML reads the keys on, off, yes, \
                 no, y and n as booleans: write it in quotes",
            ],
        ),
        (
            "apiVersion: v1\nkind: Secret\ndata: {a: hunter2}\nstringData: {b: 12345, c: true}".to_owned(),
            &[
                "invalid-value `data.a` must be text in base64, found a string",
                "invalid-value `stringData.b` must be a string, found an integer: write it in quotes",
                "invalid-value `stringData.c` must be a string, found a boolean: write it in quotes, for YAML reads \
                 yes, no, on and off as booleans, too",
            ],
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {creationTimestamp: today}\nimmutable: 1".to_owned(),
            &[
                "invalid-value `immutable` must be true or false, found the integer 1",
                "invalid-value `metadata.creationTimestamp` must be a time such as \"2026-01-31T12:00:00Z\", found the \
                 string \"today\"",
            ],
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\ndata: {a: x, a: y}\ndata: {b: 1}".to_owned(),
            &[
                "duplicate-key `data` is written more than once: the last one wins",
                "invalid-value `data.b` must be a string, found the integer 1: write it in quotes",
            ],
        ),
    ] {
        assert_eq!(judged(&Schemas::default(), &text), expected, "{text}");
    }
}

#[test]
fn heads_and_kinds() {
    for (text, expected) in [
        ("apiVersion: v1\nkind: List\nitems:", &[][..]),
        (
            "metadata: {}",
            &[
                "missing-field `apiVersion` is missing: without it nobody knows what this is",
                "missing-field `kind` is missing: without it nobody knows what this is",
            ],
        ),
        (
            "apiVersion: 1\nkind: \"\"",
            &[
                "invalid-value `apiVersion` must be a string, found the integer 1",
                "missing-field `kind` is missing: without it nobody knows what this is",
            ],
        ),
        (
            "apiVersion: apps/v2\nkind: Deployment",
            &["unknown-kind `apiVersion` Kubernetes 1.36 has no apps/v2 Deployment: its apiVersion is apps/v1"],
        ),
        (
            "apiVersion: apps/v1\nkind: deployment",
            &["unknown-kind `kind` Kubernetes 1.36 has no apps/v1 deployment: did you mean Deployment?"],
        ),
        (
            "apiVersion: v1\nkind: Deploymnet",
            &["unknown-kind `kind` Kubernetes 1.36 has no v1 Deploymnet: did you mean apps/v1 Deployment?"],
        ),
        (
            "apiVersion: example.com/v1\nkind: Widget",
            &["unknown-kind `kind` there is no schema of example.com/v1 Widget: give its CustomResourceDefinition \
               with --crds, or a folder of schemas with --schema-location"],
        ),
        (
            "apiVersion: extensions/v1beta1\nkind: Deployment\nspec: 1",
            &[
                "removed-api `apiVersion` extensions/v1beta1 Deployment is not served by Kubernetes 1.16 and later: use \
               apps/v1",
            ],
        ),
    ] {
        assert_eq!(judged(&Schemas::new(Some(Minor(36)), None), text), expected, "{text}");
    }
}

#[test]
fn the_target_adds_what_is_new_in_it() {
    let text = "apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nspec: {x: 1}";
    let found = judged(&Schemas::new(Some(Minor(31)), Some(Minor(33))), text);
    assert_eq!(found.iter().filter(|line| line.starts_with("removed-api")).count(), 1, "{found:?}");
    assert!(found.iter().any(|line| line.starts_with("unknown-field `spec.x`")), "{found:?}");
    let text = "apiVersion: v1\nkind: Pod\nspec: {containers: [], resources: {}, zzz: 1}";
    let found = judged(&Schemas::new(Some(Minor(37)), Some(Minor(30))), text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("in Kubernetes 1.30: `spec.resources` is no field of a Pod (v1)"), "{found:?}");
    assert!(found[1].starts_with("unknown-field `spec.zzz` is no field"), "{found:?}");
}

#[test]
fn versions_that_the_binary_does_not_have_are_errors() {
    let (object, _) = parse("apiVersion: v1\nkind: Pod");
    let error = Schemas::new(Some(Minor(3)), None).judge(&object, &[]).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::UnknownVersion { version: Minor(3), .. }), "{error}");
}

const CRD: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}
";

#[test]
fn custom_resources_are_held_to_their_definitions() {
    let mut schemas = Schemas::new(Some(Minor(36)), Some(Minor(37)));
    let file = SourceFile::new("crd.yaml", CRD);
    let (crd, _) = parse(CRD);
    schemas.add_crd(&crd, || Location::new(file, Span::new(0, CRD.len()))).unwrap();
    for (text, expected) in [
        ("apiVersion: example.com/v1\nkind: Widget\nspec: {size: 1}", &[][..]),
        (
            "apiVersion: example.com/v1\nkind: Widget\nspec: {size: x, siez: 1}",
            &[
                "unknown-field `spec.siez` is no field of a Widget (example.com/v1): did you mean `size`?",
                "invalid-value `spec.size` must be an integer, found the string \"x\"",
            ],
        ),
        (
            "apiVersion: example.com/v2\nkind: Widget",
            &["unknown-kind `apiVersion` there is no schema of example.com/v2 Widget: its apiVersion \
               is example.com/v1"],
        ),
        (
            "apiVersion: example.com/v1\nkind: Wigdet",
            &["unknown-kind `kind` there is no schema of example.com/v1 Wigdet: did you mean Widget?"],
        ),
    ] {
        assert_eq!(judged(&schemas, text), expected, "{text}");
    }
}

#[test]
fn the_first_place_with_a_schema_decides() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, schema: Document| std::fs::write(folder.path().join(name), schema.to_string()).unwrap();
    write("pod-v1.json", json!({ "required": ["mine"] }));
    write("broken-v1.json", json!({ "type": 3 }));
    let template = "{{.ResourceKind}}{{.KindSuffix}}.json";
    let files = || SchemaLocation::parse(template, folder.path()).unwrap();
    let judge = |version: u16, locations: Vec<SchemaLocation>, text: &str| {
        let schemas = Schemas::new(Some(Minor(version)), None).with_locations(locations);
        let (object, _) = parse(text);
        schemas.judge(&object, &[]).map(|problems| lines(&problems))
    };
    let pod = "apiVersion: v1\nkind: Pod\nspec: {containers: []}";
    let mine = ["missing-field `mine` is missing: a Pod (v1) needs it"];
    assert_eq!(judge(37, vec![files(), SchemaLocation::Default], pod).unwrap(), mine);
    assert_eq!(judge(37, vec![SchemaLocation::Default, files()], pod).unwrap(), [""; 0]);
    // The binary does not have this version.
    assert_eq!(judge(20, vec![SchemaLocation::Default, files()], pod).unwrap(), mine);
    let service = "apiVersion: v1\nkind: Service";
    assert!(judge(20, vec![SchemaLocation::Default, files()], service).is_err());
    let unknown = judge(20, vec![files()], service).unwrap();
    assert!(unknown[0].starts_with("unknown-kind `kind` there is no schema of v1 Service: "), "{unknown:?}");
    let error = judge(37, vec![files()], "apiVersion: v1\nkind: Broken").unwrap_err().to_string();
    assert!(error.contains("broken-v1.json: the schema cannot be used: at /type: "), "{error}");
}

/// What schemas of custom resources, and of folders, say beyond those of Kubernetes itself.
#[test]
fn other_schemas() {
    let name = json!({ "required": ["name"] });
    let label = json!({ "required": ["label"] });
    let shape = |kind: &str, field: &str| json!({ "properties": { "kind": { "enum": [kind] }, field: { "type": "integer" } }, "required": [field] });
    for (schema, value, expected) in [
        (
            json!({ "enum": ["Always", "Never"] }),
            "never",
            "invalid-value `a` must be `Always` or `Never`, found the string \"never\"",
        ),
        (
            json!({ "enum": [1, true, null] }),
            "2",
            "invalid-value `a` must be `1`, `true` or `null`, found the integer 2",
        ),
        (json!({ "pattern": "^[a-z]+$" }), "A1", "invalid-value `a` must match `^[a-z]+$`, found the string \"A1\""),
        (json!({ "minimum": 1 }), "0", "invalid-value `a` must be at least 1, found the integer 0"),
        (
            json!({ "maximum": 5, "exclusiveMaximum": true }),
            "5",
            "invalid-value `a` must be less than 5, found the integer 5",
        ),
        (json!({ "multipleOf": 2 }), "5", "invalid-value `a` must be a multiple of 2, found the integer 5"),
        (json!({ "minLength": 1 }), "''", "invalid-value `a` must have at least 1 character, found an empty string"),
        (
            json!({ "maxLength": 2 }),
            "abc",
            "invalid-value `a` must have at most 2 characters, found the string \"abc\"",
        ),
        (json!({ "minItems": 1 }), "[]", "invalid-value `a` must have at least 1 item, found an empty list"),
        (json!({ "maxProperties": 1 }), "{b: 1, c: 2}", "invalid-value `a` must have at most 1 field, found a map"),
        (
            json!({ "uniqueItems": true }),
            "[1, 2, 1.0]",
            "invalid-value `a[2]` is the same as `a[0]`: each item may be there once",
        ),
        (json!({ "format": "ipv4" }), "1.2.3", "invalid-value `a` must be an IPv4 address, found the string \"1.2.3\""),
        (
            json!({ "type": ["integer", "array"] }),
            "x",
            "invalid-value `a` must be an integer or a list, found the string \"x\"",
        ),
        (
            json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] }),
            "{}",
            "invalid-value `a` must be an integer or a string, found an empty map",
        ),
        (
            json!({ "anyOf": [name, label] }),
            "{}",
            "missing-field `a.name` or `a.label` is missing: a Widget (example.com/v1) needs one of them",
        ),
        (
            json!({ "oneOf": [name, label] }),
            "{name: 1, label: 2}",
            "invalid-value `a` has `name` and `label`: only one of them may be there",
        ),
        (
            json!({ "oneOf": [{ "type": ["string", "null"] }, { "type": ["integer", "null"] }] }),
            "null",
            "invalid-value `a` must not be null: give it a value, or leave it out",
        ),
        (
            json!({ "anyOf": [shape("A", "x"), shape("B", "y")] }),
            "{kind: B}",
            "missing-field `a.y` is missing: a Widget (example.com/v1) needs it",
        ),
        (json!({ "not": { "required": ["b"] } }), "{b: 1}", "invalid-value `a` must not have `b`, found a map"),
        (
            json!({ "additionalProperties": false }),
            "{b: 1}",
            "unknown-field `a.b` is no field of a Widget (example.com/v1)",
        ),
        (
            json!({ "properties": { "name": {} }, "additionalProperties": false }),
            "{nam: 1}",
            "unknown-field `a.nam` is no field of a Widget (example.com/v1): did you mean `name`?",
        ),
        (json!({ "dependencies": { "b": ["c"] } }), "{b: 1}", "missing-field `a.c` is missing: `b` needs it"),
        (
            json!({ "anyOf": [{ "minimum": 5 }, { "multipleOf": 2 }] }),
            "1",
            "invalid-value `a` has none of the 2 forms that it may have: `a` must be at least 5, found the integer 1; or `a` must be a multiple of 2, found the integer 1",
        ),
    ] {
        let document = json!({ "properties": { "a": schema } });
        let (object, _) = parse(&format!("apiVersion: example.com/v1\nkind: Widget\na: {value}\n"));
        let problems = Validator::new(&document).unwrap().problems(&object).unwrap();
        assert_eq!(lines(&problems), [expected], "{schema}");
    }
}

#[test]
fn newer_drafts_say_more() {
    let draft = "https://json-schema.org/draft/2020-12/schema";
    for (schema, value, expected) in [
        (json!({ "const": "x" }), "z", "invalid-value `a` must be `x`, found the string \"z\""),
        (json!({ "propertyNames": { "pattern": "^a" } }), "{b: 1}", "invalid-value `a.b` the key `b` must match `^a`"),
        (json!({ "dependentRequired": { "b": ["c"] } }), "{b: 1}", "missing-field `a.c` is missing: `b` needs it"),
        (
            json!({ "contains": { "const": 1 } }),
            "[2]",
            "invalid-value `a` lacks an item that it must have, found a list",
        ),
        (json!(false), "1", "invalid-value `a` must not be there, found the integer 1"),
        (json!({ "unevaluatedProperties": false }), "{b: 1}", "unknown-field `a.b` is no field of this object"),
    ] {
        let document = json!({ "$schema": draft, "properties": { "a": schema } });
        let (object, _) = parse(&format!("a: {value}\n"));
        let problems = Validator::new(&document).unwrap().problems(&object).unwrap();
        assert_eq!(lines(&problems), [expected], "{schema}");
    }
}

#[test]
fn long_names_and_values_are_cut() {
    let document = json!({ "properties": { "a": { "type": "integer" } }, "additionalProperties": false });
    let (object, _) = parse(&format!("a: {}\n{}: 1\n", "x".repeat(5_000), "k".repeat(1_000)));
    for problem in Validator::new(&document).unwrap().problems(&object).unwrap() {
        assert!(problem.message.chars().count() < 300, "{}", problem.message);
    }
}

#[test]
fn schemas_that_cannot_be_used_are_errors() {
    let chain = |link: fn(String) -> Document| {
        let part = |at: usize| (format!("d{at}"), link(format!("#/definitions/d{}", at + 1)));
        let parts: serde_json::Map<_, _> = (0..30_000).map(part).collect();
        json!({ "$ref": "#/definitions/d0", "definitions": parts })
    };
    for (schema, expected) in [
        (json!({ "type": 3 }), "at /type: "),
        (json!({ "$ref": "https://example.com/x.json" }), "https://example.com/x.json"),
        (json!({ "$ref": "#/definitions/none" }), "none"),
        (json!({ "$schema": "https://example.com/draft" }), "https://example.com/draft"),
        (json!({ "pattern": "(" }), "("),
        (chain(|next| json!({ "properties": { "a": { "$ref": next } } })), "too deep"),
    ] {
        let error = Validator::new(&schema).unwrap_err().to_string();
        assert!(error.starts_with("the schema cannot be used: ") && error.contains(expected), "{error}");
    }
    let (object, _) = parse("a: 1");
    let twice = |at: usize| {
        let next = json!({ "$ref": format!("#/definitions/d{}", at + 1) });
        (format!("d{at}"), json!({ "allOf": [next, next] }))
    };
    let mut parts: serde_json::Map<_, _> = (0..40).map(twice).collect();
    parts.insert("d40".to_owned(), json!({ "type": "string" }));
    for schema in [json!({ "allOf": [{ "$ref": "#" }] }), json!({ "$ref": "#/definitions/d0", "definitions": parts })] {
        let error = Validator::new(&schema).and_then(|validator| validator.problems(&object)).unwrap_err();
        assert!(error.to_string().starts_with("the schema cannot be used: "), "{error}");
    }
}

#[test]
fn objects_as_deep_as_they_can_be_read_are_judged() {
    let open = "{\"not\":".repeat(200);
    let text = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  group: a\n  scope: a\n  names: \
         {{kind: a, plural: b}}\n  versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: \
         {open}{{\"typ\": 1}}{}}}}}]\n",
        "}".repeat(200)
    );
    let found = judged(&Schemas::default(), &text);
    assert_eq!(found.len(), 1, "{found:?}");
}

/// A source of numbers that are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn value(&mut self, depth: usize) -> Value {
        const KEYS: [&str; 12] = [
            "spec",
            "template",
            "containers",
            "name",
            "ports",
            "containerPort",
            "resources",
            "limits",
            "cpu",
            "env",
            "value",
            "x",
        ];
        match self.below(if depth > 6 { 7 } else { 12 }) {
            0 => Value::Null,
            1 => true.into(),
            2 => (self.below(100_000) as i64 - 50_000).into(),
            3 => Value::Float(self.below(1000) as f64 / 8.0),
            4 => Value::Float(1e300),
            5 => ["", "1", "Always", "2026-01-02T03:04:05Z", "a".repeat(100).as_str()][self.below(5)].into(),
            6 => "100m".into(),
            7 | 8 => (0..self.below(3)).map(|_| self.value(depth + 1)).collect::<Vec<_>>().into(),
            _ => (0..self.below(5))
                .map(|_| (KEYS[self.below(KEYS.len())], self.value(depth + 1)))
                .collect::<crate::value::Map>()
                .into(),
        }
    }
}

#[test]
fn there_are_problems_exactly_where_the_verdict_says_so() {
    let newest = Bundle::embedded().unwrap().newest();
    let mut random = Random(7);
    let mut valid = 0;
    for name in
        ["apps.v1.Deployment", "core.v1.Pod", "core.v1.Container", "core.v1.EnvVar", "core.v1.ResourceRequirements"]
    {
        let definitions = Definitions::of(newest).unwrap().unwrap();
        let definition = definitions.get(&format!("io.k8s.api.{name}"));
        let lazy = definition.validator().unwrap();
        for _ in 0..1_000 {
            let value = random.value(0);
            let problems = lazy.problems(&value).unwrap();
            assert_eq!(problems.is_empty(), lazy.is_valid(&value), "{value:?}");
            valid += usize::from(problems.is_empty());
        }
    }
    assert!(valid > 100, "{valid}");
}
