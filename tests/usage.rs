//! Which values keys templates read: every case of tests/fixtures/usage, what is said of it, and that nothing that is
//! printed was overlooked.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::{folder, folders, plimsoll, root, snapshots};
use plimsoll::chart::{self, Capabilities};
use plimsoll::render::host::Source;
use plimsoll::render::{Release, Scope, Templates};
use plimsoll::source::Span;
use plimsoll::usage::{Pattern, Unused, Usage, Values};
use plimsoll::value::Value;
use plimsoll::values::{self, Inputs, SchemaCheck, Supplied};
use plimsoll::yaml;

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| yaml::to_yaml(value).unwrap(), str::to_owned)
}

/// A case as a chart in a folder.
fn chart_of(case: &Value) -> tempfile::TempDir {
    let head = "apiVersion: v2\nname: c\nversion: 1.0.0\n";
    let mut files = vec![
        ("Chart.yaml".to_owned(), format!("{head}{}\n", case.get("chart").map(text).unwrap_or_default())),
        ("values.yaml".to_owned(), text(case.get("values").unwrap())),
    ];
    for (key, below) in [("files", ""), ("templates", "templates/")] {
        let Some(Value::Map(map)) = case.get(key) else { continue };
        files.extend(map.iter().map(|(name, content)| (format!("{below}{name}"), text(content))));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    folder(&files)
}

fn found(case: &Value, folder: &Path) -> [(&'static str, Vec<String>); 3] {
    let inputs = Inputs { files: vec!["supplied.yaml".into()], ..Inputs::default() };
    let given = case.get("supplied").map(text).unwrap_or_default();
    let supplied = Supplied::read(&inputs, &|_| Ok(given.clone().into_bytes())).unwrap();
    let (chart, all) = values::overview(&chart::load(folder).unwrap(), &supplied).unwrap();
    let usage = Usage::of(&chart, &all).unwrap();
    let files = chart.values_yaml.iter().cloned().collect();
    let unused = Unused::find(&usage, &chart, &Values { all: &all, supplied: &supplied.values, files }).unwrap();
    let reads = usage.reads.iter().map(|read| format!("{}{}", read.path, if read.whole { "+" } else { "" }));
    let unread = unused.unread.iter().map(|unread| match &unread.meant {
        Some((meant, _)) => format!("{} -> {meant}", unread.path),
        None => unread.path.to_string(),
    });
    let missing = unused.missing.iter().map(|missing| missing.path.to_string());
    let sorted = |all: &mut dyn Iterator<Item = String>| all.collect::<BTreeSet<_>>().into_iter().collect();
    [
        ("reads", sorted(&mut reads.into_iter())),
        ("unread", sorted(&mut unread.into_iter())),
        ("missing", sorted(&mut missing.into_iter())),
    ]
}

#[test]
fn every_read_is_found_and_no_other() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for file in fs::read_dir(root().join("tests/fixtures/usage")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let fixture = yaml::parse(&fs::read_to_string(path).unwrap(), yaml::Options::default()).unwrap();
        for case in fixture.get("cases").and_then(Value::as_list).unwrap() {
            let folder = chart_of(case);
            for (what, got) in found(case, folder.path()) {
                let Some(wanted) = case.get(what).and_then(Value::as_list) else { continue };
                let mut wanted: Vec<String> = wanted.iter().map(|path| path.as_str().unwrap().to_owned()).collect();
                wanted.sort();
                if wanted != got {
                    wrong.push(format!(
                        "{}: {what}\n  wanted {wanted:?}\n  got    {got:?}",
                        text(case.get("name").unwrap())
                    ));
                }
                count += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 40, "{count} expectations");
}

/// Renders a chart as it is, and returns the values keys that were printed.
fn printed(path: &Path) -> Option<(Usage, BTreeSet<Pattern>)> {
    let chart = chart::load(path).ok()?;
    let supplied = Supplied::default();
    let (whole, all) = values::overview(&chart, &supplied).ok()?;
    let usage = Usage::of(&whole, &all).ok()?;
    let capabilities = Capabilities::default();
    let resolved = values::resolve(&chart, &supplied, &capabilities, SchemaCheck::Skip).ok()?;
    let release = Release { name: "r".into(), namespace: "ns".into(), revision: 1, is_upgrade: false };
    let scope = Scope {
        chart: &resolved.chart,
        values: &resolved.values,
        release: &release,
        capabilities: &capabilities,
        source: Source::reproducible(1),
        cluster: None,
        trace: true,
    };
    let files = Templates::parse(&resolved.chart).ok()?.render(&scope).ok()?;
    let keys = files
        .iter()
        .flat_map(|file| file.map.as_ref().into_iter().flat_map(|map| map.keys(Span::new(0, file.text.len()))));
    Some((usage, keys.map(Pattern::of).collect()))
}

#[test]
fn what_is_printed_is_read() {
    let (mut overlooked, mut count) = (Vec::new(), 0);
    for path in folders("tests/fixtures/charts").into_iter().chain(folders("charts")) {
        let Some((usage, keys)) = printed(&path) else { continue };
        for key in keys {
            let is_read =
                usage.reads.iter().any(|read| key.begins(&read.path) || (read.whole && read.path.begins(&key)));
            if !is_read {
                overlooked.push(format!("{}: {key}", path.display()));
            }
            count += 1;
        }
    }
    assert_eq!(overlooked, Vec::<String>::new());
    assert!(count > 50, "{count} keys");
}

#[test]
fn our_own_charts_have_no_key_too_many_and_none_too_few() {
    for path in folders("charts") {
        let run = plimsoll(root(), &["schema", "unused", path.to_str().unwrap()], "");
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    }
}

#[test]
fn people_and_programs_are_told() {
    let chart = [
        ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        ("values.yaml", "image:\n  tag: x\n  pullSecret: y\nreplicas: 1\nlegacy: {}\n"),
        (
            "templates/web.yaml",
            "a: {{ .Values.image.tag }}\nb: {{ .Values.replicaCount }}\nc: {{ .Values.replicaCount }}\n",
        ),
        ("more.yaml", "legacy: {x: 1}\nother: 1\n"),
        ("templates/NOTES.txt", "{{ .Values.port }}"),
    ];
    let folder = folder(&chart);
    snapshots("usage").bind(|| {
        for format in ["text", "json"] {
            let run = plimsoll(folder.path(), &["schema", "unused", ".", "-f", "more.yaml", "--format", format], "");
            assert_eq!((run.status, run.stderr.as_str()), (1, ""));
            insta::assert_snapshot!(format, run.stdout);
        }
    });
    let run = plimsoll(folder.path(), &["schema", "unused", "nowhere"], "");
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    let run = plimsoll(folder.path(), &["schema", "unused", ".", "-f", "templates/web.yaml"], "");
    assert_eq!(run.status, 2, "{}", run.stderr);
}

/// The values, the template and the list of docs/values-schema.md; and its document for programs.
#[test]
fn the_manual_shows_what_is_printed() {
    let folder = root().join("tests/fixtures/unused");
    let run = |format: &str| {
        let run = plimsoll(&folder, &["schema", "unused", "web", "--format", format], "");
        assert_eq!((run.status, run.stderr.as_str()), (1, ""));
        run.stdout
    };
    let manual = fs::read_to_string(root().join("docs/values-schema.md")).unwrap();
    for file in ["values.yaml", "templates/web.yaml"] {
        let text = fs::read_to_string(folder.join("web").join(file)).unwrap();
        assert!(manual.contains(&format!("```yaml\n{text}```")), "{file}");
    }
    let shown = format!("$ plimsoll schema unused web\n{}```", run("text"));
    assert!(manual.contains(&shown), "{shown}");

    let schema = serde_json::from_str(include_str!("../schemas/unused.schema.json")).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let document: serde_json::Value = serde_json::from_str(&run("json")).unwrap();
    schema.validate(&document).unwrap();
    let mut unread = document["unread"].as_array().unwrap().iter();
    assert!(unread.any(|unread| unread["key"] == "probes.true" && unread["written"] == "y"));
}

#[test]
fn values_of_many_keys_end() {
    let values: String = (0..50_000).map(|i| format!("k{i}: {{a: 1}}\n")).collect();
    let folder = folder(&[
        ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
        ("values.yaml", &values),
        ("templates/x.yaml", "{{ .Values.name }}"),
    ]);
    let started = std::time::Instant::now();
    let run = plimsoll(folder.path(), &["schema", "unused", "."], "");
    assert!(run.stdout.ends_with("50000 keys read nowhere, 1 key read and not in values\n"), "{}", run.stderr);
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

/// Calls that call each other twice at every level, loops in loops, and maps in themselves.
#[test]
fn hostile_templates_end() {
    let twice: String = (0..60)
        .map(|i| {
            let next = i + 1;
            format!(
                "{{{{ define \"t{i}\" }}}}{{{{ include \"t{next}\" (dict \"a\" . \"i\" {i}) }}}}\
                 {{{{ include \"t{next}\" (dict \"b\" . \"i\" {i}) }}}}{{{{ end }}}}"
            )
        })
        .collect();
    let nested = format!("{}{{{{ .Values.a }}}}{}", "{{ range $.Values.a }}".repeat(300), "{{ end }}".repeat(300));
    let circle = "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ toYaml $d }}{{ $_ := merge $d (dict \"e\" $d) }}{{ $d.x.y.z }}\
                  {{ $_ := set .Values \"a\" .Values }}{{ .Values.a.a.a }}";
    for text in [&format!("{twice}{{{{ include \"t0\" .Values }}}}"), nested.as_str(), circle] {
        let folder = folder(&[
            ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
            ("values.yaml", "a: {b: 1}\n"),
            ("templates/x.yaml", text),
        ]);
        let started = std::time::Instant::now();
        let run = plimsoll(folder.path(), &["schema", "unused", "."], "");
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", run.stdout);
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }
}
