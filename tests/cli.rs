//! The command line as its users meet it: help, exit statuses, what goes where.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{folder, plimsoll, root, snapshots};
use plimsoll::policy::Catalogue;

const WORKSPACE: [&str; 3] = ["render", "alice", "charts/workspace"];
const ALICE: &str = "charts/workspace/examples/alice.yaml";

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  colour: blue\n";
const LEAK: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  API_TOKEN: ghp_0123456789abcdefghijABCDEFGHIJ012345\n";

/// The arguments of every command, the program's own first.
fn commands() -> Vec<Vec<String>> {
    fn collect(command: &clap::Command, line: &[String], into: &mut Vec<Vec<String>>) {
        into.push(line.to_vec());
        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            collect(command, &[line, &[command.get_name().to_owned()]].concat(), into);
        }
    }
    let mut lines = Vec::new();
    collect(&plimsoll::cli::command(), &[], &mut lines);
    lines
}

#[test]
fn help_of_every_command() {
    for command in commands() {
        let run = plimsoll(root(), &[&command[..], &["--help".to_owned()]].concat(), "");
        assert_eq!((run.status, run.stderr.as_str()), (0, ""));
        let name = [&["plimsoll".to_owned()], &command[..]].concat().join("-");
        snapshots("help").bind(|| insta::assert_snapshot!(name, run.stdout));
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let dir = folder(&[]);
    let run = plimsoll(dir.path(), &["man", "share/man1"], "");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let mut written: Vec<String> = fs::read_dir(dir.path().join("share/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut wanted: Vec<String> =
        commands().iter().map(|command| [&["plimsoll".to_owned()], &command[..]].concat().join("-") + ".1").collect();
    written.sort();
    wanted.sort();
    assert_eq!(written, wanted);
    let page = |name: &str| fs::read_to_string(dir.path().join("share/man1").join(name)).unwrap();
    snapshots("cli").bind(|| insta::assert_snapshot!("man-completions", page("plimsoll-completions.1")));
    assert!(page("plimsoll.1").contains("plimsoll\\-post\\-render(1)"), "{}", page("plimsoll.1"));
}

#[cfg(unix)]
#[test]
fn kubectl_calls_it_by_another_name() {
    let dir = folder(&[]);
    let name = dir.path().join("kubectl-plimsoll");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_plimsoll"), &name).unwrap();
    let run = |args: &[&str]| {
        let output = Command::new(&name).args(args).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert!(run(&["--help"]).0.contains("Usage: kubectl plimsoll [OPTIONS] <COMMAND>"), "{}", run(&["--help"]).0);
    assert!(
        run(&["lint", "--help"]).0.contains("Usage: kubectl plimsoll lint [OPTIONS]"),
        "{}",
        run(&["lint", "--help"]).0
    );
    assert!(run(&["lint"]).1.contains("Usage: kubectl plimsoll lint"), "{}", run(&["lint"]).1);
    assert_eq!(run(&["--version"]).0, concat!("plimsoll ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn quiet_leaves_results_findings_and_errors() {
    let dir = folder(&[("good.yaml", CONFIG), ("bad.yaml", LEAK)]);
    let lint = |args: &[&str]| plimsoll(dir.path(), &[&["lint"], args].concat(), "");
    assert_eq!((lint(&["-q", "good.yaml"]).status, lint(&["-q", "good.yaml"]).stdout.as_str()), (0, ""));
    assert!(lint(&["-q", "good.yaml", "--format", "json"]).stdout.starts_with('{'), "programs get their document");
    let (loud, quiet) = (lint(&["bad.yaml"]), lint(&["--quiet", "bad.yaml"]));
    assert_eq!((quiet.status, quiet.stdout), (1, loud.stdout));
    let missing = lint(&["-q", "missing.yaml"]);
    assert!(missing.status == 2 && missing.stderr.contains("missing.yaml"), "{}", missing.stderr);
    let init = plimsoll(dir.path(), &["init", "-q", "my-app"], "");
    assert_eq!((init.status, init.stdout.as_str(), init.stderr.as_str()), (0, "", ""));
    assert_eq!(lint(&["-q", "-v", "good.yaml"]).status, 2);
}

#[test]
fn verbose_says_on_standard_error_what_is_done() {
    let (plain, told) =
        (&[&WORKSPACE[..], &["-f", ALICE]].concat(), &[&["-v"], &WORKSPACE[..], &["-f", ALICE]].concat());
    let (plain, told) = (plimsoll(root(), plain, ""), plimsoll(root(), told, ""));
    assert_eq!((told.status, told.stdout), (0, plain.stdout));
    let time = regex::Regex::new(r"^rendered alice from charts/workspace in \d+\.\d ms\n$").unwrap();
    assert!(time.is_match(&told.stderr), "{}", told.stderr);
}

#[test]
fn manifests_pass_only_where_they_are_accepted() {
    let render = |args: &[&str], stdin: &str| plimsoll(root(), &[&["post-render"], args].concat(), stdin);
    let odd = format!("# kept as it is\r\n---\n\n{CONFIG}---\n# nothing\n");
    let passed = render(&["-n", "shop", "--kube-version", "1.34"], &odd);
    assert_eq!((passed.status, passed.stdout.as_str()), (0, odd.as_str()), "{}", passed.stderr);
    assert!(passed.stderr.starts_with("all is well: 1 object"), "{}", passed.stderr);
    assert_eq!(render(&["-q"], CONFIG).stderr, "");
    let refused = render(&[], LEAK);
    assert_eq!((refused.status, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.contains("secrets/plaintext") && !refused.stderr.contains("ghp_"), "{}", refused.stderr);
    let tolerated = render(&["--fail-on", "never"], LEAK);
    assert_eq!((tolerated.status, tolerated.stdout.as_str()), (0, LEAK));
    for nothing in ["", "\n", "---\n# nothing\n", "a: [", "just text"] {
        let failed = render(&[], nothing);
        assert_eq!((failed.status, failed.stdout.as_str()), (2, ""), "{nothing:?}");
        assert!(failed.stderr.contains('×'), "{nothing:?}: {}", failed.stderr);
    }
}

#[test]
fn bad_usage_is_no_verdict() {
    for args in [&["render"][..], &["render", "a", "b", "c"], &["lint"], &["nope"], &["render", "x", "--nope"]] {
        let run = plimsoll(root(), args, "");
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{args:?}");
        assert!(!run.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn check_prints_findings_and_no_manifests() {
    let clean = plimsoll(root(), &[&WORKSPACE[..], &["-f", ALICE, "--check"]].concat(), "");
    assert_eq!((clean.status, clean.stderr.as_str()), (0, ""));
    assert!(clean.stdout.starts_with("all is well: "), "{}", clean.stdout);

    let loose = [&WORKSPACE[..], &["-f", ALICE, "--check", "--set", "ingress.auth.type=none"]].concat();
    let refused = plimsoll(root(), &loose, "");
    assert_eq!(refused.status, 1, "{}", refused.stdout);
    assert!(refused.stdout.contains("ingress.auth.type is set by --set ingress.auth.type=none"), "{}", refused.stdout);
    assert!(!refused.stdout.contains("# Source:"));
    let tolerated = plimsoll(root(), &[&loose[..], &["--fail-on", "never"]].concat(), "");
    assert_eq!((tolerated.status, tolerated.stdout), (0, refused.stdout));
    let other = plimsoll(root(), &[&loose[..], &["--policy", "secrets/plaintext"]].concat(), "");
    assert_eq!(other.status, 0, "{}", other.stdout);
    let unknown = plimsoll(root(), &[&loose[..], &["--policy", "secrets/nope"]].concat(), "");
    assert_eq!((unknown.status, unknown.stdout.as_str()), (2, ""));
}

#[test]
fn warnings_refuse_where_that_is_asked_for() {
    let args = [&WORKSPACE[..], &["-f", ALICE, "--set", "readOnly=true", "--check"]].concat();
    assert_eq!(plimsoll(root(), &args, "").status, 0);
    assert_eq!(plimsoll(root(), &[&args[..], &["--fail-on", "warning"]].concat(), "").status, 1);
}

#[test]
fn json_follows_its_schema() {
    let args =
        [&WORKSPACE[..], &["--check", "--format", "json", "--set", "hooks.allowInternal=true", "-f", ALICE]].concat();
    let run = plimsoll(root(), &args, "");
    assert_eq!(run.status, 1);
    let schema = serde_json::from_str(include_str!("../schemas/findings.schema.json")).unwrap();
    let document = serde_json::from_str(&run.stdout).unwrap();
    jsonschema::draft202012::new(&schema).unwrap().validate(&document).unwrap();
    assert_eq!(document["findings"][0]["policy"], "workspace/internal-hooks");
    assert_eq!(document["findings"][0]["values"][0]["flag"], "--set hooks.allowInternal=true");
}

#[test]
fn values_come_from_standard_input() {
    let alice = fs::read_to_string(root().join(ALICE)).unwrap();
    let from_file = plimsoll(root(), &[&WORKSPACE[..], &["-f", ALICE]].concat(), "");
    let from_stdin = plimsoll(root(), &[&WORKSPACE[..], &["-f", "-"]].concat(), &alice);
    assert_eq!((from_stdin.status, from_stdin.stdout), (0, from_file.stdout));
}

#[test]
fn a_seed_makes_random_functions_reproducible() {
    let dir = folder(&[
        ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
        ("c/templates/a.yaml", "go: {{ randAlphaNum 20 }}-{{ uuidv4 }}\n"),
        ("c/templates/b.yaml.j2", "jinja: {{ randAlphaNum(20) }}\n"),
    ]);
    let render = |seed: &[&str]| plimsoll(dir.path(), &[&["render", "r", "c"], seed].concat(), "").stdout;
    assert_eq!(render(&["--seed", "7"]), render(&["--seed", "7"]));
    assert_ne!(render(&["--seed", "7"]), render(&["--seed", "8"]));
    assert_ne!(render(&[]), render(&[]));
}

#[test]
fn files_are_written_whole_and_where_they_were_asked_for() {
    let dir = folder(&[
        ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
        ("c/templates/a.yaml", "a: 1\n---\nb: 2\n"),
        ("c/templates/b.yaml", "c: 3\n"),
    ]);
    let run = plimsoll(dir.path(), &["render", "r", "c", "--output-dir", "out", "--release-name"], "");
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stdout.contains("wrote out/r/c/templates/a.yaml\n"), "{}", run.stdout);
    let a = fs::read_to_string(dir.path().join("out/r/c/templates/a.yaml")).unwrap();
    assert_eq!(a, "---\n# Source: c/templates/a.yaml\na: 1\n---\n# Source: c/templates/a.yaml\nb: 2\n");
    assert_eq!(fs::read_dir(dir.path().join("out/r/c/templates")).unwrap().count(), 2, "no drafts are left");
}

#[test]
fn lint_takes_charts_files_folders_and_standard_input() {
    let other = CONFIG.replace("settings", "others");
    let dir = folder(&[("good.yaml", CONFIG), ("more/also-good.yml", &other), ("more/notes.txt", LEAK)]);
    let lint = |args: &[&str], stdin: &str| plimsoll(dir.path(), &[&["lint"], args].concat(), stdin);
    assert_eq!(lint(&["good.yaml"], "").status, 0);
    let all = lint(&["."], "");
    assert_eq!((all.status, all.stdout.contains("2 objects")), (0, true), "{}{}", all.stdout, all.stderr);
    let refused = lint(&["-"], LEAK);
    assert_eq!(refused.status, 1, "{}", refused.stdout);
    assert!(refused.stdout.contains("secrets/plaintext") && refused.stdout.contains("-:6:3"), "{}", refused.stdout);
    assert!(!refused.stdout.contains("ghp_"), "the token is not shown: {}", refused.stdout);
    for nothing in [lint(&["-"], ""), lint(&["missing.yaml"], "")] {
        assert_eq!((nothing.status, nothing.stdout.as_str()), (2, ""));
    }
    let chart = plimsoll(root(), &["lint", "charts/workspace", "-f", ALICE, "--name", "alice", "-n", "alice"], "");
    assert_eq!(chart.status, 0, "{}{}", chart.stdout, chart.stderr);
}

#[test]
fn a_new_chart_passes_its_own_check() {
    let dir = folder(&[]);
    let run = plimsoll(dir.path(), &["init", "charts/my-app"], "");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    for args in [&["render", "my-app", "charts/my-app", "--check"][..], &["render", "my-app", "charts/my-app"]] {
        let run = plimsoll(dir.path(), args, "");
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    }
    let again = plimsoll(dir.path(), &["init", "charts/my-app"], "");
    assert_eq!(again.status, 2);
    assert_eq!(plimsoll(dir.path(), &["init", "My App"], "").status, 2);
}

#[test]
fn policies_are_listed_explained_and_tested() {
    let list = plimsoll(root(), &["policy", "list"], "");
    assert_eq!(list.stdout.lines().count(), Catalogue::builtin().unwrap().entries().len());
    let baseline = plimsoll(root(), &["policy", "list", "--profile", "pod-security-baseline"], "").stdout;
    assert!(baseline.contains("pod-security/privileged ") && !baseline.contains("secrets/"), "{baseline}");
    let explained = plimsoll(root(), &["policy", "explain", "workspace/egress"], "");
    snapshots("cli").bind(|| insta::assert_snapshot!("policy-explain", explained.stdout));
    let tested = plimsoll(root(), &["policy", "test"], "");
    assert_eq!(tested.status, 0);
    assert!(tested.stdout.ends_with(" passed, 0 failed\n"), "{}", tested.stdout);
}

#[test]
fn the_documentation_of_policies_is_what_the_binary_prints() {
    let fresh = tempfile::tempdir().unwrap();
    assert_eq!(plimsoll(fresh.path(), &["policy", "docs", "docs"], "").status, 0);
    let pages = |root: &Path| {
        let of = |path: PathBuf| (path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(path).unwrap());
        let folders = fs::read_dir(root.join("docs/policies")).unwrap().map(|entry| entry.unwrap().path());
        let pages = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
        pages
            .chain(["policies.md", "linters.md"].map(|page| root.join("docs").join(page)))
            .map(of)
            .collect::<BTreeMap<_, _>>()
    };
    let (committed, printed) = (pages(root()), pages(fresh.path()));
    let stale = |path: &&PathBuf| committed.get(*path) != printed.get(*path);
    let stale: Vec<&PathBuf> = committed.keys().chain(printed.keys()).filter(stale).collect();
    assert!(stale.is_empty(), "stale, run `cargo run -- policy docs docs`: {stale:?}");
}

/// The policy that docs/writing-policies.md writes, with its examples, and one whose examples lie.
#[test]
fn policies_of_ones_own_are_tested_too() {
    let own = root().join("tests/fixtures/own-policies");
    let tested = plimsoll(&own, &["policy", "test", "good"], "");
    assert_eq!((tested.status, tested.stdout.as_str()), (0, "6 passed, 0 failed\n"), "{}", tested.stderr);
    let manual = fs::read_to_string(root().join("docs/writing-policies.md")).unwrap();
    for file in ["short.yaml", "short.test.yaml"] {
        assert!(manual.contains(&fs::read_to_string(own.join("good/names").join(file)).unwrap()), "{file}");
    }
    let lies = plimsoll(&own, &["policy", "test", "lies"], "");
    assert_eq!(lies.status, 1);
    snapshots("cli").bind(|| insta::assert_snapshot!("policy-test-lies", lies.stdout));
    let found = plimsoll(&own, &["lint", "--policies", "good", "-"], &CONFIG.replace("settings", &"x".repeat(64)));
    assert_eq!(found.status, 1, "{}", found.stderr);
    snapshots("cli").bind(|| insta::assert_snapshot!("own-policy-finding", found.stdout));
}

/// Whoever reads no further has seen enough: no complaint, and the verdict stands.
#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let loose = "ingress.auth.type=none";
    for (args, status) in [
        (&["--help"][..], 0),
        (&["--version"], 0),
        (&["render", "alice", "charts/workspace", "-f", ALICE], 0),
        (&["render", "alice", "charts/workspace", "-f", ALICE, "--check"], 0),
        (&["render", "alice", "charts/workspace", "-f", ALICE, "--check", "--set", loose], 1),
        (&["lint", "charts/workspace", "-f", ALICE, "--format", "json", "--set", loose], 1),
        (&["lint", "no-such-file"], 2),
        (&["post-render"], 2),
        (&["policy", "list"], 0),
        (&["policy", "explain", "workspace/egress"], 0),
        (&["policy", "export", "--quiet"], 0),
        (&["policy", "reach", "charts/workspace", "-f", ALICE], 0),
        (&["policy", "test"], 0),
        (&["schema", "infer", "charts/workspace"], 0),
        (&["schema", "infer", "charts/workspace", "--check"], 1),
        (&["schema", "unused", "charts/workspace"], 0),
        (&["schema", "export", "project"], 0),
        (&["completions", "bash"], 0),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args(args)
            .current_dir(root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.is_empty()), (Some(status), status < 2), "{args:?}: {stderr}");
    }
}

#[test]
fn completions_are_scripts() {
    for shell in ["bash", "zsh", "fish"] {
        let run = plimsoll(root(), &["completions", shell], "");
        assert!(run.status == 0 && run.stdout.contains("plimsoll"), "{shell}");
    }
}

#[test]
fn missing_dependencies_are_packaged_where_that_is_asked_for() {
    let dir = folder(&[
        (
            "c/Chart.yaml",
            "apiVersion: v2\nname: c\nversion: 0.1.0\ndependencies:\n- name: sub\n  version: 0.1.0\n  repository: file://../sub\n",
        ),
        ("sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n"),
        ("sub/templates/a.yaml", "a: 1\n"),
    ]);
    let missing = plimsoll(dir.path(), &["render", "r", "c"], "");
    assert_eq!((missing.status, missing.stdout.as_str()), (2, ""));
    assert!(
        missing.stderr.contains("charts/ directory: sub") && missing.stderr.contains("plimsoll deps"),
        "{}",
        missing.stderr
    );
    let found = plimsoll(dir.path(), &["render", "r", "c", "--dependency-update"], "");
    assert_eq!((found.status, found.stderr.as_str()), (0, ""));
    assert_eq!(found.stdout, "---\n# Source: c/charts/sub/templates/a.yaml\na: 1\n");
}
