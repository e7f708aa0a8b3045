//! Our parser against the one that crate `cel` has from cel-go's grammar: the same trees at the same places, and the same
//! texts refused. Seeded: a failure comes again.

use std::fs;
use std::path::{Path, PathBuf};

use ::cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo};

use super::parser::{Node, Syntax, parse};
use super::value::Data;
use super::{CompileError, CompileErrorKind};
use crate::source::Span;
use crate::value::Value;
use crate::yaml;

/// A small generator of numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }
}

/// Our tree as text, each node with its place in bytes.
fn ours(source: &str, Syntax { node, span, .. }: &Syntax<'_>) -> String {
    let inner = |syntax: &Syntax<'_>| ours(source, syntax);
    let mark = |optional: &bool| if *optional { "?" } else { "" };
    let at = |span: &Span| format!("@{}-{}", span.start, span.end);
    match node {
        Node::Literal(value) => match &value.data {
            Data::String(text) => format!("{text:?}{}", at(span)),
            Data::Bytes(bytes) => format!("b{bytes:?}{}", at(span)),
            Data::Double(value) => format!("double {value:?}{}", at(span)),
            Data::Int(value) => format!("int {value}{}", at(span)),
            Data::Uint(value) => format!("uint {value}{}", at(span)),
            Data::Bool(value) => format!("{value}{}", at(span)),
            Data::Null => format!("null{}", at(span)),
            other => panic!("{other:?} is no literal"),
        },
        Node::Name(name) => format!("{name}{}", at(span)),
        Node::Select { operand, field, optional } => {
            assert_eq!(&source[span.start..span.end], *field);
            format!("{}.{}{field}", inner(operand), mark(optional))
        }
        Node::Index { operand, key, optional } => {
            format!("{}[{}{}]{}", inner(operand), mark(optional), inner(key), at(span))
        }
        Node::List(elements) => {
            let elements: Vec<String> =
                elements.iter().map(|(e, optional)| mark(optional).to_owned() + &inner(e)).collect();
            format!("[{}]{}", elements.join(", "), at(span))
        }
        Node::Map(entries) => {
            let entries =
                entries.iter().map(|(k, v, optional)| format!("{}{}: {}", mark(optional), inner(k), inner(v)));
            format!("{{{}}}{}", entries.collect::<Vec<_>>().join(", "), at(span))
        }
        Node::Message(name) => format!("{name}{{}}{}", at(span)),
        Node::And(a, b) => format!("_&&_({}, {}){}", inner(a), inner(b), at(span)),
        Node::Or(a, b) => format!("_||_({}, {}){}", inner(a), inner(b), at(span)),
        Node::Conditional(parts) => {
            format!("_?_:_({}){}", parts.iter().map(inner).collect::<Vec<_>>().join(", "), at(span))
        }
        Node::Call { target, name, args } => {
            let target = target.as_ref().map(|target| inner(target) + ".").unwrap_or_default();
            format!("{target}{name}({}){}", args.iter().map(inner).collect::<Vec<_>>().join(", "), at(span))
        }
    }
}

/// The tree of crate `cel` as the same text.
fn theirs(info: &SourceInfo, IdedExpr { id, expr }: &IdedExpr) -> String {
    let inner = |expr: &IdedExpr| theirs(info, expr);
    let mark = |optional: bool| if optional { "?" } else { "" };
    let (start, last) = info.offset_for(*id).expect("a place");
    let at = format!("@{start}-{}", last + 1);
    match expr {
        Expr::Literal(LiteralValue::String(text)) => format!("{:?}{at}", text.inner()),
        Expr::Literal(LiteralValue::Bytes(bytes)) => format!("b{:?}{at}", bytes.inner()),
        Expr::Literal(LiteralValue::Double(value)) => format!("double {:?}{at}", value.inner()),
        Expr::Literal(LiteralValue::Int(value)) => format!("int {}{at}", value.inner()),
        Expr::Literal(LiteralValue::UInt(value)) => format!("uint {}{at}", value.inner()),
        Expr::Literal(LiteralValue::Boolean(value)) => format!("{}{at}", value.inner()),
        Expr::Literal(LiteralValue::Null) => format!("null{at}"),
        // The dot before a name says nothing here: there are no containers.
        Expr::Ident(name) => format!("{}{at}", name.trim_start_matches('.')),
        Expr::Select(select) => format!("{}.{}", inner(&select.operand), select.field),
        Expr::List(list) => {
            let elements = list.elements.iter().enumerate();
            let elements = elements.map(|(i, e)| mark(list.optional_indices.contains(&i)).to_owned() + &inner(e));
            format!("[{}]{at}", elements.collect::<Vec<_>>().join(", "))
        }
        Expr::Map(map) => {
            let entries = map.entries.iter().map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    format!("{}{}: {}", mark(entry.optional), inner(&entry.key), inner(&entry.value))
                }
                EntryExpr::StructField(field) => panic!("{field:?} in a map"),
            });
            format!("{{{}}}{at}", entries.collect::<Vec<_>>().join(", "))
        }
        Expr::Struct(message) => format!("{}{{}}{at}", message.type_name.trim_start_matches('.')),
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            ("_[_]", [operand, key]) => format!("{}[{}]{at}", inner(operand), inner(key)),
            ("_[?_]", [operand, key]) => format!("{}[?{}]{at}", inner(operand), inner(key)),
            ("_?._", [operand, IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. }]) => {
                format!("{}.?{}", inner(operand), field.inner())
            }
            (name, args) => {
                let target = call.target.as_ref().map(|target| inner(target) + ".").unwrap_or_default();
                let args: Vec<String> = args.iter().map(inner).collect();
                format!("{target}{}({}){at}", name.trim_start_matches('.'), args.join(", "))
            }
        },
        Expr::Comprehension(_) | Expr::Unspecified => panic!("{expr:?}"),
    }
}

/// What is different between the parsers' answers to a text.
fn difference(source: &str) -> Option<String> {
    let ours = match parse(source) {
        // The bounds are ours.
        Err(CompileError { kind: CompileErrorKind::TooLarge(_), .. }) => return None,
        result => result.map(|syntax| ours(source, &syntax)).map_err(|error| error.to_string()),
    };
    let parsed = ::cel::Env::default().parser().parse_with_source_info(source);
    let theirs = parsed.map(|(expr, info)| theirs(&info, &expr)).map_err(|errors| errors.to_string());
    let same = match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => ours == theirs,
        (Err(_), Err(_)) => true,
        // The referee's lexer does not go past a NUL in a string; cel-go's does.
        (Ok(_), Err(_)) => source.contains('\0'),
        _ => false,
    };
    (!same).then(|| format!("{source:?}\n  ours:   {ours:?}\n  theirs: {theirs:?}"))
}

fn check(sources: impl IntoIterator<Item = String>) {
    let differences: Vec<String> = sources.into_iter().filter_map(|source| difference(&source)).collect();
    let some = differences.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differences\n{some}", differences.len());
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

fn strings(value: &Value, into: &mut Vec<String>) {
    if let Some(text) = value.as_str() {
        into.push(text.to_owned());
    }
    value.as_list().into_iter().flatten().for_each(|item| strings(item, into));
    value.as_map().into_iter().flat_map(|map| map.iter()).for_each(|(_, item)| strings(item, into));
}

/// Every text of the policies and of the fixtures, expressions and prose.
fn corpus() -> Vec<String> {
    let mut paths = Vec::new();
    for folder in ["policies", "tests/fixtures/cel", "tests/fixtures/blame", "tests/fixtures/policies"] {
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut paths);
    }
    let mut texts = Vec::new();
    for path in paths {
        for document in yaml::parse_stream(&fs::read_to_string(path).unwrap(), Default::default()).into_iter().flatten()
        {
            strings(&document.value, &mut texts);
        }
    }
    texts.sort();
    texts.dedup();
    texts
}

const LITERALS: &[&str] = &[
    "0",
    "1",
    "-1",
    "- 1",
    "007",
    "0x1F",
    "-0x10",
    "1u",
    "0xFFu",
    "2U",
    "1.5",
    "-1.5",
    ".5",
    "1e3",
    "1.5E-3",
    "-.5e+2",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615u",
    "1e999",
    "true",
    "false",
    "null",
    "''",
    "'a'",
    "\"b\"",
    "'''c'd'''",
    "\"\"\"e\"\n\"\"\"",
    "r'\\d'",
    "R\"\\\"",
    "r'''\\'''",
    "b'x\\xff'",
    "B\"\\377\"",
    "br'\\x'",
    "'\\u00e9\\U0001F600\\x41\\101\\n'",
    "'\u{e9}\u{1f600}'",
    "'\\?\\`\\\"\\''",
    "'\\ud800'",
    "b'\\u0041'",
    "'\\400'",
    "'\\q'",
    "'''a\r\nb\rc'''",
    "'a\nb'",
    "b'''\u{e9}'''",
];
const NAMES: &[&str] =
    &["a", "b", "object", "_x", "x9", "size", "has", "r", "b", "u", "e5", "in_", "truer", "for", ".a"];
const FIELDS: &[&str] = &["a", "spec", "for", "as", "_", "all", "e5", "x1"];
const OPERATORS: &[&str] = &["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", " in ", "&&", "||", "&&", "||"];
const PIECES: &[&str] = &[
    "",
    " ",
    "\n",
    "\r",
    "\t",
    "\u{c}",
    "\u{a0}",
    "// c\n",
    "//",
    "'",
    "\"",
    "'''",
    "\"\"\"",
    "\\",
    "\\x4",
    "\\u12",
    "r'",
    "b\"",
    "`",
    "`a-b`",
    "`a`",
    ".",
    "?",
    ".?",
    "[?",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ",",
    ",]",
    ",)",
    ":",
    "!",
    "!!",
    "-",
    "--",
    "=",
    "==",
    "&",
    "&&",
    "|",
    "||",
    "<",
    "<=",
    "in",
    "true",
    "null",
    "0",
    "0x",
    "1.",
    "1e",
    "u",
    "9",
    "a",
    "as",
    "while",
    "A{",
    "A.b{c: 1}",
    ".A{?c: 1,}",
    "\u{e9}",
    "~",
    "$",
    "@",
    ";",
    "[,]",
    "{,}",
    "{1: 2}",
    "[1,]",
    "\0",
    "0X1",
    "-1",
    ".5",
    "? 1 : 2",
];

fn expression(random: &mut Random, depth: usize) -> String {
    if depth == 0 {
        let words = if random.below(2) == 0 { LITERALS } else { NAMES };
        return random.pick(words).to_owned();
    }
    let part = |random: &mut Random| expression(random, depth - 1);
    match random.below(15) {
        0..=4 => {
            let (a, operator, b) = (part(random), random.pick(OPERATORS), part(random));
            let space = random.pick(&["", " ", "\n", " // why\n"]);
            format!("{a}{space}{operator}{space}{b}")
        }
        5 => format!("{} ? {} : {}", part(random), part(random), part(random)),
        6 => format!("{}{}", random.pick(&["!", "!!", "-", "--", "---", "! !"]), part(random)),
        7 => format!("({})", part(random)),
        8 => format!("{}.{}{}", part(random), random.pick(&["", "", "?", " "]), random.pick(FIELDS)),
        9 => format!("{}[{}{}]", part(random), random.pick(&["", "?"]), part(random)),
        10 => format!("{}.{}({}, {})", part(random), random.pick(FIELDS), part(random), part(random)),
        11 => format!("{}({})", random.pick(NAMES), part(random)),
        12 => format!("[{}, {}{}{}]", part(random), random.pick(&["", "?"]), part(random), random.pick(&["", ","])),
        13 => format!("{{{}{}: {}{}}}", random.pick(&["", "?"]), part(random), part(random), random.pick(&["", ","])),
        _ => format!("a.B{{{}c: {}{}}}", random.pick(&["", "?"]), part(random), random.pick(&["", ","])),
    }
}

fn mutated(random: &mut Random, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(3) {
        let from = random.below(chars.len() + 1);
        let to = (from + random.below(4)).min(chars.len());
        let piece: Vec<char> = random.pick(PIECES).chars().collect();
        chars.splice(from..to, piece);
    }
    chars.into_iter().collect()
}

#[test]
fn the_catalogue_and_the_fixtures_are_parsed_as_by_the_referee() {
    check(corpus());
}

#[test]
fn generated_expressions_are_parsed_as_by_the_referee() {
    check(LITERALS.iter().chain(PIECES).map(|text| (*text).to_owned()));
    // As deep as both allow, and deeper.
    check((93..99).flat_map(|n| [format!("{}1{}", "(".repeat(n), ")".repeat(n)), "a ? b : ".repeat(n) + "c"]));
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let generated: Vec<String> = (0..GENERATED).map(|i| expression(&mut random, i % 4)).collect();
    let right = generated.iter().filter(|text| parse(text).is_ok()).count();
    assert!((GENERATED / 4..GENERATED * 3 / 4).contains(&right), "{right} of {GENERATED} are CEL");
    check(generated);
}

#[test]
fn mutated_expressions_are_parsed_as_by_the_referee() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let corpus: Vec<String> = corpus().into_iter().filter(|text| text.len() < 300 && parse(text).is_ok()).collect();
    check((0..GENERATED).map(|i| {
        let text = match i % 2 {
            0 => corpus[random.below(corpus.len())].clone(),
            _ => expression(&mut random, 2),
        };
        mutated(&mut random, &text)
    }));
}

/// How many texts are made up.
const GENERATED: usize = 10_000;
