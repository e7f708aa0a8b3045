//! What must hold of any YAML, tried on generated and mutated texts. Seeded: a failure comes again.

use plimsoll::json;
use plimsoll::source::Span;
use plimsoll::value::{Map, Numbers, Path, Value};
use plimsoll::yaml::{self, Options};

/// A small generator of numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }
}

const OPTIONS: Options = Options { strict: false, numbers: Numbers::Exact };

/// Pieces that scanners and emitters treat in their own ways.
const PIECES: &[&str] = &[
    "a",
    "b c",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "\r",
    ":",
    ": ",
    "- ",
    "? ",
    "#",
    " #",
    ",",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "|",
    ">",
    "|-\n",
    "&x ",
    "*x",
    "<<: *x\n",
    "!!str ",
    "!",
    "%",
    "%YAML 1.1\n",
    "---\n",
    "...\n",
    "@",
    "`",
    "\\",
    "\\x41",
    "é",
    "☃",
    "😀",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{7f}",
    "\0",
    "0",
    "1",
    "0x1f",
    "1e3",
    ".inf",
    "yes",
    "null",
    "~",
    "2001-01-01",
    "a: ",
    "\n  b: ",
    "\n- c",
    "[a, b]",
    "{a: b}",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ",
];

/// The texts of the conformance cases.
fn corpus() -> Vec<String> {
    let files =
        [include_str!("fixtures/conformance/yaml-read.jsonl"), include_str!("fixtures/conformance/yaml-write.jsonl")];
    let cases = files.iter().flat_map(|file| file.lines().skip(1));
    let text = |line| serde_json::from_str::<serde_json::Value>(line).ok()?["yaml"].as_str().map(str::to_owned);
    cases.filter_map(text).collect()
}

fn text(random: &mut Random, pieces: &[&str]) -> String {
    (0..random.below(8)).map(|_| random.pick(pieces)).collect()
}

/// A value whose texts survive a round through JSON and YAML.
fn value(random: &mut Random, pieces: &[&str], depth: usize) -> Value {
    match random.below(if depth > 3 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => (random.below(2) == 0).into(),
        2 => (random.below(1 << 20) as i64 - (1 << 19)).into(),
        3 => (random.below(1 << 30) as f64 / 1024.0 - 4096.0).into(),
        4 | 5 => text(random, pieces).into(),
        6 => (0..random.below(4)).map(|_| value(random, pieces, depth + 1)).collect::<Vec<_>>().into(),
        _ => {
            let entries = (0..random.below(5)).map(|_| (text(random, pieces), value(random, pieces, depth + 1)));
            entries.collect::<Map>().into()
        }
    }
}

#[test]
fn what_is_written_is_read_back() {
    // U+0085 is folded and control characters have no JSON that YAML reads; v3 writes tabs where v2 refuses them.
    let refused = ['\u{85}', '\u{7f}', '\t'];
    let pieces: Vec<&str> = PIECES.iter().copied().filter(|piece| !piece.contains(refused)).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3000 {
        let value = value(&mut random, &pieces, 0);
        for written in [yaml::to_yaml(&value), yaml::to_yaml_pretty(&value)] {
            let written = written.expect("a value that can be written");
            let read = yaml::parse(&written, OPTIONS).unwrap_or_else(|error| panic!("{error}: {written:?}"));
            assert_eq!(read, value, "{written:?}");
        }
    }
}

/// Another reader, by the rules of YAML 1.2, takes what is written for the same.
#[test]
fn what_is_written_reads_the_same_elsewhere() {
    let refused = ['\u{85}', '\u{7f}', '\t', '\u{feff}'];
    let pieces: Vec<&str> = PIECES.iter().copied().filter(|piece| !piece.contains(refused)).collect();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..3000 {
        let value = value(&mut random, &pieces, 0);
        let written = yaml::to_yaml(&value).expect("a value that can be written");
        let elsewhere: serde_json::Value =
            serde_yaml::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written:?}"));
        let read = json::parse(elsewhere.to_string(), Numbers::Exact).expect("serde_json writes JSON");
        assert_eq!(read, value, "{written:?}");
    }
}

fn mutate(random: &mut Random, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(3) {
        let at = random.below(chars.len() + 1);
        let end = (at + random.below(4)).min(chars.len());
        let piece = if random.below(4) == 0 { "" } else { random.pick(PIECES) };
        chars.splice(at..end, piece.chars());
    }
    chars.into_iter().collect()
}

#[test]
fn no_text_makes_the_reader_panic() {
    let corpus = corpus();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..30_000 {
        let source = &corpus[random.below(corpus.len())];
        let text = mutate(&mut random, source);
        let strict = Options { strict: true, ..OPTIONS };
        let whole = Span::new(0, text.len());
        match yaml::parse(&text, strict) {
            Err(error) => assert!(error.span().end <= text.len(), "{error}: {text:?}"),
            Ok(value) => {
                assert!(yaml::locate(&text, whole, &Path::default()).is_some() || value == Value::Null, "{text:?}");
                let _ = (yaml::to_yaml(&value), yaml::to_yaml_pretty(&value));
            }
        }
        let _ = (yaml::parse_stream(&text, OPTIONS), yaml::parse_split(&text, OPTIONS));
    }
}

/// All paths of a value.
fn paths(value: &Value, path: &Path, found: &mut Vec<Path>) {
    found.push(path.clone());
    match value {
        Value::List(items) => {
            items.iter().enumerate().for_each(|(i, item)| paths(item, &path.index(i), found));
        }
        Value::Map(map) => map.iter().for_each(|(key, item)| paths(item, &path.key(key.clone()), found)),
        _ => {}
    }
}

/// Whether a part of a document can be read without the rest.
fn stands_alone(part: &str) -> bool {
    let header = |line: &str| line.contains(['|', '>']) && line.contains(['+', '1', '2', '3', '4']);
    // `[? a : b]` has a pair that only brackets allow.
    !part.contains(['*', '&']) && !part.starts_with('?') && !part.lines().any(header)
}

#[test]
fn located_text_reads_as_the_value() {
    let mut random = Random(0xd1b5_4a32_d192_ed03);
    let corpus = corpus();
    let mutated: Vec<String> = (0..6000).map(|i| mutate(&mut random, &corpus[i % corpus.len()])).collect();
    let mut checked = 0;
    // What %TAG says is not in the span, and a byte order mark is only one at the start.
    for text in corpus.iter().chain(&mutated).filter(|text| !text.contains("%TAG") && !text.contains('\u{feff}')) {
        for document in yaml::parse_stream(text, OPTIONS).unwrap_or_default() {
            let mut all = Vec::new();
            paths(&document.value, &Path::default(), &mut all);
            for path in all {
                let found = yaml::locate(text, document.span, &path);
                let found = found.unwrap_or_else(|| panic!("{path} of {text:?}"));
                let part = &text[found.value.start..found.value.end];
                assert!(!part.ends_with(is_break), "{path} of {text:?}");
                let value = document.value.follow(&path).expect("its own path");
                if !stands_alone(part) {
                    continue;
                }
                // Later lines keep their indentation: give the first one its own.
                let line = text[..found.value.start]
                    .rfind(is_break)
                    .map_or(0, |at| text[at..].chars().next().map_or(at, |c| at + c.len_utf8()));
                let column = text.get(line..found.value.start).unwrap_or_default().chars().count();
                let end = if text[found.value.end..].contains(is_break) { "\n" } else { "" };
                let alone = format!("{}{part}{end}", " ".repeat(column));
                let read = yaml::parse(&alone, OPTIONS)
                    .unwrap_or_else(|error| panic!("{error}: {path} of {text:?}: {alone:?}"));
                assert_eq!(&read, value, "{path} of {text:?}: {alone:?}");
                checked += 1;
            }
        }
    }
    assert!(checked > 5000, "only {checked} places");
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
