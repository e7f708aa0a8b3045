//! Exemptions: findings that somebody has answered for, with a reason, for as long as it holds.
//!
//! In the project file they are entries of `exemptions`; on an object they are the YAML list in its annotation
//! [`ANNOTATION`], which knows no `object`: it is about the object that carries it.

use jiff::civil::Date;
use regex::Regex;
use serde::Deserialize;

use super::document::Policy;
use super::evaluate::{Subject, Violation};
use super::field::FieldPattern;
use super::selection::Pattern;
use crate::finding::ObjectRef;
use crate::json;
use crate::manifest::Object;
use crate::render::glob;
use crate::source::Location;
use crate::value::{Path, Value};
use crate::yaml;

/// The annotation of an object that lists its exemptions.
pub const ANNOTATION: &str = "plimsoll.dev/exemptions";

/// The most bytes of the annotation.
const MAX_TEXT: usize = 64 << 10;
/// The most exemptions of one object.
const MAX_ENTRIES: usize = 100;
/// The most characters of a reason and an owner.
const MAX_REASON: usize = 1000;

/// An exemption as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
pub struct Entry {
    /// A policy's id, `category/*`, or another tool's id.
    pub policy: String,
    /// In the project file: which objects.
    pub object: Option<ObjectEntry>,
    /// The field, and all below it.
    pub field: Option<String>,
    /// Why it is all right.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day on which it holds: `2026-12-31`.
    pub expires: Option<String>,
}

/// Which objects; each a text with `*` and `?`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
pub struct ObjectEntry {
    /// `Deployment`
    pub kind: Option<String>,
    /// The namespace, or that of the release.
    pub namespace: Option<String>,
    /// `metadata.name`
    pub name: Option<String>,
}

/// An exemption.
#[derive(Debug, Clone)]
pub struct Exemption {
    /// The policies.
    pub policy: Pattern,
    /// The objects.
    pub scope: Scope,
    /// The field, and all below it; all of the object where there is none.
    pub field: Option<FieldPattern>,
    /// Why it is all right, in one line.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day on which it holds.
    pub expires: Option<Date>,
}

/// The objects that an exemption is about.
#[derive(Debug, Clone)]
pub enum Scope {
    /// The one that carries it: its index in the release.
    Own(usize),
    /// Those of the project whose names fit.
    Named {
        /// Where in the project file it is.
        place: Location,
        /// What the names fit.
        globs: Globs,
    },
}

/// Patterns for an object's kind, namespace and name; what has none fits.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    kind: Option<Regex>,
    namespace: Option<Regex>,
    name: Option<Regex>,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", path)]
pub struct EntryError {
    /// The key that is wrong, from the entry.
    pub path: Path,
    /// What is wrong.
    pub reason: String,
}

/// Which exemptions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Honoured {
    /// Those of the project file and those that objects carry
    #[default]
    All,
    /// Those of the project file alone: what a chart says of itself does not count
    Project,
    /// None
    None,
}

/// What an exemption covers of a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    /// Nothing.
    Nothing,
    /// Some of the fields at fault, by their index in [`Violation::blamed`]: see [`Exemption::covers_field`].
    Fields,
    /// All of it.
    Whole,
}

impl Entry {
    /// Checks what is written, and reads it.
    pub fn read(self, scope: Scope) -> Result<Exemption, EntryError> {
        let wrong = |key: &str, reason: String| EntryError { path: Path::default().key(key), reason };
        let field = self.field.map(|text| match FieldPattern::parse(&text) {
            Ok(field) => Ok(field),
            Err(reason) => Err(wrong("field", format!("{text:?} {reason}"))),
        });
        let expires = self.expires.map(|text| date(&text).map_err(|reason| wrong("expires", reason)));
        let line = |key: &str, text: &str| -> Result<String, EntryError> {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            match line.chars().count() {
                0 => Err(wrong(key, "must not be empty".into())),
                count if count > MAX_REASON => Err(wrong(key, format!("is longer than {MAX_REASON} characters"))),
                _ => Ok(line),
            }
        };
        Ok(Exemption {
            policy: Pattern::new(line("policy", &self.policy)?),
            scope,
            field: field.transpose()?,
            reason: line("reason", &self.reason)?,
            owner: self.owner.map(|owner| line("owner", &owner)).transpose()?,
            expires: expires.transpose()?,
        })
    }
}

impl ObjectEntry {
    /// Reads the patterns.
    pub fn read(&self) -> Result<Globs, EntryError> {
        let read = |key: &str, text: &Option<String>| {
            let text = text.as_deref().map(glob::regex).transpose();
            text.map_err(|reason| EntryError { path: Path::default().key("object").key(key), reason })
        };
        Ok(Globs {
            kind: read("kind", &self.kind)?,
            namespace: read("namespace", &self.namespace)?,
            name: read("name", &self.name)?,
        })
    }
}

/// Reads a day as it is written in an exemption: `2026-12-31`.
pub fn date(text: &str) -> Result<Date, String> {
    let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    date.ok_or_else(|| format!("{text:?} is no date such as 2026-12-31"))
}

/// The exemptions that an object carries, `index` being its own in the release; or what is wrong with them.
pub fn carried(object: &Value, index: usize) -> Result<Vec<Exemption>, String> {
    let Some(annotation) = object.at(["metadata", "annotations", ANNOTATION]) else { return Ok(Vec::new()) };
    let text = annotation.as_str().ok_or("expected a text that is a YAML list")?;
    if text.len() > MAX_TEXT {
        return Err(format!("is larger than {} KiB", MAX_TEXT >> 10));
    }
    let options = yaml::Options { strict: true, ..Default::default() };
    let list = yaml::parse_list(text, options).map_err(|error| error.to_string())?;
    if list.len() > MAX_ENTRIES {
        return Err(format!("has more than {MAX_ENTRIES} entries"));
    }
    let entry = |(position, value): (usize, &Value)| -> Result<Exemption, String> {
        let at = |error: &dyn std::fmt::Display| format!("entry {}: {error}", position + 1);
        let text = json::to_json(value).map_err(|error| at(&error))?;
        // By way of a tree: its errors do not name lines of a JSON text that nobody wrote.
        let tree: serde_json::Value = serde_json::from_str(&text).map_err(|error| at(&error))?;
        let entry = Entry::deserialize(tree).map_err(|error| at(&error))?;
        if entry.object.is_some() {
            return Err(at(&"object: it is about the object that carries it"));
        }
        entry.read(Scope::Own(index)).map_err(|error| at(&error))
    };
    list.iter().enumerate().map(entry).collect()
}

impl Exemption {
    /// Whether it holds no more.
    pub fn is_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }

    /// Whether an object is in its scope.
    pub fn is_about(&self, index: usize, object: &ObjectRef) -> bool {
        match &self.scope {
            Scope::Own(own) => *own == index,
            Scope::Named { globs, .. } => globs.fit(object),
        }
    }

    /// What it covers of a violation.
    ///
    /// Where an object was judged, that object must be in scope; where it was the release, each object at fault.
    fn covers(&self, violation: &Violation<'_>, objects: &[Object]) -> Cover {
        let about = |index: usize| objects.get(index).is_some_and(|object| self.is_about(index, &object.reference));
        if !self.policy.matches(violation.policy) || violation.object.is_some_and(|index| !about(index)) {
            return Cover::Nothing;
        }
        match (&self.field, violation.object, &self.scope) {
            (None, Some(_), _) => Cover::Whole,
            (None, None, Scope::Named { globs, .. }) if globs.fit_all() => Cover::Whole,
            _ => Cover::Fields,
        }
    }

    /// Whether it covers a field at fault, of a violation of which it covers fields.
    fn covers_field(&self, subject: Subject, path: &Path, objects: &[Object]) -> bool {
        let Subject::Object(index) = subject else { return false };
        objects.get(index).is_some_and(|object| {
            self.is_about(index, &object.reference)
                && self.field.as_ref().is_none_or(|field| field.covers(path, &object.value))
        })
    }

    /// Whether it is about any of these policies.
    pub fn names_any<'p>(&self, policies: impl IntoIterator<Item = &'p Policy>) -> bool {
        policies.into_iter().any(|policy| self.policy.matches(policy))
    }
}

/// What became of a violation that somebody may have answered for.
#[derive(Debug)]
pub struct Answered {
    /// The exemption that covers it: its place among those that were asked. `None` where nothing does, or only a part.
    pub by: Option<usize>,
    /// Whether each exemption has anything to do with it, also where it has expired.
    pub hits: Vec<bool>,
}

/// Asks exemptions about a violation. Of one that is covered in part, the fields that are covered are taken away.
pub fn answered<'e>(
    exemptions: impl IntoIterator<Item = &'e Exemption>,
    violation: &mut Violation<'_>,
    objects: &[Object],
    today: Date,
) -> Answered {
    let is_field = |subject: Subject| matches!(subject, Subject::Object(_));
    let mut covered = vec![false; violation.blamed.len()];
    let (mut first, mut whole, mut hits) = (None, false, Vec::new());
    for (index, exemption) in exemptions.into_iter().enumerate() {
        let mut hit = false;
        let holds = !exemption.is_expired(today);
        match exemption.covers(violation, objects) {
            Cover::Nothing => {}
            Cover::Whole => {
                hit = true;
                whole |= holds;
            }
            Cover::Fields => {
                for (blamed, covered) in violation.blamed.iter().zip(&mut covered) {
                    let covers = exemption.covers_field(blamed.subject, &blamed.path, objects);
                    hit |= covers;
                    *covered |= covers && holds;
                }
            }
        }
        first = first.or((hit && holds).then_some(index));
        hits.push(hit);
    }
    let mut left = violation.blamed.iter().zip(&covered).filter(|(blamed, _)| is_field(blamed.subject));
    if whole || covered.contains(&true) && left.all(|(_, covered)| *covered) {
        return Answered { by: first, hits };
    }
    let mut covered = covered.into_iter();
    violation.blamed.retain(|_| !covered.next().unwrap_or_default());
    Answered { by: None, hits }
}

impl Globs {
    fn fit(&self, object: &ObjectRef) -> bool {
        let fits = |glob: &Option<Regex>, text: &str| glob.as_ref().is_none_or(|glob| glob.is_match(text));
        fits(&self.kind, &object.kind)
            && fits(&self.name, &object.name)
            && fits(&self.namespace, object.namespace.as_deref().unwrap_or_default())
    }

    /// Whether every object fits.
    fn fit_all(&self) -> bool {
        self.kind.is_none() && self.namespace.is_none() && self.name.is_none()
    }
}
