//! From nodes to a value: go-yaml's decoder, then what sigs.k8s.io/yaml and `encoding/json` make of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Options;
use super::error::Error;
use super::golang;
use super::key::{self, Key};
use super::locate::Places;
use super::scalar::Scalar;
use super::tree::{Kind, Node, NodeId, Tree};
use crate::number;
use crate::source::Span;
use crate::value::{MAX_DEPTH, Map, Numbers, Path, Step, Value};

/// The most keys written more than once that are told apart: each costs as many steps as it is deep.
const MAX_REWRITTEN: usize = 1_000;

/// The value of a document, and the keys that it writes more than once.
pub(super) fn decode(tree: &Tree, options: Options) -> Result<(Value, Vec<Path>), Error> {
    let mut decoder = Decoder {
        tree,
        options,
        // The document itself.
        decoded: 1,
        aliased: 0,
        expanding: Vec::new(),
        duplicates: Vec::new(),
        rewritten: Vec::new(),
        bad_key: None,
        finite: true,
    };
    let value = decoder.value(tree.root, 0)?;
    if !decoder.duplicates.is_empty() {
        return Err(Error::Duplicates { problems: decoder.duplicates });
    }
    if let Some(error) = decoder.bad_key {
        return Err(error);
    }
    let endless = if decoder.finite { None } else { non_finite(&value, &Path::default()) };
    match endless {
        Some((path, number)) => Err(Error::Json {
            problem: format!("json: unsupported value: {}", number::json(number)),
            span: Places::new(tree, 0).nearest(&path).0.value,
        }),
        None => Ok((value, decoder.rewritten.into_iter().map(outermost_first).collect())),
    }
}

fn outermost_first(mut steps: Vec<Step>) -> Path {
    steps.reverse();
    Path(steps)
}

struct Decoder<'t> {
    tree: &'t Tree<'t>,
    options: Options,
    /// Nodes decoded, and how many of them inside aliases.
    decoded: usize,
    aliased: usize,
    /// The aliases being followed.
    expanding: Vec<NodeId>,
    duplicates: Vec<(String, Span)>,
    /// The keys written more than once, as steps from what is being decoded: the innermost first.
    rewritten: Vec<Vec<Step>>,
    bad_key: Option<Error>,
    finite: bool,
}

/// The entries of a mapping, and in strict mode its keys.
#[derive(Default)]
struct Entries {
    list: Vec<(Arc<str>, Value)>,
    seen: HashSet<Arc<str>>,
}

impl Decoder<'_> {
    /// go-yaml's guard against documents that are all aliases (`decoder.unmarshal`, `allowedAliasRatio`).
    fn count(&mut self, node: &Node, depth: usize) -> Result<(), Error> {
        const LOW: usize = 400_000;
        const HIGH: usize = 4_000_000;
        self.decoded += 1;
        self.aliased += usize::from(!self.expanding.is_empty());
        let allowed = match self.decoded {
            ..=LOW => 0.99,
            HIGH.. => 0.1,
            count => 0.99 - 0.89 * ((count - LOW) as f64 / (HIGH - LOW) as f64),
        };
        if self.aliased > 100 && self.decoded > 1000 && self.aliased as f64 / self.decoded as f64 > allowed {
            return Err(Error::yaml("document contains excessive aliasing", node.span));
        }
        if depth > MAX_DEPTH {
            return Err(Error::yaml(format!("exceeded max depth of {MAX_DEPTH}"), node.span));
        }
        Ok(())
    }

    fn value(&mut self, id: NodeId, depth: usize) -> Result<Value, Error> {
        let node = self.tree.node(id);
        self.count(node, depth)?;
        match &node.kind {
            Kind::Scalar { text, plain } => self.scalar(node, text, *plain),
            Kind::Alias { target, .. } => self.through_alias(id, |decoder| decoder.value(*target, depth + 1)),
            Kind::Sequence(items) => {
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let known = self.rewritten.len();
                    values.push(self.value(*item, depth + 1)?);
                    self.below(known, || Step::Index(index));
                }
                Ok(values.into())
            }
            Kind::Mapping(pairs) => {
                let mut entries = Entries::default();
                let known = self.rewritten.len();
                self.mapping(pairs, &mut entries, depth)?;
                let written = entries.list.len();
                let map: Map = entries.list.into_iter().collect();
                if map.len() < written && self.expanding.is_empty() {
                    self.find_rewritten(pairs, known)?;
                }
                Ok(map.into())
            }
        }
    }

    fn through_alias<T>(&mut self, id: NodeId, decode: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.expanding.contains(&id) {
            let node = self.tree.node(id);
            let anchor = match &node.kind {
                Kind::Alias { anchor, .. } => *anchor,
                _ => "",
            };
            return Err(Error::yaml(format!("anchor '{anchor}' value contains itself"), node.span));
        }
        self.expanding.push(id);
        let value = decode(self)?;
        self.expanding.pop();
        Ok(value)
    }

    fn mapping(&mut self, pairs: &[(NodeId, NodeId)], entries: &mut Entries, depth: usize) -> Result<(), Error> {
        entries.list.reserve(pairs.len());
        for &(key, value) in pairs {
            if key::is_merge(self.tree.node(key)) {
                self.merge(value, entries, depth + 1)?;
                continue;
            }
            let found = self.key(key, depth)?;
            if let Key::Unsupported(kind) = found {
                self.bad_key.get_or_insert_with(|| Error::Json {
                    problem: format!(
                        "unsupported map key of type: {kind}, key: {}, value: {}",
                        golang::syntax(self.tree, key),
                        golang::syntax(self.tree, value)
                    ),
                    span: self.tree.node(key).span,
                });
            }
            let known = self.rewritten.len();
            let decoded = self.value(value, depth + 1)?;
            let text: Arc<str> = match found {
                Key::Text(text) => text,
                Key::Unsupported(_) => golang::syntax(self.tree, key).into(),
            };
            self.below(known, || Step::Key(text.clone()));
            if self.options.strict && !entries.seen.insert(text.clone()) {
                let go = golang::syntax(self.tree, key);
                let problem = format!("line {}: key {go} already set in map", self.tree.node(value).line);
                self.duplicates.push((problem, self.tree.node(key).span));
            }
            entries.list.push((text, decoded));
        }
        Ok(())
    }

    /// Notes the keys that a mapping itself has more than once. What a merge brings is there to be overridden.
    fn find_rewritten(&mut self, pairs: &[(NodeId, NodeId)], known: usize) -> Result<(), Error> {
        let mut seen: HashMap<Arc<str>, usize> = HashMap::new();
        for (key, _) in pairs.iter().filter(|(key, _)| !key::is_merge(self.tree.node(*key))) {
            let Some(Key::Text(text)) = key::key(self.tree, *key)? else { continue };
            let times = seen.entry(text.clone()).or_default();
            *times += 1;
            if *times == 2 && self.rewritten.len() < MAX_REWRITTEN {
                let step = Step::Key(text);
                // What was noted inside may be in the value that has lost.
                let noted = self.rewritten.split_off(known.min(self.rewritten.len()));
                self.rewritten.extend(noted.into_iter().filter(|steps| steps.last() != Some(&step)));
                self.rewritten.push(vec![step]);
            }
        }
        Ok(())
    }

    /// What was noted since is one step further down.
    fn below(&mut self, known: usize, step: impl Fn() -> Step) {
        self.rewritten.iter_mut().skip(known).for_each(|steps| steps.push(step()));
    }

    fn key(&mut self, id: NodeId, depth: usize) -> Result<Key, Error> {
        let node = self.tree.node(id);
        if let Some(key) = key::key(self.tree, id)? {
            self.count(node, depth)?;
            return Ok(key);
        }
        self.value(id, depth + 1)?;
        Err(Error::yaml(format!("invalid map key: {}", golang::syntax(self.tree, id)), node.span))
    }

    fn merge(&mut self, id: NodeId, entries: &mut Entries, depth: usize) -> Result<(), Error> {
        match &self.tree.node(id).kind {
            Kind::Sequence(items) => {
                // Earlier maps win.
                items.iter().rev().try_for_each(|item| self.merge_map(*item, entries, depth))
            }
            _ => self.merge_map(id, entries, depth),
        }
    }

    fn merge_map(&mut self, id: NodeId, entries: &mut Entries, depth: usize) -> Result<(), Error> {
        let node = self.tree.node(id);
        let Kind::Mapping(pairs) = &self.tree.resolved(id).kind else {
            return Err(Error::yaml("map merge requires map or sequence of maps as the value", node.span));
        };
        self.count(node, depth)?;
        match node.kind {
            Kind::Alias { .. } => self.through_alias(id, |decoder| {
                decoder.count(node, depth)?;
                decoder.mapping(pairs, entries, depth)
            }),
            _ => self.mapping(pairs, entries, depth),
        }
    }

    fn scalar(&mut self, node: &Node, text: &str, plain: bool) -> Result<Value, Error> {
        Ok(match key::meaning(node, text, plain)? {
            (Scalar::Null, _) => Value::Null,
            (Scalar::Bool(value), _) => Value::Bool(value),
            (Scalar::Int(value), _) => match self.options.numbers {
                Numbers::Exact => Value::Int(value),
                Numbers::Floats => Value::Float(value as f64),
            },
            (Scalar::Uint(value), _) => Value::Float(value as f64),
            (Scalar::Float(value), _) => {
                self.finite &= value.is_finite();
                self.options.numbers.float(value)
            }
            (Scalar::Text | Scalar::Timestamp, text) => Value::String(text.into()),
        })
    }
}

/// The first infinity or NaN, in the order in which `encoding/json` meets them.
fn non_finite(value: &Value, path: &Path) -> Option<(Path, f64)> {
    match value {
        Value::Float(number) if !number.is_finite() => Some((path.clone(), *number)),
        Value::List(items) => items.iter().enumerate().find_map(|(i, item)| non_finite(item, &path.index(i))),
        Value::Map(map) => map.iter().find_map(|(key, item)| non_finite(item, &path.key(key.clone()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::yaml::{Options, parse_with_duplicates};

    /// What sigs.k8s.io/yaml's `UnmarshalStrict` refuses, but for overridden merges.
    #[test]
    fn keys_written_twice_are_noted_with_their_paths() {
        for (text, expected) in [
            ("a: 1\nb: {c: 1, d: 2, c: 3}\na: 2\n", "b.c a"),
            ("a: [{b: 1}, {b: 1, b: 2, b: 3}]", "a[1].b"),
            ("'1': x\n1: y\n", "1"),
            ("a: {b: 1, b: 2}\na: {c: 1}\n", "a"),
            ("x: &x {a: 1}\ny: {<<: *x, a: 2}\nz: {<<: *x, <<: {b: 1}}\n", ""),
            ("x: &x {a: 1, a: 2}\ny: *x\nz: {<<: *x}\n", "x.a"),
        ] {
            let (_, duplicates) = parse_with_duplicates(text, Options::default()).unwrap();
            let shown: Vec<String> = duplicates.iter().map(ToString::to_string).collect();
            assert_eq!(shown.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn many_of_them_are_noted_in_bounds() {
        let text = format!("{}{}{}", "[".repeat(240), "{a: 1, a: 2},".repeat(20_000), "]".repeat(240));
        assert_eq!(parse_with_duplicates(&text, Options::default()).unwrap().1.len(), super::MAX_REWRITTEN);
    }
}
