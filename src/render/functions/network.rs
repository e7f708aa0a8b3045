//! What lies outside of the chart: the cluster, where the user named one, and other hosts, never.

use super::args::Args;
use super::strings::text;
use super::{Row, Type};
use crate::render::any::Any;
use crate::render::host::Query;

pub(super) const ROWS: &[Row] = &[
    // Helm answers nothing too, unless it is told to resolve names.
    Row::new("getHostByName", &[Type::String], |_, _| text("")),
    Row::new("lookup", &[Type::String; 4], |host, args| {
        let argument = |index| args.text(index).map(|text| text.to_str().into_owned());
        let query =
            Query { api_version: argument(0)?, kind: argument(1)?, namespace: argument(2)?, name: argument(3)? };
        host.lookup(&query).map(|found| Any::from(&found))
    }),
];
