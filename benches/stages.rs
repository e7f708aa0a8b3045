//! What the stages of a render take, in-process: `cargo bench --bench stages`. Prints medians.

mod charts;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::civil::Date;
use plimsoll::chart::{self, Capabilities};
use plimsoll::check::{self, Charts, Job, Rules, Subject};
use plimsoll::manifest::{self, Stream};
use plimsoll::policy::exemption::Honoured;
use plimsoll::policy::{Catalogue, Profile, Selection};
use plimsoll::render::host::Source;
use plimsoll::render::{Release, Scope, Templates};
use plimsoll::schema::Schemas;
use plimsoll::source::SourceFile;
use plimsoll::values::{self, Inputs, SchemaCheck, Supplied};
use plimsoll::yaml;

/// How long a stage is repeated.
const ENOUGH: Duration = Duration::from_millis(500);

fn main() {
    // `cargo test --benches` runs this too; only `cargo bench` passes the flag.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    println!(
        "{:<16} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "ms", "load", "values", "parse", "render", "traced", "read", "print"
    );
    stages("ordinary", &charts::ordinary());
    stages("30 templates", &charts::thirty_templates());
    stages("umbrella of 26", &charts::umbrella(26));
    yaml_stages();
    check_stages();
}

fn stages(name: &str, path: &Path) {
    let capabilities = Capabilities::default();
    let supplied = Supplied::default();
    let release = Release { name: "rel".into(), namespace: "default".into(), revision: 1, is_upgrade: false };
    let chart = chart::load(path).expect("the chart can be loaded");
    let resolve = || values::resolve(&chart, &supplied, &capabilities, SchemaCheck::Enforce).expect("it has values");
    let resolved = resolve();
    let templates = Templates::parse(&resolved.chart).expect("it can be parsed");
    let render = |trace| {
        let scope = Scope {
            chart: &resolved.chart,
            values: &resolved.values,
            release: &release,
            capabilities: &capabilities,
            source: Source::reproducible(1),
            cluster: None,
            trace,
        };
        templates.render(&scope).expect("it can be rendered")
    };
    let files: Vec<_> = render(false).into_iter().map(|file| (SourceFile::new(file.name, file.text), None)).collect();
    let read = || manifest::read(files.iter().map(|(file, map)| (Arc::clone(file), map.clone()))).expect("it is YAML");
    let manifests = read();

    let times = [
        median(|| chart::load(path)),
        median(resolve),
        median(|| Templates::parse(&resolved.chart)),
        median(|| render(false)),
        median(|| render(true)),
        median(read),
        median(|| manifest::print(&[], &manifests, Stream::default())),
    ];
    print_row(name, &times);
}

/// README's first command, and what the policies take of it: read and compiled anew, as a process does, and compiled.
fn check_stages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/workspace");
    let job = Job {
        root: PathBuf::new(),
        release: Release { name: "alice".into(), namespace: "default".into(), revision: 1, is_upgrade: false },
        inputs: Inputs { files: vec![root.join("examples/alice.yaml").display().to_string()], ..Inputs::default() },
        chart: root,
        stdin: Vec::new(),
        capabilities: Capabilities::default(),
        schema: SchemaCheck::Enforce,
        source: Source::reproducible(1),
        cluster: None,
    };
    let rendered = check::render(&job, &Charts::default()).expect("it can be rendered");
    let subject = Subject::from(&rendered);
    let lint = |catalogue: &Catalogue| {
        let every = Selection { profiles: vec![Profile::All], ..Selection::default() };
        let rules = Rules {
            schemas: Schemas::default(),
            chosen: every.choose(catalogue).expect("there are policies"),
            exemptions: &[],
            honoured: Honoured::All,
            today: Date::constant(2026, 1, 1),
        };
        check::lint(&[subject], &rules).expect("all policies can be evaluated")
    };
    let builtin = || Catalogue::builtin().expect("the policies can be read");
    let compiled = builtin();
    println!("\n{:<16} {:>8} {:>8} {:>8}", "ms", "render", "lint", "compiled");
    let times =
        [median(|| check::render(&job, &Charts::default())), median(|| lint(&builtin())), median(|| lint(&compiled))];
    print_row("alice --check", &times);
}

fn yaml_stages() {
    let path = charts::umbrella(26).join("values.yaml");
    let text = std::fs::read_to_string(path).expect("it can be read");
    let value = yaml::parse(&text, yaml::Options::default()).expect("it is YAML");
    println!("\n{:<16} {:>8} {:>8}", "ms", "read", "write");
    print_row(
        &format!("{} kB of YAML", text.len() / 1000),
        &[median(|| yaml::parse(&text, yaml::Options::default())), median(|| yaml::to_yaml(&value))],
    );
}

fn print_row(name: &str, times: &[Duration]) {
    let columns: String = times.iter().map(|time| format!(" {:>8.3}", time.as_secs_f64() * 1e3)).collect();
    println!("{name:<16}{columns}");
}

fn median<T>(mut run: impl FnMut() -> T) -> Duration {
    let mut times = Vec::new();
    let end = Instant::now() + ENOUGH;
    while times.len() < 5 || Instant::now() < end {
        let start = Instant::now();
        black_box(run());
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}
