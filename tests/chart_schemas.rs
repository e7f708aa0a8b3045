//! The fixture charts, held to Kubernetes' schemas: those that are like real ones are sound, and the others are known.

mod common;

use common::{folders, plimsoll, root};
use plimsoll::schema::bundle::Bundle;

/// Charts that no cluster would take, and why they are there.
const UNSOUND: &[(&str, &str)] = &[
    ("capabilities", "its object has a made-up kind, to show what templates see of a cluster"),
    ("failing", "its object has a made-up kind: the chart is about templates that fail"),
    ("files", "a ConfigMap holds numbers, as functions on files give them"),
    ("hooks", "most objects have made-up kinds, to show the order of all"),
    ("legacy", "its API is one that Kubernetes 1.16 removed, and a claim has a made-up field"),
    ("merged", "its Deployment has a made-up field, to show how values are merged"),
    ("odd-yaml", "what YAML makes of odd texts is no object of Kubernetes"),
    ("overriding", "its objects have made-up kinds, to show which template wins"),
    ("schema", "its object has a made-up kind: the chart is about values.schema.json"),
    ("tpl-config", "one object has a made-up kind, to show where templates are defined"),
    ("unparsable", "its template cannot be parsed"),
];

#[test]
fn charts_are_sound_or_known_not_to_be() {
    let charts = folders("tests/fixtures/charts").into_iter().map(|folder| folder.join("chart"));
    let mut known: Vec<&str> = UNSOUND.iter().map(|(name, _)| *name).collect();
    for chart in charts.chain(folders("charts")) {
        let chart = chart.strip_prefix(root()).unwrap().display().to_string();
        let run = plimsoll(root(), &["lint", &chart, "--policy", "schema/*"], "");
        let name = chart.split('/').find(|part| known.contains(part));
        match name {
            Some(name) => {
                assert_ne!(run.status, 0, "{chart} is sound now: take it from the list");
                known.retain(|known| *known != name);
            }
            None => assert_eq!(run.status, 0, "{chart}: {}{}", run.stdout, run.stderr),
        }
    }
    assert!(known.is_empty(), "no such charts: {known:?}");
}

/// In every version that the binary knows.
#[test]
fn the_workspace_examples_are_sound_in_every_version() {
    let examples = std::fs::read_dir(root().join("charts/workspace/examples")).unwrap();
    let mut runs = 0;
    for example in examples.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let example = example.display().to_string();
        for version in Bundle::embedded().unwrap().versions() {
            let version = version.to_string();
            let args = ["render", "alice", "charts/workspace", "-f", &example, "--check", "--policy", "schema/*"];
            let run = plimsoll(root(), &[&args[..], &["--kube-version", &version]].concat(), "");
            assert_eq!(run.status, 0, "{example} in {version}: {}{}", run.stdout, run.stderr);
            runs += 1;
        }
    }
    assert!(runs >= 24, "only {runs} runs");
}
