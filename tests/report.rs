//! What findings and faults look like.

mod common;

use plimsoll::finding::{Exempted, Failed, Fault, Finding, ObjectRef, Place, Report, Setter, Severity, ValuesKey};
use plimsoll::report::{self, Format, Style};
use plimsoll::source::{Location, SourceFile, Span};
use plimsoll::value::Path;

fn at(name: &str, text: &str, part: &str) -> Location {
    let start = text.find(part).unwrap();
    Location::new(SourceFile::new(name, text), Span::new(start, start + part.len()))
}

fn ingress() -> ObjectRef {
    ObjectRef {
        api_version: "networking.k8s.io/v1".into(),
        kind: "Ingress".into(),
        namespace: Some("alice".into()),
        name: "workspace".into(),
    }
}

fn example() -> Report {
    let template = "metadata:\n  annotations:\n    auth-type: {{ values.ingress.auth.type }}\nspec: {}\n";
    let rendered = "metadata:\n  annotations:\n    auth-type: none\nspec: {}\n";
    let finding = Finding {
        policy: "workspace/anonymous-access".into(),
        severity: Severity::Error,
        message: "anyone may enter, and may write".into(),
        release: None,
        object: Some(ingress()),
        places: vec![Place {
            object: ingress(),
            field: Path::default().key("metadata").key("annotations").key("auth-type"),
            named: "metadata.annotations.auth-type".into(),
            rendered: at("workspace/templates/ingress.yaml.j2 (rendered)", rendered, "auth-type: none"),
            template: vec![at("workspace/templates/ingress.yaml.j2", template, "{{ values.ingress.auth.type }}")],
        }],
        values: vec![
            ValuesKey {
                path: Path::default().key("ingress").key("auth").key("type"),
                set_by: Some(Setter::File(at("alice.yaml", "ingress:\n  auth:\n    type: none\n", "type: none"))),
            },
            ValuesKey {
                path: Path::default().key("readOnly"),
                set_by: Some(Setter::Flag("--set readOnly=false".into())),
            },
        ],
        configured: None,
        exemption: None,
        is_known: false,
        rationale: "Without authentication everyone who finds the address works in this workspace.".into(),
        remediation: "Set ingress.auth.type to basic or oauth2, or readOnly to true.".into(),
    };
    let warning = Finding {
        severity: Severity::Warning,
        policy: "workspace/read-only-mode".into(),
        object: None,
        places: Vec::new(),
        values: Vec::new(),
        ..finding.clone()
    };
    let exempted = Finding {
        message: "anyone may enter,\nand \u{1b}[2Jread".into(),
        exemption: Some(Exempted {
            reason: "a demo that holds nothing".into(),
            owner: Some("platform".into()),
            expires: Some("2026-12-31".into()),
            place: at("plimsoll.yaml", "exemptions:\n- policy: workspace/*\n", "policy"),
        }),
        ..warning.clone()
    };
    let unused = Finding {
        policy: "exemptions/unused".into(),
        message: "no finding needs the exemption from workspace/*".into(),
        configured: Some(at("plimsoll.yaml", "exemptions:\n- policy: workspace/*\n", "policy")),
        ..warning.clone()
    };
    Report {
        findings: vec![finding, exempted, warning, unused],
        objects: 3,
        policies: 10,
        profiles: vec!["default".into()],
        warnings: Vec::new(),
        ..Report::default()
    }
}

fn print(format: Format, style: Style) -> String {
    let mut out = Vec::new();
    report::write(&example(), format, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn text() {
    common::snapshots("report").bind(|| insta::assert_snapshot!("text", print(Format::Text, Style::Plain)));
}

#[test]
fn markdown() {
    let failed = Failed {
        release: "bob/workspace".into(),
        faults: vec![
            Fault::new("workspace/templates/a.yaml:1:4: function \"toYml\" not defined").help("did you mean toYaml?"),
        ],
    };
    let known = Finding { is_known: true, release: Some("alice/workspace".into()), ..example().findings.remove(0) };
    let other = Finding { release: Some("cara/workspace".into()), ..known.clone() };
    let mut findings = example().findings;
    findings.extend([known, other]);
    let report = Report { failed: vec![failed], releases: Some(3), findings, ..example() };
    let mut out = Vec::new();
    report::write(&report, Format::Markdown, Style::Plain, &mut out).unwrap();
    let clean = Report { findings: Vec::new(), ..example() };
    report::write(&clean, Format::Markdown, Style::Plain, &mut out).unwrap();
    common::snapshots("report").bind(|| insta::assert_snapshot!("markdown", String::from_utf8(out).unwrap()));
}

#[test]
fn colours_change_nothing_but_escape_sequences() {
    let coloured = print(Format::Text, Style::Coloured);
    assert!(coloured.contains("\u{1b}["));
    let plain = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(&coloured, "").into_owned();
    assert_eq!(plain, print(Format::Text, Style::Plain));
}

#[test]
fn json_follows_its_schema() {
    let schema = serde_json::from_str(include_str!("../schemas/findings.schema.json")).unwrap();
    let document = serde_json::from_str(&print(Format::Json, Style::Plain)).unwrap();
    jsonschema::draft202012::new(&schema).unwrap().validate(&document).unwrap();
    common::snapshots("report").bind(|| insta::assert_snapshot!("json", print(Format::Json, Style::Plain)));
}

#[test]
fn faults_show_their_places_and_the_way_out() {
    let text = "kind: [\n";
    let fault = Fault::new("YAML parse error on c/templates/a.yaml: line 1\nsecond line")
        .label(at("c/templates/a.yaml", text, "["), "here")
        .help("close the bracket");
    let mut out = Vec::new();
    report::write_faults(&[fault, Fault::new("no place")], Style::Plain, &mut out).unwrap();
    common::snapshots("report").bind(|| insta::assert_snapshot!("faults", String::from_utf8(out).unwrap()));
}
