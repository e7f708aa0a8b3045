//! The one type of plain data: what YAML and JSON hold. Immutable, cheap to clone, shared between threads.

use std::fmt;
use std::sync::Arc;

/// How deep data may nest. What works on data recurses, on stacks of 2 MiB too, so this is less than Go's 10,000 and
/// more than any Kubernetes object needs.
pub const MAX_DEPTH: usize = 250;

/// What the numbers of a text become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Numbers {
    /// Whole numbers are [`Value::Int`] if they fit, as in Kubernetes objects: `3`, `3.0` and `3e0`.
    #[default]
    Exact,
    /// All are [`Value::Float`], as in values files and for `fromYaml`.
    Floats,
}

/// A YAML or JSON value. Cloning shares lists, maps and strings.
///
/// Numbers keep the Go type that Helm would give them: an integer is an `int64`, anything else a `float64`. A values
/// file has only floats (Helm reads it through JSON), `--set a=1` and manifests have integers.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true`, `false`
    Bool(bool),
    /// Go's `int64`
    Int(i64),
    /// Go's `float64`
    Float(f64),
    /// Text, always UTF-8
    String(Arc<str>),
    /// A sequence
    List(Arc<[Value]>),
    /// A mapping with text keys
    Map(Arc<Map>),
}

/// A mapping, sorted by key (Go's order when it ranges over or prints a map), each key once.
#[derive(Debug, Clone, Default)]
pub struct Map {
    entries: Vec<(Arc<str>, Value)>,
    /// The keys as a Go struct declares them, where it came from one: JSON writes them in this order.
    declared: Vec<Arc<str>>,
}

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a map
    Key(Arc<str>),
    /// Into a list, from 0
    Index(usize),
}

/// The way from a root to a value inside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path(pub Vec<Step>);

/// Numbers are equal by value, whatever their type.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Int(a), Self::Float(b)) | (Self::Float(b), Self::Int(a)) => *a as f64 == *b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

impl Value {
    /// The value as text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value as a mapping, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The value as a sequence, if it is one.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The value as a boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The value of a key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// Follows keys from map to map.
    pub fn at<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> Option<&Value> {
        keys.into_iter().try_fold(self, |value, key| value.get(key))
    }

    /// Follows a path.
    pub fn follow(&self, path: &Path) -> Option<&Value> {
        path.0.iter().try_fold(self, Self::step)
    }

    /// Goes one step down.
    pub fn step(&self, step: &Step) -> Option<&Value> {
        match step {
            Step::Key(key) => self.get(key),
            Step::Index(index) => self.as_list()?.get(*index),
        }
    }

    /// What `encoding/json` calls the type in its errors.
    pub fn go_json_type(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            other => other.type_name(),
        }
    }

    /// What JSON calls the type: `null`, `boolean`, `number`, `string`, `array` or `object`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) | Self::Float(_) => "number",
            Self::String(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) => "object",
        }
    }
}

impl Numbers {
    /// A `float64` as a value. As JSON writes `3.0` as `3`, it is read from there as an integer.
    pub fn float(self, value: f64) -> Value {
        let whole = value.fract() == 0.0 && value.abs() < i64::MAX as f64;
        match self {
            Self::Exact if whole => Value::Int(value as i64),
            _ => Value::Float(value),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(items.into())
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(Arc::new(map))
    }
}

/// Maps are equal if they hold the same, in whatever order a struct declared it.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl Map {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find(key).ok().map(|index| &self.entries[index].1)
    }

    /// Sets a key.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: Value) {
        let key = key.into();
        match self.find(&key) {
            Ok(index) => self.entries[index].1 = value,
            Err(index) => self.entries.insert(index, (key, value)),
        }
    }

    /// Takes a key away and returns what it had.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.find(key).ok().map(|index| self.entries.remove(index).1)
    }

    /// What JSON makes of a Go struct: it remembers the order of the fields.
    pub fn of_struct<K: Into<Arc<str>>>(fields: impl IntoIterator<Item = (K, Value)>) -> Self {
        let fields: Vec<(Arc<str>, Value)> = fields.into_iter().map(|(key, value)| (key.into(), value)).collect();
        let declared = fields.iter().map(|(key, _)| key.clone()).collect();
        Self { declared, ..fields.into_iter().collect() }
    }

    /// Keys and values as `json.Marshal` writes them: a struct's in the order of its declaration.
    pub fn marshalled(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        let of_struct = self.declared.iter().filter_map(|key| Some((key, self.get(key)?)));
        let of_map = self.iter().filter(|_| self.declared.is_empty());
        of_struct.chain(of_map)
    }

    /// Keys and values in the order of the keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Arc<str>, &Value)> + ExactSizeIterator {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(known, _)| (**known).cmp(key))
    }
}

/// Of a key given twice the last value stays.
impl<K: Into<Arc<str>>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let mut all: Vec<(Arc<str>, Value)> = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        // dedup_by keeps the first of a run and hands it over as `b`: let it take the later value.
        all.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                std::mem::swap(&mut later.1, &mut first.1);
            }
            same
        });
        Self { entries: all, declared: Vec::new() }
    }
}

impl Path {
    /// The path with one more key.
    pub fn key(&self, key: impl Into<Arc<str>>) -> Self {
        self.with(Step::Key(key.into()))
    }

    /// The path with one more index.
    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// The path that goes on along another one.
    pub fn join(&self, rest: &Self) -> Self {
        Self([self.0.as_slice(), rest.0.as_slice()].concat())
    }

    /// The rest of a path that begins with another one; `None` where it does not.
    pub fn below(&self, start: &Self) -> Option<Self> {
        self.0.strip_prefix(start.0.as_slice()).map(|rest| Self(rest.to_vec()))
    }

    /// The path as people write it in an exemption, with names in place of numbers where the elements of a list have one:
    /// `spec.containers[name=web].env[name=TOKEN]`. Numbers change more often than names.
    pub fn named(&self, root: &Value) -> String {
        let mut text = String::new();
        let mut value = Some(root);
        let mut since = 0;
        for (depth, step) in self.0.iter().enumerate() {
            value = match (step, value) {
                (Step::Key(key), Some(value)) => value.get(key),
                (Step::Index(index), Some(value)) => value.as_list().and_then(|list| list.get(*index)),
                (_, None) => None,
            };
            let name = value.and_then(|value| value.get("name")).and_then(Value::as_str).filter(|name| is_word(name));
            if let (Step::Index(_), Some(name)) = (step, name) {
                let before = Self(self.0[since..depth].to_vec()).to_string();
                let dot = if text.is_empty() || before.is_empty() || before.starts_with('[') { "" } else { "." };
                text.push_str(&format!("{dot}{before}[name={name}]"));
                since = depth + 1;
            }
        }
        let rest = Self(self.0[since..].to_vec()).to_string();
        let dot = if text.is_empty() || rest.is_empty() || rest.starts_with('[') { "" } else { "." };
        text + dot + &rest
    }

    /// The path without its last step; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, init) = self.0.split_last()?;
        Some(Self(init.to_vec()))
    }
}

/// Whether a text needs no quotes in a [`Path`].
pub fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// `spec.containers[0].env`; keys that are no plain words are quoted: `metadata.annotations["a.b/c"]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_word(key) => {
                    write!(f, "{}{key}", if i == 0 { "" } else { "." })?;
                }
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_sorted_and_the_last_of_a_key_wins() {
        let map: Map = [("b", 1.into()), ("a", 2.into()), ("b", 3.into()), ("b", Value::Int(4))].into_iter().collect();
        assert_eq!(
            map.iter().map(|(k, v)| (&**k, v.clone())).collect::<Vec<_>>(),
            [("a", Value::Int(2)), ("b", Value::Int(4))]
        );
    }

    #[test]
    fn paths_print_as_people_write_them() {
        let path = Path::default().key("metadata").key("annotations").key("a.b/c").index(0).key("x");
        assert_eq!(path.to_string(), "metadata.annotations[\"a.b/c\"][0].x");
    }

    #[test]
    fn elements_that_have_a_name_are_known_by_it() {
        let named = |name: &str, rest: Value| -> Value {
            [("name", name.into()), ("env", rest)].into_iter().collect::<Map>().into()
        };
        let env: Value = vec![named("A", Value::Null), named("B C", Value::Null)].into();
        let containers: Value = vec![named("web", env)].into();
        let object: Value = [("spec", [("containers", containers)].into_iter().collect::<Map>().into())]
            .into_iter()
            .collect::<Map>()
            .into();
        let web = Path::default().key("spec").key("containers").index(0);
        assert_eq!(web.named(&object), "spec.containers[name=web]");
        assert_eq!(web.key("env").index(0).key("value").named(&object), "spec.containers[name=web].env[name=A].value");
        assert_eq!(web.key("env").index(1).named(&object), "spec.containers[name=web].env[1]");
        assert_eq!(web.key("a.b").named(&object), "spec.containers[name=web][\"a.b\"]");
        assert_eq!(Path::default().key("spec").key("containers").index(3).named(&object), "spec.containers[3]");
        assert_eq!(Path::default().named(&object), "");
    }
}
