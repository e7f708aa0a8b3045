//! charts/workspace: what its examples render to, what is found in them, and that each line leads to its template.

mod common;

use std::fs;
use std::sync::Arc;

use common::{Run, plimsoll, root, snapshots};
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

/// Every example, by its path below examples/ without `.yaml`.
fn examples() -> Vec<String> {
    let folder = root().join("charts/workspace/examples");
    let mut examples: Vec<String> = ["", "warned", "wrong"]
        .iter()
        .flat_map(|part| fs::read_dir(folder.join(part)).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.is_file())
        .map(|path| path.strip_prefix(&folder).unwrap().with_extension("").display().to_string())
        .collect();
    examples.sort();
    examples
}

fn path(example: &str) -> String {
    format!("charts/workspace/examples/{example}.yaml")
}

fn values(example: &str) -> Value {
    let source = SourceFile::new(path(example), fs::read_to_string(root().join(path(example))).unwrap());
    values_file::read(&source).unwrap()
}

/// Runs `render alice charts/workspace` with an example.
fn run(example: &str, args: &[&str]) -> Run {
    let file = path(example);
    let all = [&["render", "alice", "charts/workspace", "-n", "workspace-alice", "-f", &file], args].concat();
    plimsoll(root(), &all, "")
}

fn snapshot(name: &str, text: &str) {
    snapshots("workspace").bind(|| insta::assert_snapshot!(name.replace('/', "-"), text));
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

fn objects(text: &str) -> Vec<Value> {
    let options = plimsoll::yaml::Options { strict: true, ..Default::default() };
    let documents = plimsoll::yaml::parse_stream(text, options).unwrap_or_else(|error| panic!("{error}\n{text}"));
    documents.into_iter().map(|document| document.value).filter(|value| !matches!(value, Value::Null)).collect()
}

#[test]
fn every_example_renders_and_leads_back() {
    let chart = chart::load(&root().join("charts/workspace")).unwrap();
    for name in examples() {
        let values = values_file::merge(&chart.values, &values(&name));
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
fn every_example_renders_to_its_manifests() {
    let all = examples();
    assert_eq!(all.len(), 10, "{all:?}");
    for example in all {
        let run = run(&example, &[]);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{example}");
        snapshot(&format!("{example}-manifests"), &run.stdout);
    }
}

#[test]
fn examples_are_clean_warned_of_or_refused() {
    for example in examples() {
        let run = run(&example, &["--check"]);
        match example.split_once('/') {
            None => assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{example}: {}", run.stdout),
            Some((folder, name)) => {
                let severity = if folder == "wrong" { "error" } else { "warning" };
                let text = run.stdout + &run.stderr;
                assert_eq!(run.status, i32::from(folder == "wrong"), "{example}: {text}");
                let own = format!("{severity}[workspace/{name}]");
                for line in text.lines().filter(|line| line.starts_with("error[") || line.starts_with("warning[")) {
                    // What lets a sidecar be privileged is against Pod Security too.
                    let too = name == "privileged-sidecar" && line == "error[pod-security/privileged]";
                    assert!(line == own || too, "{example}: {line}");
                }
                assert!(text.contains(&own), "{example}");
                snapshot(name, &text);
            }
        }
    }
}

/// What a finding must name: a line of a template, and the key in the example that is to blame.
const NAMED: [(&str, &str, &str, &str); 6] = [
    ("wrong/privileged-sidecar", "deployment.yaml.j2", "privileged: true", "dind.enabled"),
    (
        "wrong/anonymous-access",
        "deployment.yaml.j2",
        "value: {{ values.ingress.auth.type | quote }}",
        "ingress.auth.type",
    ),
    (
        "wrong/internal-hooks",
        "deployment.yaml.j2",
        "value: {{ values.hooks.allowInternal | quote }}",
        "hooks.allowInternal",
    ),
    ("wrong/trusted-proxy", "ingress.yaml.j2", "annotations:", "ingress.stripAuthHeaders"),
    ("wrong/egress", "networkpolicy.yaml.j2", "except:", "networkPolicy.egress.denied"),
    ("warned/read-only-mode", "deployment.yaml.j2", "value: {{ values.readOnly | quote }}", "readOnly"),
];

/// The line and column, from 1, of the first line that begins with a text.
fn place(file: &str, line: &str) -> (u64, u64) {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let (index, found) = text.lines().enumerate().find(|(_, l)| l.trim().starts_with(line)).unwrap();
    (index as u64 + 1, (found.len() - found.trim_start().len()) as u64 + 1)
}

#[test]
fn findings_name_the_line_and_the_key_that_did_it() {
    for (example, template, line, key) in NAMED {
        let run = run(example, &["--check", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let is = |place: &serde_json::Value, file: &str, (line, column): (u64, u64)| {
            *place == serde_json::json!({"file": file, "line": line, "column": column})
        };
        let own = format!("workspace/{}", example.rsplit('/').next().unwrap());
        let findings: Vec<_> = report["findings"].as_array().unwrap().iter().filter(|f| f["policy"] == own).collect();
        assert!(!findings.is_empty(), "{example}");
        for finding in findings {
            let template = format!("charts/workspace/templates/{template}");
            let places = finding["places"].as_array().unwrap();
            let found = places.iter().any(|at| is(&at["template"][0], &template, place(&template, line)));
            assert!(found, "{example}: {places:?}");
            let first = &finding["values"][0];
            assert_eq!(first["path"], key, "{example}");
            let last = format!("{}:", key.rsplit('.').next().unwrap());
            assert!(is(&first["place"], &path(example), place(&path(example), &last)), "{example}: {first}");
        }
    }
}

/// Every way to sign in with every way to strip headers: only `none` is refused, and only where headers are believed.
#[test]
fn identity_headers_are_believed_only_where_they_are_stripped() {
    for example in ["alice", "oauth2", "public-demo"] {
        for strip in ["auto", "snippet", "controller", "none"] {
            for trusted in [true, false] {
                let (strip_is, trusted_is) =
                    (format!("ingress.stripAuthHeaders={strip}"), format!("trustedProxy={trusted}"));
                let run = run(example, &["--check", "--set", &strip_is, "--set", &trusted_is]);
                let refused = strip == "none" && trusted;
                assert_eq!(run.status, i32::from(refused), "{example} {strip} {trusted}: {}", run.stdout + &run.stderr);
            }
        }
        let manifests = run(example, &[]).stdout;
        let believes = manifests.contains("- name: TRUSTED_PROXY\n              value: \"true\"");
        assert_eq!(believes, example == "oauth2", "{example}");
    }
}

/// The chart and the policy know the same headers: without any one of them, the policy fires.
#[test]
fn every_header_counts() {
    let manifests = run("oauth2", &[]).stdout;
    let list = manifests
        .lines()
        .find_map(|line| line.trim().strip_prefix("nginx.ingress.kubernetes.io/auth-response-headers: "));
    let list = list.unwrap();
    let headers: Vec<&str> = list.split(',').collect();
    assert_eq!(headers.len(), 12);
    let page = fs::read_to_string(root().join("charts/workspace/README.md")).unwrap();
    for header in &headers {
        assert!(page.contains(&format!("`{header}`")), "README.md does not name {header}");
        let others: Vec<&str> = headers.iter().copied().filter(|other| other != header).collect();
        let run = plimsoll(root(), &["lint", "-"], &manifests.replace(list, &others.join(",")));
        let text = run.stdout + &run.stderr;
        assert_eq!(run.status, 1, "{header}: {text}");
        assert!(text.contains(&format!("lets clients send {header} to Deployment")), "{header}: {text}");
    }
}
