//! `mutate TARGET SECONDS [SEED]`: runs a target on mutations of the fixtures, without coverage, on stable Rust.

use std::panic;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// An input that takes longer than this hangs.
const LIMIT: Duration = Duration::from_secs(10);

/// The longest input in bytes.
const MAX_INPUT: usize = 4096;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let (Some(name), Some(seconds)) = (args.first(), args.get(1).and_then(|text| text.parse().ok())) else {
        eprintln!("usage: mutate gotemplate|yaml|set|cel|crd SECONDS [SEED]");
        process::exit(2);
    };
    let target: fn(&[u8]) = match name.as_str() {
        "gotemplate" => plimsoll_fuzz::gotemplate,
        "yaml" => plimsoll_fuzz::yaml,
        "set" => plimsoll_fuzz::set,
        "cel" => plimsoll_fuzz::cel,
        "crd" => plimsoll_fuzz::crd,
        _ => {
            eprintln!("no such target: {name}");
            process::exit(2);
        }
    };
    let seeds = seeds(name);
    let mut random = Random(args.get(2).and_then(|text| text.parse().ok()).unwrap_or(0x9e37_79b9_7f4a_7c15));
    println!("{} seeds", seeds.len());

    // The target runs in one thread for all inputs; this one watches how long each takes.
    let (to_target, inputs) = mpsc::channel::<Vec<u8>>();
    let (to_watch, outcomes) = mpsc::channel::<bool>();
    thread::spawn(move || {
        for input in inputs {
            let fine = panic::catch_unwind(|| target(&input)).is_ok();
            if to_watch.send(fine).is_err() {
                return;
            }
        }
    });
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut runs, mut found, mut slowest) = (0_u64, 0, Duration::ZERO);
    while Instant::now() < end {
        let input = random.mutate(&seeds);
        // Kept before it runs: a stack overflow ends the process.
        let running = keep(name, "running", &input);
        let start = Instant::now();
        to_target.send(input.clone()).expect("the target's thread lives");
        match outcomes.recv_timeout(LIMIT) {
            Ok(true) => {}
            Ok(false) => {
                found += 1;
                println!("panic: {}", keep(name, &format!("panic-{runs}"), &input));
            }
            Err(_) => {
                println!("hang: {running}");
                process::exit(1);
            }
        }
        runs += 1;
        if start.elapsed() > slowest {
            slowest = start.elapsed();
            keep(name, "slowest", &input);
        }
    }
    println!("{runs} runs, {found} panics, the slowest took {slowest:?}");
    process::exit(i32::from(found > 0));
}

/// Writes an input below `fuzz/artifacts` and says where.
fn keep(target: &str, name: &str, input: &[u8]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts").join(target);
    fs::create_dir_all(&folder).expect("the folder can be made");
    let path = folder.join(name);
    fs::write(&path, input).expect("the input can be written");
    path.display().to_string()
}

/// What the fixtures have for a target.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let (file, keys): (&str, &[&str]) = match target {
        "gotemplate" => ("conformance/gotemplate.jsonl", &["template"]),
        "yaml" => ("conformance/yaml-read.jsonl", &["yaml"]),
        "set" => ("conformance/set.jsonl", &["args"]),
        "crd" => return crds(&fixtures.join("crds")),
        _ => return CEL.iter().map(|text| text.as_bytes().to_vec()).collect(),
    };
    let mut found = Vec::new();
    let mut read = |file: &str| {
        for line in fs::read_to_string(fixtures.join(file)).expect("the fixture is there").lines() {
            let Ok(case) = plimsoll::yaml::parse_map(line, plimsoll::yaml::Options::default()) else { continue };
            for value in keys.iter().filter_map(|key| case.get(*key)) {
                match (value.as_str(), value.as_list()) {
                    (Some(text), _) => found.push(text.as_bytes().to_vec()),
                    (_, Some(items)) => {
                        let lines: Vec<String> =
                            items.iter().filter_map(|item| item.as_str()).map(|text| format!("={text}")).collect();
                        found.push(lines.join("\n").into_bytes());
                    }
                    _ => {}
                }
            }
        }
    };
    read(file);
    if target == "gotemplate" {
        read("conformance/functions.jsonl");
        // Making keys and hashing passwords takes long by design.
        let slow = [&b"gen"[..], b"derivePassword", b"bcrypt", b"htpasswd"];
        found.retain(|seed| !slow.iter().any(|slow| seed.windows(slow.len()).any(|word| word == *slow)));
    }
    found
}

/// Each CRD with its objects, as one stream; those that fit into an input.
fn crds(fixtures: &Path) -> Vec<Vec<u8>> {
    let folders = fs::read_dir(fixtures).expect("the fixtures are there");
    let stream = |folder: fs::DirEntry| {
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap_or_default();
        [read("crd.yaml"), read("objects.yaml")].join(&b"---\n"[..])
    };
    let mut streams: Vec<Vec<u8>> = folders.map(|folder| stream(folder.expect("it can be read"))).collect();
    streams.retain(|stream| stream.len() <= MAX_INPUT);
    // The order of a folder is not the same everywhere.
    streams.sort();
    streams
}

const CEL: &[&str] = &[
    "object.spec.template.spec.containers.all(c, !has(c.securityContext) || !c.securityContext.?privileged.orValue(false))",
    "object.metadata.labels.exists(k, k.startsWith('app')) && object.spec.replicas in [1, 2, 3]",
    "object.spec.template.spec.containers.map(c, c.image.split('/')[0]).join(',').matches('^[a-z.]+$')",
    "quantity('1Gi').compareTo(quantity('512Mi')) > 0 ? 'a' + string(1.5) : \"b\\u00e9\"",
    "[1, 2, 3].filter(x, x % 2 == 1).sum() == {'a': 4}['a'] || dyn(1u) == 1.0 || b'x' == bytes('x')",
    "duration('1h30m') > timestamp('2024-01-01T00:00:00Z') - timestamp('2023-12-31T00:00:00Z')",
    "semver('1.2.3').isLessThan(semver('2.0.0')) && url('https://x:1/a?b=c').getHost() == 'x:1'",
    "ip('10.0.0.1').family() == 4 && cidr('10.0.0.0/8').containsIP('10.1.2.3') && 'x'.format([1]) == r'\\d'",
];

/// What means something to one of the grammars.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    "range",
    "define \"x\"",
    "end",
    "9223372036854775807",
    "1e999",
    "&a",
    "*a",
    "<<: ",
    "include \"x\" .",
    "tpl",
    "? ",
    "- ",
    "|+2",
    "%TAG",
    "[*]",
    "{,}",
    "all(x, ",
];

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A seed, changed in one to eight places: pieces of other seeds, removed, repeated and overwritten bytes.
    fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.pick(seeds).clone();
        for _ in 0..=self.below(8) {
            let at = self.below(input.len() + 1);
            let to = at + self.below((input.len() - at).min(40) + 1);
            match self.below(6) {
                0 | 1 => {
                    let other = self.pick(seeds);
                    let from = self.below(other.len() + 1);
                    let length = self.below((other.len() - from).min(60) + 1);
                    input.splice(at..to, other[from..from + length].iter().copied());
                }
                2 => drop(input.drain(at..to)),
                3 => {
                    let piece = input[at..to].repeat(1 + self.below(64));
                    input.splice(at..at, piece);
                }
                4 => input.insert(at, *self.pick(b"{}[]()|:=,.\"'`$&*!#-\n \t%\\<>~0\xff")),
                _ => {
                    let piece = self.pick(PIECES).as_bytes();
                    input.splice(at..at, piece.iter().copied());
                }
            }
        }
        input.truncate(MAX_INPUT);
        input
    }
}
