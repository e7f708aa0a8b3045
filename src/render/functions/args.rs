//! Arguments as the types that a row declares. The engine has checked them; a wrong one is still an error, never a
//! panic.

use super::Failure;
use crate::render::any::{Any, Elem, List, Map, MapType, Text};

/// Typed access to the arguments of a call.
pub(super) trait Args {
    /// An `interface {}`.
    fn any(&self, index: usize) -> Result<&Any, Failure>;

    /// A `string`.
    fn text(&self, index: usize) -> Result<&Text, Failure>;

    /// An `int`, `int64` or `uint32`.
    fn int(&self, index: usize) -> Result<i64, Failure>;

    /// A `bool`.
    fn bool(&self, index: usize) -> Result<bool, Failure>;

    /// A `[]interface {}`; `nil` is the nil slice.
    fn list(&self, index: usize) -> Result<List, Failure>;

    /// A `map[string]interface {}`; `nil` is the nil map, and `.Values` loses its name.
    fn map(&self, index: usize) -> Result<Map, Failure>;

    /// The arguments from an index on.
    fn from(&self, index: usize) -> &[Any];
}

impl Args for [Any] {
    fn any(&self, index: usize) -> Result<&Any, Failure> {
        self.get(index).ok_or_else(|| Failure::new("too few arguments"))
    }

    fn text(&self, index: usize) -> Result<&Text, Failure> {
        match self.any(index)? {
            Any::String(text) => Ok(text),
            _ => Err(Failure::new("wrong type for value; expected string")),
        }
    }

    fn int(&self, index: usize) -> Result<i64, Failure> {
        match self.any(index)? {
            Any::Int(value) | Any::Int64(value) => Ok(*value),
            Any::Uint64(value) => Ok(*value as i64),
            _ => Err(Failure::new("wrong type for value; expected int")),
        }
    }

    fn bool(&self, index: usize) -> Result<bool, Failure> {
        match self.any(index)? {
            Any::Bool(value) => Ok(*value),
            _ => Err(Failure::new("wrong type for value; expected bool")),
        }
    }

    fn list(&self, index: usize) -> Result<List, Failure> {
        match self.any(index)? {
            Any::Nil => Ok(List::none(Elem::Interface)),
            Any::List(list) => Ok(list.clone()),
            _ => Err(Failure::new("wrong type for value; expected []interface {}")),
        }
    }

    fn map(&self, index: usize) -> Result<Map, Failure> {
        match self.any(index)? {
            Any::Nil => Ok(Map::none()),
            Any::Map(map) => Ok(map.as_type(MapType::Interface)),
            _ => Err(Failure::new("wrong type for value; expected map[string]interface {}")),
        }
    }

    fn from(&self, index: usize) -> &[Any] {
        self.get(index..).unwrap_or_default()
    }
}
