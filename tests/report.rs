//! What findings and faults look like, in every format.

mod common;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use clap::ValueEnum as _;
use plimsoll::finding::{
    Exempted, Failed, Fault, Finding, ObjectRef, Place, Report, Rule, Setter, Severity, ValuesKey,
};
use plimsoll::report::{self, Format, Style};
use plimsoll::source::{Location, SourceFile, Span};
use plimsoll::value::Path;
use serde_json::Value;

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

/// What linting one chart may come to.
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
    let rule = |id: &str, title: &str, severity| (id.to_owned(), Rule { title: title.into(), severity });
    Report {
        findings: vec![finding, exempted, warning, unused],
        rules: [
            rule("workspace/anonymous-access", "Nobody enters without a password", Severity::Error),
            rule("workspace/read-only-mode", "Read-only mode is for demonstrations", Severity::Info),
        ]
        .into(),
        objects: 3,
        policies: 10,
        profiles: vec!["default".into()],
        warnings: vec!["this chart is deprecated".into()],
        ..Report::default()
    }
}

/// What checking a project may come to: most releases have the same findings, some are old, some releases fail.
fn fleet() -> Report {
    let one = example();
    let of = |release: &str, finding: &Finding| {
        let of_release = |object: &ObjectRef| ObjectRef { namespace: Some(release.into()), ..object.clone() };
        let object = finding.object.as_ref().map(of_release);
        let place = |place: &Place| Place { object: of_release(&place.object), ..place.clone() };
        let places = finding.places.iter().map(place).collect();
        Finding { release: Some(format!("{release}/web")), object, places, values: Vec::new(), ..finding.clone() }
    };
    let releases = ["alice", "bob", "carol", "dave", "erin"];
    let mut findings: Vec<Finding> =
        releases.iter().flat_map(|release| one.findings[..3].iter().map(|finding| of(release, finding))).collect();
    findings[0].is_known = true;
    let broken = Fault::new("web/templates/a.yaml:1:4: function \"nope\" not defined")
        .label(at("charts/web/templates/a.yaml", "a: {{ nope }}\n", "nope"), "here")
        .help("define it in a file whose name begins with _");
    let failed = |release: &str, faults: &[Fault]| Failed { release: release.into(), faults: faults.to_vec() };
    Report {
        findings,
        failed: vec![
            failed("frank/web", &[broken.clone(), Fault::new("values.yaml could not be read")]),
            failed("grace/web", &[broken]),
        ],
        releases: Some(5),
        ..one
    }
}

fn print(report: &Report, format: Format, style: Style) -> String {
    let mut out = Vec::new();
    report::write(report, format, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn json(report: &Report, format: Format) -> Value {
    serde_json::from_str(&print(report, format, Style::Plain)).unwrap()
}

fn name(format: Format) -> String {
    format.to_possible_value().unwrap().get_name().to_owned()
}

#[test]
fn every_format() {
    for format in Format::value_variants() {
        for (of, report) in
            [("", example()), ("fleet-", fleet()), ("nothing-", Report { findings: Vec::new(), ..example() })]
        {
            let printed = print(&report, *format, Style::Plain);
            let printed = printed.replace(env!("CARGO_PKG_VERSION"), "[version]");
            common::snapshots("report").bind(|| insta::assert_snapshot!(format!("{of}{}", name(*format)), printed));
        }
    }
}

#[test]
fn markdown_with_failed_and_known() {
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
    common::snapshots("report")
        .bind(|| insta::assert_snapshot!("markdown-with-failed-and-known", String::from_utf8(out).unwrap()));
}

#[test]
fn colours_change_nothing_but_escape_sequences() {
    let coloured = print(&example(), Format::Text, Style::Coloured);
    assert!(coloured.contains("\u{1b}["));
    let plain = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(&coloured, "").into_owned();
    assert_eq!(plain, print(&example(), Format::Text, Style::Plain));
}

#[test]
fn json_follows_its_schema() {
    let schema = serde_json::from_str(include_str!("../schemas/findings.schema.json")).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    for report in [example(), fleet(), hostile()] {
        schema.validate(&json(&report, Format::Json)).unwrap();
    }
}

#[test]
fn sarif_follows_the_schema_of_oasis() {
    // The schema's pattern of languages is no expression: a bracket closes that none opens.
    let schema = include_str!("fixtures/sarif/sarif-schema-2.1.0.json").replace("{2}]?$", "{2}$");
    let schema = serde_json::from_str(&schema).unwrap();
    let schema = jsonschema::draft7::options().should_validate_formats(true).build(&schema).unwrap();
    for report in [example(), fleet(), hostile(), Report::default()] {
        let log = json(&report, Format::Sarif);
        let errors: Vec<String> =
            schema.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new());
        let run = &log["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        }
    }
}

#[test]
fn a_release_that_comes_changes_no_fingerprint() {
    let prints = |report: &Report, format| -> BTreeSet<String> {
        let document = json(report, format);
        let rows = if format == Format::Sarif { &document["runs"][0]["results"] } else { &document };
        let digest = |row: &Value| {
            let digest = &row["partialFingerprints"]["plimsoll/v1"];
            digest.as_str().or(row["fingerprint"].as_str()).unwrap().to_owned()
        };
        let all: Vec<String> = rows.as_array().unwrap().iter().map(digest).collect();
        let unique: BTreeSet<String> = all.iter().cloned().collect();
        assert_eq!(all.len(), unique.len(), "no two are alike");
        unique
    };
    let more = fleet();
    let mut fewer = fleet();
    fewer.findings.retain(|finding| finding.release.as_deref() != Some("bob/web"));
    for format in [Format::Sarif, Format::Gitlab] {
        assert_eq!(prints(&more, format), prints(&fewer, format));
    }
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

/// What a chart would have to say to steer whoever reads of it.
const HOSTILE: &str = "x\n::error file=a::b\n\r::stop-commands::y ]]> </failure><script>alert(1)</script> & \" ' | `` ` \
                       [a](https://b) %0A::c \u{1b}]8;;https://d\u{7} \u{202e} \u{85} \u{2028} \u{0} \u{fffe} <!-- @all #1";

fn hostile() -> Report {
    let text = format!("password: hunter2\nname: {HOSTILE}\n");
    let location = || Location::new(SourceFile::new(format!("./charts//{HOSTILE}"), text.clone()), Span::new(0, 17));
    let object = || ObjectRef {
        api_version: HOSTILE.into(),
        kind: HOSTILE.into(),
        namespace: Some(HOSTILE.into()),
        name: HOSTILE.into(),
    };
    let path = Path::default().key(HOSTILE);
    let finding = Finding {
        policy: format!("a/{}", HOSTILE.replace('/', "")),
        severity: Severity::Error,
        message: HOSTILE.into(),
        release: Some(HOSTILE.into()),
        object: Some(object()),
        places: vec![Place {
            object: object(),
            field: path.clone(),
            named: HOSTILE.into(),
            rendered: location(),
            template: vec![location(), location()],
        }],
        values: vec![
            ValuesKey { path: path.clone(), set_by: Some(Setter::File(location())) },
            ValuesKey { path: path.clone(), set_by: Some(Setter::Flag("--set db.password=hunter2".into())) },
            ValuesKey { path, set_by: None },
        ],
        configured: Some(location()),
        exemption: None,
        is_known: false,
        rationale: HOSTILE.into(),
        remediation: HOSTILE.into(),
    };
    let exempted = Exempted {
        reason: HOSTILE.into(),
        owner: Some(HOSTILE.into()),
        expires: Some("2026-12-31".into()),
        place: location(),
    };
    let fault = Fault::new(HOSTILE).label(location(), HOSTILE).help(HOSTILE);
    Report {
        findings: vec![
            finding.clone(),
            Finding { release: Some("b".into()), ..finding.clone() },
            Finding { exemption: Some(exempted), ..finding.clone() },
            Finding { is_known: true, ..finding },
        ],
        failed: vec![Failed { release: HOSTILE.into(), faults: vec![fault] }],
        releases: Some(2),
        warnings: vec![HOSTILE.into()],
        ..example()
    }
}

#[test]
fn no_format_lets_a_chart_speak() {
    for format in Format::value_variants() {
        let printed = print(&hostile(), *format, Style::Plain);
        let of = name(*format);
        assert!(!printed.contains("hunter2"), "{of} shows a credential:\n{printed}");
        let control = printed.chars().find(|c| c.is_control() && *c != '\n' || matches!(c, '\u{2028}'..='\u{202e}'));
        assert_eq!(control, None, "{of}:\n{printed}");
        for line in printed.lines().filter(|line| line.trim_start().starts_with("::")) {
            assert!(*format == Format::Github, "{of} has a workflow command: {line}");
            assert!(line.starts_with("::error file=charts/x%0A") && line.contains(",title="), "{line}");
        }
    }
    let github = print(&hostile(), Format::Github, Style::Plain);
    assert_eq!(github.lines().count(), 3, "a fault, a group of findings, and what they come to:\n{github}");
}

#[test]
fn junit_is_well_formed() {
    for report in [example(), fleet(), hostile(), Report::default()] {
        let printed = print(&report, Format::Junit, Style::Plain);
        let suites = elements(&printed);
        let count = |attribute: &str| -> usize { attribute_of(&suites[0], attribute).unwrap().parse().unwrap() };
        let named = |name: &str| suites.iter().filter(|tag| tag.starts_with(&format!("<{name} "))).count();
        assert_eq!(count("tests"), named("testcase"));
        assert_eq!(count("failures"), named("failure"));
        assert_eq!(count("errors"), named("error"));
        assert_eq!(count("skipped"), named("skipped"));
        assert!(count("tests") > 0, "Jenkins takes an empty report for a failure");
    }
}

/// The opening tags of an XML document, all of which are closed in order, with nothing unescaped between them.
fn elements(document: &str) -> Vec<String> {
    let body = document.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
    let tag = regex::Regex::new(r#"^</?([a-z-]+)((?: [a-z]+="[^"<>]*")*)(/?)>"#).unwrap();
    let entity = regex::Regex::new("^&(amp|lt|gt|quot|#58);").unwrap();
    assert!(body.match_indices('&').all(|(at, _)| entity.is_match(&body[at..])), "{document}");
    let (mut open, mut all, mut rest) = (Vec::new(), Vec::new(), body);
    while let Some(start) = rest.find(['<', '>']) {
        let found = tag.captures(&rest[start..]).unwrap_or_else(|| panic!("no tag: {}", &rest[start..]));
        let name = found[1].to_owned();
        if found[0].starts_with("</") {
            assert_eq!(open.pop(), Some(name));
        } else {
            all.push(found[0].to_owned());
            if found[3].is_empty() {
                open.push(name);
            }
        }
        rest = &rest[start + found[0].len()..];
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    all
}

fn attribute_of<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    tag.split_once(&format!(" {name}=\""))?.1.split_once('"').map(|(value, _)| value)
}

#[test]
fn ten_times_the_findings_take_ten_times_the_time() {
    let timed = |count: usize, format| {
        let one = fleet();
        // Half are alike in all releases, half are not; all lie on one line that is as long as a chart can have it.
        let line = "é: ☃, ".repeat(20_000);
        let file = SourceFile::new("values.yaml", line.as_str());
        let findings = (0..count).map(|number| {
            let mut finding = one.findings[1].clone();
            finding.release = Some(format!("r/{number}"));
            if number % 2 == 0 {
                finding.message = format!("number {number}");
            }
            let offset = number * 7 % line.len();
            let place = Location::new(file.clone(), Span::new(offset, offset + 20));
            finding.values = vec![ValuesKey { path: Path::default().key("a"), set_by: Some(Setter::File(place)) }];
            finding.exemption = None;
            finding
        });
        let report = Report { findings: findings.collect(), ..one };
        let start = Instant::now();
        print(&report, format, Style::Plain);
        start.elapsed()
    };
    for format in Format::value_variants() {
        let (few, many) = (timed(1_000, *format), timed(10_000, *format));
        eprintln!("{}: {few:?} {many:?}", name(*format));
        assert!(many < few * 40 + Duration::from_secs(1), "{}: {few:?}, {many:?}", name(*format));
    }
}

#[test]
fn files_are_written_beside_what_is_printed() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostNetwork: true\n  containers: [{name: a, image: b}]\n";
    let folder = common::folder(&[("pod.yaml", pod)]);
    let lint = |formats: &[&str]| {
        let formats = formats.iter().flat_map(|format| ["--format", *format]);
        let args: Vec<&str> = ["lint", "./pod.yaml"].into_iter().chain(formats).collect();
        common::plimsoll(folder.path(), &args, "")
    };
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).ok();

    let run = lint(&["sarif=out/a.sarif", "gitlab=b.json"]);
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert_eq!(run.stdout, lint(&[]).stdout, "the text is printed all the same");
    let log: Value = serde_json::from_str(&read("out/a.sarif").unwrap()).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(place, "pod.yaml");
    let rows: Value = serde_json::from_str(&read("b.json").unwrap()).unwrap();
    assert_eq!(rows[0]["location"]["path"], "pod.yaml");

    let run = lint(&["json", "junit=c.xml", "sarif=pod.yaml/no-folder"]);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("could not be written"), "{}", run.stderr);
    assert_eq!(read("c.xml"), None, "all or none");

    let run = lint(&["json", "text"]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("--format text --format markdown=plimsoll.md"), "{}", run.stderr);
}
