//! What can be wrong with a project file.

use std::sync::{Arc, LazyLock};

use regex::Regex;
use thiserror::Error as ThisError;

use super::VERSION;
use super::glob::GlobError;
use crate::policy::SelectionError;
use crate::policy::exemption::EntryError;
use crate::schema;
use crate::source::{Location, SourceFile, Span};
use crate::suggest;
use crate::value::Path as Field;

/// A project file that cannot be used.
#[derive(Debug, Clone, ThisError)]
#[error("{}: {kind}", location.file.name)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where in the file.
    pub location: Location,
}

/// The ways in which it is wrong.
#[derive(Debug, Clone, ThisError)]
pub enum ErrorKind {
    /// It could not be read.
    #[error("{0}")]
    File(String),
    /// It is not YAML, or not of the form.
    #[error("{0}")]
    Text(String),
    /// It names a policy that is not there.
    #[error(transparent)]
    Policy(#[from] SelectionError),
    /// Schemas that it names cannot be used.
    #[error(transparent)]
    Schema(schema::Error),
    /// It is of a version that is not known.
    #[error("version: {0}, expected {VERSION}, the only one that this plimsoll knows")]
    Version(String),
    /// A `forEach` that finds no files.
    #[error("{field}: {glob}: {error}")]
    ForEach {
        /// Which: `releases[1].forEach`
        field: Field,
        /// The glob.
        glob: String,
        /// Why.
        error: GlobError,
    },
    /// A name or a namespace that cannot be one, or an expression that gives none.
    #[error("{field}{}: {reason}", file.as_ref().map(|file| format!(" for {file}")).unwrap_or_default())]
    Name {
        /// Which: `releases[1].namespace`
        field: Field,
        /// The file that the release is for.
        file: Option<String>,
        /// What is wrong.
        reason: String,
    },
    /// A file of `forEach` whose values cannot be read.
    #[error("{file}: {reason}")]
    Values {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
        /// Where in it.
        place: Option<Location>,
    },
    /// Two releases with one label.
    #[error("there are two releases {label}{}", if files.is_empty() { String::new() } else { format!(": {}", files.join(", ")) })]
    Twice {
        /// Namespace and name.
        label: String,
        /// The files that they are for, of those that are for one.
        files: Vec<String>,
        /// Where the first one is.
        first: Location,
    },
    /// An exemption says what it cannot mean.
    #[error("{0}")]
    Exemption(EntryError),
}

/// How serde says that a word is not known: `unknown field `a`, expected one of `b`, `c``.
static UNKNOWN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"unknown (?:field|variant) `(.*?)`, expected (.*)").expect("a valid expression"));
/// A word of it.
static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new("`(.*?)`").expect("a valid expression"));

impl Error {
    /// An error at a place.
    pub fn new(kind: ErrorKind, location: Location) -> Self {
        Self { kind, location }
    }

    /// What serde has to say, without the place in its text, and with what may have been meant.
    pub(super) fn of_serde(error: &serde_yaml::Error, source: &Arc<SourceFile>) -> Self {
        let mut message = error.to_string();
        let mut span = Span::default();
        if let Some(at) = error.location() {
            if let Some(said) = message.strip_suffix(&format!(" at line {} column {}", at.line(), at.column())) {
                message = said.to_owned();
            }
            span = source.line_span(at.line()).map_or(span, |line| {
                let text = source.text.get(line.start..line.end).unwrap_or_default();
                let start = text.char_indices().nth(at.column() - 1).map_or(text.len(), |(start, _)| start);
                let rest = text.get(start..).unwrap_or_default();
                let end = rest.find([':', ',', ']', '}', ' ']).unwrap_or(rest.len());
                Span::new(line.start + start, line.start + start + end)
            });
        }
        let meant = UNKNOWN.captures(&message).and_then(|found| {
            let known = WORD.captures_iter(found.get(2)?.as_str()).filter_map(|word| Some(word.get(1)?.as_str()));
            suggest::nearest(found.get(1)?.as_str(), known)
        });
        if let Some(meant) = meant {
            message = format!("{message}: did you mean {meant}?");
        }
        Self::new(ErrorKind::Text(message), Location::new(source.clone(), span))
    }
}
