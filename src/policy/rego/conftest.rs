//! conftest's policies: files of Rego, whose rules of the package `main` are asked about each object.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use regorus::Value as Rego;

use super::{Body, Dialect, Found, Module, Place, Version, messages};
use crate::finding::Severity;
use crate::policy::Error;
use crate::policy::decode::Document;
use crate::policy::document::Policy;
use crate::source::SourceFile;

/// The package that conftest asks where it is not told another.
const PACKAGE: &str = "data.main";

/// A `.rego` file.
#[derive(Debug)]
pub(in crate::policy) struct RegoFile {
    id: String,
    package: String,
    module: Module,
    file: Arc<SourceFile>,
}

impl RegoFile {
    /// Parses a file: as Rego 1, or else as what was before it.
    pub fn read(id: &str, file: &Arc<SourceFile>) -> Result<Self, Error> {
        let module = Module { text: Arc::from(&*file.text), place: Place::File(file.clone()), version: Version::V1 };
        // What is of neither version is told as Rego 1; where there is an `if`, it is that.
        let old = || Some(Module { version: Version::V0, ..module.clone() }).filter(|old| !old.text.contains(" if {"));
        let (module, package) = match module.package() {
            Ok(package) => (module, package),
            Err(reason) => match old().and_then(|old| Some((old.package().ok()?, old))) {
                Some((package, old)) => (old, package),
                None => {
                    let (others, package) = (Vec::new(), PACKAGE.to_owned());
                    let body = Body { main: module, others, package, dialect: Dialect::Conftest };
                    return Err(body.error(id, &reason, None));
                }
            },
        };
        Ok(Self { id: id.to_owned(), package, module, file: file.clone() })
    }

    fn has_rules(&self) -> bool {
        let rules = Regex::new(r"(?m)^\s*(?:default\s+)?(?:deny|violation|warn)(?:_[a-zA-Z0-9_]+)?\b");
        self.package == PACKAGE && rules.is_ok_and(|rules| rules.is_match(&self.module.text))
    }
}

/// The policy of a folder's files, by the index of the file that it is named after: the first with rules in `main`. The
/// others, and what they import, are part of it.
pub(in crate::policy) fn conftest(files: &[Option<RegoFile>]) -> Option<(usize, Policy)> {
    let (index, first) = files.iter().enumerate().find_map(|(index, file)| {
        let file = file.as_ref().filter(|file| file.has_rules())?;
        Some((index, file))
    })?;
    let others = files.iter().enumerate().filter(|(other, _)| *other != index);
    let others = others.filter_map(|(_, file)| Some(file.as_ref()?.module.clone())).collect();
    let body = Body { main: first.module.clone(), others, package: PACKAGE.to_owned(), dialect: Dialect::Conftest };
    let mut policy = Policy::in_rego(&first.id, &first.id, Document::whole(&first.file), body);
    let notes = metadata(&first.module.text);
    if let Some(title) = notes.get("title") {
        policy.title.clone_from(title);
    }
    policy.rationale = notes.get("description").cloned().unwrap_or_default();
    Some((index, policy))
}

/// The `title` and `description` of the first block of annotations, where they stand in one line each.
fn metadata(text: &str) -> BTreeMap<&str, String> {
    let block = text.lines().skip_while(|line| line.trim() != "# METADATA").skip(1);
    let lines = block.map_while(|line| line.strip_prefix("# "));
    let entries = lines.filter_map(|line| line.split_once(": "));
    entries.map(|(key, value)| (key, value.trim().trim_matches('"').to_owned())).collect()
}

/// What the rules of the package found.
pub(super) fn found(package: &Rego) -> Result<Vec<Found>, String> {
    let Rego::Object(rules) = package else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (name, value) in rules.iter() {
        let Rego::String(name) = name else { continue };
        let (kind, rest) = name.split_once('_').unwrap_or((name, ""));
        let severity = match kind {
            "deny" | "violation" => Severity::Error,
            "warn" => Severity::Warning,
            _ => continue,
        };
        if !excepted(rules.get(&Rego::from("exception")), rest) {
            found.extend(messages(name, value)?.into_iter().map(|message| Found { severity, message }));
        }
    }
    Ok(found)
}

/// Whether an `exception` names a rule by what follows `deny_`.
fn excepted(exceptions: Option<&Rego>, rule: &str) -> bool {
    let lists: Vec<&Rego> = match exceptions {
        Some(Rego::Set(set)) => set.iter().collect(),
        Some(Rego::Array(list)) => list.iter().collect(),
        _ => Vec::new(),
    };
    let names = lists.into_iter().filter_map(|list| list.as_array().ok()).flatten();
    names.filter_map(|name| name.as_string().ok()).any(|name| **name == *rule)
}
