//! What a change looks like: in a pull request, on a terminal, for programs.

mod common;

use std::time::{Duration, Instant};

use common::{root, snapshots};
use plimsoll::delta::{AccessChange, AccessKind, Base, Delta, Direction, FailedOn, Side};
use plimsoll::diff::{self, Change, FieldChange, Item, ObjectChange};
use plimsoll::finding::{Exempted, Failed, Fault, Finding, ObjectRef, Place, Setter, Severity, ValuesKey};
use plimsoll::report::Style;
use plimsoll::report::delta::{Format, write};
use plimsoll::source::{Location, SourceFile, Span};
use plimsoll::value::{Path, Value};
use plimsoll::yaml;

fn revision(name: &str, commit: &str) -> Base {
    Base::Revision { name: name.into(), commit: commit.into() }
}

fn at(name: &str, text: &str, part: &str) -> Location {
    let start = text.find(part).unwrap();
    Location::new(SourceFile::new(name, text), Span::new(start, start + part.len()))
}

fn object(kind: &str, namespace: &str, name: &str) -> ObjectRef {
    ObjectRef { api_version: "v1".into(), kind: kind.into(), namespace: Some(namespace.into()), name: name.into() }
}

fn value(text: &str) -> Value {
    yaml::parse(text, yaml::Options::default()).unwrap()
}

fn print(delta: &Delta, format: Format, style: Style) -> String {
    let mut out = Vec::new();
    write(delta, format, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn markdown(delta: &Delta) -> String {
    print(delta, Format::Markdown, Style::Plain)
}

fn finding(release: &str, policy: &str, severity: Severity, message: &str) -> Finding {
    let (namespace, name) = release.split_once('/').unwrap();
    let template = "spec:\n  containers:\n    - name: ide\n      image: {{ .Values.image }}\n      password: hunter2\n";
    let values = "# of the tenant\nimage: ide:latest\n";
    let object = object("Deployment", namespace, name);
    Finding {
        policy: policy.into(),
        severity,
        message: message.into(),
        release: Some(release.into()),
        object: Some(object.clone()),
        places: vec![Place {
            object,
            field: Path::default().key("spec").key("containers").index(0).key("image"),
            named: "spec.containers[name=ide].image".into(),
            rendered: at("workspace/templates/ide.yaml", "image: ide:latest\n", "image"),
            template: vec![at("charts/workspace/templates/ide.yaml", template, "image:")],
        }],
        values: vec![ValuesKey {
            path: Path::default().key("image"),
            set_by: Some(Setter::File(at(&format!("tenants/{namespace}/values.yaml"), values, "image: ide"))),
        }],
        configured: None,
        exemption: None,
        is_known: false,
        rationale: "What `latest` means tomorrow, nobody knows today.".into(),
        remediation: "Name a version, better its digest.".into(),
    }
}

fn changed(release: &str, kind: &str, fields: Vec<FieldChange>) -> ObjectChange {
    let (namespace, name) = release.split_once('/').unwrap();
    let change = Change::Changed { renamed_from: None, followers: Vec::new(), moved_from: None, fields };
    ObjectChange { release: release.into(), object: object(kind, namespace, name), change }
}

fn field(path: &str, before: impl Into<Value>, after: impl Into<Value>) -> FieldChange {
    let (before, after) = (Some(before.into()), Some(after.into()));
    FieldChange { path: path.into(), before, after, is_order: false, is_secret: false }
}

/// How one object changed, as `diff` tells it.
fn compared(release: &str, before: (ObjectRef, &str), after: (ObjectRef, &str)) -> Vec<ObjectChange> {
    let (old, new) = (value(before.1), value(after.1));
    let before = Item { release, reference: &before.0, value: &old };
    diff::compare(&[before], &[Item { release, reference: &after.0, value: &new }])
}

fn access(direction: Direction, kind: AccessKind, subject: &str, what: &str, releases: &[&str]) -> AccessChange {
    AccessChange {
        kind,
        direction,
        severity: Severity::Warning,
        subject: subject.into(),
        what: what.into(),
        releases: releases.iter().map(|release| (*release).to_owned()).collect(),
        place: finding("alice/workspace", "p", Severity::Error, "m").places.pop(),
    }
}

/// A change of a fleet as they are every day.
fn everyday() -> Delta {
    let tenants = ["alice/workspace", "bob/workspace", "cara/workspace", "dora/workspace", "emil/workspace"];
    let image = |release: &&str| {
        changed(
            release,
            "Deployment",
            vec![
                field("spec.template.spec.containers[name=ide].image", "ide:1.2", "ide:latest"),
                field("spec.template.spec.containers[name=ide].resources.limits.memory", "1Gi", "2Gi"),
                FieldChange { is_secret: true, ..field("metadata.annotations[\"checksum/secret\"]", "***", "***") },
            ],
        )
    };
    let mut objects: Vec<ObjectChange> = tenants.iter().map(image).collect();
    objects.extend(compared(
        "alice/workspace",
        (
            object("Secret", "alice", "workspace-0a1b2c3d"),
            "{kind: Secret, data: {token: aHVudGVyMg==, old: aHVudGVyMw==}}",
        ),
        (object("Secret", "alice", "workspace-4e5f6a7b"), "{kind: Secret, data: {token: aHVudGVyMjIy}}"),
    ));
    objects.extend([
        ObjectChange {
            change: Change::Changed {
                renamed_from: Some("workspace-0a1b2c3d".into()),
                followers: vec![object("Deployment", "alice", "workspace")],
                moved_from: Some("alice/config".into()),
                fields: vec![field(
                    "data[\"nginx.conf\"]",
                    "listen 80;\nroot /;\nindex a;\n",
                    "listen 8080;\nroot /;\nindex a;\n",
                )],
            },
            object: object("ConfigMap", "alice", "workspace-4e5f6a7b"),
            ..changed("alice/workspace", "ConfigMap", Vec::new())
        },
        ObjectChange {
            change: Change::Added(value(
                "{apiVersion: v1, kind: Service, metadata: {name: debug}, spec: {ports: [{port: 22}]}}",
            )),
            object: object("Service", "alice", "debug"),
            ..changed("alice/workspace", "Service", Vec::new())
        },
        ObjectChange {
            change: Change::Removed(value("{kind: NetworkPolicy}")),
            object: object("NetworkPolicy", "bob", "deny"),
            ..changed("bob/workspace", "NetworkPolicy", Vec::new())
        },
    ]);
    let latest =
        |release: &&str| finding(release, "images/latest", Severity::Error, "the image ide:latest has no version");
    let mut new: Vec<Finding> = tenants.iter().map(latest).collect();
    let port = finding("alice/workspace", "network/ssh", Severity::Warning, "port 22 is open");
    new.push(port.clone());
    let silenced = Finding {
        policy: "network/policy".into(),
        message: "nothing keeps other namespaces away".into(),
        release: Some("bob/workspace".into()),
        exemption: Some(Exempted {
            reason: "moves to another cluster".into(),
            owner: Some("team-edge".into()),
            expires: Some("2026-12-31".into()),
            place: at("plimsoll.yaml", "exemptions:\n", "exemptions"),
        }),
        ..port.clone()
    };
    let fault = Fault::new("workspace/templates/ide.yaml:4:7: function \"toYml\" not defined")
        .label(at("charts/workspace/templates/ide.yaml", "{{ toYml . }}\n", "toYml"), "here")
        .help("did you mean toYaml?");
    Delta {
        base: revision("origin/main", "3f2a91c04dd1e8b2a7c5f6e9d8b7a6c5d4e3f201"),
        added: vec!["emil/workspace".into()],
        removed: vec!["zoe/workspace".into()],
        releases: 100,
        objects,
        new,
        silenced: vec![silenced],
        mended: vec![finding("cara/workspace", "pods/privileged", Severity::Error, "the container ide is privileged")],
        unchanged: vec![port.clone(), Finding { is_known: true, severity: Severity::Error, ..port }],
        access: vec![
            access(
                Direction::Gained,
                AccessKind::Secret,
                "container ide of Deployment alice/workspace",
                "can read Secret alice/github-app (mounted volume)",
                &tenants,
            ),
            access(
                Direction::Lost,
                AccessKind::Exposure,
                "Ingress bob/workspace",
                "can be reached as bob.example.com",
                &["bob/workspace"],
            ),
        ],
        failed: vec![FailedOn {
            side: Side::After,
            failed: Failed { release: "finn/workspace".into(), faults: vec![fault] },
        }],
    }
}

/// A change by somebody who wants to be overlooked.
fn hostile() -> Delta {
    let evil = "</details></summary>--> <!-- @everyone fixes #1 https://evil.example ![x](http://evil.example/x.png) \
                | `` ``` ~~~~\n\n# all is well\n<img src=x onerror=alert(1)> [ok](javascript:x) \u{202e}\u{200b}\u{1b}[2J $a$";
    let release = format!("ns/{evil}");
    let mut bad = finding("ns/web", "own/@team", Severity::Error, evil);
    bad.release = Some(release.clone());
    bad.object = Some(object(evil, evil, evil));
    bad.places[0].named = evil.into();
    bad.places[0].template = vec![at(evil, "a\n``````\n</details>\n@everyone\n", "</details>")];
    bad.values = vec![ValuesKey {
        path: Path::default().key(evil),
        set_by: Some(Setter::Flag("--set db.password=hunter2,x=`y`".into())),
    }];
    bad.rationale = evil.into();
    bad.remediation = evil.into();
    let excused = Finding {
        exemption: Some(Exempted {
            reason: evil.into(),
            owner: Some(evil.into()),
            expires: None,
            place: at("a", "b", "b"),
        }),
        ..bad.clone()
    };
    let nasty = vec![
        field("data[\"``````\"]", "``````\n</details>\n", "~~~~~~\n</details>\n@everyone\n"),
        field(evil, evil, "x"),
    ];
    let object_change =
        ObjectChange { release: release.clone(), object: object(evil, evil, evil), ..changed("a/b", "x", nasty) };
    let mut objects = vec![object_change];
    let same = || object("ConfigMap", "ns", "```");
    objects.extend(compared(
        &release,
        (same(), "{data: {c: \"user: a\\npassword: hunter2\\n\"}, env: [{name: DB_PASSWORD, value: hunter2}]}"),
        (same(), "{data: {c: \"user: b\\npassword: hunter5\\n\"}, env: [{name: DB_PASSWORD, value: hunter4}]}"),
    ));
    let new = value("{kind: Secret, stringData: {a: hunter2}, metadata: {name: '```'}}");
    objects.extend(diff::compare(&[], &[Item { release: &release, reference: &same(), value: &new }]));
    Delta {
        base: revision(evil, evil),
        releases: 1,
        objects,
        new: vec![bad.clone()],
        silenced: vec![excused],
        mended: vec![bad],
        access: vec![access(Direction::Gained, AccessKind::Rbac, evil, evil, &[evil, evil])],
        failed: vec![FailedOn {
            side: Side::Before,
            failed: Failed { release, faults: vec![Fault::new(evil).help(evil)] },
        }],
        ..Delta::default()
    }
}

/// A change of everything.
fn huge() -> Delta {
    let mut delta = everyday();
    let release = |index: usize| format!("tenant-{}/web-{index}", index % 700);
    let fields =
        |index: usize| (0..20).map(|n| field(&format!("spec.a{n}"), format!("{index}-{n}"), "x".repeat(100))).collect();
    delta.objects = (0..10_000).map(|index| changed(&release(index), "Deployment", fields(index))).collect();
    let message = |index: usize| format!("the container {index} is {}", "privileged ".repeat(20));
    let find = |index: usize| finding(&release(index), "pods/privileged", Severity::Error, &message(index));
    delta.new = (0..2_000).map(find).collect();
    delta.mended = (0..2_000).map(find).collect();
    let gain = |index: usize| access(Direction::Gained, AccessKind::Secret, "<x>", &message(index), &["a/b", "c/d"]);
    delta.access.extend((0..2_000).map(gain));
    let fault = |index: usize| Fault::new(message(index).repeat(100));
    let failed = |index: usize| Failed { release: release(index), faults: vec![fault(index)] };
    delta.failed = (0..500).map(|index| FailedOn { side: Side::After, failed: failed(index) }).collect();
    delta
}

/// Whether what is opened is closed: no fence and no tag is cut.
fn assert_well_formed(page: &str) {
    let (mut fence, mut open) = (None::<String>, 0_i32);
    for line in page.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(opening) if line == opening => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 => fence = Some(ticks),
            None if line == "<details>" => open += 1,
            None if line == "</details>" => open -= 1,
            None => {
                let is_marker = line.starts_with("<!-- plimsoll ");
                let tags =
                    line.replace("<summary>", "").replace("</summary>", "").replace("<b>", "").replace("</b>", "");
                let tags = tags.replace("<code>", "").replace("</code>", "");
                let outside: String = tags.split('`').step_by(2).collect();
                let odd = line.matches('`').count() % 2 == 1;
                assert!(is_marker || odd || line.contains("``") || !outside.contains('<'), "{line}");
            }
        }
        assert!((0..=1).contains(&open), "{line}");
    }
    assert_eq!((fence, open), (None, 0));
}

#[test]
fn in_a_pull_request() {
    let page = markdown(&everyday());
    assert_well_formed(&page);
    assert!(!page.contains("hunter") && !page.contains("aHVudGVy"), "{page}");
    snapshots("delta").bind(|| insta::assert_snapshot!("markdown", page));
}

#[test]
fn nothing_new_is_told_in_few_words() {
    let delta = Delta { base: revision("main", "0123456789abcdef"), releases: 3, ..Delta::default() };
    snapshots("delta").bind(|| insta::assert_snapshot!("nothing", markdown(&delta)));
}

#[test]
fn a_hostile_change_neither_calls_nor_hides() {
    let page = markdown(&hostile());
    assert_well_formed(&page);
    assert!(!page.contains("hunter"), "{page}");
    assert!(!page.contains(['\u{202e}', '\u{200b}', '\u{1b}']), "{page}");
    snapshots("delta").bind(|| insta::assert_snapshot!("hostile", page));
}

#[test]
fn a_huge_change_fits_into_a_comment() {
    let delta = huge();
    let start = Instant::now();
    let page = markdown(&delta);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert!(page.len() <= 60_000, "{}", page.len());
    assert_well_formed(&page);
    for wanted in
        ["### New findings", "### Possible now", "### No longer possible", "Mended: ", "### Objects", "tells the rest."]
    {
        assert!(page.contains(wanted), "{wanted} is not there");
    }
}

#[test]
fn on_a_terminal() {
    let plain = print(&everyday(), Format::Text, Style::Plain);
    assert!(!plain.contains("hunter") && !plain.contains("aHVudGVy"), "{plain}");
    let coloured = print(&everyday(), Format::Text, Style::Coloured);
    let escapes = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    assert_eq!(escapes.replace_all(&coloured, ""), plain);
    assert!(coloured.contains("\u{1b}[32m    + image: ide:latest"), "{coloured}");
    assert!(!print(&hostile(), Format::Text, Style::Plain).contains(['\u{1b}', '\u{202e}']));
    snapshots("delta").bind(|| insta::assert_snapshot!("text", plain));
}

#[test]
fn json_follows_its_schema() {
    let read = |file: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(root().join("schemas").join(file)).unwrap()).unwrap()
    };
    let registry = jsonschema::Registry::new();
    let registry = registry.add("https://plimsoll.dev/schemas/findings/v1", read("findings.schema.json")).unwrap();
    let registry = registry.prepare().unwrap();
    let validator = jsonschema::options().with_registry(&registry).build(&read("delta.schema.json")).unwrap();
    for delta in [everyday(), hostile(), Delta::default()] {
        let text = print(&delta, Format::Json, Style::Plain);
        assert!(!text.contains("hunter") && !text.contains("aHVudGVy"), "{text}");
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
    }
    snapshots("delta").bind(|| insta::assert_snapshot!("json", print(&everyday(), Format::Json, Style::Plain)));
}
