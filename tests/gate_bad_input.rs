//! Bad input of the gate on pull requests: exit status 2, and a clear text instead of a verdict.
//!
//! Every repository begins as tests/fixtures/gate/shop, as in tests/gate.rs.

mod common;

use std::fmt::Write as _;
use std::fs;

use common::repository::git;
use common::shop::*;
use common::{plimsoll, root};

/// Runs both commands, which must say no more than why they cannot do their work.
fn refused(shop: &mut Shop) {
    for args in [CHECK, DIFF] {
        shop.cannot(args);
    }
}

/// A way to break the shop, and what it is called.
type Wrong = (&'static str, fn(&Shop));

/// What is wrong with the files of the change.
const WRONG: &[Wrong] = &[
    ("no project file", |shop| shop.remove(PROJECT)),
    ("a project file of a newer version", |shop| shop.add(PROJECT, "version: 2\n")),
    ("no releases", |shop| shop.repository.write(&[(PROJECT, "kubeVersion: '1.34'\n")])),
    ("a glob that matches nothing", |shop| shop.edit(PROJECT, "tenants/*/", "tenantz/*/")),
    ("two releases of one label", |shop| shop.edit(PROJECT, "tenant-{{ path[1] }}", "tenants")),
    ("no baseline", |shop| shop.add(PROJECT, "baseline: past.yaml\n")),
    ("a baseline of a newer version", |shop| with_baseline(shop, "version: 2\n")),
    ("a baseline with a conflict", |shop| with_baseline(shop, "version: 1\n<<<<<<< HEAD\nfleet: []\n")),
];

fn with_baseline(shop: &Shop, text: &str) {
    shop.add(PROJECT, "baseline: past.yaml\n");
    shop.repository.write(&[("past.yaml", text)]);
}

#[test]
fn files_that_are_wrong() {
    let mut shop = Shop::new(nothing);
    for (what, wrong) in WRONG {
        writeln!(shop.seen, "## {what}\n").unwrap();
        wrong(&shop);
        refused(&mut shop);
        shop.reset();
    }
    shop.is_as("wrong-files");
}

/// The same on `main` alone: it is said whose fault it is.
#[test]
fn files_that_were_wrong() {
    let mut shop = Shop::new(nothing);
    let outside: Wrong = ("a path outside of the repository", |shop| shop.edit(PROJECT, "values/web", "../../web"));
    for (what, wrong) in WRONG.iter().chain([&outside]) {
        writeln!(shop.seen, "## {what}\n").unwrap();
        wrong(&shop);
        shop.commit();
        shop.repository.git(&["tag", "--force", "wrong"]);
        shop.repository.git(&["revert", "--no-edit", "HEAD"]);
        match *what {
            // That there is one now is the change.
            "no project file" | "no releases" | "no baseline" => {
                let run = plimsoll(shop.path(), &["diff", "--base", "wrong"], "");
                assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{what}");
                writeln!(shop.seen, "{}\n", run.stdout.lines().nth(1).unwrap()).unwrap();
            }
            _ => drop(shop.cannot(&["diff", "--base", "wrong"])),
        }
        shop.repository.git(&["reset", "--quiet", "--hard", "main"]);
    }
    shop.is_as("wrong-files-of-the-base");
}

#[test]
fn a_release_that_cannot_be_checked() {
    let wrong: &[Wrong] = &[
        ("no objects", |shop| {
            for file in ["configmap", "deployment", "networkpolicy"] {
                shop.remove(&format!("charts/web/templates/{file}.yaml"));
            }
        }),
        ("no chart", |shop| shop.remove("charts/web")),
        ("no values file", |shop| shop.remove("values/web.yaml")),
        ("a values file outside of the repository", |shop| shop.edit(PROJECT, "values/web.yaml", "../../nowhere.yaml")),
        ("a link out of the chart", |shop| symlink("../../../values", shop, "charts/web/templates/link")),
        ("values that are too deep", |shop| shop.repository.write(&[("values/web.yaml", &"[".repeat(100_000))])),
        ("a values file with a null byte", |shop| shop.repository.write(&[("values/web.yaml", "a: \u{0}\n")])),
    ];
    let mut shop = Shop::new(nothing);
    for (what, wrong) in wrong {
        writeln!(shop.seen, "## {what}\n").unwrap();
        wrong(&shop);
        shop.run(CHECK, 2).run(DIFF, 2);
        shop.reset();
    }
    shop.is_as("wrong-releases");
}

#[test]
fn revisions_that_are_none() {
    let mut shop = Shop::new(nothing);
    for revision in ["nope", "mian", "origin/nope", "", "main..change", "HEAD~9", "HEAD:plimsoll.yaml", "\u{1b}[2Jx"] {
        shop.cannot(&["diff", "--base", revision]);
    }
    shop.cannot(&["diff", "--base", "main", "--no-config"]);
    shop.is_as("no-revision");
}

#[test]
fn no_history() {
    let mut shop = Shop::new(nothing);
    shop.add("README.md", "# The shop\n");
    shop.commit();
    let source = format!("file://{}", shop.path().display());
    shop.repository.git(&["clone", "--quiet", "--depth=1", "--branch=change", &source, "shallow"]);
    let shallow = shop.path().join("shallow");
    git(&shallow, &["fetch", "--quiet", "--depth=1", "origin", "main:main"], b"");
    shop.cannot_in("shallow", DIFF).cannot_in("shallow", &["diff", "--base", "origin/main"]);

    shop.repository.git(&["clone", "--quiet", "--bare", ".", "bare"]);
    copy(&root().join("tests/fixtures/gate/shop"), &shop.path().join("bare"));
    shop.cannot_in("bare", DIFF);

    // The same files, in no repository, and in one without a commit.
    fs::rename(shop.path().join(".git"), shop.path().join("history")).unwrap();
    shop.cannot(DIFF).run(CHECK, 0);
    shop.repository.git(&["init", "--quiet", "--initial-branch=main"]);
    shop.cannot(DIFF).is_as("no-history");
}

#[test]
fn formats_that_cannot_be_written() {
    let mut shop = Shop::new(nothing);
    let wrong = ["json=values", "json=plimsoll.yaml/a.json", "json=values/web.yaml/folder/a.json"];
    for wrong in wrong {
        shop.cannot(&["check", "--format", "junit=a.xml", "--format", wrong, "--format", "sarif=z.sarif"]);
        shop.cannot(&["diff", "--base", "main", "--format", "markdown=a.md", "--format", wrong]);
    }
    assert_eq!(shop.repository.git(&["status", "--porcelain", "--ignored"]), "");
    shop.is_as("wrong-formats");
}
