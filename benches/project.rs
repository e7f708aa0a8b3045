//! Whole processes on a project of many workspaces: `check`, and `diff` of a change to the chart that all of them are made
//! from. `cargo bench --bench project`. Prints medians, and what a diff costs as a multiple of a check.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const ROUNDS: usize = 11;

fn main() {
    // `cargo test --benches` runs this too; only `cargo bench` passes the flag.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    println!("{:<12} {:>12} {:>12} {:>8}", "releases", "check", "diff", "ratio");
    for tenants in [1, 100, 1_000] {
        let repository = repository(tenants);
        // In turns, so that whatever else the machine does falls on both.
        let (mut checks, mut diffs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            checks.push(time(repository.path(), &["check"]));
            diffs.push(time(repository.path(), &["diff", "--base", "HEAD"]));
        }
        let (check, diff) = (median(checks), median(diffs));
        println!("{tenants:<12} {check:>9.1} ms {diff:>9.1} ms {:>7.2}x", diff / check);
    }
}

/// A repository with one chart and a values file for each tenant; since its only commit the chart has changed.
fn repository(tenants: usize) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the repository");
    let root = folder.path();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/workspace"), &root.join("chart"));
    let project = "releases:\n- forEach: tenants/*/values.yaml\n  chart: chart\n  name: workspace\n  \
                   namespace: 'workspace-{{ values.user.name }}'\n  profiles: [default, workspace]\n";
    write(&root.join("plimsoll.yaml"), project);
    for tenant in 0..tenants {
        let name = format!("tenant-{tenant}");
        let values = format!(
            "user:\n  name: {name}\n  host: {name}.workspaces.example.com\nsecrets:\n  existing:\n    basicAuth: {name}-auth\n"
        );
        write(&root.join("tenants").join(&name).join("values.yaml"), &values);
    }
    git(root, &["init", "--quiet"]);
    git(root, &["add", "--all"]);
    let author = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false"];
    git(root, &[&author[..], &["commit", "--quiet", "--message=base"]].concat());
    let template = root.join("chart/templates/service.yaml.j2");
    let text = fs::read_to_string(&template).expect("the chart has a Service");
    write(&template, &text.replacen("metadata:\n", "metadata:\n  annotations: {example.com/changed: \"yes\"}\n", 1));
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder can be made");
    for entry in fs::read_dir(from).expect("the chart can be read") {
        let entry = entry.expect("the chart can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the chart can be copied");
        }
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the folder can be made");
    fs::write(path, text).expect("the file can be written");
}

fn git(folder: &Path, args: &[&str]) {
    let status = Command::new("git").arg("-C").arg(folder).args(args).status().expect("git is installed");
    assert!(status.success(), "git {args:?}");
}

/// How long a run takes that does its work: what it finds does not matter here.
fn time(folder: &Path, args: &[&str]) -> Duration {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let output = command.current_dir(folder).args(args).stdin(Stdio::null()).output().expect("plimsoll runs");
    let time = start.elapsed();
    let failed = output.status.code() == Some(2);
    assert!(!failed, "plimsoll {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    time
}

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}
