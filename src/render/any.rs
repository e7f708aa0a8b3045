//! The values that templates compute with: Go's `any`, as far as templates can tell the difference.
//!
//! Data becomes [`Any`] when a render starts and lives in one thread. Maps are shared and mutable, as Go's are: what
//! `set` changes is seen by everyone who holds the map. Strings are bytes, since `trunc` and `substr` cut bytes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use crate::value::Value;

/// A Go value of a template.
#[derive(Clone, Default)]
pub enum Any {
    /// Untyped `nil`
    #[default]
    Nil,
    /// `bool`
    Bool(bool),
    /// `int`: literals in templates, `len`, `until`
    Int(i64),
    /// `int64`: `--set a=1`, sprig's arithmetic
    Int64(i64),
    /// `uint8`: what indexing a string gives
    Uint8(u8),
    /// `uint64`: the parts of a `semver`
    Uint64(u64),
    /// `float64`: every number of a values file
    Float64(f64),
    /// `complex128`: literals such as `2i`
    Complex(f64, f64),
    /// `string`
    String(Text),
    /// `[]byte`
    Bytes(Text),
    /// A slice
    List(List),
    /// A map
    Map(Map),
    /// Everything that has methods or fields: `.Files`, `.Capabilities`, `.Chart`, times, versions, certificates
    Object(Rc<dyn Object>),
}

/// A Go string: bytes, mostly UTF-8, cheap to clone.
///
/// Shared between threads, so that literals of parsed templates and strings of [`Value`]s are used as they are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<[u8]>);

/// A Go slice. Immutable: no template function changes one in place.
#[derive(Clone)]
pub struct List {
    /// The elements, shared.
    pub items: Rc<[Any]>,
    /// The static element type.
    pub of: Elem,
    /// Whether it is Go's nil slice, which JSON writes as `null` (`rest (list)`).
    pub nil: bool,
}

/// The element type of a [`List`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elem {
    /// `[]interface {}`
    Interface,
    /// `[]string`
    String,
    /// `[]int`
    Int,
    /// `[][]interface {}`: `chunk`
    List,
    /// `[]map[string]interface {}`: a TOML array of tables
    Map,
}

/// A Go map with string keys, shared and mutable.
#[derive(Clone)]
pub struct Map {
    /// The entries, in the order in which Go's templates range over them.
    pub entries: Rc<RefCell<BTreeMap<Text, Any>>>,
    /// The static type.
    pub of: MapType,
    /// Whether it is Go's nil map, which JSON writes as `null` and nothing can be set in (`fromYaml ""`).
    pub nil: bool,
}

/// The type of a [`Map`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapType {
    /// `map[string]interface {}`
    Interface,
    /// `map[string]string`
    String,
    /// `common.Values`: `.Values` itself
    Values,
    /// `map[string][]uint8`: what `.Files` is underneath
    Bytes,
}

/// A Go struct, pointer or named type with fields and methods.
pub trait Object {
    /// What `typeOf` and `%T` print: `*semver.Version`, `time.Time`, `common.Files`.
    fn type_name(&self) -> &'static str;

    /// What `kindOf` prints: `struct`, `ptr`, `map`, `slice`.
    fn kind(&self) -> &'static str {
        "struct"
    }

    /// A field's value; `None` where the type has no such field.
    fn field(&self, _name: &str) -> Option<Any> {
        None
    }

    /// A method's parameters and whether it exists; `None` where the type has no such method.
    fn method(&self, _name: &str) -> Option<Method> {
        None
    }

    /// The list or map that `range`, `index`, `len` and conditions see, where the type is one underneath
    /// (`.Files`, `.Capabilities.APIVersions`); `None` otherwise.
    fn underlying(&self) -> Option<Any> {
        None
    }

    /// What `fmt`'s `%v` prints.
    fn print(&self) -> Text;

    /// What an action prints, where that differs from `%v`: a field that can be addressed shows the `String` method of
    /// its pointer (`.Capabilities.KubeVersion`).
    fn print_addressed(&self) -> Text {
        self.print()
    }

    /// What `json.Marshal` makes of it.
    fn to_value(&self) -> Value;

    /// For functions that need their own type back (`semver`, `date`).
    fn as_any(&self) -> &dyn std::any::Any;
}

/// A method of an [`Object`].
#[derive(Clone, Copy)]
pub struct Method {
    /// Its parameters, which the caller checks before the call.
    pub params: &'static [super::functions::Type],
    /// The method itself: receiver and arguments.
    pub call: fn(&dyn Object, &[Any]) -> Result<Any, super::functions::Failure>,
}

impl Text {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, with U+FFFD for what is not UTF-8.
    pub fn to_str(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

/// For looking keys up without making a [`Text`].
impl std::borrow::Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self(text.into())
    }
}

impl From<Arc<[u8]>> for Text {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self(bytes)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_str())
    }
}

impl List {
    /// A `[]interface {}`.
    pub fn new(items: Vec<Any>) -> Self {
        Self { items: items.into(), of: Elem::Interface, nil: false }
    }

    /// A nil slice.
    pub fn none(of: Elem) -> Self {
        Self { items: Rc::new([]), of, nil: true }
    }

    /// Items of one static element type.
    pub fn of(of: Elem, items: impl IntoIterator<Item = Any>) -> Self {
        Self { items: items.into_iter().collect(), of, nil: false }
    }

    /// A `[]string`.
    pub fn strings<T: Into<Text>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::of(Elem::String, items.into_iter().map(|item| Any::String(item.into())))
    }
}

impl Map {
    /// A `map[string]interface {}`.
    pub fn new(entries: BTreeMap<Text, Any>) -> Self {
        Self { entries: Rc::new(RefCell::new(entries)), of: MapType::Interface, nil: false }
    }

    /// A nil `map[string]interface {}`.
    pub fn none() -> Self {
        let mut map = Self::new(BTreeMap::new());
        map.nil = true;
        map
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<Any> {
        self.entries.borrow().get(key).cloned()
    }

    /// Sets a key, for everyone who holds the map.
    pub fn insert(&self, key: impl Into<Text>, value: Any) {
        self.entries.borrow_mut().insert(key.into(), value);
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same entries under another static type, as a Go conversion gives them.
    pub fn as_type(&self, of: MapType) -> Self {
        Self { entries: self.entries.clone(), of, nil: self.nil }
    }
}

impl Elem {
    /// What a `[]T` of it is called.
    pub fn list_type_name(self) -> &'static str {
        match self {
            Self::Interface => "[]interface {}",
            Self::String => "[]string",
            Self::Int => "[]int",
            Self::List => "[][]interface {}",
            Self::Map => "[]map[string]interface {}",
        }
    }
}

impl MapType {
    /// What Go calls the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interface => "map[string]interface {}",
            Self::String => "map[string]string",
            Self::Values => "common.Values",
            Self::Bytes => "map[string][]uint8",
        }
    }

    /// What a missing key gives (`missingkey=zero`).
    pub fn zero(self) -> Any {
        match self {
            Self::Interface | Self::Values => Any::Nil,
            Self::String => Any::String(Text::default()),
            Self::Bytes => Any::Bytes(Text::default()),
        }
    }

    /// Whether the static type of the elements is `interface {}`.
    pub fn holds_interfaces(self) -> bool {
        matches!(self, Self::Interface | Self::Values)
    }
}

impl Any {
    /// The Go type, as `typeOf` and `%T` print it; `<nil>` for nil.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Uint8(_) => "uint8",
            Self::Uint64(_) => "uint64",
            Self::Float64(_) => "float64",
            Self::Complex(..) => "complex128",
            Self::String(_) => "string",
            Self::Bytes(_) => "[]uint8",
            Self::List(list) => list.of.list_type_name(),
            Self::Map(map) => map.of.name(),
            Self::Object(object) => object.type_name(),
        }
    }

    /// The Go kind, as `kindOf` prints it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Bytes(_) | Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Object(object) => object.kind(),
            other => other.type_name(),
        }
    }

    /// Whether a condition takes it for true: neither nil, zero nor empty.
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::Int64(value) => *value != 0,
            Self::Uint8(value) => *value != 0,
            Self::Uint64(value) => *value != 0,
            Self::Float64(value) => *value != 0.0,
            Self::Complex(re, im) => *re != 0.0 || *im != 0.0,
            Self::String(text) | Self::Bytes(text) => !text.as_bytes().is_empty(),
            Self::List(list) => !list.items.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) => object.underlying().is_none_or(|inner| inner.truth()),
        }
    }
}

/// Whether dropping a value can go deep.
fn is_container(value: &Any) -> bool {
    matches!(value, Any::List(_) | Any::Map(_))
}

/// Takes containers apart one after the other: a template can nest lists deeper than any stack, in a loop.
fn dismantle(mut pending: Vec<Any>) {
    while let Some(mut value) = pending.pop() {
        match &mut value {
            Any::List(list) => list.release(&mut pending),
            Any::Map(map) => map.release(&mut pending),
            _ => {}
        }
    }
}

impl List {
    fn release(&mut self, pending: &mut Vec<Any>) {
        if let Some(items) = Rc::get_mut(&mut self.items) {
            pending.extend(items.iter_mut().filter(|item| is_container(item)).map(std::mem::take));
        }
    }
}

impl Map {
    fn release(&mut self, pending: &mut Vec<Any>) {
        if let Some(entries) = Rc::get_mut(&mut self.entries) {
            pending.extend(entries.get_mut().values_mut().filter(|item| is_container(item)).map(std::mem::take));
        }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        let mut pending = Vec::new();
        self.release(&mut pending);
        if !pending.is_empty() {
            dismantle(pending);
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        let mut pending = Vec::new();
        self.release(&mut pending);
        if !pending.is_empty() {
            dismantle(pending);
        }
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new(BTreeMap::new())
    }
}

impl<T: Into<Text>> FromIterator<(T, Any)> for Map {
    fn from_iter<I: IntoIterator<Item = (T, Any)>>(entries: I) -> Self {
        Self::new(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

impl From<&Value> for Any {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nil,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int64(*value),
            Value::Float(value) => Self::Float64(*value),
            Value::String(text) => Self::String(text.clone().into()),
            Value::List(items) => Self::List(List::new(items.iter().map(Self::from).collect())),
            Value::Map(map) => Self::Map(map.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect()),
        }
    }
}
