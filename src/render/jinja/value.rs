//! Values in templates: the chart's data as minijinja sees it, and the way to the functions' values and back.
//!
//! Data is wrapped, not copied. A number without a fraction is an integer, whatever its Go type: `{{ values.replicas }}`
//! prints `3` and `range(values.replicas)` works, although a values file has only floats.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectExt, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State, Value as Jinja};

use super::functions;
use super::session::{self, Missing, Session};
use crate::render::any::{self, Any};
use crate::value::{Map, Path, Value};

/// The largest float up to which every integer is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// The deepest value that may pass to a function.
const MAX_DEPTH: usize = 200;
/// The most elements that may pass to a function in one call.
const MAX_ELEMENTS: usize = 1_000_000;

/// Where a wrapped value comes from.
#[derive(Debug, Clone)]
struct Place {
    /// The name in scope: `values`, `chart`.
    root: &'static str,
    /// The path below it.
    path: Arc<Path>,
}

#[derive(Debug)]
struct MapObject {
    map: Arc<Map>,
    place: Place,
}

#[derive(Debug)]
struct ListObject {
    list: Arc<[Value]>,
    place: Place,
}

/// A Go object (a time, a version, a certificate) in a template.
struct Handle {
    id: usize,
    type_name: &'static str,
    text: String,
}

/// The chart's data under a name in scope. Reads below `values` are noted for the source map.
pub fn scope(root: &'static str, value: &Value) -> Jinja {
    wrap(value, || Place { root, path: Arc::default() })
}

fn wrap(value: &Value, place: impl FnOnce() -> Place) -> Jinja {
    match value {
        Value::Null => Jinja::from(()),
        Value::Bool(value) => Jinja::from(*value),
        Value::Int(value) => Jinja::from(*value),
        Value::Float(value) => number(*value),
        Value::String(text) => Jinja::from(text.clone()),
        Value::List(list) => Jinja::from_object(ListObject { list: list.clone(), place: place() }),
        Value::Map(map) => Jinja::from_object(MapObject { map: map.clone(), place: place() }),
    }
}

fn number(value: f64) -> Jinja {
    match integer(value) {
        Some(integer) => Jinja::from(integer),
        None => Jinja::from(value),
    }
}

fn integer(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

impl Place {
    fn child(&self, path: Path) -> Self {
        Self { root: self.root, path: Arc::new(path) }
    }

    fn read(&self) {
        if self.root == "values" {
            session::read(&self.path);
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.to_string() {
            path if path.is_empty() => f.write_str(self.root),
            path if path.starts_with('[') => write!(f, "{}{path}", self.root),
            path => write!(f, "{}.{path}", self.root),
        }
    }
}

impl Object for MapObject {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        let Some(value) = self.map.get(key) else {
            Session::with(|session| {
                session.missing = Some(Missing {
                    map: self.place.to_string(),
                    key: key.to_owned(),
                    known: self.map.iter().map(|(key, _)| key.clone()).collect(),
                });
            });
            return None;
        };
        let place = self.place.child(self.place.path.key(key));
        place.read();
        Some(wrap(value, || place))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.place.read();
        self.mapped_rev_enumerator(|this| Box::new(this.map.iter().map(|(key, _)| Jinja::from(key.clone()))))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.map.len())
    }
}

impl Object for ListObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let index = key.as_usize()?;
        let value = self.list.get(index)?;
        let place = self.place.child(self.place.path.index(index));
        place.read();
        Some(wrap(value, || place))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.list.len())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Object for Handle {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let Any::Object(object) = Session::with(|session| session.object(self.id))?? else { return None };
        // As in Go's templates, a method without parameters reads like a field.
        let name = key.as_str()?;
        let method = || object.method(name).filter(|method| method.params.is_empty());
        let value = object.field(name).or_else(|| (method()?.call)(&*object, &[]).ok())?;
        Some(from_any(&value))
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, name: &str, args: &[Jinja]) -> Result<Jinja, Error> {
        let object = Session::with(|session| session.object(self.id)).flatten();
        let Some(Any::Object(object)) = object else { return Err(ErrorKind::UnknownMethod.into()) };
        let method = object
            .method(name)
            .ok_or_else(|| Error::new(ErrorKind::UnknownMethod, format!("{} has no method {name}", self.type_name)))?;
        let args = functions::arguments(name, method.params, None, args)?;
        (method.call)(&*object, &args).map(|value| from_any(&value)).map_err(|failure| functions::failed(name, failure))
    }
}

/// A value as functions take it. Too deep or too large a value is an error.
pub fn to_any(value: &Jinja) -> Result<Any, Error> {
    let mut left = MAX_ELEMENTS;
    convert(value, MAX_DEPTH, &mut left)
}

fn convert(value: &Jinja, depth: usize, left: &mut usize) -> Result<Any, Error> {
    let too_large = || Error::new(ErrorKind::InvalidOperation, "the value is too large for a function");
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "the value is too deep for a function"))?;
    *left = left.checked_sub(1).ok_or_else(too_large)?;
    if let Some(map) = value.downcast_object_ref::<MapObject>() {
        map.place.read();
        return Ok(from_value(&Value::Map(map.map.clone())));
    }
    if let Some(list) = value.downcast_object_ref::<ListObject>() {
        list.place.read();
        return Ok(from_value(&Value::List(list.list.clone())));
    }
    if let Some(handle) = value.downcast_object_ref::<Handle>() {
        return Ok(Session::with(|session| session.object(handle.id)).flatten().unwrap_or_default());
    }
    Ok(match value.kind() {
        ValueKind::Undefined | ValueKind::None => Any::Nil,
        ValueKind::Bool => Any::Bool(value.is_true()),
        ValueKind::Number => match value.as_i64() {
            Some(value) => Any::Int64(value),
            None => {
                let float = f64::try_from(value.clone())?;
                integer(float).map_or(Any::Float64(float), Any::Int64)
            }
        },
        ValueKind::Bytes => Any::Bytes(value.as_bytes().unwrap_or_default().into()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter()?.checked().map(|item| convert(&item?, depth, left));
            Any::List(any::List::new(items.collect::<Result<_, Error>>()?))
        }
        ValueKind::Map => {
            let mut entries = BTreeMap::new();
            for key in value.try_iter()?.checked() {
                let key = key?;
                let item = convert(&value.get_item(&key)?, depth, left)?;
                entries.insert(any::Text::from(text(&key)?), item);
            }
            Any::Map(any::Map::new(entries))
        }
        ValueKind::String => Any::String(value.as_str().unwrap_or_default().into()),
        kind => return Err(Error::new(ErrorKind::InvalidOperation, format!("a function cannot take a {kind}"))),
    })
}

/// Data as functions take it, with integers for whole numbers.
fn from_value(value: &Value) -> Any {
    match value {
        Value::Float(value) => integer(*value).map_or(Any::Float64(*value), Any::Int64),
        Value::List(items) => Any::List(any::List::new(items.iter().map(from_value).collect())),
        Value::Map(map) => Any::Map(map.iter().map(|(key, value)| (&**key, from_value(value))).collect()),
        scalar => Any::from(scalar),
    }
}

/// What a function returned as templates see it. Bytes that are not UTF-8 become U+FFFD.
pub fn from_any(value: &Any) -> Jinja {
    match value {
        Any::Nil => Jinja::from(()),
        Any::Bool(value) => Jinja::from(*value),
        Any::Int(value) | Any::Int64(value) => Jinja::from(*value),
        Any::Uint8(value) => Jinja::from(*value),
        Any::Uint64(value) => Jinja::from(*value),
        Any::Float64(value) => number(*value),
        // Only a literal of Go templates can be one.
        Any::Complex(..) => Jinja::from(()),
        Any::String(text) => Jinja::from(&*text.to_str()),
        Any::Bytes(bytes) => Jinja::from(&*bytes.to_str()),
        Any::List(list) => Jinja::from(list.items.iter().map(from_any).collect::<Vec<_>>()),
        Any::Map(map) => Jinja::from_pairs(
            map.entries.borrow().iter().map(|(key, value)| (key.to_str().into_owned(), from_any(value))),
        ),
        Any::Object(object) => {
            let id = Session::with(|session| session.keep(Any::Object(Rc::clone(object)))).unwrap_or_default();
            let text = object.print().to_str().into_owned();
            Jinja::from_object(Handle { id, type_name: object.type_name(), text })
        }
    }
}

/// What `{{ value }}` prints: text, numbers and booleans as they are, null as nothing. A list or a map is an error,
/// since what it would print is seldom what its author means.
pub fn text(value: &Jinja) -> Result<String, Error> {
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => Ok(String::new()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::String => Ok(value.to_string()),
        ValueKind::Number if value.is_integer() => Ok(value.to_string()),
        ValueKind::Number => Ok(decimal(f64::try_from(value.clone())?)),
        ValueKind::Plain if value.downcast_object_ref::<Handle>().is_some() => Ok(value.to_string()),
        _ => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("{} cannot be printed as it is; write it with `| toYaml` or `| toJson`", describe(value)),
        )),
    }
}

/// A float as JSON writes it: plain digits, with an exponent only where they would be many.
fn decimal(value: f64) -> String {
    if value != 0.0 && value.is_finite() && !(1e-6..1e21).contains(&value.abs()) {
        let text = format!("{value:e}");
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    integer(value).map_or_else(|| value.to_string(), |integer| integer.to_string())
}

/// A value's type, with an article, for messages.
pub fn describe(value: &Jinja) -> String {
    match value.kind() {
        ValueKind::Undefined => "an undefined value".into(),
        ValueKind::None => "null".into(),
        ValueKind::Bool => "a boolean".into(),
        ValueKind::Number => "a number".into(),
        ValueKind::String => "a string".into(),
        ValueKind::Bytes => "bytes".into(),
        ValueKind::Seq | ValueKind::Iterable => "a list".into(),
        ValueKind::Map => "a map".into(),
        _ => match value.downcast_object_ref::<Handle>() {
            Some(handle) => format!("a {}", handle.type_name),
            None => "an object".into(),
        },
    }
}
