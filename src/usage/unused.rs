//! Values keys that nothing reads, and reads of keys that values lack.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::pattern::{Pattern, Step};
use super::{Read, Usage, Use};
use crate::chart::{Chart, ValuesFileError, values_file};
use crate::source::{Location, SourceFile, Span};
use crate::suggest;
use crate::value::{self, Path, Value};
use crate::yaml;

/// For how many keys another one is looked for: who has more has values of another chart.
const MAX_MEANT: usize = 1_000;

/// What of the values and the templates of a chart do not fit together.
#[derive(Debug, Clone, Default)]
pub struct Unused {
    /// Keys that nothing reads, in the order of files and places. Of a map that nothing reads, only the map.
    pub unread: Vec<Unread>,
    /// Keys that the chart's own templates read, and that values lack, in the order of paths.
    pub missing: Vec<Missing>,
}

/// A key of a values file that nothing reads.
#[derive(Debug, Clone)]
pub struct Unread {
    /// The key, below the root chart's `.Values`.
    pub path: Path,
    /// Where it is.
    pub location: Location,
    /// A key that is read, that values lack, and that is much like this one.
    pub meant: Option<(Pattern, Location)>,
}

impl Unread {
    /// The key as its file writes it and as YAML reads it, where these differ: `y` and `true`, `010` and `8`.
    pub fn misread(&self) -> Option<(&str, &str)> {
        let Span { start, end } = self.location.span;
        let written = self.location.file.text.get(start..end)?;
        let is_plain = !written.starts_with(['"', '\'', '&', '*', '!', '?']) && !written.contains(char::is_whitespace);
        match self.path.0.last()? {
            value::Step::Key(read) if is_plain && written != &**read => Some((written, read)),
            _ => None,
        }
    }
}

/// A key that templates read and that values lack.
#[derive(Debug, Clone)]
pub struct Missing {
    /// The first key on the way that is not there.
    pub path: Pattern,
    /// Where it is read, by file and place. Never empty.
    pub locations: Vec<Location>,
}

/// The values that templates are held against.
pub struct Values<'a> {
    /// All of them, laid over each other.
    pub all: &'a Value,
    /// What the user supplied alone, where null takes a key away.
    pub supplied: &'a Value,
    /// The files whose keys are judged.
    pub files: Vec<Arc<SourceFile>>,
}

impl Unused {
    /// Holds values and templates against each other.
    ///
    /// # Errors
    ///
    /// Where a file is no values file.
    pub fn find(usage: &Usage, chart: &Chart, values: &Values<'_>) -> Result<Self, (Arc<SourceFile>, ValuesFileError)> {
        let tree = Tree::of(&usage.reads);
        let mut unread = Vec::new();
        for file in &values.files {
            let documents = values_file::documents(file).map_err(|error| (file.clone(), error))?;
            for document in documents {
                let Some(places) = yaml::Places::read(&file.text, document.span) else { continue };
                let mut judge = Judge { file, places, seen: HashSet::new(), unread: Vec::new() };
                judge.value(&document.value, &Path::default(), &[&tree]);
                judge.unread.sort_by_key(|unread| unread.location.span.start);
                unread.append(&mut judge.unread);
            }
        }
        unread
            .iter_mut()
            .take(MAX_MEANT)
            .for_each(|unread| unread.meant = meant(&unread.path, &usage.reads, values.all));
        Ok(Self { unread, missing: missing(usage, chart, values) })
    }

    /// Whether all fits together.
    pub fn is_empty(&self) -> bool {
        self.unread.is_empty() && self.missing.is_empty()
    }
}

/// All reads, by the steps of their paths.
#[derive(Default)]
struct Tree {
    below: BTreeMap<Step, Tree>,
    whole: bool,
}

impl Tree {
    fn of(reads: &[Read]) -> Self {
        let mut root = Self::default();
        for read in reads {
            let node = read.path.0.iter().fold(&mut root, |node, step| node.below.entry(step.clone()).or_default());
            node.whole |= read.whole;
            if matches!(read.how, Use::Ranged) {
                node.below.entry(Step::Each).or_default();
            }
        }
        root
    }

    /// The parts of a tree that an entry of a map, or an element of a list, belongs to.
    fn step<'t>(&'t self, step: &Step) -> impl Iterator<Item = &'t Tree> {
        let own = self.below.get(step).filter(|_| *step != Step::Each);
        own.into_iter().chain(self.below.get(&Step::Each))
    }
}

/// Goes through a document, with the parts of the tree that are about each of its values.
struct Judge<'a> {
    file: &'a Arc<SourceFile>,
    places: yaml::Places,
    /// Where keys were found: one that aliases bring to several places is listed once.
    seen: HashSet<usize>,
    unread: Vec<Unread>,
}

impl Judge<'_> {
    fn value(&mut self, value: &Value, path: &Path, parts: &[&Tree]) {
        if parts.iter().any(|part| part.whole) {
            return;
        }
        match value {
            Value::Map(map) => {
                for (key, value) in map.iter() {
                    let step = Step::Key(key.clone());
                    let inner: Vec<&Tree> = parts.iter().flat_map(|part| part.step(&step)).collect();
                    let path = path.key(key.clone());
                    if inner.is_empty() {
                        self.nothing_reads(path);
                    } else {
                        self.value(value, &path, &inner);
                    }
                }
            }
            Value::List(items) => {
                // Where nothing reads its elements, a list is asked for its length, or whether it is there.
                let inner: Vec<&Tree> = parts.iter().flat_map(|part| part.step(&Step::Each)).collect();
                if !inner.is_empty() {
                    items.iter().enumerate().for_each(|(index, item)| self.value(item, &path.index(index), &inner));
                }
            }
            _ => {}
        }
    }

    fn nothing_reads(&mut self, path: Path) {
        let (found, steps) = self.places.nearest(&path);
        // Where merge keys are too many to follow, the map.
        let span = found.key.filter(|_| steps == path.0.len()).unwrap_or(found.value);
        if !self.is_anchor(span.end, found.value.end) && self.seen.insert(span.start) {
            self.unread.push(Unread { path, location: Location::new(self.file.clone(), span), meant: None });
        }
    }

    /// Whether other values of the file take what is written between two places by its anchor.
    fn is_anchor(&self, key_end: usize, end: usize) -> bool {
        let written = self.file.text.get(key_end..end).unwrap_or_default();
        let value = written.trim_start_matches([':', '"', '\'', ' ', '\n']);
        let name = value.strip_prefix('&').map(|name| name.split(char::is_whitespace).next().unwrap_or_default());
        name.is_some_and(|name| !name.is_empty() && self.file.text.contains(&format!("*{name}")))
    }
}

/// The key that was meant by one that nothing reads: a similar one beside it, or the same one elsewhere, that is read
/// and that values lack.
fn meant(path: &Path, reads: &[Read], values: &Value) -> Option<(Pattern, Location)> {
    let pattern = Pattern::of(path);
    let (Step::Key(wrong), above) = pattern.0.split_last()? else { return None };
    let above = Pattern(above.to_vec());
    let beside = |read: &&Read| above.begins(&read.path) && above.0.len() < read.path.0.len();
    let mut known: BTreeMap<&str, &Read> = BTreeMap::new();
    for read in reads.iter().filter(beside) {
        if let Some(Step::Key(key)) = read.path.0.get(above.0.len()) {
            known.entry(key).or_insert(read);
        }
    }
    let parent = path.parent().unwrap_or_default();
    known.retain(|key, _| values.follow(&parent.key(*key)).is_none());
    // Of two letters each is like many another word.
    known.retain(|key, _| key.len().min(wrong.len()) > 2);
    let near = suggest::nearest(wrong, known.keys().copied()).or_else(|| alike(wrong, known.keys().copied()));
    if let Some(read) = near.and_then(|near| known.get(near)) {
        let found = Pattern(read.path.0.iter().take(above.0.len() + 1).cloned().collect());
        return Some((found, read.location.clone()));
    }
    let moved = reads.iter().find(|read| {
        matches!(read.path.0.last(), Some(Step::Key(key)) if key == wrong)
            && matches!(absent(&read.path, values), Some(missing) if missing == read.path)
    })?;
    Some((moved.path.clone(), moved.location.clone()))
}

/// The word that begins like another one: `replicaCount` and `replicas`.
fn alike<'k>(wrong: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let shared = |key: &str| key.bytes().zip(wrong.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
    let enough = |shared: usize, key: &str| shared >= 5 && shared * 4 >= 3 * key.len().min(wrong.len());
    known.map(|key| (shared(key), key)).filter(|(shared, key)| enough(*shared, key)).max().map(|(_, key)| key)
}

/// The shortest beginning of a path that values lack, where what is above it is a map with other keys.
fn absent(path: &Pattern, values: &Value) -> Option<Pattern> {
    let mut value = values;
    for (index, step) in path.0.iter().enumerate() {
        let (Step::Key(key), Value::Map(map)) = (step, value) else { return None };
        match map.get(key) {
            Some(inner) => value = inner,
            None if map.is_empty() && index > 0 => return None,
            None => return Some(Pattern(path.0.iter().take(index + 1).cloned().collect())),
        }
    }
    None
}

fn missing(usage: &Usage, chart: &Chart, values: &Values<'_>) -> Vec<Missing> {
    let own = |read: &&Read| {
        let sources = chart.templates.iter().filter_map(|file| file.source());
        sources.into_iter().any(|source| Arc::ptr_eq(source, &read.location.file))
    };
    let mut found: BTreeMap<Pattern, Vec<Location>> = BTreeMap::new();
    for read in usage.reads.iter().filter(own) {
        let Some(guards) = &read.guards else { continue };
        let Some(path) = absent(&read.path, values.all) else { continue };
        let allowed = read.tolerates.covers(path.0.len())
            || guards.iter().chain(&usage.demanded).any(|guard| path.begins(guard))
            || usage.written.iter().any(|written| written.begins(&path) || path.begins(written))
            || is_taken_away(&path, values.supplied);
        if !allowed {
            found.entry(path).or_default().push(read.location.clone());
        }
    }
    let ordered = |mut locations: Vec<Location>| {
        locations.sort_by(|a, b| (&a.file.name, a.span.start).cmp(&(&b.file.name, b.span.start)));
        locations.dedup();
        locations
    };
    found.into_iter().map(|(path, locations)| Missing { path, locations: ordered(locations) }).collect()
}

/// Whether a user says null on the way.
fn is_taken_away(path: &Pattern, supplied: &Value) -> bool {
    let mut value = supplied;
    for step in &path.0 {
        let Step::Key(key) = step else { return false };
        match value.get(key) {
            Some(Value::Null) => return true,
            Some(inner) => value = inner,
            None => return false,
        }
    }
    false
}
