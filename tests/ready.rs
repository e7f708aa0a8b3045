//! When objects are ready, as kstatus judges it, by which Helm 4 and Flux wait: recorded answers, which
//! tests/peers/kstatus.sh holds to live ones. Each document of tests/fixtures/ready/*.yaml is a case; its line of the
//! .jsonl beside it is kstatus' answer.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use plimsoll::cluster::ready::{self, Status};
use plimsoll::value::{Map, Value};
use plimsoll::yaml;

/// Where kstatus is not followed, and why.
const DIFFERENT: &[(&str, &[&str], &str)] = &[
    (
        "deployment",
        &["paused"],
        "nothing happens before somebody resumes it; Helm 4 does not wait for it either, outside of kstatus",
    ),
    (
        "daemonset",
        &["updated-by-hand"],
        "its Pods are updated when somebody deletes them: as kstatus says of StatefulSets",
    ),
    (
        "replicaset",
        &["controller-with-too-few-available"],
        "kstatus knows no ReplicationControllers; they are judged as ReplicaSets are",
    ),
    (
        "pod",
        &["failed", "evicted"],
        "to kstatus a Pod that has failed is done; Helm 4's own reader of hooks calls it failed, too",
    ),
    (
        "pod",
        &["no-node-for-long"],
        "an autoscaler may bring a node; kstatus gives up after 15 s, but not on what owns the Pod",
    ),
    (
        "job",
        &["running", "first-run"],
        "to kstatus a Job is done once it has begun; it is waited for as by Flux, and by Helm 4 with --wait-for-jobs",
    ),
    (
        "network",
        &["balanced-without-address", "ingress-without-address", "ingress-without-class"],
        "they are there to be reached: without an address they are not. So Helm 3, Argo CD and Pulumi wait for it",
    ),
    (
        "extensions",
        &["service-not-seen", "service-without-endpoints"],
        "kstatus knows no APIServices; as long as one is not available, nobody can ask for its kinds",
    ),
    (
        "custom",
        &["ready-before-the-change"],
        "kstatus does not read what generation a condition was set for; an older one does not answer the change",
    ),
];

fn fixtures() -> Vec<PathBuf> {
    let folder = common::root().join("tests/fixtures/ready");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(!files.is_empty());
    files
}

fn objects(file: &Path) -> Vec<(String, Value)> {
    let documents = yaml::parse_stream(&fs::read_to_string(file).unwrap(), yaml::Options::default()).unwrap();
    let named = documents.into_iter().map(|document| {
        let name = document.value.at(["metadata", "name"]).and_then(Value::as_str).expect("each has a name");
        (name.to_owned(), document.value)
    });
    named.collect()
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// What kstatus calls it.
fn name_of(status: &Status) -> &'static str {
    match status {
        Status::Current => "Current",
        Status::InProgress(_) => "InProgress",
        Status::Failed(_) => "Failed",
        Status::Terminating => "Terminating",
    }
}

#[test]
fn kstatus_says_the_same() {
    let mut different = Vec::new();
    for file in fixtures() {
        let objects = objects(&file);
        let recorded = fs::read_to_string(file.with_extension("jsonl")).expect("tests/peers/kstatus.sh --record");
        let recorded: Vec<serde_json::Value> =
            recorded.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(objects.len(), recorded.len(), "{}: run tests/peers/kstatus.sh --record", file.display());
        for ((name, object), answer) in objects.iter().zip(recorded) {
            let theirs = match answer["status"].as_str().unwrap() {
                // What cannot be read is not known to be ready.
                "Unknown" => "InProgress",
                theirs => theirs,
            };
            let ours = ready::status(object);
            if name_of(&ours) != theirs {
                different.push((stem(&file), name.clone(), format!("{ours:?}, not {answer}")));
            }
        }
    }
    let expected = DIFFERENT.iter().flat_map(|(file, names, _)| names.iter().map(|name| (*file, *name)));
    let mut expected: Vec<(&str, &str)> = expected.collect();
    expected.sort_unstable();
    let mut found: Vec<(&str, &str)> = different.iter().map(|(file, name, _)| (file.as_str(), name.as_str())).collect();
    found.sort_unstable();
    assert_eq!(found, expected, "{different:#?}");
}

#[test]
fn people_are_told_what_is_waited_for() {
    let mut settings = common::snapshots("ready");
    settings.set_omit_expression(true);
    settings.bind(|| {
        for file in fixtures() {
            let mut told = String::new();
            for (name, object) in objects(&file) {
                let text = match ready::status(&object) {
                    Status::InProgress(why) | Status::Failed(why) => format!(": {why}"),
                    _ => String::new(),
                };
                writeln!(told, "{name}: {}{text}", name_of(&ready::status(&object))).unwrap();
            }
            insta::assert_snapshot!(stem(&file), told);
        }
    });
}

/// A small generator of numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// A value that no controller would write.
fn hostile(random: &mut Random) -> Value {
    let texts = ["", "1", "True", "Unschedulable", "a\u{1b}[2J\n\u{202e}", "CrashLoopBackOff"];
    match random.below(9) {
        0 => Value::Null,
        1 => Value::Bool(true),
        2 => Value::Int([0, -1, 3, i64::MAX, i64::MIN][random.below(5)]),
        3 => Value::Float([f64::NAN, f64::INFINITY, 1.5, -0.0][random.below(4)]),
        4 => Value::from(texts[random.below(texts.len())]),
        5 => Value::from("x".repeat(100_000)),
        6 => vec![Value::Int(1); 1000].into(),
        7 => (0..200).fold(Value::Null, |value, _| vec![value].into()),
        _ => (0..200).fold(Value::Null, |value, _| [("status", value)].into_iter().collect::<Map>().into()),
    }
}

/// The same value with something else in one place.
fn mutated(value: &Value, random: &mut Random) -> Value {
    if random.below(6) == 0 {
        return hostile(random);
    }
    match value {
        Value::Map(map) if !map.is_empty() => {
            let at = random.below(map.len());
            let changed = |(index, (key, value)): (usize, (&std::sync::Arc<str>, &Value))| {
                (key.clone(), if index == at { mutated(value, random) } else { value.clone() })
            };
            map.iter().enumerate().map(changed).collect::<Map>().into()
        }
        Value::List(list) if !list.is_empty() => {
            let at = random.below(list.len());
            let mut list = list.to_vec();
            list[at] = mutated(&list[at], random);
            list.into()
        }
        _ => hostile(random),
    }
}

#[test]
fn nothing_that_a_server_may_say_is_too_much() {
    let seeds: Vec<Value> = fixtures().iter().flat_map(|file| objects(file)).map(|(_, object)| object).collect();
    let mut random = Random(0x5EED);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..20_000 {
        let mut object = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(3) {
            object = mutated(&object, &mut random);
        }
        let status = ready::status(&object);
        if let Status::InProgress(why) | Status::Failed(why) = &status {
            let length = why.chars().count();
            assert!(length < 2_000 && !why.contains('\n'), "{length} characters: {why:.200}");
        }
        *seen.entry(name_of(&status)).or_default() += 1;
    }
    assert!(seen.len() == 4 && seen.values().all(|count| *count > 100), "{seen:?}");
}
