//! The template functions, one table for both dialects.
//!
//! A function is a [`Row`] in the table of its group; a new one is registered nowhere else. The Go engine checks the
//! declared parameter types before the call, with Go's error texts; the Jinja dialect does the same, and passes the
//! piped value last, as Helm's users expect.

mod args;
mod cast;
mod certificates;
mod convert;
mod data;
mod dates;
mod decimal;
mod defaults;
mod dicts;
pub mod duration;
mod encoding;
mod layout;
mod lists;
mod math;
mod merge;
mod network;
mod parse_date;
mod passwords;
mod paths;
mod random;
mod regexes;
mod runes;
mod strings;
mod time;
mod toml;
mod types;
mod urls;
mod versions;
mod walk;
mod words;

pub use convert::{Nils, to_value};

use std::collections::HashMap;
use std::sync::OnceLock;

pub(super) use encoding::base64;

use super::any::Any;
use super::host::Query;
use crate::value::{Map, Value};

/// A function that templates can call.
#[derive(Clone, Copy)]
pub struct Row {
    /// The name in templates.
    pub name: &'static str,
    /// The declared types of the parameters.
    pub params: &'static [Type],
    /// The declared element type of a variadic last parameter (not in `params`).
    pub variadic: Option<Type>,
    /// The function. Arguments are already of the declared types.
    pub call: fn(&mut dyn Host, &[Any]) -> Result<Any, Failure>,
}

impl Row {
    const fn new(
        name: &'static str,
        params: &'static [Type],
        call: fn(&mut dyn Host, &[Any]) -> Result<Any, Failure>,
    ) -> Self {
        Self { name, params, variadic: None, call }
    }

    const fn variadic(mut self, of: Type) -> Self {
        self.variadic = Some(of);
        self
    }
}

/// A declared Go parameter type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`: anything, nil too
    Any,
    /// `string`
    String,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint32`
    Uint32,
    /// `float64`
    Float64,
    /// `[]interface {}`
    List,
    /// `[]string`
    Strings,
    /// `map[string]interface {}`
    Map,
    /// `time.Time`
    Time,
    /// `*semver.Version`
    Version,
    /// `sprig.certificate`
    Certificate,
}

/// Why a function failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Helm's text.
    pub message: String,
    /// The way out, where the message alone does not show it.
    pub help: Option<String>,
}

/// What functions may ask of the engine that calls them.
pub trait Host {
    /// Fills a buffer with random bytes: the system's, or those of `--seed`.
    fn random(&mut self, buffer: &mut [u8]);

    /// Seconds and nanoseconds since the Unix epoch.
    fn now(&mut self) -> (i64, u32);

    /// Looks for objects in the cluster. The default is that of Helm without one: nothing is there.
    fn lookup(&mut self, _query: &Query) -> Result<Value, Failure> {
        Ok(Map::default().into())
    }

    /// Asks for the bytes of a result that may be much larger than its arguments (`repeat`, `until`). The default
    /// bounds each result; an engine that counts what a whole render takes overrides it.
    fn allocate(&mut self, bytes: usize) -> Result<(), Failure> {
        if bytes > MAX_RESULT {
            return Err(Failure::new(format!("the result would be larger than {} MiB", MAX_RESULT >> 20)));
        }
        Ok(())
    }

    /// Asks for time, in units of about a bcrypt hash: for keys, signatures, password hashes and ciphers. The default
    /// grants it; an engine that bounds what a whole render takes overrides it, as those of charts do by [`MAX_WORK`].
    fn spend(&mut self, _units: u64) -> Result<(), Failure> {
        Ok(())
    }
}

/// The most bytes that one call of a function may make.
pub const MAX_RESULT: usize = 64 << 20;

/// The most that the keys, signatures, password hashes and ciphers of one engine may take: some dozens of RSA keys of
/// 4096 bits, or hundreds of certificates or bcrypt hashes.
pub const MAX_WORK: u64 = 512;

impl Failure {
    /// A failure with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// The same failure with a way out.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// The tables of all groups.
const GROUPS: &[&[Row]] = &[
    certificates::ROWS,
    data::ROWS,
    dates::ROWS,
    defaults::ROWS,
    dicts::ROWS,
    encoding::ROWS,
    lists::ROWS,
    math::ROWS,
    merge::ROWS,
    network::ROWS,
    passwords::ROWS,
    paths::ROWS,
    random::ROWS,
    regexes::ROWS,
    strings::ROWS,
    toml::ROWS,
    types::ROWS,
    urls::ROWS,
    versions::ROWS,
    words::ROWS,
];

/// The function of a name.
pub fn find(name: &str) -> Option<&'static Row> {
    static INDEX: OnceLock<HashMap<&'static str, &'static Row>> = OnceLock::new();
    INDEX.get_or_init(|| all().map(|row| (row.name, row)).collect()).get(name).copied()
}

/// Every function, group by group.
pub fn all() -> impl Iterator<Item = &'static Row> {
    GROUPS.iter().flat_map(|group| group.iter())
}
