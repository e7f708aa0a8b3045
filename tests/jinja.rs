//! The native dialect: every file in `tests/fixtures/jinja` is a chart's templates and values, and has a snapshot.
//!
//! A fixture begins with the values as JSON; each `=== NAME` begins a template, or a file where NAME is not below
//! `templates/`. The snapshot shows each rendered line with the template line, the values keys and the conditions that
//! its source map leads to, or the error.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use plimsoll::chart::{Capabilities, Content, File, HelmVersion, KubeVersion, Metadata};
use plimsoll::render::functions::Host;
use plimsoll::render::jinja::{Engine, Error, Scope, Template};
use plimsoll::render::{Release, RenderedFile};
use plimsoll::source::{Location, SourceFile, SourceMap};
use plimsoll::value::{Map, Value};

struct Fixed;

impl Host for Fixed {
    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }

    fn now(&mut self) -> (i64, u32) {
        (1_700_000_000, 0)
    }
}

/// JSON as a values file: numbers are floats.
fn values(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::Number(number) => number.as_f64().unwrap().into(),
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(items) => items.iter().map(values).collect::<Vec<_>>().into(),
        serde_json::Value::Object(map) => {
            map.iter().map(|(key, value)| (key.as_str(), values(value))).collect::<Map>().into()
        }
    }
}

fn render(fixture: &str, trace: bool) -> Result<Vec<RenderedFile>, Error> {
    let mut sections = fixture.split("=== ");
    let values = values(&serde_json::from_str(sections.next().unwrap()).unwrap());
    let mut templates = Vec::new();
    let mut files = Vec::new();
    for section in sections {
        let (name, text) = section.split_once('\n').unwrap();
        let source = SourceFile::new(format!("c/{name}"), text);
        if name.starts_with("templates/") {
            templates.push(Template { name: source.name.clone(), source });
        } else {
            files.push(File { name: name.into(), content: Content::Text(source) });
        }
    }
    Engine::new(&templates)?.render(
        &Scope {
            values: &values,
            release: &Release { name: "alice".into(), namespace: "ws".into(), revision: 1, is_upgrade: false },
            chart: &Metadata {
                name: "c".into(),
                version: "1.2.3".into(),
                app_version: "4".into(),
                ..Metadata::default()
            },
            capabilities: &Capabilities {
                kube_version: KubeVersion {
                    version: "v1.35.0".into(),
                    normalized: "v1.35.0".into(),
                    major: "1".into(),
                    minor: "35".into(),
                },
                api_versions: vec!["v1".into(), "apps/v1".into()],
                helm_version: HelmVersion {
                    version: "v4.1.4".into(),
                    git_commit: String::new(),
                    git_tree_state: String::new(),
                    go_version: String::new(),
                    kube_client_version: String::new(),
                },
            },
            files: &files.into(),
            host: &|| Box::new(Fixed),
        },
        trace,
    )
}

fn fixtures() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/jinja");
    let mut fixtures: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()))
        .collect();
    fixtures.sort();
    fixtures
}

fn list<T: ToString>(label: &str, items: &[T]) -> String {
    if items.is_empty() {
        return String::new();
    }
    format!("  {label} {}", items.iter().map(T::to_string).collect::<Vec<_>>().join(" "))
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line.trim_end_matches('\n'))
    })
}

/// The byte of a line that its origin is asked for: the first that is no space.
fn first_byte(start: usize, line: &str) -> usize {
    start + (line.len() - line.trim_start().len())
}

fn place(location: &Location) -> String {
    location.to_string().trim_start_matches("c/templates/").to_owned()
}

fn shown(files: &[RenderedFile]) -> String {
    let mut text = String::new();
    for RenderedFile { name, text: rendered, map } in files {
        writeln!(text, "--- {name}").unwrap();
        for (start, line) in lines(rendered) {
            writeln!(text, "{line}").unwrap();
            // What a line shows is in its last byte: `key: {{ value }}`.
            let last = first_byte(start, line).max((start + line.len()).saturating_sub(1));
            if let (false, Some(origin)) = (line.trim().is_empty(), map.as_ref().and_then(|map| map.origin(last))) {
                let chain: Vec<String> = origin.chain.iter().map(place).collect();
                let (keys, guards) = (list("keys", origin.keys), list("if", origin.guards));
                writeln!(text, "{:40}# {}{keys}{guards}", "", chain.join(" < ")).unwrap();
            }
        }
    }
    text
}

#[test]
fn fixtures_render_as_their_snapshots_say() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/jinja"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, fixture) in fixtures() {
        let shown = match render(&fixture, true) {
            Ok(files) => shown(&files),
            Err(error) => format!("error: {error}\n"),
        };
        settings.bind(|| insta::assert_snapshot!(name, shown));
    }
}

#[test]
fn a_map_changes_no_byte() {
    for (name, fixture) in fixtures() {
        match (render(&fixture, true), render(&fixture, false)) {
            (Ok(with), Ok(without)) => {
                for (with, without) in with.iter().zip(&without) {
                    assert_eq!(with.text, without.text, "{name}");
                    assert!(with.map.is_some() && without.map.is_none());
                }
            }
            (Err(with), Err(without)) => assert_eq!(with.to_string(), without.to_string()),
            _ => panic!("{name} depends on tracing"),
        }
    }
}

/// A rendered line without printed values stands in the template as it is, at the line that the map names.
#[test]
fn literal_lines_lead_to_the_same_text() {
    let mut checked = 0;
    for (name, fixture) in fixtures() {
        for RenderedFile { text, map, .. } in render(&fixture, true).unwrap_or_default() {
            let map: SourceMap = map.unwrap();
            for (start, line) in lines(&text).filter(|(_, line)| !line.trim().is_empty()) {
                let origin = map.origin(first_byte(start, line)).unwrap();
                let at = &origin.chain[0];
                // Not where trim marks drew several lines together.
                let end = &map.origin(start + line.trim_end().len() - 1).unwrap().chain[0];
                if end.position().line != at.position().line {
                    continue;
                }
                let written = at.file.line_span(at.position().line).unwrap();
                let written = &at.file.text[written.start..written.end];
                if !written.contains(['{', '}']) {
                    assert_eq!(written.trim(), line.trim(), "{name}: {at}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 10, "only {checked} literal lines");
}

#[test]
fn an_engine_serves_many_releases() {
    let source = SourceFile::new("t.j2", "{{ values.n }}");
    let engine = Engine::new(&[Template { name: "c/templates/t.j2".into(), source }]).unwrap();
    let files: Arc<[File]> = [].into();
    for n in 0..3 {
        let values: Value = [("n", Value::Int(n))].into_iter().collect::<Map>().into();
        let release = Release { name: "r".into(), namespace: "n".into(), revision: 1, is_upgrade: false };
        let capabilities = Capabilities {
            kube_version: KubeVersion {
                version: String::new(),
                normalized: String::new(),
                major: String::new(),
                minor: String::new(),
            },
            api_versions: Vec::new(),
            helm_version: HelmVersion {
                version: String::new(),
                git_commit: String::new(),
                git_tree_state: String::new(),
                go_version: String::new(),
                kube_client_version: String::new(),
            },
        };
        let scope = Scope {
            values: &values,
            release: &release,
            chart: &Metadata::default(),
            capabilities: &capabilities,
            files: &files,
            host: &|| Box::new(Fixed),
        };
        assert_eq!(engine.render(&scope, false).unwrap()[0].text, n.to_string());
    }
}

/// What a hostile template may try ends as an error, soon.
#[test]
fn hostile_templates_end() {
    let nested = format!("{{{{ {}1{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
    let blocks = "{% if true %}".repeat(10_000);
    let hostile = [
        ("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}", "too long"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "too deeply"),
        ("{% include 'x.yaml.j2' %}", "too deeply"),
        ("{% extends 'x.yaml.j2' %}", "cycle"),
        ("{% from 'x.yaml.j2' import f %}{{ f() }}", "too deeply"),
        (
            "{% set n = namespace(x=[]) %}{% for i in range(100000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x | toJson }}",
            "too deep for",
        ),
        (
            "{% set n = namespace(x={}) %}{% for i in range(100000) %}{% set n.x = {'a': n.x} %}{% endfor %}{{ n.x | toYaml }}",
            "too deep for",
        ),
        ("{% for i in range(100000) %}{{ 'x' * 10000 }}{% endfor %}", "output is too large"),
        (
            "{% set n = namespace(x='x') %}{% for i in range(64) %}{% set t %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = t %}{% endfor %}",
            "output is too large",
        ),
        ("{{ repeat(1000000000, 'x') }}", "larger than"),
        ("{{ until(1000000000) }}", "larger than"),
        (&nested, "recursion limits"),
        (&blocks, "recursion limits"),
    ];
    for (template, reason) in hostile {
        let error = render(&format!("{{}}\n=== templates/x.yaml.j2\n{template}"), true).unwrap_err().to_string();
        assert!(error.contains(reason) && error.len() < 1000, "{error}");
    }
}
