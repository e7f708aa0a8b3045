//! The network, which templates never see.

use super::strings::text;
use super::{Row, Type};

/// Helm answers nothing too, unless it is told to resolve names.
pub(super) const ROWS: &[Row] = &[Row::new("getHostByName", &[Type::String], |_, _| text(""))];
