//! What the policy engine takes, in-process: `cargo bench --bench policies`. Prints medians in milliseconds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use plimsoll::policy::{Catalogue, Policy, PolicyKind, Release, evaluate};
use plimsoll::value::Value;
use plimsoll::yaml;

/// How long a measurement is repeated.
const ENOUGH: Duration = Duration::from_millis(500);

fn main() {
    // `cargo test --benches` runs this too; only `cargo bench` passes the flag.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let builtin = || Catalogue::builtin().expect("the policies can be read");
    let compile = |catalogue: Catalogue| {
        catalogue.policies().for_each(|policy| policy.check().expect("it compiles"));
        catalogue
    };
    let catalogue = compile(builtin());
    println!("{} policies", catalogue.entries().len());
    print("read the catalogue", median(|| (), |()| builtin()));
    print("compile it, on one thread", median(builtin, compile));
    let policies: Vec<&Policy> = catalogue.policies().collect();
    for count in [25, 250, 2_500] {
        let objects = objects(0, count);
        let run =
            |()| evaluate(policies.iter().copied(), &[release("web", &objects)]).expect("they have verdicts").len();
        print(&format!("all of them on {count} objects"), median(|| (), run));
    }
    print_slowest(&policies, &objects(0, 250));
    let fleet_policies: Vec<&Policy> = catalogue.policies().filter(|policy| policy.kind == PolicyKind::Fleet).collect();
    for count in [100, 1_000, 2_000] {
        let tenants: Vec<(String, Vec<Value>)> =
            (0..count).map(|at| (format!("tenant-{at}"), objects(at, 5))).collect();
        let releases: Vec<Release<'_>> = tenants.iter().map(|(name, objects)| release(name, objects)).collect();
        let run = |()| evaluate(fleet_policies.iter().copied(), &releases).expect("they have verdicts").len();
        print(&format!("fleet policies on {} objects", count * 5), median(|| (), run));
    }
}

/// The policies that take the most time by themselves.
fn print_slowest(policies: &[&Policy], objects: &[Value]) {
    let time = |policy: &Policy| {
        let start = Instant::now();
        black_box(evaluate([policy], &[release("web", objects)]).expect("it has a verdict"));
        start.elapsed()
    };
    let mut times: Vec<(Duration, &str)> = policies.iter().map(|policy| (time(policy), policy.id.as_str())).collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    times.iter().take(10).for_each(|(time, id)| print(&format!("  {id}"), *time));
}

fn release<'a>(name: &'a str, objects: &'a [Value]) -> Release<'a> {
    Release { name, ..Release::plain(name, "v1.35.0", objects) }
}

/// Objects of five kinds, as a decently made chart has them.
fn objects(first: usize, count: usize) -> Vec<Value> {
    let five = include_str!("policies.yaml");
    let text: String = (0..count / 5).map(|at| five.replace("NAME", &format!("web-{}", first + at))).collect();
    let documents = yaml::parse_stream(&text, yaml::Options::default()).expect("it is YAML");
    documents.into_iter().map(|document| document.value).filter(|value| *value != Value::Null).collect()
}

fn print(what: &str, time: Duration) {
    println!("{what:<32} {:>9.3}", time.as_secs_f64() * 1e3);
}

/// The median time of `run`; `prepare` is not counted.
fn median<A, B>(mut prepare: impl FnMut() -> A, mut run: impl FnMut(A) -> B) -> Duration {
    let mut times = Vec::new();
    let end = Instant::now() + ENOUGH;
    while times.len() < 5 || Instant::now() < end {
        let prepared = prepare();
        let start = Instant::now();
        black_box(run(prepared));
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}
