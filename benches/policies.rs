//! What the policy engine takes, in-process: `cargo bench --bench policies`. Prints medians in milliseconds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::civil::Date;
use plimsoll::chart::Capabilities;
use plimsoll::check::{self, Rules, Subject};
use plimsoll::policy::exemption::Honoured;
use plimsoll::policy::{Catalogue, Profile, Selection};
use plimsoll::source::SourceFile;

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
    let every = Selection { profiles: vec![Profile::All], ..Selection::default() };
    let rules = Rules {
        chosen: every.choose(&catalogue).expect("there are policies"),
        exemptions: &[],
        honoured: Honoured::All,
        today: Date::constant(2026, 1, 1),
    };
    for objects in [25, 250, 2_500] {
        let manifests = check::read(vec![SourceFile::new("objects.yaml", manifests(objects))]).expect("it is YAML");
        let capabilities = Capabilities::default();
        let subjects = [Subject::plain(&manifests, "default", &capabilities)];
        let lint = |()| check::lint(&subjects, &rules).expect("they can be evaluated");
        print(&format!("all of them on {objects} objects"), median(|| (), lint));
    }
}

/// Objects of five kinds, as a decently made chart has them: nothing in them is wrong.
fn manifests(count: usize) -> String {
    let five = include_str!("policies.yaml");
    (0..count / 5).map(|release| five.replace("NAME", &format!("web-{release}"))).collect()
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
