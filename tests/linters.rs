//! What kube-linter and Checkov find with their default checks is found here too, or excepted with a reason.
//!
//! Their answers are recorded in tests/fixtures/linters/*.jsonl by tests/peers/linters.sh, which also compares them with
//! what the programs say today.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use common::{plimsoll, root};
use plimsoll::chart::Capabilities;
use plimsoll::check::{self, Rules, Subject};
use plimsoll::policy::exemption::Honoured;
use plimsoll::policy::{Catalogue, Profile, Selection};
use plimsoll::source::SourceFile;
use plimsoll::value::Value;
use plimsoll::yaml;

/// What a linter says of one object.
#[derive(serde::Deserialize)]
struct Answer {
    manifest: String,
    object: String,
    ids: Vec<String>,
}

/// The checks that a linter has.
#[derive(serde::Deserialize)]
struct Checks {
    version: String,
    default: BTreeSet<String>,
    optional: BTreeSet<String>,
}

/// Some findings that need not be found here.
struct Exception {
    tool: String,
    ids: BTreeSet<String>,
    /// `privileges.yaml Pod root`, below tests/fixtures/linters
    objects: BTreeSet<String>,
}

/// Whether a text is what a pattern says, in which * stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).filter(|at| tail.is_char_boundary(*at)).any(|at| fits(rest, &tail[at..]))
        }),
        None => pattern == text,
    }
}

fn answers(tool: &str) -> (Checks, Vec<Answer>) {
    let text = fs::read_to_string(root().join(format!("tests/fixtures/linters/{tool}.jsonl"))).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    (serde_json::from_str(first).unwrap(), rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// src/cli/linters.yaml: the versions of the linters that are compared, and the exceptions.
fn known() -> (BTreeMap<String, String>, Vec<Exception>) {
    let text = fs::read_to_string(root().join("src/cli/linters.yaml")).unwrap();
    let file = yaml::parse(&text, yaml::Options { strict: true, ..Default::default() }).unwrap();
    let list = |key: &str| file.get(key).and_then(Value::as_list).unwrap_or_default();
    let texts = |entry: &Value, key: &str| -> BTreeSet<String> {
        entry
            .get(key)
            .and_then(Value::as_list)
            .into_iter()
            .flatten()
            .map(|text| text.as_str().unwrap().into())
            .collect()
    };
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap().to_owned();
    let read = |entry: &Value| Exception {
        tool: text(entry, "tool"),
        ids: texts(entry, "ids"),
        objects: match texts(entry, "objects") {
            none if none.is_empty() => BTreeSet::from(["*".to_owned()]),
            objects => objects,
        },
    };
    let compared = list("tools").iter().filter(|tool| tool.get("compared").and_then(Value::as_bool) == Some(true));
    let versions = compared.map(|tool| (text(tool, "id"), text(tool, "version"))).collect();
    (versions, list("exceptions").iter().map(read).collect())
}

/// A manifest: a file, or the chart whose values are named.
fn manifest(path: &str) -> String {
    match path.split_once('/') {
        Some(("charts", rest)) => {
            let chart = format!("charts/{}", rest.split('/').next().unwrap());
            plimsoll(root(), &["render", "alice", &chart, "-n", "workspace-alice", "-f", path], "").stdout
        }
        _ => fs::read_to_string(root().join(path)).unwrap(),
    }
}

/// The aliases of the policies that find something: by object (`Deployment web`), and of the release as a whole.
fn found(path: &str, catalogue: &Catalogue) -> (BTreeMap<String, BTreeSet<String>>, BTreeSet<String>) {
    let manifests = check::read(vec![SourceFile::new(path, manifest(path))]).unwrap();
    let capabilities = Capabilities::default();
    let chosen = Selection { profiles: vec![Profile::All], ..Default::default() }.choose(catalogue).unwrap();
    let rules = Rules { chosen, exemptions: &[], honoured: Honoured::None, today: jiff::civil::Date::ZERO };
    let report = check::lint(&[Subject::plain(&manifests, "default", &capabilities)], &rules)
        .unwrap_or_else(|faults| panic!("{path}: {faults:?}"));
    let (mut of_objects, mut of_release) = (BTreeMap::<String, BTreeSet<String>>::new(), BTreeSet::new());
    for finding in &report.findings {
        let aliases = &catalogue.policies().find(|policy| policy.id == finding.policy).unwrap().aliases;
        let places = finding.places.iter().map(|place| &place.object);
        for object in finding.object.iter().chain(places) {
            let known = of_objects.entry(format!("{} {}", object.kind, object.name)).or_default();
            known.extend(aliases.iter().cloned());
        }
        if finding.object.is_none() && finding.places.is_empty() {
            of_release.extend(aliases.iter().cloned());
        }
    }
    (of_objects, of_release)
}

#[test]
fn what_they_find_is_found_or_excepted() {
    let catalogue = Catalogue::builtin().unwrap();
    let (tools, exceptions) = known();
    let (mut here, mut needed) = (BTreeMap::new(), BTreeSet::new());
    let (mut all, mut excepted, mut gaps) = (0, 0, BTreeMap::<String, Vec<String>>::new());
    for tool in tools.keys() {
        for Answer { manifest, object, ids } in answers(tool).1 {
            let (of_objects, of_release) =
                here.entry(manifest.clone()).or_insert_with_key(|path| found(path, &catalogue));
            for id in ids {
                all += 1;
                let alias = format!("{tool}:{id}");
                if of_release.contains(&alias) || of_objects.get(&object).is_some_and(|known| known.contains(&alias)) {
                    continue;
                }
                let place = format!("{} {object}", manifest.trim_start_matches("tests/fixtures/linters/"));
                let of = |exception: &Exception| exception.tool == *tool && exception.ids.contains(&id);
                let covering = exceptions.iter().enumerate().filter(|(_, exception)| of(exception)).find_map(
                    |(index, exception)| Some((index, exception.objects.iter().find(|pattern| fits(pattern, &place))?)),
                );
                match covering {
                    Some((index, pattern)) => {
                        excepted += 1;
                        needed.extend([(index, id.clone()), (index, pattern.clone())]);
                    }
                    None => gaps.entry(alias).or_default().push(place),
                }
            }
        }
    }
    let missing: usize = gaps.values().map(Vec::len).sum();
    let gaps: Vec<String> = gaps.iter().map(|(id, places)| format!("{id}\n    {}", places.join("\n    "))).collect();
    assert!(gaps.is_empty(), "{missing} of {all} findings are missing here:\n{}", gaps.join("\n"));
    for (index, exception) in exceptions.iter().enumerate() {
        for part in exception.ids.iter().chain(&exception.objects) {
            assert!(needed.contains(&(index, part.clone())), "the exception of {part} is not needed");
        }
    }
    println!("{all} findings of kube-linter and Checkov: {} found, {excepted} excepted", all - excepted);
}

#[test]
fn every_default_check_is_known_and_every_alias_is_a_check() {
    let catalogue = Catalogue::builtin().unwrap();
    let (tools, exceptions) = known();
    for (tool, version) in &tools {
        let checks = answers(tool).0;
        assert_eq!(checks.version, *version, "{tool}");
        let aliases: BTreeSet<&str> = catalogue
            .policies()
            .flat_map(|policy| &policy.aliases)
            .filter_map(|alias| alias.strip_prefix(tool.as_str())?.strip_prefix(':'))
            .collect();
        let excepted =
            |id: &String| exceptions.iter().any(|exception| exception.tool == *tool && exception.ids.contains(id));
        let unknown = |id: &&String| !aliases.contains(id.as_str()) && !excepted(id);
        let unknown: Vec<&String> = checks.default.iter().filter(unknown).collect();
        assert!(unknown.is_empty(), "no policy and no exception names these checks of {tool}: {unknown:?}");
        // Of Checkov's frameworks, only the one for Kubernetes is compared.
        let aliases = aliases.iter().filter(|id| tool != "checkov" || id.contains("_K8S_"));
        let is_check = |id: &&&str| checks.default.contains(**id) || checks.optional.contains(**id);
        let no_checks: Vec<&&str> = aliases.filter(|id| !is_check(id)).collect();
        assert!(no_checks.is_empty(), "{tool} has no such checks: {no_checks:?}");
        let found: BTreeSet<String> = answers(tool).1.into_iter().flat_map(|answer| answer.ids).collect();
        assert_eq!(found, checks.default, "each default check of {tool} finds something in some fixture");
    }
}
