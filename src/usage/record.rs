//! The reads of an analysis, and the way to each.
//!
//! A named template is analysed once for each shape of its dot: that is a context. A read knows the conditions around it
//! in its own context, and contexts know from where they are called and under which conditions; what guards a read on
//! every way to it is computed at the end.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::pattern::{Pattern, Tolerance};
use super::shape::{Atom, Map, Place, Shape};
use super::{Read, Usage, Use};
use crate::source::Location;

/// The most operands that are looked at for one chart. Beyond, everything counts as read.
const MAX_STEPS: usize = 2_000_000;
/// The most contexts.
const MAX_CONTEXTS: usize = 20_000;
/// The most keys that conditions are remembered to have read.
const MAX_TRAIL: usize = 200_000;
/// The most keys that a call in a condition guards.
const MAX_GUARDS: usize = 500;
/// How deep control structures and calls may nest, together.
const MAX_DEPTH: usize = 1_500;
/// How deep a map may hold maps that are read as a whole.
const MAX_NESTED: usize = 32;

/// An analysis under way.
pub struct Recorder {
    contexts: Vec<Context>,
    known: HashMap<String, usize>,
    /// The context that is being analysed.
    current: usize,
    /// The conditions around the current place, in its context.
    guards: Rc<[Pattern]>,
    /// Whether it is only guessed that the current place is reached.
    guessing: bool,
    /// Whether a condition is being computed: what it reads may be missing.
    asking: bool,
    /// Every key that was read, in order: what a condition reads is the end of it.
    trail: Vec<Pattern>,
    /// What templates put into values.
    pub written: Vec<(Pattern, Shape)>,
    /// Values that templates replace as a whole.
    pub replaced: BTreeSet<Pattern>,
    pub demanded: BTreeSet<Pattern>,
    pub unknown: BTreeSet<String>,
    /// How many maps templates made.
    made: usize,
    /// The oldest map that was changed since [`Self::watch`], by its number.
    oldest_changed: usize,
    steps: usize,
    depth: usize,
    exhausted: bool,
    /// The place that is being analysed: there is read what no template has named by a field.
    pub here: Location,
}

/// What makes a read the same as another: its path, how it is read, its bytes in the file, and what guards it.
type Seen = (Pattern, String, usize, usize, Rc<[Pattern]>);

/// A template with one shape of its dot.
#[derive(Default)]
struct Context {
    reads: Vec<RawRead>,
    seen: HashSet<Seen>,
    calls: Vec<(usize, Rc<[Pattern]>)>,
    is_root: bool,
    /// What it reads, once it is known.
    trail: Vec<Pattern>,
}

struct RawRead {
    path: Pattern,
    whole: bool,
    how: Use,
    at: Location,
    tolerates: Tolerance,
    /// `None` where it is a guess.
    guards: Option<Rc<[Pattern]>>,
}

/// Where an analysis was before it entered a context.
pub struct Entered {
    id: usize,
    key: Option<String>,
    caller: usize,
    guards: Rc<[Pattern]>,
    guessing: bool,
    asking: bool,
    mark: usize,
    watch: Watch,
}

/// Since when changes are looked for.
pub struct Watch {
    made: usize,
    outer: usize,
}

impl Recorder {
    /// An analysis that has read nothing.
    pub fn new(home: Location) -> Self {
        Self {
            contexts: Vec::new(),
            known: HashMap::new(),
            current: 0,
            guards: [].into(),
            guessing: false,
            asking: false,
            trail: Vec::new(),
            written: Vec::new(),
            replaced: BTreeSet::new(),
            demanded: BTreeSet::new(),
            unknown: BTreeSet::new(),
            made: 0,
            oldest_changed: usize::MAX,
            steps: 0,
            depth: 0,
            exhausted: false,
            here: home,
        }
    }

    /// Counts some work; whether there may be more.
    pub fn step(&mut self) -> bool {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            self.exhausted = true;
        }
        !self.exhausted
    }

    /// Goes one level deeper, if it may: then [`Self::ascend`] must follow.
    pub fn descend(&mut self) -> bool {
        self.exhausted |= self.depth >= MAX_DEPTH;
        self.depth += usize::from(!self.exhausted);
        !self.exhausted
    }

    /// Comes back up.
    pub fn ascend(&mut self) {
        self.depth -= 1;
    }

    /// Begins what is executed by itself.
    pub fn root(&mut self) {
        self.contexts.push(Context { is_root: true, ..Context::default() });
        self.current = self.contexts.len() - 1;
        self.guards = [].into();
    }

    /// Begins to analyse a template with a dot; `None` where that was done, or is under way.
    pub fn enter(&mut self, template: &str, dot: &Shape) -> Option<Entered> {
        let key = dot.name().map(|dot| format!("{template}\0{dot}\0{}", self.written.len()));
        let known = key.as_ref().and_then(|key| self.known.get(key)).copied();
        let id = known.unwrap_or(self.contexts.len());
        if !self.guessing
            && let Some(caller) = self.contexts.get_mut(self.current)
        {
            caller.calls.push((id, self.guards.clone()));
        }
        if let Some(context) = known.and_then(|id| self.contexts.get(id)) {
            self.trail.extend_from_slice(&context.trail);
            return None;
        }
        if self.contexts.len() >= MAX_CONTEXTS {
            self.exhausted = true;
            return None;
        }
        self.contexts.push(Context::default());
        if let Some(key) = &key {
            self.known.insert(key.clone(), id);
        }
        let caller = std::mem::replace(&mut self.current, id);
        let guards = std::mem::replace(&mut self.guards, [].into());
        let guessing = std::mem::replace(&mut self.guessing, false);
        let asking = std::mem::replace(&mut self.asking, false);
        let watch = self.watch();
        Some(Entered { id, key, caller, guards, guessing, asking, mark: self.trail.len(), watch })
    }

    /// Ends what [`Self::enter`] began.
    pub fn leave(&mut self, entered: Entered) {
        let read: BTreeSet<&Pattern> = self.trail.iter().skip(entered.mark).take(MAX_GUARDS).collect();
        let trail = read.into_iter().cloned().collect();
        if let Some(context) = self.contexts.get_mut(entered.id) {
            context.trail = trail;
        }
        // Who changes what it is given does so again.
        let has_changed = self.has_changed(entered.watch);
        if let Some(key) = entered.key.filter(|_| has_changed) {
            self.known.remove(&key);
        }
        self.current = entered.caller;
        self.guards = entered.guards;
        self.guessing = entered.guessing;
        self.asking = entered.asking;
    }

    /// A new map of a template.
    pub fn make(&mut self) -> Rc<Map> {
        self.made += 1;
        Rc::new(Map { made: self.made, ..Map::default() })
    }

    /// A map was changed; 0 stands for values.
    pub fn change(&mut self, made: usize) {
        self.oldest_changed = self.oldest_changed.min(made);
    }

    /// From here on changes are looked for, until [`Self::has_changed`].
    pub fn watch(&mut self) -> Watch {
        Watch { made: self.made, outer: std::mem::replace(&mut self.oldest_changed, usize::MAX) }
    }

    /// Whether anything was changed that is older than a watch. A map that was made since is nobody else's.
    pub fn has_changed(&mut self, watch: Watch) -> bool {
        let has_changed = self.oldest_changed <= watch.made;
        self.change(watch.outer);
        has_changed
    }

    /// From here on it is only guessed that a place is reached. Returns what [`Self::guess`] takes back.
    pub fn guess(&mut self, guessing: bool) -> bool {
        std::mem::replace(&mut self.guessing, guessing)
    }

    /// From here on a condition is computed, or not. Returns what it takes to go back.
    pub fn asking(&mut self, asking: bool) -> bool {
        std::mem::replace(&mut self.asking, asking)
    }

    /// Where the trail is; what [`Self::guard`] takes.
    pub fn mark(&self) -> usize {
        self.trail.len()
    }

    /// The keys that were read since a mark.
    pub fn read_since(&self, mark: usize) -> &[Pattern] {
        self.trail.get(mark..).unwrap_or_default()
    }

    /// From here on what was read since a mark is a condition. Returns what [`Self::unguard`] takes back.
    pub fn guard(&mut self, mark: usize) -> Rc<[Pattern]> {
        let before = self.guards.clone();
        let mut guards: Vec<Pattern> = self.guards.to_vec();
        for read in self.trail.iter().skip(mark).take(MAX_GUARDS) {
            if !guards.contains(read) {
                guards.push(read.clone());
            }
        }
        if guards.len() > before.len() {
            self.guards = guards.into();
        }
        before
    }

    /// Ends conditions.
    pub fn unguard(&mut self, before: Rc<[Pattern]>) {
        self.guards = before;
    }

    /// Records a use of everything that a shape may be.
    pub fn consume(&mut self, shape: &Shape, how: &Use, whole: bool) {
        self.consume_within(shape, how, whole, 0);
    }

    /// Records a use that minds no missing key.
    pub fn ask(&mut self, shape: &Shape, how: &Use) {
        for atom in &shape.0 {
            match atom {
                Atom::Values(place) => self.record(&place.tolerated(), how, false),
                Atom::Map(map) => {
                    let merged = map.merged.borrow().clone();
                    self.consume_within(&merged, how, false, 1);
                }
                _ => {}
            }
        }
    }

    fn consume_within(&mut self, shape: &Shape, how: &Use, whole: bool, nested: usize) {
        if nested > MAX_NESTED {
            self.exhausted = true;
            return;
        }
        for atom in &shape.0 {
            match atom {
                Atom::Values(place) => {
                    self.record(place, how, whole);
                    self.consume_written(&place.path, how, whole, nested);
                }
                Atom::Map(map) => {
                    if !self.step() {
                        return;
                    }
                    if whole {
                        let entries = map.entries();
                        self.consume_within(&entries, how, true, nested + 1);
                    }
                    let merged = map.merged.borrow().clone();
                    self.consume_within(&merged, how, whole, nested + 1);
                }
                Atom::List(list) if whole => {
                    if !self.step() {
                        return;
                    }
                    list.items.iter().for_each(|item| self.consume_within(item, how, true, nested + 1));
                }
                _ => {}
            }
        }
    }

    /// What was put into values is used with them.
    fn consume_written(&mut self, path: &Pattern, how: &Use, whole: bool, nested: usize) {
        let within = |written: &Pattern| {
            if whole { path.begins(written) } else { written.0.len() == path.0.len() && path.begins(written) }
        };
        let found: Vec<Shape> =
            self.written.iter().filter(|(written, _)| within(written)).map(|(_, shape)| shape.clone()).collect();
        found.iter().for_each(|shape| self.consume_within(shape, how, whole, nested + 1));
    }

    fn record(&mut self, place: &Place, how: &Use, whole: bool) {
        if !self.step() {
            return;
        }
        if self.trail.len() >= MAX_TRAIL {
            self.exhausted = true;
            return;
        }
        if self.trail.last() != Some(&place.path) {
            self.trail.push(place.path.clone());
        }
        let Some(context) = self.contexts.get_mut(self.current) else { return };
        let at = if place.at.span.end == 0 { &self.here } else { &place.at };
        let file = Arc::as_ptr(&at.file) as usize;
        let tolerates = if self.asking { place.tolerated().tolerates } else { place.tolerates };
        let what = format!("{whole}{tolerates:?}{}{how:?}", self.guessing);
        if context.seen.insert((place.path.clone(), what, file, at.span.start, self.guards.clone())) {
            context.reads.push(RawRead {
                path: place.path.clone(),
                whole,
                how: how.clone(),
                at: at.clone(),
                tolerates,
                guards: (!self.guessing).then(|| self.guards.clone()),
            });
        }
    }

    /// Everything that was read.
    pub fn finish(mut self, aliases: &[(Pattern, Pattern)]) -> Usage {
        if self.exhausted {
            let place = Place { path: Pattern::default(), tolerates: Tolerance::ALL, at: self.here.clone() };
            (self.exhausted, self.steps, self.trail) = (false, 0, Vec::new());
            self.record(&place, &Use::Unknown, true);
            self.unknown.insert("the templates do more than is looked at".to_owned());
        }
        let ins = self.guards_of_contexts();
        let mut reads: BTreeMap<(Pattern, Arc<str>, usize, String), Read> = BTreeMap::new();
        for (context, ins) in self.contexts.into_iter().zip(ins) {
            for raw in context.reads {
                let guards: Option<BTreeSet<Pattern>> = match (&raw.guards, &ins) {
                    (Some(own), Some(ins)) => Some(own.iter().chain(ins).cloned().collect()),
                    _ => None,
                };
                let key =
                    (raw.path.clone(), raw.at.file.name.as_str().into(), raw.at.span.start, format!("{:?}", raw.how));
                let guards = guards.map(|guards| guards.into_iter().collect::<Arc<[Pattern]>>());
                match reads.entry(key) {
                    std::collections::btree_map::Entry::Vacant(entry) => {
                        let RawRead { path, whole, how, at: location, tolerates, .. } = raw;
                        entry.insert(Read { path, whole, how, location, tolerates, guards });
                    }
                    std::collections::btree_map::Entry::Occupied(mut entry) => {
                        let read = entry.get_mut();
                        read.whole |= raw.whole;
                        read.tolerates = read.tolerates.and(raw.tolerates);
                        read.guards = match (&read.guards, guards) {
                            (Some(a), Some(b)) => Some(a.iter().filter(|guard| b.contains(guard)).cloned().collect()),
                            (known, other) => known.clone().or(other),
                        };
                    }
                }
            }
        }
        let written = self.written.into_iter().map(|(path, _)| path);
        let written: BTreeSet<Pattern> = written.chain(self.replaced).collect();
        let mut reads: Vec<Read> = reads.into_values().collect();
        reads.extend(reads.clone().iter().flat_map(|read| aliases.iter().filter_map(|alias| aliased(read, alias))));
        reads.sort_by(|a, b| a.path.cmp(&b.path));
        Usage {
            reads,
            written: written.into_iter().collect(),
            demanded: self.demanded.into_iter().collect(),
            unknown: self.unknown.into_iter().collect(),
        }
    }

    /// What guards every way to a context; `None` where no way is certain.
    fn guards_of_contexts(&self) -> Vec<Option<BTreeSet<Pattern>>> {
        let mut ins: Vec<Option<BTreeSet<Pattern>>> =
            self.contexts.iter().map(|context| context.is_root.then(BTreeSet::new)).collect();
        let mut work: Vec<usize> = (0..self.contexts.len()).filter(|id| self.contexts[*id].is_root).collect();
        while let Some(id) = work.pop() {
            let Some(Some(own)) = ins.get(id).cloned() else { continue };
            for (callee, guards) in &self.contexts[id].calls {
                let Some(known) = ins.get_mut(*callee) else { continue };
                let met = match known.as_ref() {
                    None => own.iter().chain(guards.iter()).cloned().collect(),
                    Some(known) => {
                        known.iter().filter(|guard| own.contains(guard) || guards.contains(guard)).cloned().collect()
                    }
                };
                if known.as_ref() != Some(&met) {
                    *known = Some(met);
                    work.push(*callee);
                }
            }
        }
        ins
    }
}

/// A read of values that are at another place too.
fn aliased(read: &Read, (from, to): &(Pattern, Pattern)) -> Option<Read> {
    let path = match read.path.0.get(from.0.len()..) {
        Some(rest) if from.begins(&read.path) => Pattern([&to.0, rest].concat()),
        None if read.whole && read.path.begins(from) => to.clone(),
        _ => return None,
    };
    Some(Read { tolerates: Tolerance::ALL, path, guards: None, ..read.clone() })
}
