//! Lists: which element of the old one is which of the new one.

use std::cell::Cell;
use std::collections::HashMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::fields::{Difference, Walk};
use super::same::Same;
use super::trail::{Element, Trail};
use super::weave::weave;
use crate::value::Value;

/// The fields that tell elements of a list from each other.
type Keys = &'static [&'static str];

/// By the name of their list. A name of their own tells elements apart in every list: see [`NAME`].
///
/// Source: `patchMergeKey` and `listMapKey` in the types of k8s.io/api. Both lists of ports are named alike.
const KEYS: &[(&str, Keys)] = &[
    ("ports", &["containerPort", "protocol"]),
    ("ports", &["port", "protocol"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    ("hostAliases", &["ip"]),
    ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ("conditions", &["type"]),
    ("taints", &["key", "effect"]),
    ("ownerReferences", &["uid"]),
];
const NAME: Keys = &["name"];
/// Lists whose names are references: another name is another reference in the same place.
const REFERENCES: &str = "imagePullSecrets";

/// The longest list, and the longest lists of a comparison together, in which what is common is searched for. Short ones
/// cost nothing.
const MAX_ELEMENTS: usize = 1 << 14;
const MAX_ELEMENTS_TOGETHER: usize = 1 << 20;
const SHORT: usize = 512;
/// The most pairs of elements that are compared to find those that are alike.
const MAX_PAIRS: usize = 1024;

/// What may still be spent on lists that are long.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(MAX_ELEMENTS_TOGETHER))
    }
}

impl Budget {
    fn allows(&self, elements: usize) -> bool {
        if elements <= SHORT {
            return true;
        }
        let left = self.0.get().checked_sub(elements);
        self.0.set(left.unwrap_or(0));
        elements <= MAX_ELEMENTS && left.is_some()
    }
}

impl Walk<'_> {
    /// Tells in which elements two lists differ, and whether their order does.
    pub(super) fn lists(&mut self, before: &[Value], after: &[Value], at: &Trail<'_>) {
        let start = before.iter().zip(after).take_while(|(a, b)| Same(a) == Same(b)).count();
        if start == before.len() && start == after.len() {
            return;
        }
        match keyed(at.keys().next(), before, after) {
            Some(keyed) => self.keyed(before, after, &keyed, at),
            None => self.sequences(before, after, start, at),
        }
    }

    fn keyed(&mut self, before: &[Value], after: &[Value], keyed: &Keyed, at: &Trail<'_>) {
        let partners = keyed.partners();
        for (old, new) in weave(&partners, after.len()) {
            self.pair(before, after, (old, new), keyed.keys, at);
        }
        if !partners.iter().flatten().is_sorted() {
            let names =
                |list: &[Value]| Value::from(list.iter().map(|item| name(item, keyed.keys)).collect::<Vec<_>>());
            self.tell(at, Difference::Order(names(before), names(after)));
        }
    }

    /// Lists whose elements only their places tell apart, and whose first elements are the same.
    fn sequences(&mut self, before: &[Value], after: &[Value], start: usize, at: &Trail<'_>) {
        let (olds, news) = (before.get(start..).unwrap_or_default(), after.get(start..).unwrap_or_default());
        let end = olds.iter().rev().zip(news.iter().rev()).take_while(|(a, b)| Same(a) == Same(b)).count();
        let (olds, news) = (&before[start..before.len() - end], &after[start..after.len() - end]);

        let mut numbers = HashMap::new();
        let mut number = |item| {
            let next = numbers.len();
            *numbers.entry(Same(item)).or_insert(next)
        };
        let old_numbers: Vec<usize> = olds.iter().map(&mut number).collect();
        let new_numbers: Vec<usize> = news.iter().map(&mut number).collect();
        let is_scalar = |item: &Value| !matches!(item, Value::List(_) | Value::Map(_));
        if olds.iter().all(is_scalar) && sorted(&old_numbers) == sorted(&new_numbers) {
            return self.tell(at, Difference::Order(before.to_vec().into(), after.to_vec().into()));
        }
        let all = DiffOp::Replace { old_index: 0, old_len: olds.len(), new_index: 0, new_len: news.len() };
        let changes = match olds.len().min(news.len()) {
            2.. if self.budget.allows(olds.len() + news.len()) => {
                capture_diff_slices(Algorithm::Myers, &old_numbers, &new_numbers)
            }
            _ => vec![all],
        };
        for change in changes.iter().filter(|change| !matches!(change, DiffOp::Equal { .. })) {
            let (old, new) = (change.old_range(), change.new_range());
            let alike = alike(&olds[old.clone()], &news[new.clone()]);
            for (a, b) in weave(&alike, new.len()) {
                let pair = (a.map(|a| start + old.start + a), b.map(|b| start + new.start + b));
                self.pair(before, after, pair, &[], at);
            }
        }
    }

    fn pair(
        &mut self,
        before: &[Value],
        after: &[Value],
        (old, new): (Option<usize>, Option<usize>),
        keys: Keys,
        at: &Trail<'_>,
    ) {
        let (a, b) = (old.and_then(|old| before.get(old)), new.and_then(|new| after.get(new)));
        let Some(value) = b.or(a) else { return };
        let at = at.element(Element { before: old, after: new, value, keys });
        match (a, b) {
            (Some(a), Some(b)) => self.values(a, b, &at),
            _ => self.tell(&at, Difference::Value(a, b)),
        }
    }
}

/// Two lists whose elements have keys.
struct Keyed {
    keys: Keys,
    before: Vec<String>,
    after: Vec<String>,
}

impl Keyed {
    /// For each element of the old list its index in the new one.
    fn partners(&self) -> Vec<Option<usize>> {
        let places: HashMap<&str, usize> = self.after.iter().enumerate().map(|(place, key)| (&**key, place)).collect();
        self.before.iter().map(|key| places.get(&**key).copied()).collect()
    }
}

/// The keys of all elements, if they have some, and each list has each only once.
fn keyed(list: Option<&str>, before: &[Value], after: &[Value]) -> Option<Keyed> {
    let list = list.filter(|list| *list != REFERENCES)?;
    let of_list = KEYS.iter().filter(|(name, _)| *name == list).map(|(_, keys)| *keys);
    std::iter::once(NAME).chain(of_list).find_map(|keys| {
        let of = |items: &[Value]| {
            let texts: Option<Vec<String>> = items.iter().map(|item| identity(item, keys)).collect();
            texts.filter(|texts| sorted(texts).windows(2).all(|two| two[0] != two[1]))
        };
        Some(Keyed { keys, before: of(before)?, after: of(after)? })
    })
}

/// The values of an element's keys; the first one has to be there.
fn identity(item: &Value, keys: Keys) -> Option<String> {
    let text = |key: &str| match (item.get(key)?, key) {
        (Value::String(text), _) => Some(format!("{text:?}")),
        (Value::Int(number), _) => Some(number.to_string()),
        _ => None,
    };
    let (first, rest) = keys.split_first()?;
    let rest = rest.iter().map(|key| match (text(key), *key) {
        // As `default` in the API says.
        (None, "protocol") => format!("{:?}", "TCP"),
        (text, _) => text.unwrap_or_default(),
    });
    Some(std::iter::once(text(first)?).chain(rest).collect::<Vec<_>>().join(" "))
}

/// What an element is called in a list of the order: its key, or its keys with a slash between.
fn name(item: &Value, keys: Keys) -> Value {
    let values: Vec<&Value> = keys.iter().filter_map(|key| item.get(key)).collect();
    match values[..] {
        [one] => one.clone(),
        _ => {
            let text = |value: &&Value| match value {
                Value::String(text) => text.to_string(),
                Value::Int(number) => number.to_string(),
                other => other.type_name().to_owned(),
            };
            values.iter().map(text).collect::<Vec<_>>().join("/").into()
        }
    }
}

fn sorted<T: Ord + Clone>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort_unstable();
    items
}

/// Which of some elements became which of others, in their order: as many as can be, those that are most alike.
fn alike(olds: &[Value], news: &[Value]) -> Vec<Option<usize>> {
    let (rows, columns) = (olds.len(), news.len());
    if rows.max(columns) <= 1 || rows.saturating_mul(columns) > MAX_PAIRS {
        return (0..rows).map(|row| Some(row).filter(|row| *row < columns)).collect();
    }
    // The best sum of what is left of both, from each element on: the textbook's alignment.
    let width = columns + 1;
    let mut best = vec![0_u32; (rows + 1) * width];
    let likeness: Vec<u32> = olds.iter().flat_map(|a| news.iter().map(move |b| likeness(a, b))).collect();
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let at = row * width + column;
            let paired = best[at + width + 1] + likeness[row * columns + column];
            best[at] = paired.max(best[at + width]).max(best[at + 1]);
        }
    }
    let mut partners = vec![None; rows];
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        let at = row * width + column;
        let like = likeness[row * columns + column];
        if like > 0 && best[at] == best[at + width + 1] + like {
            partners[row] = Some(column);
            (row, column) = (row + 1, column + 1);
        } else if best[at] == best[at + width] {
            row += 1;
        } else {
            column += 1;
        }
    }
    partners
}

/// How much two values have in common, from 0 for values of different types to 101.
fn likeness(a: &Value, b: &Value) -> u32 {
    let share = |common: usize, of: usize| 1 + u32::try_from(100 * common / of.max(1)).unwrap_or(100);
    match (a, b) {
        (Value::String(a), Value::String(b)) => {
            let common = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
            share(common, a.len().max(b.len()))
        }
        (Value::Map(a), Value::Map(b)) => {
            let is_common = |key: &str, value| b.get(key).is_some_and(|other| Same(value) == Same(other));
            let common = a.iter().filter(|(key, value)| is_common(key, value)).count();
            share(common, a.len().max(b.len()))
        }
        _ => u32::from(a.type_name() == b.type_name()),
    }
}
