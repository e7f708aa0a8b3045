//! What kube-linter and Checkov find with their default checks is found here too, or excepted with a reason.
//!
//! Their answers are recorded in tests/fixtures/linters/*.jsonl by tests/peers/linters.sh, which also compares them with
//! what the programs say today. Of further linters there are the ids, out of their sources.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use common::{plimsoll, root};
use plimsoll::chart::Capabilities;
use plimsoll::check::{self, Rules, Subject};
use plimsoll::policy::exemption::Honoured;
use plimsoll::policy::{Catalogue, Profile, Selection};
use plimsoll::schema::Schemas;
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

struct Tool {
    version: String,
    /// Whether its answers are recorded, not its ids alone.
    compared: bool,
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

/// src/cli/linters.yaml: the versions of the linters, whether they are compared, and the exceptions.
fn known() -> (BTreeMap<String, Tool>, Vec<Exception>) {
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
    // Nobody has a list of the ids of the Pod Security Standards.
    let tools = list("tools").iter().filter(|tool| text(tool, "id") != "pss");
    let tools = tools.map(|tool| {
        let compared = tool.get("compared").and_then(Value::as_bool).unwrap();
        (text(tool, "id"), Tool { version: text(tool, "version"), compared })
    });
    (tools.collect(), list("exceptions").iter().map(read).collect())
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

/// The policies that find something, by object (`Deployment web`); under an empty name those of the release as a whole.
fn found<'c>(path: &str, catalogue: &'c Catalogue) -> BTreeMap<String, BTreeSet<&'c str>> {
    let manifests = check::read(vec![SourceFile::new(path, manifest(path))]).unwrap();
    let capabilities = Capabilities::default();
    let chosen = Selection { profiles: vec![Profile::All], ..Default::default() }.choose(catalogue).unwrap();
    let rules = Rules {
        chosen,
        exemptions: &[],
        schemas: Schemas::default(),
        honoured: Honoured::None,
        today: jiff::civil::Date::ZERO,
    };
    let report = check::lint(&[Subject::plain(&manifests, "default", &capabilities)], &rules)
        .unwrap_or_else(|faults| panic!("{path}: {faults:?}"));
    let mut found = BTreeMap::<String, BTreeSet<&str>>::new();
    for finding in &report.findings {
        let policy = catalogue.policies().find(|policy| policy.id == finding.policy).unwrap();
        let objects: Vec<_> = finding.object.iter().chain(finding.places.iter().map(|place| &place.object)).collect();
        let names = objects.iter().map(|object| format!("{} {}", object.kind, object.name));
        for name in names.chain(objects.is_empty().then(String::new)) {
            found.entry(name).or_default().insert(&policy.id);
        }
    }
    found
}

#[test]
fn what_they_find_is_found_or_excepted() {
    let catalogue = Catalogue::builtin().unwrap();
    let (tools, exceptions) = known();
    let aliases: BTreeMap<&str, &[String]> =
        catalogue.policies().map(|policy| (policy.id.as_str(), policy.aliases.as_slice())).collect();
    let (mut here, mut needed, mut shared) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let (mut all, mut excepted, mut gaps) = (0, 0, BTreeMap::<String, Vec<String>>::new());
    for tool in tools.keys() {
        for Answer { manifest, object, ids } in answers(tool).1 {
            let found = here.entry(manifest.clone()).or_insert_with_key(|path| found(path, &catalogue));
            for id in ids {
                all += 1;
                let alias = format!("{tool}:{id}");
                let of_object = [object.as_str(), ""].into_iter().filter_map(|name| found.get(name)).flatten();
                let known: Vec<_> = of_object.filter(|policy| aliases[*policy].contains(&alias)).copied().collect();
                shared.extend(known.iter().map(|policy| (manifest.clone(), object.clone(), *policy)));
                if !known.is_empty() {
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
    for (index, exception) in exceptions.iter().enumerate().filter(|(_, exception)| tools[&exception.tool].compared) {
        for part in exception.ids.iter().chain(&exception.objects) {
            assert!(needed.contains(&(index, part.clone())), "the exception of {part} is not needed");
        }
    }
    let ours: usize = here.values().flat_map(BTreeMap::values).map(BTreeSet::len).sum();
    println!("\n{all} findings of kube-linter and Checkov: {} found, {excepted} excepted", all - excepted);
    println!("{} findings on the same manifests are plimsoll's own", ours - shared.len());
}

#[test]
fn every_default_check_is_known_and_every_alias_is_a_check() {
    let catalogue = Catalogue::builtin().unwrap();
    let (tools, exceptions) = known();
    for (tool, Tool { version, compared }) in &tools {
        let (checks, answers) = answers(tool);
        assert_eq!(checks.version, *version, "{tool}");
        let aliases: BTreeSet<&str> = catalogue
            .policies()
            .flat_map(|policy| &policy.aliases)
            .filter_map(|alias| alias.strip_prefix(tool.as_str())?.strip_prefix(':'))
            .collect();
        let excepted = |id: &str| {
            let of = |exception: &&Exception| exception.tool == *tool && exception.objects.contains("*");
            exceptions.iter().filter(of).any(|exception| exception.ids.contains(id))
        };
        let unknown = |id: &&String| aliases.contains(id.as_str()) == excepted(id);
        let unknown: Vec<&String> = checks.default.iter().filter(unknown).collect();
        assert!(unknown.is_empty(), "of {tool} neither, or both, a policy and an exception name {unknown:?}");
        // Of Checkov's frameworks, only the one for Kubernetes is compared.
        let aliases = aliases.iter().filter(|id| tool != "checkov" || id.contains("_K8S_"));
        let is_check = |id: &&&str| checks.default.contains(**id) || checks.optional.contains(**id);
        let no_checks: Vec<&&str> = aliases.filter(|id| !is_check(id)).collect();
        assert!(no_checks.is_empty(), "{tool} has no such checks: {no_checks:?}");
        let found: BTreeSet<String> = answers.into_iter().flat_map(|answer| answer.ids).collect();
        assert!(!compared || found == checks.default, "each default check of {tool} finds something in some fixture");
    }
}
