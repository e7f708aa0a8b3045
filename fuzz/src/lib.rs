//! What every fuzz target does with its input. A target finds a bug where it panics, overflows its stack, hangs or
//! takes memory without bound; errors are what hostile input should give.

use std::io;
use std::path::Path;
use std::sync::LazyLock;

use plimsoll::cel::value::Val;
use plimsoll::cel::{self, Evaluation, Program};
use plimsoll::chart::{self, Capabilities, Chart, Content, File};
use plimsoll::render::host::Source;
use plimsoll::render::{Release, Scope, Templates};
use plimsoll::schema::Schemas;
use plimsoll::source::{Location, SourceFile};
use plimsoll::value::Value;
use plimsoll::values::{self, Inputs, Resolved, SchemaCheck, Supplied};
use plimsoll::yaml;

/// Parses a template and executes it in a chart that has values, helpers and files.
pub fn gotemplate(data: &[u8]) {
    static CHART: LazyLock<Resolved> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/charts/files/chart");
        let chart = chart::load(&folder).expect("the fixture can be loaded");
        let values = yaml::parse(VALUES, yaml::Options::default()).expect("it is YAML");
        let supplied = Supplied::default();
        let resolved = values::resolve(&chart, &supplied, &Capabilities::default(), SchemaCheck::Skip)
            .expect("the fixture has values");
        Resolved { values, ..resolved }
    });
    let Ok(text) = std::str::from_utf8(data) else { return };
    let template = |name: &str, text: &str| File {
        name: name.into(),
        content: Content::Text(SourceFile::new(format!("files/{name}"), text)),
    };
    let templates = [template("templates/_helpers.tpl", HELPERS), template("templates/fuzz.yaml", text)];
    let chart = Chart { templates: templates.into(), ..CHART.chart.clone() };
    let Ok(templates) = Templates::parse(&chart) else { return };
    let _ = templates.render(&Scope {
        chart: &chart,
        values: &CHART.values,
        release: &Release { name: "rel".into(), namespace: "ns".into(), revision: 1, is_upgrade: false },
        capabilities: &Capabilities::default(),
        // A find must be found again.
        source: Source::reproducible(1),
        cluster: None,
        trace: false,
    });
}

const HELPERS: &str = r#"{{- define "lib.name" -}}{{ .Values.name }}{{- end -}}
{{- define "lib.echo" -}}[{{ . }}]{{- end -}}
{{- define "lib.rec" }}{{ if gt (int .) 0 }}{{ include "lib.rec" (sub (int .) 1) }}{{ end }}x{{ end }}"#;

const VALUES: &str =
    "{name: web, empty: '', s: hello, uni: héllo, i: 3, zero: 0, f: 1.5, t: true, no: false, nul: null,
  l: [1, two, 3.5, null, {b: 1}], nums: [3, 1, 2], m: {z: 1, a: two, nest: {q: [1]}}, em: {}, multi: \"a\nb\n\",
  items: [{name: a, v: 1}, {name: b, v: 2}], global: {env: prod}, tplstr: '{{ .Values.name }}'}";

/// Reads YAML; what can be read must survive being written and read again.
pub fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = yaml::parse_stream(text, yaml::Options { strict: true, ..Default::default() });
    let Ok(value) = yaml::parse(text, yaml::Options::default()) else { return };
    let _ = yaml::to_yaml_pretty(&value);
    // As in Helm, the key "<<" is written without quotes and then read as a merge.
    if let Ok(written) = yaml::to_yaml(&value)
        && !written.contains("<<")
    {
        let again = yaml::parse(&written, yaml::Options::default()).expect("what was written can be read");
        assert_eq!(yaml::to_yaml(&again).ok(), Some(written), "writing is stable");
    }
}

/// Reads lines of `--set`, `--set-string`, `--set-json` and `--set-literal`, chosen by their first byte.
pub fn set(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut inputs = Inputs::default();
    for line in text.lines() {
        let mut chars = line.chars();
        let list = match chars.next() {
            Some('s') => &mut inputs.set_string,
            Some('j') => &mut inputs.set_json,
            Some('l') => &mut inputs.set_literal,
            Some(_) => &mut inputs.set,
            None => continue,
        };
        list.push(chars.as_str().to_owned());
    }
    let _ = Supplied::read(&inputs, &|_| Err(io::ErrorKind::NotFound.into()));
}

/// Compiles a CEL expression and evaluates it.
pub fn cel(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let scope = cel::Scope { globals: &["object", "params"], types: &[], composed: &[], joins: false };
    let Ok(program) = Program::compile(text, scope) else { return };
    let object = yaml::parse(OBJECT, yaml::Options::default()).expect("it is YAML");
    let globals = [Val::plain(&object, None), Val::plain(&Value::Null, None)];
    let _ = Evaluation::new(&globals, &[]).value(&program);
}

/// Reads a CRD, and judges the objects after it in the same stream.
pub fn crd(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(documents) = yaml::parse_stream(text, yaml::Options::default()) else { return };
    let file = SourceFile::new("crd.yaml", text);
    let mut documents = documents.into_iter();
    let Some(crd) = documents.next() else { return };
    let mut schemas = Schemas::default();
    if schemas.add_crd(&crd.value, || Location::new(file, crd.span)).is_err() {
        return;
    }
    for object in documents {
        let _ = schemas.judge(&object.value, &[]);
    }
}

const OBJECT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web, tier: front}, annotations: {}}
spec:
  replicas: 3
  template:
    spec:
      containers:
        - {name: a, image: 'registry.example.com/a:1', ports: [{containerPort: 80}], resources: {limits: {cpu: 100m, memory: 1Gi}}}
        - {name: b, image: b, securityContext: {privileged: true, runAsUser: 0}}
";
