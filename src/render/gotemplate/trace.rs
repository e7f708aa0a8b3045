//! What wrote each byte of a rendered file: collected while templates are executed, where that is asked for.
//!
//! Values are known by address: a table made when tracing begins leads from every map, list and text below `.Values`
//! to its path. What a function makes of included text is plain text to the executor, so printed lines are found again
//! among the included ones.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::render::any::{Any, Map, Text};
use crate::source::{FrameId, SourceFile, SourceMap};
use crate::value::{Path, Step};

/// Most paths that one action is said to have read.
const MAX_KEYS: usize = 64;

/// Longest included text, in lines, in which parts of printed lines are looked for.
const MAX_PARTS: usize = 64;

/// Paths below `.Values`.
pub type Keys = Arc<[Path]>;

/// The trace of a render.
#[derive(Default)]
pub struct Trace {
    /// The map of the file that is being rendered: so far only the frames that called something.
    pub map: SourceMap,
    /// Paths by the address of what is there. The values are kept, so that no address is used again.
    known: HashMap<usize, (Path, Any)>,
    /// What was read by the actions that are being computed, the outermost action's first.
    reads: Vec<Path>,
    /// What these actions included.
    included: Vec<Included>,
}

/// Text that an action included, and what wrote it.
struct Included {
    text: Text,
    marks: Vec<Mark>,
}

/// Says what wrote the text from a byte on.
#[derive(Clone)]
pub struct Mark {
    /// First byte.
    pub start: usize,
    /// The template.
    pub file: Arc<SourceFile>,
    /// The text or action in it.
    pub offset: usize,
    /// The action that called the template.
    pub caller: Option<FrameId>,
    /// Whether the text is the template's own.
    pub literal: bool,
    /// What it was computed from.
    pub keys: Keys,
    /// What enclosing conditions and loops read.
    pub guards: Keys,
}

/// What is known of a block of a template while it is executed.
#[derive(Clone, Default)]
pub struct Context {
    /// What dot was computed from.
    pub dot: Keys,
    /// What enclosing conditions and loops read, innermost first.
    pub guards: Keys,
}

/// How far the trace was when an action began.
#[derive(Clone, Copy)]
pub struct Begin {
    reads: usize,
    included: usize,
}

impl Trace {
    /// A trace that knows the addresses of all values.
    pub fn new(values: &Map) -> Self {
        let mut trace = Self::default();
        trace.learn(&Any::Map(values.clone()), Path::default());
        trace
    }

    fn learn(&mut self, value: &Any, path: Path) {
        if let Some(address) = address(value) {
            self.known.insert(address, (path.clone(), value.clone()));
        }
        match value {
            Any::Map(map) => {
                for (key, item) in map.entries.borrow().iter() {
                    self.learn(item, path.key(&*key.to_str()));
                }
            }
            Any::List(list) => {
                for (index, item) in list.items.iter().enumerate() {
                    self.learn(item, path.index(index));
                }
            }
            _ => {}
        }
    }

    /// Marks the beginning of an action.
    pub fn begin(&self) -> Begin {
        Begin { reads: self.reads.len(), included: self.included.len() }
    }

    /// Ends an action. What a nested one read was read by the outer one too.
    pub fn end(&mut self, begin: Begin, nested: bool) {
        self.included.truncate(begin.included);
        if !nested {
            self.reads.truncate(begin.reads);
        } else if self.reads.len() > begin.reads + MAX_KEYS {
            let keys = self.keys(begin);
            self.reads.truncate(begin.reads);
            self.reads.extend_from_slice(&keys);
        }
    }

    /// What was read since an action began, each path once.
    pub fn keys(&self, begin: Begin) -> Keys {
        let mut keys: Vec<Path> = Vec::new();
        for path in self.reads.get(begin.reads..).unwrap_or_default() {
            if keys.len() < MAX_KEYS && !keys.contains(path) {
                keys.push(path.clone());
            }
        }
        keys.into()
    }

    /// A key of a map was read.
    pub fn field(&mut self, map: &Map, name: &Text, found: &Any) {
        let Some((path, _)) = self.known.get(&map_address(map)) else { return self.value(found) };
        let path = path.clone();
        // The map itself was only a step on the way.
        if self.reads.last() == Some(&path) {
            self.reads.pop();
        }
        self.reads.push(path.key(&*name.to_str()));
    }

    /// Where a value is below `.Values`, if it is there.
    pub fn path(&self, value: &Any) -> Option<&Path> {
        let (path, _) = self.known.get(&address(value)?)?;
        (!path.0.is_empty()).then_some(path)
    }

    /// A value was used: where it comes from `.Values`, its path was read.
    pub fn value(&mut self, value: &Any) {
        if let Some(path) = self.path(value).filter(|path| self.reads.last() != Some(*path)).cloned() {
            self.reads.push(path);
        }
    }

    /// Paths that something was computed from were read.
    pub fn read(&mut self, keys: &Keys) {
        self.reads.extend(keys.iter().cloned());
    }

    /// The paths of a loop's element: its own where its list or map is a value, else what the loop reads.
    pub fn element(&self, container: &Any, step: Step, otherwise: &Keys) -> Keys {
        match address(container).and_then(|address| self.known.get(&address)) {
            Some((path, _)) => {
                let mut path = path.clone();
                path.0.push(step);
                Arc::from([path])
            }
            None => otherwise.clone(),
        }
    }

    /// Remembers what an action included.
    pub fn include(&mut self, text: Text, marks: Vec<Mark>) {
        self.included.push(Included { text, marks });
    }

    /// Marks what an action printed: `whole` says what wrote it, its included lines say it better.
    pub fn printed(&self, printed: &[u8], whole: Mark, begin: Begin, marks: &mut Vec<Mark>) {
        let included = self.included.get(begin.included..).unwrap_or_default();
        if !included.is_empty() {
            return align(printed, &whole, included, marks);
        }
        let container = match &*whole.keys {
            [path] => self.known.values().find(|(known, value)| known == path && is_container(value)),
            _ => None,
        };
        match container {
            Some((path, value)) => below(printed, &whole, path, value, marks),
            None => marks.push(whole),
        }
    }

    /// The source map of a finished file.
    pub fn finish(&mut self, marks: Vec<Mark>, removed: &[usize], width: usize) -> SourceMap {
        let mut map = std::mem::take(&mut self.map);
        self.reads.clear();
        self.included.clear();
        let mut all = Vec::with_capacity(marks.len());
        let mut cuts = removed.iter().map(|at| at + width).peekable();
        for mark in marks {
            // Literal text runs on behind what was removed from it.
            while let Some(cut) = cuts.next_if(|cut| *cut <= mark.start) {
                resume(&mut all, cut);
            }
            all.push(mark);
        }
        cuts.for_each(|cut| resume(&mut all, cut));
        for mark in all {
            let before = removed.partition_point(|at| *at < mark.start);
            let start = mark.start.saturating_sub(before * width);
            let frame = map.frame(&mark.file, mark.offset, mark.caller);
            if mark.literal {
                map.push_literal(start, frame, mark.guards);
            } else {
                map.push(start, frame, mark.keys, mark.guards);
            }
        }
        map
    }
}

impl Mark {
    /// The same origin from another byte on, `skipped` bytes into its text.
    fn moved(&self, start: usize, skipped: usize) -> Self {
        let offset = self.offset + if self.literal { skipped } else { 0 };
        Self { start, offset, ..self.clone() }
    }
}

/// Starts the last mark anew at a byte behind its start.
fn resume(marks: &mut Vec<Mark>, at: usize) {
    if let Some(last) = marks.last().filter(|last| last.start < at) {
        let again = last.moved(at, at - last.start);
        marks.push(again);
    }
}

fn map_address(map: &Map) -> usize {
    Rc::as_ptr(&map.entries) as *const () as usize
}

fn address(value: &Any) -> Option<usize> {
    match value {
        Any::Map(map) => Some(map_address(map)),
        Any::List(list) if !list.items.is_empty() => Some(list.items.as_ptr() as usize),
        Any::String(text) if !text.as_bytes().is_empty() => Some(text.as_bytes().as_ptr() as usize),
        _ => None,
    }
}

fn is_container(value: &Any) -> bool {
    matches!(value, Any::Map(_) | Any::List(_))
}

/// The lines of a text: where each begins, and what is in it without the space around it.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, usize, &[u8])> {
    let mut start = 0;
    text.split(|byte| *byte == b'\n').map(move |line| {
        let begin = start;
        start += line.len() + 1;
        let content = line.trim_ascii_start();
        (begin, begin + line.len() - content.len(), content.trim_ascii_end())
    })
}

/// Finds printed lines among the included ones, in order.
fn align(printed: &[u8], whole: &Mark, included: &[Included], marks: &mut Vec<Mark>) {
    let known: Vec<(usize, &[u8], &Included)> = included
        .iter()
        .flat_map(|included| lines(included.text.as_bytes()).map(move |(_, start, content)| (start, content, included)))
        .filter(|(_, content, _)| !content.is_empty())
        .collect();
    let mut by_content: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (index, (_, content, _)) in known.iter().enumerate() {
        by_content.entry(content).or_default().push(index);
    }
    let mut next = 0;
    for (begin, start, content) in lines(printed) {
        marks.push(whole.moved(whole.start + begin, 0));
        let equal = by_content
            .get(content)
            .and_then(|indices| indices.get(indices.partition_point(|index| *index < next)).or(indices.last()));
        let found = match equal {
            Some(index) => Some((*index, 0)),
            None if known.len() <= MAX_PARTS && !content.is_empty() => known
                .iter()
                .enumerate()
                .skip(next)
                .find_map(|(index, (_, part, _))| Some((index, find(content, part).filter(|_| part.len() > 1)?))),
            None => None,
        };
        let Some((index, shift)) = found else { continue };
        let Some((from, part, included)) = known.get(index) else { continue };
        next = index + 1;
        let at = whole.start + start + shift;
        copy(&included.marks, *from, part.len(), at, marks);
        if shift + part.len() < content.len() {
            marks.push(whole.moved(at + part.len(), 0));
        }
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len().max(1)).position(|window| window == part)
}

/// Copies the marks of a range of included text to where it was printed.
fn copy(from: &[Mark], start: usize, length: usize, at: usize, marks: &mut Vec<Mark>) {
    let first = from.partition_point(|mark| mark.start <= start).saturating_sub(1);
    for mark in from.iter().skip(first).take_while(|mark| mark.start < start + length) {
        let skipped = start.saturating_sub(mark.start);
        marks.push(mark.moved(at + mark.start.saturating_sub(start), skipped));
    }
}

/// Finds the keys of a map or list in the YAML that was made of it.
fn below(printed: &[u8], whole: &Mark, path: &Path, value: &Any, marks: &mut Vec<Mark>) {
    // What is open: how far it is indented, where it is, what it is, and the index of a list's item.
    let mut open: Vec<(usize, Path, Any, usize)> = vec![(0, path.clone(), value.clone(), 0)];
    marks.push(whole.clone());
    for (begin, start, content) in lines(printed) {
        let mut indent = start - begin;
        let mut rest = content;
        loop {
            while open.len() > 1 && open.last().is_some_and(|(column, ..)| *column > indent) {
                open.pop();
            }
            let Some((column, path, value, index)) = open.last_mut() else { return };
            if *column < indent && path.0.len() == whole.keys.first().map_or(0, |key| key.0.len()) {
                // The first line shows how far the whole is indented.
                *column = indent;
            }
            let here = match value {
                Any::List(list) => {
                    let Some(after) = rest.strip_prefix(b"- ").filter(|_| *column == indent) else { break };
                    let item = list.items.get(*index).cloned().unwrap_or_default();
                    let here = path.index(*index);
                    *index += 1;
                    let inner = after.trim_ascii_start();
                    indent += rest.len() - inner.len();
                    rest = inner;
                    mark_key(marks, whole, begin, here.clone());
                    open.push((indent, here, item, 0));
                    continue;
                }
                Any::Map(map) => {
                    let name = match rest.iter().position(|byte| *byte == b':') {
                        Some(colon) if *column == indent => &rest[..colon],
                        _ => break,
                    };
                    let name = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name);
                    let Some(item) = map.get(name) else { break };
                    let here = path.key(&*String::from_utf8_lossy(name));
                    // A list may stand no deeper than its key.
                    let column = if matches!(item, Any::List(_)) { indent } else { indent + 1 };
                    if is_container(&item) {
                        let deeper = if matches!(item, Any::Map(_)) { indent + 2 } else { column };
                        open.push((deeper, here.clone(), item, 0));
                    }
                    here
                }
                _ => break,
            };
            mark_key(marks, whole, begin, here);
            break;
        }
    }
}

fn mark_key(marks: &mut Vec<Mark>, whole: &Mark, begin: usize, key: Path) {
    let mut mark = whole.moved(whole.start + begin, 0);
    mark.keys = Arc::from([key]);
    if marks.last().is_some_and(|last| last.start == mark.start) {
        marks.pop();
    }
    marks.push(mark);
}
