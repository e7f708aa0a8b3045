//! Where values were written, and what is refused.

use plimsoll::source::Span;
use plimsoll::value::{Numbers, Path, Step, Value};
use plimsoll::yaml::{self, Options};

const OPTIONS: Options = Options { strict: false, numbers: Numbers::Exact };

/// A path written as `a.0.b`.
fn path(text: &str) -> Path {
    let step = |part: &str| part.parse().map_or_else(|_| Step::Key(part.into()), Step::Index);
    Path(text.split('.').filter(|part| !part.is_empty()).map(step).collect())
}

/// The texts of key and value at a path of the first document.
fn located<'t>(text: &'t str, at: &str) -> Option<(Option<&'t str>, &'t str)> {
    let found = yaml::locate(text, Span::new(0, text.len()), &path(at))?;
    let slice = |span: Span| &text[span.start..span.end];
    Some((found.key.map(slice), slice(found.value)))
}

#[test]
fn places_are_exact_in_every_style() {
    let text = "\
# comment
a:   plain text   # comment
\"b\": 'single'
c: \"dou\\\"ble\" # comment
d: {x: [1, 'two' , three], w: , z}
e:
  - one

  - f: 1
    g: |-
      line

      last

  -
h: !!str 5
i: &anchor
  j: 1
k: *anchor
l: {<<: *anchor, m: 2}
none:
o: two
  lines
? p
";
    for (at, expected) in [
        ("a", Some((Some("a"), "plain text"))),
        ("b", Some((Some("\"b\""), "'single'"))),
        ("c", Some((Some("c"), "\"dou\\\"ble\""))),
        ("d", Some((Some("d"), "{x: [1, 'two' , three], w: , z}"))),
        ("d.x", Some((Some("x"), "[1, 'two' , three]"))),
        ("d.x.1", Some((None, "'two'"))),
        ("d.x.2", Some((None, "three"))),
        ("d.w", Some((Some("w"), ""))),
        ("d.z", Some((Some("z"), ""))),
        ("e.0", Some((None, "one"))),
        ("e.1", Some((None, "f: 1\n    g: |-\n      line\n\n      last"))),
        ("e.1.g", Some((Some("g"), "|-\n      line\n\n      last"))),
        ("e.2", Some((None, ""))),
        ("h", Some((Some("h"), "!!str 5"))),
        ("i", Some((Some("i"), "&anchor\n  j: 1"))),
        ("k", Some((Some("k"), "*anchor"))),
        ("k.j", Some((Some("j"), "1"))),
        ("l.j", Some((Some("j"), "1"))),
        ("l.m", Some((Some("m"), "2"))),
        ("none", Some((Some("none"), ""))),
        ("o", Some((Some("o"), "two\n  lines"))),
        ("p", Some((Some("p"), ""))),
        ("q", None),
        ("a.b", None),
        ("e.7", None),
    ] {
        assert_eq!(located(text, at), expected, "{at}");
    }
    let empty = yaml::locate(text, Span::new(0, text.len()), &path("none")).expect("none");
    assert_eq!(&text[..empty.value.start], &text[..text.find("none:").expect("none") + 5], "behind the colon");
}

#[test]
fn the_entry_that_counts_is_the_one_found() {
    assert_eq!(located("a: 1\na: 2\n", "a"), Some((Some("a"), "2")));
    assert_eq!(located("x: &x {a: 1}\nv: {a: 5, <<: *x}\n", "v.a"), Some((Some("a"), "1")));
    assert_eq!(located("x: &x {a: 1}\nv: {<<: [{a: 3}, *x], b: 2}\n", "v.a"), Some((Some("a"), "3")));
    assert_eq!(located("yes: 1\n", "true"), Some((Some("yes"), "1")));
}

#[test]
fn each_document_of_a_stream_is_found() {
    let text = "# first\na: 1\n---\n---\n  b: é\n  c: 2 # end\n...\n%YAML 1.1\n---\n- d\n";
    let documents = yaml::parse_stream(text, OPTIONS).expect("a stream");
    let parts: Vec<&str> = documents.iter().map(|document| &text[document.span.start..document.span.end]).collect();
    assert_eq!(parts, ["a: 1", "---", "---\n  b: é\n  c: 2", "%YAML 1.1\n---\n- d"]);
    assert_eq!(documents[1].value, Value::Null);
    let found = yaml::locate(text, documents[2].span, &path("c")).expect("c");
    assert_eq!(&text[found.value.start..found.value.end], "2");
    let first = yaml::locate(text, documents[3].span, &path("0")).expect("the item");
    assert_eq!(&text[first.value.start..first.value.end], "d");
}

#[test]
fn strict_reading_names_every_second_key() {
    let strict = Options { strict: true, ..OPTIONS };
    let text = "a: 1\nb: {c: 1, c: 2}\na: 3\n1: x\n'1': y\n";
    let error = yaml::parse(text, strict).expect_err("duplicates");
    assert_eq!(
        error.to_string(),
        "error converting YAML to JSON: yaml: unmarshal errors:\n  line 2: key \"c\" already set in map\n  \
         line 3: key \"a\" already set in map\n  line 5: key \"1\" already set in map"
    );
    assert_eq!(error.span(), Span::new(15, 16));
    assert!(yaml::parse(text, OPTIONS).is_ok());
}

#[test]
fn errors_say_where() {
    for (text, at) in [("a: b: c\n", 4), ("a: 1\nb: [\n", 10), ("a: \u{7f}", 3), ("a: *x\n", 3), ("a: [.inf]\n", 4)] {
        assert_eq!(yaml::parse(text, OPTIONS).expect_err(text).span().start, at, "{text:?}");
    }
    let error = yaml::parse_split("a: 1\n---\nb: c: d\n", OPTIONS).expect_err("a colon");
    assert_eq!(error.span().start, 13, "of the whole text");
    assert!(!error.to_string().contains("line"), "Helm counts from the document: {error}");
}

#[test]
fn hostile_documents_are_refused_in_time() {
    let refused = |text: &str, why: &str| {
        let error = yaml::parse(text, OPTIONS).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    };
    for open in ["[", "{a: ", "- ", "? ", "[{a: "] {
        refused(&open.repeat(100_000), "exceeded max depth");
    }
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    let mut merges = "a0: &a0 {x: 1}\n".to_owned();
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for i in 1..60 {
        let last = i - 1;
        bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{last}"); 9].join(","));
        merges += &format!("a{i}: &a{i} {{<<: [*a{last}, *a{last}]}}\n");
        chain += &format!("a{i}: &a{i} {}*a{last}{}\n", "[".repeat(20), "]".repeat(20));
    }
    refused(&bomb, "excessive aliasing");
    refused(&merges, "excessive aliasing");
    refused(&chain, "exceeded max depth");
    assert_eq!(yaml::locate(&merges, Span::new(0, merges.len()), &path("a59.nope")), None);
    refused("a: &a\n  b: *a\n", "anchor 'a' value contains itself");

    let scalar = "x".repeat(10_000_000);
    assert_eq!(yaml::parse(&scalar, OPTIONS), Ok(scalar.as_str().into()));
    let deep = (0..2000).fold(Value::Null, |inner, _| vec![inner].into());
    assert!(yaml::to_yaml(&deep).is_err() && yaml::to_yaml_pretty(&deep).is_err());
}
