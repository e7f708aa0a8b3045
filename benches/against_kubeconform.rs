//! Whole processes side by side: `kubeconform -strict` and `plimsoll lint --policy 'schema/*'` on the same manifests with
//! the same schemas, in turns, in one run. kubeconform reads its schemas from a folder: nothing is downloaded.
//!
//! `cargo bench --bench against_kubeconform` after `tests/peers/install.sh` and `tests/peers/kubeconform.sh`. Prints the
//! median of each, and their ratio.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 21;

/// What most charts are made of.
const KINDS: [&str; 10] = [
    "apps/deployment",
    "autoscaling/horizontalpodautoscaler",
    "batch/cronjob",
    "core/configmap",
    "core/service",
    "core/serviceaccount",
    "networking/ingress",
    "networking/networkpolicy",
    "policy/poddisruptionbudget",
    "rbac/rolebinding",
];

fn main() {
    // `cargo test --benches` runs this too; only `cargo bench` passes the flag.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let (kubeconform, schemas) = (target.join("peers/kubeconform"), target.join("peers/standalone"));
    if !kubeconform.exists() || !schemas.exists() {
        eprintln!(
            "kubeconform or its schemas are not there: run tests/peers/install.sh and tests/peers/kubeconform.sh"
        );
        std::process::exit(2);
    }
    let location = schemas.join("v1.37.0-standalone-strict/{{ .ResourceKind }}{{ .KindSuffix }}.json");

    println!("{:<28} {:>14} {:>14} {:>8}", "manifests", "kubeconform", "plimsoll", "ratio");
    for (name, manifests) in [
        ("one Deployment", folder(root, &KINDS[..1], 1)),
        ("100 of 10 kinds", folder(root, &KINDS, 10)),
        ("1,000 of 10 kinds", folder(root, &KINDS, 100)),
        ("1,000 Deployments", folder(root, &KINDS[..1], 1000)),
    ] {
        let peer = || {
            let mut command = Command::new(&kubeconform);
            command.args(["-strict", "-kubernetes-version", "1.37.0", "-schema-location"]).arg(&location);
            command.arg(manifests.path());
            command
        };
        let ours = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
            command.args(["lint", "--policy", "schema/*"]).arg(manifests.path());
            command
        };
        // In turns, so that whatever else the machine does falls on both.
        let (mut peer_times, mut our_times) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            peer_times.push(time(&mut peer()));
            our_times.push(time(&mut ours()));
        }
        let (peer, ours) = (median(peer_times), median(our_times));
        println!(
            "{name:<28} {:>11.1} ms {:>11.1} ms {:>7.1}x",
            peer.as_secs_f64() * 1e3,
            ours.as_secs_f64() * 1e3,
            peer.as_secs_f64() / ours.as_secs_f64()
        );
    }
}

/// A new folder of valid manifests: so many of each kind, a file each, no two of the same name.
fn folder(root: &Path, kinds: &[&str], copies: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for kind in kinds {
        let text = fs::read_to_string(root.join(format!("tests/fixtures/schemas/{kind}.yaml"))).expect("a fixture");
        let (before, name) = text.split_once("name: ").expect("it has a name");
        let end = name.find([',', '}', '\n']).expect("it ends");
        for copy in 0..copies {
            let manifest = format!("{before}name: object-{copy}{}", &name[end..]);
            let file = format!("{}-{copy}.yaml", kind.replace('/', "-"));
            fs::write(folder.path().join(file), manifest).expect("a manifest");
        }
    }
    folder
}

/// How long a process takes from its start to its end, its output going nowhere. It finds nothing.
fn time(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().expect("the program runs");
    let elapsed = start.elapsed();
    assert!(status.success(), "{command:?}");
    elapsed
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
