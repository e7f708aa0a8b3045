//! What Helm puts before templates beside values: `.Files`, `.Capabilities`, and the methods of `.Values`.

use super::any::{Any, Map};
use super::functions::{Failure, Host, Type};

/// A method of a map with a Go type name (`common.Values`).
#[derive(Clone, Copy)]
pub struct MapMethod {
    /// Its parameters, which the caller checks before the call.
    pub params: &'static [Type],
    /// The method itself: receiver, arguments and what functions ask.
    pub call: fn(&Map, &[Any], &mut dyn Host) -> Result<Any, Failure>,
}

/// The methods of `common.Values`. Source: Helm's `pkg/chart/common/values.go`.
pub fn map_method(name: &str) -> Option<MapMethod> {
    let _ = name;
    None
}
