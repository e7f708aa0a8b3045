//! Which policies of the catalogue are evaluated, and what users set of them.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use super::brought::RELEASE;
use super::catalogue::{Catalogue, Entry};
use super::document::{Policy, PolicyKind};
use super::params::NoSuchParam;
use crate::finding::Severity;
use crate::suggest;

/// A set of policies under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// What nearly every team wants of any chart
    Default,
    /// What a cloud development workspace needs besides
    Workspace,
    /// The Pod Security Standard "baseline"
    PodSecurityBaseline,
    /// The Pod Security Standard "restricted"
    PodSecurityRestricted,
    /// Every policy
    All,
}

/// Names policies: by id, by category (`secrets/*`), or by the id that another tool has (`checkov:CKV_K8S_16`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

/// A choice among the policies of a catalogue. What a user's own folders hold is always chosen, and what holds objects to
/// their schemas, unless only named policies are wanted or it is excluded.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The policies of these.
    pub profiles: Vec<Profile>,
    /// These too.
    pub include: Vec<Pattern>,
    /// But not these.
    pub exclude: Vec<Pattern>,
    /// Whether a policy of a user's own folder, or of schemas, must be named too.
    pub only_named: bool,
}

/// The policies that are to be evaluated.
#[derive(Debug)]
pub struct Chosen<'c> {
    /// What they were chosen from.
    pub catalogue: &'c Catalogue,
    /// The policies, in the order of their ids.
    pub policies: Vec<&'c Policy>,
    /// The profiles that they were chosen by.
    pub profiles: Vec<Profile>,
}

/// A parameter as a user sets it.
#[derive(Debug, Clone)]
pub struct Param {
    /// Of which policies.
    pub policy: Pattern,
    /// The key of `params.data`.
    pub key: String,
    /// What it holds.
    pub value: String,
}

/// What no policies can be chosen by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// There is none of this name.
    #[error("there is no policy {pattern}{}", nearest.as_ref().map(|known| format!(": did you mean {known}?")).unwrap_or_default())]
    Unknown {
        /// What was named.
        pattern: Pattern,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// It has no such parameter.
    #[error(transparent)]
    Param(#[from] NoSuchParam),
    /// All were excluded.
    #[error("no policy is left to evaluate")]
    Nothing,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 5] =
        [Self::Default, Self::Workspace, Self::PodSecurityBaseline, Self::PodSecurityRestricted, Self::All];

    /// `pod-security-baseline`
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Workspace => "workspace",
            Self::PodSecurityBaseline => "pod-security-baseline",
            Self::PodSecurityRestricted => "pod-security-restricted",
            Self::All => "all",
        }
    }

    /// The profile of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Whether a policy belongs to it.
    pub fn has(self, policy: &Policy) -> bool {
        self == Self::All || policy.profiles.contains(&self)
    }
}

impl Pattern {
    /// Names policies. Whether there are any is asked with [`Catalogue::matching`].
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether a policy is named.
    pub fn matches(&self, policy: &Policy) -> bool {
        match self.0.strip_suffix("/*") {
            Some(category) => policy.id.split_once('/').is_some_and(|(of, _)| of == category),
            None => policy.id == self.0 || policy.aliases.contains(&self.0),
        }
    }

    /// Whether it names what a release brings itself, which no catalogue knows.
    pub fn is_brought(&self) -> bool {
        self.0.starts_with(RELEASE)
    }

    /// Whether it names a whole category.
    pub fn is_category(&self) -> bool {
        self.0.ends_with("/*")
    }
}

impl Catalogue {
    /// The policies that a pattern names, at least one.
    pub fn matching(&self, pattern: &Pattern) -> Result<Vec<&Entry>, SelectionError> {
        let found: Vec<&Entry> = self.entries().iter().filter(|entry| pattern.matches(&entry.policy)).collect();
        if found.is_empty() {
            let categories = self.policies().filter_map(|policy| policy.id.split_once('/')).map(|(of, _)| of);
            let categories: Vec<String> = categories.map(|category| format!("{category}/*")).collect();
            let aliases = self.policies().flat_map(|policy| &policy.aliases);
            let names = self.policies().map(|policy| &policy.id).chain(&categories).chain(aliases);
            let nearest = suggest::nearest(&pattern.0, names.map(String::as_str)).map(str::to_owned);
            return Err(SelectionError::Unknown { pattern: pattern.clone(), nearest });
        }
        Ok(found)
    }

    /// Sets how bad violations of policies are. Of what is set for one policy the last counts, but an id says more than
    /// its category.
    pub fn set_severity(&mut self, severity: &[(Pattern, Severity)]) -> Result<(), SelectionError> {
        let mut severity: Vec<_> = severity.iter().collect();
        severity.sort_by_key(|(pattern, _)| !pattern.is_category());
        for (pattern, severity) in severity {
            self.matching(pattern)?;
            let policies = self.policies_mut().filter(|policy| pattern.matches(policy));
            policies.for_each(|policy| policy.set_severity(*severity));
        }
        Ok(())
    }

    /// Sets a parameter of the policies that are named.
    pub fn set_param(&mut self, param: &Param) -> Result<(), SelectionError> {
        self.matching(&param.policy)?;
        let mut policies = self.policies_mut().filter(|policy| param.policy.matches(policy));
        Ok(policies.try_for_each(|policy| policy.set_param(&param.key, &param.value))?)
    }
}

impl Selection {
    /// Chooses among the policies of a catalogue. That nothing is chosen is an error: nothing would be checked.
    pub fn choose<'c>(&self, catalogue: &'c Catalogue) -> Result<Chosen<'c>, SelectionError> {
        for pattern in self.include.iter().chain(&self.exclude) {
            catalogue.matching(pattern)?;
        }
        let mut profiles = self.profiles.clone();
        profiles.sort();
        profiles.dedup();
        let wanted = |entry: &&Entry| {
            let named = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(&entry.policy));
            let chosen = profiles.iter().any(|profile| profile.has(&entry.policy))
                || (entry.is_own || entry.policy.kind == PolicyKind::Schema) && !self.only_named
                || named(&self.include);
            chosen && !named(&self.exclude)
        };
        let policies: Vec<&Policy> = catalogue.entries().iter().filter(wanted).map(|entry| &entry.policy).collect();
        if policies.is_empty() {
            return Err(SelectionError::Nothing);
        }
        Ok(Chosen { catalogue, policies, profiles })
    }
}

impl<'c> Chosen<'c> {
    /// All that any of several choices has, in the catalogue's order.
    pub fn union<'a>(catalogue: &'c Catalogue, choices: impl IntoIterator<Item = &'a Self>) -> Self
    where
        'c: 'a,
    {
        let (mut ids, mut profiles) = (HashSet::new(), BTreeSet::new());
        for chosen in choices {
            ids.extend(chosen.ids());
            profiles.extend(chosen.profiles.iter().copied());
        }
        let policies = catalogue.policies().filter(|policy| ids.contains(policy.id.as_str())).collect();
        Self { catalogue, policies, profiles: profiles.into_iter().collect() }
    }

    /// The ids of the policies.
    pub fn ids(&self) -> HashSet<&'c str> {
        self.policies.iter().map(|policy| policy.id.as_str()).collect()
    }
}

/// The default profile.
impl Default for Selection {
    fn default() -> Self {
        Self { profiles: vec![Profile::Default], include: Vec::new(), exclude: Vec::new(), only_named: false }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
