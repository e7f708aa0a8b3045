//! The form of the project file; schemas/plimsoll.schema.json describes the same for editors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{Error, ErrorKind};
use super::{Project, locate, releases, schemas};
use crate::chart::KubeVersion;
use crate::committed::{Layout, Output};
use crate::finding::Severity;
use crate::policy::exemption::{Entry, EntryError, Exemption, Honoured, ObjectEntry, Scope};
use crate::policy::{Param, Pattern, Profile, Selection};
use crate::source::{Location, SourceFile};
use crate::value::Path as Field;

/// All of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase", expecting = "a mapping")]
pub(super) struct File {
    /// Read before the rest.
    #[serde(rename = "version")]
    _version: IgnoredAny,
    kube_version: Option<String>,
    releases: Vec<releases::Form>,
    output: Option<OutputForm>,
    baseline: Option<PathBuf>,
    policies: Policies,
    schemas: schemas::Form,
    exemptions: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a mapping")]
struct Policies {
    profiles: Option<Vec<Profile>>,
    include: Vec<String>,
    exclude: Vec<String>,
    folders: Vec<PathBuf>,
    severity: BTreeMap<String, Severity>,
    params: BTreeMap<String, BTreeMap<String, String>>,
    exemptions: Honoured,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
struct OutputForm {
    folder: PathBuf,
    #[serde(default)]
    layout: Layout,
}

/// The places where policies are named.
struct Names<'a> {
    source: &'a Arc<SourceFile>,
    found: Vec<(Pattern, Location)>,
}

impl Names<'_> {
    fn pattern(&mut self, field: &Field, text: &str) -> Pattern {
        let pattern = Pattern::new(text);
        self.found.push((pattern.clone(), locate(self.source, field)));
        pattern
    }

    fn patterns(&mut self, list: &Field, texts: &[String]) -> Vec<Pattern> {
        texts.iter().enumerate().map(|(index, text)| self.pattern(&list.index(index), text)).collect()
    }
}

impl File {
    /// Reads what texts mean, and remembers where policies are named.
    pub(super) fn resolve(self, source: &Arc<SourceFile>, folder: &Path) -> Result<Project, Error> {
        let root = Field::default();
        let policies = |key| root.key("policies").key(key);
        let mut names = Names { source, found: Vec::new() };
        let include = names.patterns(&policies("include"), &self.policies.include);
        let exclude = names.patterns(&policies("exclude"), &self.policies.exclude);
        let mut severity = Vec::new();
        for (id, level) in &self.policies.severity {
            severity.push((names.pattern(&policies("severity").key(&**id), id), *level));
        }
        let mut params = Vec::new();
        for (id, set) in self.policies.params {
            let field = policies("params").key(&*id);
            let policy = names.pattern(&field, &id);
            for (key, value) in set {
                let place = locate(source, &field.key(&*key));
                params.push((Param { policy: policy.clone(), key, value }, place));
            }
        }
        let mut exemptions = Vec::new();
        for (index, entry) in self.exemptions.into_iter().enumerate() {
            let field = root.key("exemptions").index(index);
            if !Pattern::new(&*entry.policy).is_brought() {
                names.pattern(&field.key("policy"), &entry.policy);
            }
            let place = locate(source, &field.key("policy"));
            exemptions.push(exemption(entry, place).map_err(|error| wrong(source, &field, error))?);
        }
        let mut entries = Vec::new();
        for (index, form) in self.releases.into_iter().enumerate() {
            entries.push(form.resolve(source, root.key("releases").index(index), folder)?);
        }
        let output = self.output.map(|form| Output { folder: folder.join(form.folder), layout: form.layout });
        let profiles = self.policies.profiles.unwrap_or_else(|| Selection::default().profiles);
        Ok(Project {
            selection: Selection { profiles, include, exclude, only_named: false },
            folders: self.policies.folders.iter().map(|path| folder.join(path)).collect(),
            severity,
            params,
            exemptions,
            honoured: self.policies.exemptions,
            kube_version: kube_version(source, &root.key("kubeVersion"), self.kube_version)?,
            schemas: self.schemas.resolve(source, folder)?,
            output,
            baseline: self.baseline.map(|path| folder.join(path)),
            folder: folder.to_path_buf(),
            root: PathBuf::new(),
            entries,
            named: names.found,
        })
    }
}

/// The version of Kubernetes that a field names.
pub(super) fn kube_version(
    source: &Arc<SourceFile>,
    field: &Field,
    text: Option<String>,
) -> Result<Option<KubeVersion>, Error> {
    let wrong = |error| Error::new(ErrorKind::Text(format!("{field}: {error}")), locate(source, field));
    text.map(|text| text.parse()).transpose().map_err(wrong)
}

/// An exemption of the project needs an owner: nobody else can be asked about it.
fn exemption(entry: Entry, place: Location) -> Result<Exemption, EntryError> {
    if entry.owner.is_none() {
        let reason = "is missing: who answers for it?".to_owned();
        return Err(EntryError { path: Field::default().key("owner"), reason });
    }
    let globs = entry.object.as_ref().map(ObjectEntry::read).transpose()?.unwrap_or_default();
    entry.read(Scope::Named { place, globs })
}

/// An error of an entry, where it was written.
fn wrong(source: &Arc<SourceFile>, entry: &Field, error: EntryError) -> Error {
    let path = Field([entry.0.as_slice(), &error.path.0].concat());
    let place = locate(source, &path);
    Error::new(ErrorKind::Exemption(EntryError { path, ..error }), place)
}
