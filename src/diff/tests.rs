//! What holds for all values: nothing that differs is left out, and nothing takes long.

use std::time::{Duration, Instant};

use super::*;
use crate::value::Map;

/// A step of a [`Trail`] that outlives it.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    Element(Option<usize>, Option<usize>),
}

#[derive(Debug, Clone)]
struct Told {
    way: Vec<Step>,
    is_order: bool,
}

fn steps(at: &Trail<'_>) -> Vec<Step> {
    let mut steps = match at {
        Trail::Root => return Vec::new(),
        Trail::Key { parent, .. } | Trail::Element { parent, .. } => steps(parent),
    };
    steps.push(match at {
        Trail::Element { element, .. } => Step::Element(element.before, element.after),
        _ => Step::Key(at.keys().next().unwrap().to_owned()),
    });
    steps
}

fn told(before: &Value, after: &Value) -> Vec<Told> {
    let mut told = Vec::new();
    let mut found = |at: &Trail<'_>, difference: Difference<'_>| {
        let is_order = matches!(difference, Difference::Order(..));
        match difference {
            Difference::Value(a, b) => assert_ne!(a.map(Same), b.map(Same), "{at}"),
            Difference::Order(a, b) => assert_ne!(Same(&a), Same(&b), "{at}"),
        }
        told.push(Told { way: steps(at), is_order });
    };
    let (renames, budget) = (Renames::default(), Budget::default());
    Walk { renames: &renames, object: (None, 0), budget: &budget, found: &mut found }.values(
        before,
        after,
        &Trail::Root,
    );
    told
}

/// What is left of a side without what was told.
fn rest(value: &Value, told: &[Told], depth: usize, is_old: bool) -> Option<Value> {
    let here = |told: &&Told| told.way.len() == depth;
    if told.iter().filter(here).any(|told| !told.is_order) {
        return None;
    }
    let below = |is_step: &dyn Fn(&Step) -> bool| -> Vec<Told> {
        told.iter().filter(|told| told.way.get(depth).is_some_and(is_step)).cloned().collect()
    };
    Some(match value {
        Value::Map(map) => {
            let entry = |(key, value): (&std::sync::Arc<str>, &Value)| {
                let told = below(&|step| *step == Step::Key(key.to_string()));
                Some((key.clone(), rest(value, &told, depth + 1, is_old)?))
            };
            map.iter().filter_map(entry).collect::<Map>().into()
        }
        Value::List(items) => {
            let item = |(index, value)| {
                let is_here = |step: &Step| match step {
                    Step::Element(old, new) => *(if is_old { old } else { new }) == Some(index),
                    Step::Key(_) => false,
                };
                rest(value, &below(&is_here), depth + 1, is_old)
            };
            let mut items: Vec<Value> = items.iter().enumerate().filter_map(item).collect();
            if told.iter().any(|told| here(&told)) {
                items.sort_by_key(|item| format!("{item:?}"));
            }
            items.into()
        }
        _ => value.clone(),
    })
}

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % end
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    fn value(&mut self, depth: u64) -> Value {
        match self.below(if depth == 0 { 4 } else { 9 }) {
            0 => Value::Int(self.below(3) as i64),
            1 => Value::Bool(self.below(2) == 0),
            2 | 3 => self.pick(&["a", "b", "c", "d"]).into(),
            4..=6 => {
                let keys = ["name", "ports", "port", "containerPort", "protocol", "mountPath", "volumeMounts", "x"];
                (0..self.below(5)).map(|_| (self.pick(&keys), self.value(depth - 1))).collect::<Map>().into()
            }
            _ => (0..self.below(6)).map(|_| self.value(depth - 1)).collect::<Vec<_>>().into(),
        }
    }

    /// The value with something else here and there.
    fn edit(&mut self, value: &Value) -> Value {
        match value {
            _ if self.below(20) == 0 => self.value(2),
            Value::Map(map) => {
                let mut edited: Map = map.iter().map(|(key, value)| (key.clone(), self.edit(value))).collect();
                if self.below(10) == 0 {
                    edited.insert("new", self.value(1));
                }
                edited.into()
            }
            Value::List(items) => {
                let mut edited: Vec<Value> = items.iter().map(|item| self.edit(item)).collect();
                if !edited.is_empty() {
                    let at = self.below(edited.len() as u64) as usize;
                    match self.below(8) {
                        0 => drop(edited.remove(at)),
                        1 => edited.insert(at, self.value(1)),
                        2 => edited.swap(0, at),
                        _ => {}
                    }
                }
                edited.into()
            }
            _ => value.clone(),
        }
    }
}

#[test]
fn what_is_not_told_is_the_same_on_both_sides() {
    let mut random = Random(1);
    let (mut differences, mut orders) = (0, 0);
    for _ in 0..20_000 {
        let before = random.value(4);
        let after = if random.below(3) == 0 { random.value(4) } else { random.edit(&before) };
        let told = told(&before, &after);
        assert_eq!(told.is_empty(), Same(&before) == Same(&after), "{before:?}\n{after:?}");
        let (old, new) = (rest(&before, &told, 0, true), rest(&after, &told, 0, false));
        assert_eq!(old, new, "{before:?}\n{after:?}\n{told:?}");
        differences += told.len();
        orders += told.iter().filter(|told| told.is_order).count();
    }
    assert!(differences > 10_000 && orders > 100, "{differences} differences, {orders} of order");
}

/// Objects as many pairs of texts and values.
fn objects(count: usize, fields: usize, random: &mut Random) -> Vec<(ObjectRef, Value)> {
    let object = |index: usize| {
        let name = format!("web-{index}");
        let fields =
            (0..fields).map(|field| (format!("field-{field}"), Value::from(format!("{}", random.below(1000)))));
        let metadata: Map = [("name", Value::from(&*name))].into_iter().collect();
        let object: Map = [
            ("apiVersion", Value::from("v1")),
            ("kind", "ConfigMap".into()),
            ("metadata", metadata.into()),
            ("data", fields.collect::<Map>().into()),
        ]
        .into_iter()
        .collect();
        let reference = ObjectRef { api_version: "v1".into(), kind: "ConfigMap".into(), namespace: None, name };
        (reference, object.into())
    };
    (0..count).map(object).collect()
}

fn items(objects: &[(ObjectRef, Value)]) -> Vec<Item<'_>> {
    objects.iter().map(|(reference, value)| Item { release: "a/b", reference, value }).collect()
}

#[test]
fn the_order_of_objects_changes_only_the_order_of_what_is_told() {
    let mut random = Random(2);
    let (before, after) = (objects(50, 3, &mut random), objects(60, 3, &mut random));
    let sorted = |before: &[Item<'_>], after: &[Item<'_>]| {
        let mut changes: Vec<String> = compare(before, after).iter().map(|change| format!("{change:?}")).collect();
        changes.sort();
        changes
    };
    let (mut olds, mut news) = (items(&before), items(&after));
    let told = sorted(&olds, &news);
    assert_eq!(told.len(), 60);
    olds.reverse();
    news.rotate_left(17);
    assert_eq!(sorted(&olds, &news), told);
}

#[test]
fn many_objects_take_little_time() {
    let mut random = Random(3);
    let before = objects(10_000, 100, &mut random);
    let mut after = before.clone();
    let (mut changed, nothing) = (objects(2_000, 100, &mut random), Vec::new());
    after.splice(..2_000, changed.drain(..));
    for (olds, news, expected) in [(&before, &after, 2_000), (&before, &nothing, 10_000), (&after, &after, 0)] {
        let start = Instant::now();
        assert_eq!(compare(&items(olds), &items(news)).len(), expected);
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn hostile_values_take_bounded_time() {
    let mut random = Random(4);
    let mut list = |length: usize, words: u64| -> Value {
        (0..length).map(|_| Value::Int(random.below(words) as i64)).collect::<Vec<_>>().into()
    };
    let long = |list: Value| -> Value { [("spec", list)].into_iter().collect::<Map>().into() };
    let mut cases = vec![(long(list(1_000_000, 2)), long(list(1_000_000, 2)))];
    let many =
        |list: &mut dyn FnMut(usize, u64) -> Value| (0..200).map(|_| list(10_000, 50)).collect::<Vec<_>>().into();
    cases.push((long(many(&mut list)), long(many(&mut list))));
    let deep = |end: &str| {
        let nest = |inner: Value, _| -> Value { vec![inner, list_of(1000)].into() };
        (0..crate::value::MAX_DEPTH).fold(Value::from(end), nest)
    };
    cases.push((deep("a"), deep("b")));
    let maps = |key: &str| -> Value {
        let one = |index| [(format!("{key}{index}"), Value::from("x".repeat(100)))].into_iter().collect::<Map>().into();
        (0..100_000).map(one).collect::<Vec<Value>>().into()
    };
    cases.push((maps("a"), maps("b")));
    for (index, (before, after)) in cases.iter().enumerate() {
        let start = Instant::now();
        let told = told(before, after);
        assert!(!told.is_empty());
        assert!(start.elapsed() < Duration::from_secs(60), "case {index}");
    }
    // As many objects of one name, and of names that differ in a hash only.
    let (mut before, mut after) = (objects(5_000, 2, &mut random), objects(5_000, 2, &mut random));
    before.iter_mut().chain(&mut after).for_each(|(reference, _)| reference.name = "web".into());
    assert_eq!(compare(&items(&before), &items(&after)).len(), 5_000);
    before.iter_mut().enumerate().for_each(|(index, (reference, _))| reference.name = format!("web-{index:07x}f9"));
    after.iter_mut().enumerate().for_each(|(index, (reference, _))| reference.name = format!("web-{index:07x}e8"));
    assert_eq!(compare(&items(&before), &items(&after)).len(), 5_000);
}

fn list_of(length: usize) -> Value {
    vec![Value::Int(1); length].into()
}

#[test]
fn what_is_not_a_number_is_still_the_same() {
    let value: Value = vec![Value::Float(f64::NAN), Value::Float(-0.0)].into();
    let other: Value = vec![Value::Float(f64::NAN), Value::Int(0)].into();
    assert_eq!(told(&value, &other).len(), 0);
}
