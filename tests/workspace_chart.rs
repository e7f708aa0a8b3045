//! charts/workspace: every example renders to YAML, fits the schema, and each line of it leads to its template.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll::chart::{self, Capabilities, Chart, File, HelmVersion, KubeVersion, values_file};
use plimsoll::render::functions::Host;
use plimsoll::render::jinja::{Engine, Scope, Template};
use plimsoll::render::{Release, RenderedFile};
use plimsoll::source::SourceFile;
use plimsoll::value::Value;

struct Fixed;

impl Host for Fixed {
    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }

    fn now(&mut self) -> (i64, u32) {
        (1_700_000_000, 0)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/workspace")
}

fn examples() -> Vec<(String, Value)> {
    let folders = [root().join("examples"), root().join("examples/wrong")];
    let mut examples: Vec<_> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.strip_prefix(root().join("examples")).unwrap().display().to_string();
            let source = SourceFile::new(name.clone(), fs::read_to_string(path).unwrap());
            (name, values_file::read(&source).unwrap())
        })
        .collect();
    examples.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(examples.len(), 9);
    examples
}

fn render(chart: &Chart, values: &Value) -> Vec<RenderedFile> {
    let templates: Vec<Template> = chart
        .templates
        .iter()
        .map(|file| Template { name: format!("workspace/{}", file.name), source: file.source().unwrap().clone() })
        .collect();
    let files: Arc<[File]> = chart.files.clone();
    let scope = Scope {
        values,
        release: &Release { name: "alice".into(), namespace: "workspace-alice".into(), revision: 1, is_upgrade: false },
        chart: &chart.metadata,
        capabilities: &Capabilities {
            kube_version: KubeVersion {
                version: "v1.35.0".into(),
                normalized: "v1.35.0".into(),
                major: "1".into(),
                minor: "35".into(),
            },
            api_versions: Vec::new(),
            helm_version: HelmVersion {
                version: String::new(),
                git_commit: String::new(),
                git_tree_state: String::new(),
                go_version: String::new(),
                kube_client_version: String::new(),
            },
        },
        files: &files,
        host: &|| Box::new(Fixed),
    };
    Engine::new(&templates).and_then(|engine| engine.render(&scope, true)).unwrap_or_else(|error| panic!("{error}"))
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(text) => (**text).into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(map) => map.iter().map(|(key, value)| (key.to_string(), json(value))).collect(),
    }
}

/// Every object with the line at which it begins.
fn objects(text: &str) -> Vec<Value> {
    let options = plimsoll::yaml::Options { strict: true, ..Default::default() };
    let documents = plimsoll::yaml::parse_stream(text, options).unwrap_or_else(|error| panic!("{error}\n{text}"));
    documents.into_iter().map(|document| document.value).filter(|value| !matches!(value, Value::Null)).collect()
}

#[test]
fn every_example_renders_and_leads_back() {
    let chart = chart::load(&root()).unwrap();
    for (name, example) in examples() {
        let values = values_file::merge(&chart.values, &example);
        for file in render(&chart, &values).iter().filter(|file| !file.name.ends_with(".txt.j2")) {
            let map = file.map.as_ref().unwrap();
            for object in objects(&file.text) {
                assert!(
                    object.get("kind").is_some() && object.at(["metadata", "name"]).is_some(),
                    "{name}: {}",
                    file.name
                );
                assert_eq!(object.at(["metadata", "namespace"]).and_then(Value::as_str), Some("workspace-alice"));
            }
            let mut start = 0;
            for line in file.text.split_inclusive('\n') {
                let first = start + (line.len() - line.trim_start().len());
                start += line.len();
                if line.trim().is_empty() {
                    continue;
                }
                let at = &map.origin(first).unwrap().chain[0];
                let written = at.file.line_span(at.position().line).unwrap();
                let written = at.file.text[written.start..written.end].trim();
                if !written.contains('{') {
                    assert_eq!(written, line.trim(), "{name}: {at}");
                }
            }
        }
    }
}

#[test]
fn every_example_fits_the_schema() {
    let chart = chart::load(&root()).unwrap();
    let schema = fs::read_to_string(root().join("values.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    for (name, example) in examples().into_iter().chain([("defaults".to_owned(), Value::Map(Arc::default()))]) {
        let values = json(&values_file::merge(&chart.values, &example));
        let errors: Vec<String> =
            schema.iter_errors(&values).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, [""; 0], "{name}");
    }
}

/// The line of a rendered file, the values keys behind it and the conditions around it.
fn traced(example: &str, template: &str, line: &str) -> (String, Vec<String>, Vec<String>) {
    let chart = chart::load(&root()).unwrap();
    let values = examples().into_iter().find(|(name, _)| name == example).unwrap().1;
    let files = render(&chart, &values_file::merge(&chart.values, &values));
    let file = files.iter().find(|file| file.name.ends_with(template)).unwrap();
    let start = file.text.find(line).unwrap_or_else(|| panic!("no {line:?} in\n{}", file.text));
    let origin = file.map.as_ref().unwrap().origin(start + line.len() - 1).unwrap();
    let at = &origin.chain[0];
    let span = at.file.line_span(at.position().line).unwrap();
    let paths = |paths: &[plimsoll::value::Path]| paths.iter().map(ToString::to_string).collect();
    (at.file.text[span.start..span.end].trim().to_owned(), paths(origin.keys), paths(origin.guards))
}

#[test]
fn what_policies_refuse_leads_to_the_key_that_did_it() {
    let (line, _, guards) = traced("wrong/privileged-sidecar.yaml", "deployment.yaml.j2", "privileged: true");
    assert_eq!((line.as_str(), guards), ("privileged: true", vec!["build.mode".into(), "dind.enabled".into()]));

    let (line, keys, _) = traced("wrong/anonymous-access.yaml", "deployment.yaml.j2", "value: \"none\"");
    assert_eq!(
        (line.as_str(), keys),
        ("value: {{ values.ingress.auth.type | quote }}", vec!["ingress.auth.type".into()])
    );

    let (_, keys, _) = traced(
        "wrong/internal-hooks.yaml",
        "deployment.yaml.j2",
        "ALLOW_INTERNAL_HOOKS\n              value: \"true\"",
    );
    assert_eq!(keys, ["hooks.allowInternal"]);

    let (_, keys, guards) = traced("wrong/egress.yaml", "networkpolicy.yaml.j2", "cidr: \"0.0.0.0/0\"");
    assert_eq!(keys, ["networkPolicy.egress.allowed[0]"]);
    assert_eq!(guards, ["networkPolicy.egress.allowed", "networkPolicy.egress.enabled"]);

    let (_, keys, _) = traced("alice.yaml", "deployment.yaml.j2", "value: \"vim\"");
    assert_eq!(keys, ["user.env.EDITOR"]);

    let (_, keys, _) = traced("alice.yaml", "deployment.yaml.j2", "memory: 4Gi");
    assert_eq!(keys, ["resources.limits.memory"]);
}
