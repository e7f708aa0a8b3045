//! The arguments that say which policies are meant, and what the project file says about them.

use std::path::{Path, PathBuf};

use super::Stop;
use crate::finding::{Fault, Severity};
use crate::policy::{self, Catalogue, Chosen, Param, Pattern, Policy, Profile, SelectionError};
use crate::project::{self, Project};

/// Which policies.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Policies")]
pub(super) struct SelectArgs {
    /// Take the policies of this profile (repeatable; `default` where neither a flag nor plimsoll.yaml says more)
    #[arg(long, value_enum, value_name = "NAME")]
    profile: Vec<Profile>,
    /// Take only this policy, or with --profile this one too: an id, `category/*`, or another tool's id (repeatable)
    #[arg(long, value_name = "ID")]
    policy: Vec<String>,
    /// Leave this policy out: an id, `category/*`, or another tool's id (repeatable)
    #[arg(long, value_name = "ID")]
    exclude: Vec<String>,
    /// Set how bad a violation is: LEVEL is error, warning or info (repeatable)
    #[arg(long, value_name = "ID=LEVEL", value_parser = severity)]
    severity: Vec<(Pattern, Severity)>,
    /// Set a parameter of a policy: `plimsoll policy explain ID` names them (repeatable)
    #[arg(long = "param", value_name = "ID:KEY=VALUE", value_parser = param)]
    params: Vec<Param>,
    /// Take the policies of this folder too (repeatable)
    #[arg(long, value_name = "DIR")]
    policies: Vec<PathBuf>,
    /// Read this project file; plimsoll.yaml of the current folder where left out, if it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read no project file
    #[arg(long, conflicts_with = "config")]
    no_config: bool,
}

impl SelectArgs {
    /// Takes only these policies, as `--policy` does.
    pub(super) fn name(&mut self, ids: &[String]) {
        self.policy.extend_from_slice(ids);
    }

    /// Whether one of these policies was named by itself, not by its category.
    pub(super) fn names_one_of(&self, policies: &[&Policy]) -> bool {
        let mut named = self.policy.iter().map(Pattern::new).filter(|pattern| !pattern.is_category());
        named.any(|pattern| policies.iter().any(|policy| pattern.matches(policy)))
    }

    /// Whether it is the project alone that says which policies are evaluated.
    pub(super) fn is_the_projects(&self) -> bool {
        self.profile.is_empty() && self.policy.is_empty() && self.exclude.is_empty()
    }

    /// What the project file says; nothing where there is none.
    pub(super) fn project(&self) -> Result<Project, Stop> {
        match self.project_file() {
            Some(path) => Ok(Project::load(Path::new(""), path).map_err(Fault::from)?),
            None => Ok(Project::default()),
        }
    }

    /// The project file that is to be read.
    pub(super) fn project_file(&self) -> Option<&Path> {
        // What is there and cannot be read is an error: it may say what must be checked.
        self.possible_project_file().filter(|path| self.config.is_some() || path.symlink_metadata().is_ok())
    }

    /// The project file that is read if it is there.
    pub(super) fn possible_project_file(&self) -> Option<&Path> {
        self.config.as_deref().or((!self.no_config).then_some(Path::new(project::FILE)))
    }

    /// The folders of policies that flags name.
    pub(super) fn folders(&self) -> &[PathBuf] {
        &self.policies
    }

    /// The built-in policies, and those of the folders that the project and the flags name, with what they set of them.
    pub(super) fn catalogue(&self, project: &Project) -> Result<Catalogue, Stop> {
        let mut catalogue = catalogue(&[project.folders.as_slice(), &self.policies].concat())?;
        project.configure(&mut catalogue).map_err(Fault::from)?;
        let severity = [project.severity.as_slice(), &self.severity].concat();
        catalogue.set_severity(&severity).map_err(Fault::from)?;
        for param in &self.params {
            catalogue.set_param(param).map_err(Fault::from)?;
        }
        Ok(catalogue)
    }

    /// Chooses policies: flags win over the project.
    ///
    /// Policies that `--policy` names are evaluated though the project excludes them; `--profile` alone says nothing
    /// about that. `profiles` are those of a release in place of the project's. `no_schemas` leaves out what holds objects
    /// to schemas.
    pub(super) fn choose<'c>(
        &self,
        project: &Project,
        profiles: Option<&[Profile]>,
        catalogue: &'c Catalogue,
        no_schemas: bool,
    ) -> Result<Chosen<'c>, Stop> {
        let patterns = |texts: &[String]| -> Vec<Pattern> { texts.iter().map(Pattern::new).collect() };
        let mut selection = project.selection.clone();
        if let Some(profiles) = profiles {
            selection.profiles = profiles.to_vec();
        }
        if !self.profile.is_empty() || !self.policy.is_empty() {
            selection.profiles = self.profile.clone();
            selection.include = patterns(&self.policy);
            selection.only_named = self.profile.is_empty();
        }
        if !self.policy.is_empty() {
            selection.exclude.clear();
        }
        selection.exclude.extend(patterns(&self.exclude));
        selection.exclude.extend(no_schemas.then(|| Pattern::new("schema/*")));
        Ok(selection.choose(catalogue).map_err(Fault::from)?)
    }
}

/// The built-in policies and those of further folders.
pub(super) fn catalogue(folders: &[PathBuf]) -> Result<Catalogue, Stop> {
    let mut catalogue = Catalogue::builtin().map_err(fault)?;
    for folder in folders {
        catalogue.add_folder(folder).map_err(fault)?;
    }
    Ok(catalogue)
}

/// The policies of an id.
pub(super) fn find<'c>(catalogue: &'c Catalogue, id: &str) -> Result<Vec<&'c policy::Entry>, Stop> {
    Ok(catalogue.matching(&Pattern::new(id)).map_err(Fault::from)?)
}

pub(super) fn fault(error: policy::Error) -> Fault {
    Fault::new(error.to_string()).label(error.location, "here")
}

impl From<SelectionError> for Fault {
    fn from(error: SelectionError) -> Self {
        let help = match error {
            SelectionError::Unknown { .. } => "`plimsoll policy list` names them all",
            SelectionError::Param(_) => "`plimsoll policy explain ID` names the parameters of a policy",
            SelectionError::Nothing => "name a profile or a policy; what checks nothing must not count as a pass",
        };
        Self::new(error.to_string()).help(help)
    }
}

impl From<project::Error> for Fault {
    fn from(error: project::Error) -> Self {
        let fault = Self::new(error.to_string());
        // A file that could not be read has no lines to show.
        let fault = if error.location.file.text.is_empty() { fault } else { fault.label(error.location, "here") };
        match error.kind {
            project::ErrorKind::Policy(_) => fault.help("`plimsoll policy list` names them all"),
            project::ErrorKind::File(_) => fault,
            project::ErrorKind::Schema(error) => match error.location {
                Some(place) => fault.label(place, "this"),
                None => fault,
            },
            project::ErrorKind::Version(_) => fault.help("a newer plimsoll may know it; `version` may be left out"),
            project::ErrorKind::ForEach { .. } => {
                fault.help("a release that is not there is not checked: mend the glob, or take the entry away")
            }
            project::ErrorKind::Values { place, .. } => match place {
                Some(place) => fault.label(place, "this"),
                None => fault,
            },
            project::ErrorKind::Twice { first, .. } => {
                let is_elsewhere = fault.labels.iter().all(|(place, _)| *place != first);
                let fault = if is_elsewhere { fault.label(first, "the first one") } else { fault };
                fault.help("give one of them another name, or another namespace")
            }
            _ => fault.help("docs/configuration.md describes the file, schemas/plimsoll.schema.json too"),
        }
    }
}

fn severity(text: &str) -> Result<(Pattern, Severity), String> {
    let found = text.rsplit_once('=').and_then(|(id, level)| Some((Pattern::new(id), Severity::named(level)?)));
    found.ok_or_else(|| "expected ID=error, ID=warning or ID=info".into())
}

/// An id may have a colon itself, a key has none.
fn param(text: &str) -> Result<Param, String> {
    let found = text.split_once('=').and_then(|(name, value)| {
        let (id, key) = name.rsplit_once(':')?;
        Some(Param { policy: Pattern::new(id), key: key.into(), value: value.into() })
    });
    found.ok_or_else(|| "expected ID:KEY=VALUE".into())
}
