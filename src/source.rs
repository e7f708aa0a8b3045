//! Texts with names, places in them, and the map from rendered text back to what wrote it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::value::Path;

/// A text that came from outside, with the name under which the user knows it.
pub struct SourceFile {
    /// The path as given or as Helm prints it (`workspace/templates/deployment.yaml`), `-` for standard input.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
    lines: OnceLock<Vec<usize>>,
    /// How many characters there are before each block: a line may be as long as the file, and be asked for often.
    blocks: OnceLock<Vec<usize>>,
}

/// The bytes of a block in which characters are counted one by one.
const BLOCK: usize = 4096;

/// A byte range of a [`SourceFile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A place as people write it: both numbers count from 1, the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A span of a file that is kept alive by it.
#[derive(Debug, Clone)]
pub struct Location {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Where in it.
    pub span: Span,
}

impl SourceFile {
    /// Names a text.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into(), lines: OnceLock::new(), blocks: OnceLock::new() })
    }

    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            std::iter::once(0)
                .chain(self.text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1))
                .collect()
        })
    }

    /// How many characters begin before a byte offset.
    fn characters(&self, offset: usize) -> usize {
        let count = |bytes: &[u8]| bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xBF)).count();
        let blocks = self.blocks.get_or_init(|| {
            let mut before = 0;
            let add = |block| {
                before += count(block);
                before - count(block)
            };
            self.text.as_bytes().chunks(BLOCK).map(add).collect()
        });
        let block = offset / BLOCK;
        let rest = self.text.as_bytes().get(block * BLOCK..offset).unwrap_or_default();
        // The block of an offset at the very end may have no byte.
        blocks.get(block).map_or_else(|| self.text.chars().count(), |before| before + count(rest))
    }

    /// The place of a byte offset; an offset past the end is the end, one inside a character is its start.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let lines = self.lines();
        let line = lines.partition_point(|start| *start <= offset);
        Position { line, column: self.characters(offset) - self.characters(lines[line - 1]) + 1 }
    }

    /// The byte range of a line (from 1), without its line break. `None` past the last line.
    pub fn line_span(&self, line: usize) -> Option<Span> {
        let lines = self.lines();
        let start = *lines.get(line.checked_sub(1)?)?;
        let end = lines.get(line).map_or(self.text.len(), |next| next - 1);
        Some(Span { start, end })
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({}, {} bytes)", self.name, self.text.len())
    }
}

impl Span {
    /// A range of bytes.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

impl Location {
    /// A span of a file.
    pub fn new(file: Arc<SourceFile>, span: Span) -> Self {
        Self { file, span }
    }

    /// Where the span begins.
    pub fn position(&self) -> Position {
        self.file.position(self.span.start)
    }
}

/// The same span of the same file, not of another one with the same name.
impl PartialEq for Location {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file) && self.span == other.span
    }
}

/// `file:line:column`.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position();
        write!(f, "{}:{line}:{column}", self.file.name)
    }
}

/// What wrote each byte of one rendered file: a table with an entry for each change, searched by bisection.
///
/// Entries are added in the order of rendered bytes. Frames are places in templates, each with the place that
/// included it.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<Arc<SourceFile>>,
    frames: Vec<Frame>,
    entries: Vec<Entry>,
}

/// A place in a template, and the frame that called it (`include`, `tpl`, a macro).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    file: u32,
    offset: u32,
    caller: Option<FrameId>,
}

/// Names a frame of one [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameId(u32);

#[derive(Debug, Clone)]
struct Entry {
    start: usize,
    frame: FrameId,
    /// Whether the rendered text is the template's own from the frame's offset on.
    literal: bool,
    keys: Arc<[Path]>,
    guards: Arc<[Path]>,
}

/// What wrote a rendered byte.
#[derive(Debug, Clone)]
pub struct Origin<'a> {
    /// Places in templates, innermost first: the text or action itself, then what included it.
    pub chain: Vec<Location>,
    /// Paths below `.Values` that the printed text was computed from.
    pub keys: &'a [Path],
    /// Paths below `.Values` that the enclosing conditions and loops read, innermost first.
    pub guards: &'a [Path],
}

impl SourceMap {
    /// Registers a frame.
    pub fn frame(&mut self, file: &Arc<SourceFile>, offset: usize, caller: Option<FrameId>) -> FrameId {
        let known = self.files.iter().rposition(|f| Arc::ptr_eq(f, file));
        let file = known.unwrap_or_else(|| {
            self.files.push(file.clone());
            self.files.len() - 1
        });
        let frame = Frame { file: file as u32, offset: offset as u32, caller };
        if self.frames.last() != Some(&frame) {
            self.frames.push(frame);
        }
        FrameId(self.frames.len() as u32 - 1)
    }

    /// Says that the rendered text from `start` on was written by `frame`.
    ///
    /// `start` must not be before that of the entry added last; an entry at the same byte replaces it.
    pub fn push(&mut self, start: usize, frame: FrameId, keys: Arc<[Path]>, guards: Arc<[Path]>) {
        self.add(Entry { start, frame, literal: false, keys, guards });
    }

    /// Says that the rendered text from `start` on is the template's own text from the frame's offset on.
    pub fn push_literal(&mut self, start: usize, frame: FrameId, guards: Arc<[Path]>) {
        self.add(Entry { start, frame, literal: true, keys: Arc::default(), guards });
    }

    fn add(&mut self, entry: Entry) {
        while self.entries.last().is_some_and(|last| last.start >= entry.start) {
            self.entries.pop();
        }
        self.entries.push(entry);
    }

    /// What wrote the rendered byte; `None` before the first entry.
    ///
    /// For literal template text the innermost location is exact to the byte; for printed text it is the expression.
    pub fn origin(&self, byte: usize) -> Option<Origin<'_>> {
        let index = self.entries.partition_point(|entry| entry.start <= byte).checked_sub(1)?;
        let entry = &self.entries[index];
        let mut chain = Vec::new();
        let mut next = Some(entry.frame);
        while let Some(FrameId(id)) = next {
            let frame = self.frames[id as usize];
            let run = if entry.literal && chain.is_empty() { byte - entry.start } else { 0 };
            let offset = frame.offset as usize + run;
            chain.push(Location::new(self.files[frame.file as usize].clone(), Span::new(offset, offset)));
            next = frame.caller;
        }
        Some(Origin { chain, keys: &entry.keys, guards: &entry.guards })
    }

    /// The values keys of all that was printed into a span, in its order.
    pub fn keys(&self, span: Span) -> impl Iterator<Item = &Path> {
        let first = self.entries.partition_point(|entry| entry.start <= span.start).saturating_sub(1);
        let within = self.entries[first..].iter().take_while(move |entry| entry.start < span.end.max(span.start + 1));
        within.flat_map(|entry| entry.keys.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let file = SourceFile::new("f", "ab\nhé☃x\n");
        assert_eq!(file.position(0), Position { line: 1, column: 1 });
        assert_eq!(file.position(2), Position { line: 1, column: 3 });
        assert_eq!(file.position(3), Position { line: 2, column: 1 });
        assert_eq!(file.position(9), Position { line: 2, column: 4 });
        assert_eq!(file.position(5), file.position(4), "inside a character");
        assert_eq!(file.position(999), Position { line: 3, column: 1 });
        assert_eq!(file.line_span(2), Some(Span::new(3, 10)));
        assert_eq!(file.line_span(4), None);
    }

    #[test]
    fn columns_of_a_long_line_are_true() {
        for text in ["é☃x".repeat(BLOCK), "x".repeat(BLOCK * 2), format!("\n{}", "☃\n".repeat(BLOCK))] {
            let file = SourceFile::new("f", text.as_str());
            for (offset, _) in text.char_indices().chain([(text.len(), ' ')]).step_by(97) {
                let start = text[..offset].rfind('\n').map_or(0, |end| end + 1);
                assert_eq!(file.position(offset).column, text[start..offset].chars().count() + 1, "{offset}");
            }
            assert_eq!(file.position(text.len()), file.position(usize::MAX));
        }
    }

    #[test]
    fn the_last_entry_at_or_before_a_byte_wrote_it() {
        let (a, b) = (SourceFile::new("a", "text"), SourceFile::new("b", "partial"));
        let mut map = SourceMap::default();
        let none: Arc<[Path]> = [].into();
        let outer = map.frame(&a, 2, None);
        map.push(0, outer, none.clone(), none.clone());
        let inner = map.frame(&b, 5, Some(outer));
        map.push(10, inner, none.clone(), none.clone());
        assert_eq!(map.origin(9).unwrap().chain.len(), 1);
        let chain = map.origin(10).unwrap().chain;
        assert_eq!(chain.iter().map(Location::to_string).collect::<Vec<_>>(), ["b:1:6", "a:1:3"]);
        map.push_literal(20, outer, none);
        assert_eq!(map.origin(21).unwrap().chain[0].to_string(), "a:1:4", "literal text runs on");
        assert!(SourceMap::default().origin(0).is_none());
    }

    #[test]
    fn a_span_knows_the_keys_printed_into_it() {
        let file = SourceFile::new("a", "port: {{ .Values.port }}");
        let mut map = SourceMap::default();
        let frame = map.frame(&file, 0, None);
        map.push_literal(0, frame, [].into());
        map.push(6, frame, [Path::default().key("port")].into(), [].into());
        map.push_literal(8, frame, [].into());
        let keys = |start, end| map.keys(Span::new(start, end)).map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(keys(0, 10), ["port"]);
        assert_eq!(keys(7, 7), ["port"]);
        assert_eq!(keys(0, 6), [""; 0]);
        assert_eq!(keys(8, 10), [""; 0]);
    }
}
