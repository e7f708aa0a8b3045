//! The values that templates compute with: Go's `any`, as far as templates can tell the difference.
//!
//! Data becomes [`Any`] when a render starts and lives in one thread. Maps are shared and mutable, as Go's are: what
//! `set` changes is seen by everyone who holds the map. Strings are bytes, since `trunc` and `substr` cut bytes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

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
    /// `float64`: every number of a values file
    Float64(f64),
    /// `string`
    String(Text),
    /// `[]byte`
    Bytes(Rc<[u8]>),
    /// A slice
    List(List),
    /// A map
    Map(Map),
    /// Everything that has methods or fields: `.Files`, `.Capabilities`, `.Chart`, times, versions, certificates
    Object(Rc<dyn Object>),
}

/// A Go string: bytes, mostly UTF-8, cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Rc<[u8]>);

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
    Lists,
    /// `[]map[string]interface {}`: a TOML array of tables
    Maps,
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

    /// Keys and values where `range`, `index` and `len` work on it (`.Files`); `None` otherwise.
    fn entries(&self) -> Option<Vec<(Text, Any)>> {
        None
    }

    /// What `fmt`'s `%v` prints.
    fn print(&self) -> Text;

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

    /// A `[]string`.
    pub fn strings<T: Into<Text>>(items: impl IntoIterator<Item = T>) -> Self {
        Self { items: items.into_iter().map(|item| Any::String(item.into())).collect(), of: Elem::String, nil: false }
    }
}

impl Map {
    /// A `map[string]interface {}`.
    pub fn new(entries: BTreeMap<Text, Any>) -> Self {
        Self { entries: Rc::new(RefCell::new(entries)), of: MapType::Interface, nil: false }
    }

    /// A nil `map[string]interface {}`.
    pub fn none() -> Self {
        Self { nil: true, ..Self::new(BTreeMap::new()) }
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
            Value::String(text) => Self::String((&**text).into()),
            Value::List(items) => Self::List(List::new(items.iter().map(Self::from).collect())),
            Value::Map(map) => Self::Map(map.iter().map(|(key, value)| (&**key, Self::from(value))).collect()),
        }
    }
}
