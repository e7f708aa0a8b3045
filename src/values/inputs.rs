//! What the user gives: values files and flags.
//!
//! Source: Helm's `pkg/cli/values/options.go`. The kinds are applied one after the other, whatever their order on the
//! command line.

use std::io;
use std::sync::Arc;

use super::set::{self, Right, SetError};
use crate::chart::ValuesFileError;
use crate::chart::values_file;
use crate::json;
use crate::source::SourceFile;
use crate::value::{Map, Numbers, Value};

/// Values as given on the command line or in a project file, each kind in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// `-f`, `--values`: names of files
    pub files: Vec<String>,
    /// `--set-json`
    pub set_json: Vec<String>,
    /// `--set`
    pub set: Vec<String>,
    /// `--set-string`
    pub set_string: Vec<String>,
    /// `--set-file`: keys and names of files
    pub set_file: Vec<String>,
    /// `--set-literal`
    pub set_literal: Vec<String>,
}

/// The values that a user supplied, without any chart's.
#[derive(Debug, Clone, Default)]
pub struct Supplied {
    /// All of them, laid over each other. Always a map.
    pub values: Value,
    /// Where they came from, the weakest first.
    pub(super) layers: Vec<Layer>,
}

/// One file or flag.
#[derive(Debug, Clone)]
pub(super) enum Layer {
    File { source: Arc<SourceFile>, values: Value },
    Flag { option: SetOption, text: String },
}

/// A flag that sets values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOption {
    /// `--set-json`
    Json,
    /// `--set`
    Set,
    /// `--set-string`
    String,
    /// `--set-file`
    File,
    /// `--set-literal`
    Literal,
}

/// Why supplied values cannot be used. The texts are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A values file that cannot be read.
    #[error("{}", read_failure(name, error))]
    Read {
        /// The file, as given.
        name: String,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A values file that is not UTF-8.
    #[error(
        "failed to parse {0}: cannot unmarshal yaml document: error converting YAML to JSON: yaml: invalid leading UTF-8 octet"
    )]
    NotText(String),
    /// A values file that is none.
    #[error("failed to parse {}: {error}", file.name)]
    File {
        /// The file.
        file: Arc<SourceFile>,
        /// What is wrong, and where.
        #[source]
        error: ValuesFileError,
    },
    /// A flag.
    #[error("{}", flag_failure(*option, text, error))]
    Flag {
        /// Which flag.
        option: SetOption,
        /// Its text.
        text: String,
        /// What is wrong with it.
        #[source]
        error: SetError,
    },
}

impl SetOption {
    /// As on the command line.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Json => "--set-json",
            Self::Set => "--set",
            Self::String => "--set-string",
            Self::File => "--set-file",
            Self::Literal => "--set-literal",
        }
    }
}

impl Supplied {
    /// The values files, in their order.
    pub fn files(&self) -> impl Iterator<Item = &Arc<SourceFile>> {
        self.layers.iter().filter_map(|layer| match layer {
            Layer::File { source, .. } => Some(source),
            Layer::Flag { .. } => None,
        })
    }

    /// Reads all inputs. `read` gets the names of files as they were given, `-` too.
    pub fn read(inputs: &Inputs, read: &dyn Fn(&str) -> io::Result<Vec<u8>>) -> Result<Self, InputError> {
        let mut layers = Vec::new();
        let mut values: Value = Map::default().into();
        for name in &inputs.files {
            let bytes = read(name).map_err(|error| InputError::Read { name: name.clone(), error })?;
            let text = String::from_utf8(bytes).map_err(|_| InputError::NotText(name.clone()))?;
            let source = SourceFile::new(name.clone(), text);
            let own = values_file::read(&source).map_err(|error| InputError::File { file: source.clone(), error })?;
            values = values_file::merge(&values, &own);
            layers.push(Layer::File { source, values: own });
        }
        let read_text = |name: &str| {
            let bytes = read(name).map_err(|error| read_failure(name, &error))?;
            String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8 text"))
        };
        for (option, texts) in [
            (SetOption::Json, &inputs.set_json),
            (SetOption::Set, &inputs.set),
            (SetOption::String, &inputs.set_string),
            (SetOption::File, &inputs.set_file),
            (SetOption::Literal, &inputs.set_literal),
        ] {
            for text in texts {
                values = apply(option, text, values, &read_text).map_err(|error| InputError::Flag {
                    option,
                    text: text.clone(),
                    error,
                })?;
                layers.push(Layer::Flag { option, text: text.clone() });
            }
        }
        Ok(Self { values, layers })
    }
}

/// Lays what a flag says over values.
pub(super) fn apply(option: SetOption, text: &str, values: Value, read: set::ReadFile) -> Result<Value, SetError> {
    let right = match option {
        SetOption::Json if text.trim_start().starts_with('{') => {
            let json = json::parse(text, Numbers::Floats).map_err(SetError::Json)?;
            return Ok(values_file::merge(&values, &json));
        }
        SetOption::Json => Right::Json,
        SetOption::Set => Right::Typed,
        SetOption::String => Right::Text,
        SetOption::File => Right::File(read),
        SetOption::Literal => Right::Literal,
    };
    let mut map = match values {
        Value::Map(map) => map,
        _ => Arc::default(),
    };
    set::apply(text, right, Arc::make_mut(&mut map))?;
    Ok(Value::Map(map))
}

/// What Go says of a file that it cannot open.
fn read_failure(name: &str, error: &io::Error) -> String {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_string(),
        io::ErrorKind::PermissionDenied => "permission denied".to_string(),
        _ => error.to_string(),
    };
    format!("open {name}: {reason}")
}

fn flag_failure(option: SetOption, text: &str, error: &SetError) -> String {
    match option {
        SetOption::Json if text.trim_start().starts_with('{') => format!("failed parsing --set-json data JSON: {text}"),
        SetOption::Json => format!("failed parsing --set-json data {text}"),
        _ => format!("failed parsing {} data: {error}", option.flag()),
    }
}
