//! Whole processes side by side: `helm template` and `plimsoll render` on the same charts, in turns, in one run.
//!
//! `cargo bench --bench against_helm` after `tests/peers/install.sh`. Prints the median of each, and their ratio; last
//! what README's first command takes, which has no peer.

mod charts;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 21;

fn main() {
    // `cargo test --benches` runs this too; only `cargo bench` passes the flag.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let helm = target.join("peers/helm");
    if !helm.exists() {
        eprintln!("real Helm is not there: run tests/peers/install.sh first");
        std::process::exit(2);
    }
    let plimsoll = Path::new(env!("CARGO_BIN_EXE_plimsoll"));

    println!("{:<18} {:>10} {:>12} {:>12} {:>8}", "chart", "output", "helm", "plimsoll", "ratio");
    let charts = [
        ("ordinary", charts::ordinary()),
        ("30 templates", charts::thirty_templates()),
        ("umbrella of 13", charts::umbrella(13)),
        ("umbrella of 26", charts::umbrella(26)),
        ("umbrella of 52", charts::umbrella(52)),
    ];
    for (name, chart) in charts {
        let of_helm = output(&helm, "template", &chart);
        assert!(of_helm == output(plimsoll, "render", &chart), "{name}: the outputs differ");
        // In turns, so that whatever else the machine does falls on both.
        let (mut helm_times, mut plimsoll_times) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            helm_times.push(time(&mut command(&helm, "template", &chart)));
            plimsoll_times.push(time(&mut command(plimsoll, "render", &chart)));
        }
        let (of, ours) = (median(helm_times), median(plimsoll_times));
        println!(
            "{name:<18} {:>7} kB {:>9.1} ms {:>9.1} ms {:>7.1}x",
            of_helm.len() / 1000,
            of.as_secs_f64() * 1e3,
            ours.as_secs_f64() * 1e3,
            of.as_secs_f64() / ours.as_secs_f64()
        );
    }
    let check = ["render", "alice", "charts/workspace", "-f", "charts/workspace/examples/alice.yaml", "--check"];
    let times = (0..ROUNDS).map(|_| time(Command::new(plimsoll).args(check).current_dir(root())));
    println!("README's first command: {:.1} ms", median(times.collect()).as_secs_f64() * 1e3);
}

fn command(program: &Path, subcommand: &str, chart: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(subcommand).arg("rel").arg(chart);
    command
}

fn output(program: &Path, subcommand: &str, chart: &Path) -> Vec<u8> {
    let output = command(program, subcommand, chart).output().expect("the program runs");
    assert!(output.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// How long a process takes from its start to its end, its output going nowhere.
fn time(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    command.status().expect("the program runs");
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
