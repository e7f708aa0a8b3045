//! TOML, as BurntSushi/toml 1.6 reads and writes it.

mod key;
mod read;
mod tree;
mod write;

use super::args::Args;
use super::data::error_map;
use super::strings::text;
use super::{Failure, Row, Type};
use crate::render::any::Any;

pub(super) const ROWS: &[Row] = &[
    Row::new("toToml", &[Type::Any], |_, args| match args.any(0)? {
        Any::Nil => Err(Failure::new("reflect: call of reflect.Value.Type on zero Value")),
        // Helm returns the reason of a failure as text.
        value => text(write::write(value).unwrap_or_else(|failure| failure.message)),
    }),
    Row::new("fromToml", &[Type::String], |_, args| {
        Ok(read::read(args.text(0)?.as_bytes()).unwrap_or_else(|reason| error_map(&reason)))
    }),
];
