//! Releases from the project file's entries: one each, or one for each file that `forEach` means.

use std::collections::HashMap;
use std::path::Path;

use super::error::{Error, ErrorKind};
use super::glob::Glob;
use super::locate;
use super::release::Release;
use super::releases::beside;
use crate::bounded;
use crate::chart::values_file;
use crate::parallel;
use crate::render::host::Source;
use crate::render::{self, is_label, jinja};
use crate::source::{Location, SourceFile};
use crate::value::{Path as Field, Value};
use crate::values;

/// The most releases of a project.
const MAX_RELEASES: usize = 100_000;
/// The longest namespace, in bytes.
const MAX_NAMESPACE: usize = 63;
/// How many files it takes for another thread to be worth its start.
const FILES_PER_THREAD: usize = 50;
/// The most characters of a name that is none that a message shows.
const SHOWN: usize = 80;

/// An entry of `releases`.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// All that its releases have in common.
    pub model: Release,
    pub name: Name,
    pub namespace: Name,
    /// The files that there is a release for.
    pub for_each: Option<(String, Glob)>,
    /// Its place in the project file: `releases[1]`.
    pub field: Field,
}

/// A name, or what it is made of.
#[derive(Debug, Clone)]
pub(super) enum Name {
    Plain(String),
    Expression {
        text: jinja::Text,
        /// Whether it may ask the file's values.
        reads_values: bool,
    },
}

impl Name {
    /// Reads a name; only where there are files to ask may it have expressions.
    pub(super) fn new(key: &str, text: String, has_file: bool) -> Result<Self, String> {
        if !text.contains("{{") && !text.contains("{%") {
            check(key, &text)?;
            return Ok(Self::Plain(text));
        }
        if !has_file {
            return Err("an expression, which needs `forEach`: here no file gives its values".into());
        }
        let reads_values = text.contains("values");
        let text = jinja::Text::new(&text).map_err(|error| error.message())?;
        Ok(Self::Expression { text, reads_values })
    }

    fn reads_values(&self) -> bool {
        matches!(self, Self::Expression { reads_values: true, .. })
    }

    /// The name of the release for a file.
    fn of(&self, key: &str, scope: &[(&'static str, Value)]) -> Result<String, String> {
        match self {
            Self::Plain(name) => Ok(name.clone()),
            Self::Expression { text, .. } => {
                let name = text.render(scope.to_vec(), Source::reproducible(0)).map_err(|error| error.message())?;
                check(key, &name)?;
                Ok(name)
            }
        }
    }
}

/// All releases of the entries, in their order. Files are read at `root`, and named without it.
pub(super) fn expand(entries: &[Entry], root: &Path, folder: &Path) -> Result<Vec<Release>, Error> {
    let mut releases: Vec<Release> = Vec::new();
    // Where they come from: the place in the project file, and the file that there is one for.
    let mut known: HashMap<String, (Location, Option<String>)> = HashMap::new();
    for entry in entries {
        for release in entry.releases(root, folder)? {
            let (label, place) = (release.label(), release.place.clone());
            let file = release.inputs.files.last().filter(|_| entry.for_each.is_some()).cloned();
            if let Some((first, other)) = known.insert(label.clone(), (place.clone(), file.clone())) {
                let files = other.into_iter().chain(file).collect();
                return Err(Error::new(ErrorKind::Twice { label, files, first }, place));
            }
            if releases.len() == MAX_RELEASES {
                let message = format!("{}: more than {MAX_RELEASES} releases", entry.field);
                return Err(Error::new(ErrorKind::Text(message), place));
            }
            releases.push(release);
        }
    }
    Ok(releases)
}

impl Entry {
    fn releases(&self, root: &Path, folder: &Path) -> Result<Vec<Release>, Error> {
        let Some((text, glob)) = &self.for_each else { return Ok(vec![self.release(None, &[])?]) };
        let files = glob.files(&root.join(folder)).map_err(|error| {
            let kind = ErrorKind::ForEach { field: self.field.key("forEach"), glob: text.clone(), error };
            Error::new(kind, self.model.place.clone())
        })?;
        let releases = parallel::map(&files, files.len() / FILES_PER_THREAD, |_, file| {
            let name = beside(folder, file);
            let scope = self.scope(file, &name, root)?;
            let mut release = self.release(Some(&name), &scope)?;
            release.inputs.files.push(name);
            Ok(release)
        });
        releases.into_iter().collect()
    }

    /// The release of a file, or of none.
    fn release(&self, file: Option<&str>, scope: &[(&'static str, Value)]) -> Result<Release, Error> {
        let named = |name: &Name, key: &str| {
            let field = self.field.key(key);
            name.of(key, scope).map_err(|reason| {
                let place = locate(&self.model.place.file, &field);
                Error::new(ErrorKind::Name { field, file: file.map(str::to_owned), reason }, place)
            })
        };
        let (name, namespace) = (named(&self.name, "name")?, named(&self.namespace, "namespace")?);
        Ok(Release { name, namespace, ..self.model.clone() })
    }

    /// What expressions can ask of a file: its values, if one of them does, the names on its path, its name's stem.
    fn scope(&self, path: &str, name: &str, root: &Path) -> Result<Vec<(&'static str, Value)>, Error> {
        let segments: Vec<Value> = path.split('/').map(Value::from).collect();
        let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let mut scope = vec![("path", segments.into()), ("stem", stem.into())];
        if self.name.reads_values() || self.namespace.reads_values() {
            scope.push(("values", self.values(name, root)?));
        }
        Ok(scope)
    }

    fn values(&self, name: &str, root: &Path) -> Result<Value, Error> {
        let wrong = |reason: String, place: Option<Location>| {
            let kind = ErrorKind::Values { file: name.to_owned(), reason, place };
            Error::new(kind, self.model.place.clone())
        };
        let text =
            bounded::read_text(&root.join(name), values::MAX_FILE).map_err(|error| wrong(error.to_string(), None))?;
        let source = SourceFile::new(name, text);
        values_file::read(&source).map_err(|error| {
            let place = Location::new(source.clone(), error.span());
            wrong(error.to_string(), Some(place))
        })
    }
}

/// Whether a text may be the value of `key`: the name of a release, by Helm's rule, or of a namespace, by Kubernetes'.
fn check(key: &str, text: &str) -> Result<(), String> {
    let (is_right, expected) = match key {
        "namespace" => (
            text.len() <= MAX_NAMESPACE && is_label(text.as_bytes()),
            "a namespace: at most 63 small letters, digits and inner dashes",
        ),
        _ => {
            let release =
                render::Release { name: text.into(), namespace: String::new(), revision: 1, is_upgrade: false };
            let expected = "a release's name: at most 53 small letters, digits, and inner dashes and dots";
            (release.check_name().is_ok(), expected)
        }
    };
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    if is_right { Ok(()) } else { Err(format!("{shown:?}{more}, expected {expected}")) }
}
