//! Whole processes side by side: plimsoll and other linters on the same manifests, in turns, in one run.
//!
//! `cargo bench --bench against_linters`. Takes the linters that are there: Checkov after `tests/peers/linters.sh`, and
//! kube-linter, kube-score and polaris on the PATH. Prints the median of each, and how much it finds.

#[allow(dead_code, reason = "each benchmark takes its charts")]
mod charts;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const ROUNDS: usize = 11;

/// A program, its arguments before the manifest's path, and how to count what it has found.
type Linter = (&'static str, OsString, &'static [&'static str], fn(&Value) -> usize);

fn main() {
    // `cargo test --benches` runs this too; only `cargo bench` passes the flag.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let plimsoll = env!("CARGO_BIN_EXE_plimsoll");
    let checkov = target.join("peers/checkov-3.3.30/bin/checkov");
    let of_json = &["-o", "json", "--quiet", "--compact", "--skip-download", "--framework", "kubernetes", "-f"];
    let linters: [Linter; 6] = [
        ("plimsoll, all policies", plimsoll.into(), &["lint", "--format", "json", "--profile", "all"], plimsolls),
        ("plimsoll", plimsoll.into(), &["lint", "--format", "json"], plimsolls),
        ("kube-linter", "kube-linter".into(), &["lint", "--format", "json"], |report| length(&report["Reports"])),
        ("kube-score", "kube-score".into(), &["score", "--output-format", "json"], kube_scores),
        ("Polaris", "polaris".into(), &["audit", "--format", "json", "--audit-path"], polarises),
        ("Checkov", checkov.into(), of_json, |report| report["summary"]["failed"].as_u64().unwrap_or(0) as usize),
    ];
    let folder = std::env::temp_dir().join("plimsoll-against-linters");
    std::fs::create_dir_all(&folder).expect("a folder");
    let workspace = vec!["-f".into(), root().join("charts/workspace/examples/alice.yaml").into()];
    let releases: [(&str, PathBuf, Vec<OsString>); 2] = [
        ("workspace", root().join("charts/workspace"), workspace),
        ("umbrella of 13", charts::umbrella(13), Vec::new()),
    ];
    for (name, chart, values) in releases {
        let rendered =
            Command::new(plimsoll).args(["render", "rel"]).arg(chart).args(values).output().expect("it runs");
        assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
        let file = folder.join("manifests.yaml");
        std::fs::write(&file, &rendered.stdout).expect("a file");
        let objects = rendered.stdout.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"kind: ")).count();
        println!("{name}: {} kB, {objects} objects", rendered.stdout.len() / 1000);
        let mut times = vec![Vec::new(); linters.len()];
        for _ in 0..ROUNDS {
            // In turns, so that whatever else the machine does falls on all.
            for (times, (_, program, args, _)) in times.iter_mut().zip(&linters) {
                times.extend(time(Command::new(program).args(*args).arg(&file)));
            }
        }
        for (times, (linter, program, args, count)) in times.into_iter().zip(&linters) {
            if times.is_empty() {
                println!("    {linter:<24} is not there");
                continue;
            }
            let output = Command::new(program).args(*args).arg(&file).stderr(Stdio::null()).output().expect("it ran");
            let found = serde_json::from_slice(&output.stdout)
                .map_or("no report".into(), |report| format!("{} findings", count(&report)));
            println!("    {linter:<24} {:>9.1} ms {found:>16}", median(times).as_secs_f64() * 1e3);
        }
    }
}

fn plimsolls(report: &Value) -> usize {
    length(&report["findings"])
}

/// Grades go from 1 (critical) over 5 (warning) to 10 (all is well).
fn kube_scores(report: &Value) -> usize {
    let checks = report.as_array().into_iter().flatten().flat_map(|object| object["checks"].as_array()).flatten();
    checks.filter(|check| check["skipped"] != true && check["grade"].as_u64().is_some_and(|grade| grade < 10)).count()
}

/// Results lie at several depths: of controllers, pods and containers.
fn polarises(report: &Value) -> usize {
    match report {
        Value::Object(map) => {
            usize::from(map.get("Success") == Some(&false.into())) + map.values().map(polarises).sum::<usize>()
        }
        Value::Array(list) => list.iter().map(polarises).sum(),
        _ => 0,
    }
}

fn length(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}

/// How long a process takes from its start to its end, its output going nowhere; nothing where there is no such program.
fn time(command: &mut Command) -> Option<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    command.status().ok()?;
    Some(start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
