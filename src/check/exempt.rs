//! Which findings somebody has answered for, and which exemptions are wrong, expired or of no use.

use std::collections::BTreeMap;

use super::Rules;
use crate::finding::Severity;
use crate::manifest::Object;
use crate::policy::exemption::{self, Exemption, Honoured, Scope};
use crate::policy::{Subject, Violation};
use crate::source::Location;

/// All exemptions of a run, and what came of each.
pub(super) struct Exemptions<'a> {
    rules: &'a Rules<'a>,
    objects: &'a [Object],
    /// Those of the project, then those that objects carry.
    all: Vec<Exemption>,
    used: Vec<bool>,
    /// Those that an object carries.
    carried: BTreeMap<usize, Vec<usize>>,
    malformed: Vec<Note>,
}

/// Something to say about an exemption.
#[derive(Debug, Clone)]
pub(super) struct Note {
    /// What it is about.
    pub check: &'static Check,
    /// What is wrong, in a sentence.
    pub message: String,
    /// Where the exemption is.
    pub written: Written,
}

/// Where an exemption is.
#[derive(Debug, Clone)]
pub(super) enum Written {
    /// In the annotation of an object, by its index.
    Annotation(usize),
    /// In the project file.
    Project(Location),
}

/// A check of exemptions: no policy, as it is about the policies' findings.
#[derive(Debug)]
pub(super) struct Check {
    /// As a policy's.
    pub id: &'static str,
    /// As a policy's.
    pub title: &'static str,
    /// As a policy's.
    pub severity: Severity,
    /// Why it matters.
    pub rationale: &'static str,
    /// How to mend it.
    pub remediation: &'static str,
}

const MALFORMED: Check = Check {
    id: "exemptions/malformed",
    title: "Exemptions can be read",
    severity: Severity::Error,
    rationale: "An exemption that cannot be read exempts nothing, while its author believes that it does.",
    remediation: "Write a YAML list of entries with policy and reason, and perhaps field, owner and expires.",
};

const EXPIRED: Check = Check {
    id: "exemptions/expired",
    title: "Exemptions have not expired",
    severity: Severity::Warning,
    rationale: "Somebody answered for these findings for a time that is over: they count again.",
    remediation: "Mend what was exempted and remove the exemption, or have its owner renew it.",
};

const UNUSED: Check = Check {
    id: "exemptions/unused",
    title: "Exemptions are needed",
    severity: Severity::Warning,
    rationale: "What is exempted without need will hide the next finding, about which nobody has thought.",
    remediation: "Remove the exemption.",
};

/// All of them.
pub(super) const CHECKS: [&Check; 3] = [&MALFORMED, &EXPIRED, &UNUSED];

impl<'a> Exemptions<'a> {
    /// Collects the exemptions that count.
    pub fn new(rules: &'a Rules<'a>, objects: &'a [Object]) -> Self {
        let mut exemptions = Self {
            rules,
            objects,
            all: if rules.honoured == Honoured::None { Vec::new() } else { rules.exemptions.to_vec() },
            used: Vec::new(),
            carried: BTreeMap::new(),
            malformed: Vec::new(),
        };
        for (index, object) in objects.iter().enumerate().filter(|_| rules.honoured == Honoured::All) {
            match exemption::carried(&object.value, index) {
                Ok(carried) => {
                    for exemption in carried {
                        exemptions.carried.entry(index).or_default().push(exemptions.all.len());
                        exemptions.all.push(exemption);
                    }
                }
                Err(reason) => exemptions.malformed.push(Note {
                    check: &MALFORMED,
                    message: format!("the annotation {} cannot be read: {reason}", exemption::ANNOTATION),
                    written: Written::Annotation(index),
                }),
            }
        }
        exemptions.used = vec![false; exemptions.all.len()];
        exemptions
    }

    /// The exemption that covers a violation. Of one that is covered in part, the fields that are covered are taken away.
    pub fn apply(&mut self, violation: &mut Violation<'_>) -> Option<Exemption> {
        let candidates = self.candidates(violation);
        let asked = candidates.iter().filter_map(|index| self.all.get(*index));
        let answered = exemption::answered(asked, violation, self.objects, self.rules.today);
        for (index, _) in candidates.iter().zip(answered.hits).filter(|(_, hit)| *hit) {
            self.used[*index] = true;
        }
        self.all.get(*candidates.get(answered.by?)?).cloned()
    }

    /// The exemptions that may be about a violation: those of the project, and those of the objects at fault.
    fn candidates(&self, violation: &Violation<'_>) -> Vec<usize> {
        let of_project = self.all.iter().take_while(|exemption| matches!(exemption.scope, Scope::Named { .. })).count();
        let mut objects: Vec<usize> = match violation.object {
            Some(index) => vec![index],
            None => violation
                .blamed
                .iter()
                .filter_map(|blamed| match blamed.subject {
                    Subject::Object(index) => Some(index),
                    Subject::Values(_) => None,
                })
                .collect(),
        };
        objects.sort_unstable();
        objects.dedup();
        let carried = objects.iter().filter_map(|index| self.carried.get(index)).flatten();
        (0..of_project).chain(carried.copied()).collect()
    }

    /// What is to be said about the exemptions, once all violations have been seen.
    pub fn notes(self) -> Vec<Note> {
        let chosen = &self.rules.chosen;
        let mut notes = self.malformed;
        for (exemption, used) in self.all.iter().zip(&self.used) {
            let policy = &exemption.policy;
            let written = match &exemption.scope {
                Scope::Own(index) => Written::Annotation(*index),
                Scope::Named { place, .. } => Written::Project(place.clone()),
            };
            let mut note = |check, message| notes.push(Note { check, message, written: written.clone() });
            let about = |(index, object): (usize, &Object)| exemption.is_about(index, &object.reference);
            let expired = exemption.expires.filter(|_| exemption.is_expired(self.rules.today));
            match (used, expired, chosen.catalogue.matching(policy)) {
                (true, None, _) => {}
                (true, Some(last), _) => {
                    note(&EXPIRED, format!("the exemption from {policy} expired: its last day was {last}"));
                }
                (false, _, Err(_)) if policy.is_brought() => {}
                (false, _, Err(unknown)) => note(&UNUSED, format!("an exemption exempts nothing: {unknown}")),
                (false, _, Ok(_)) => {
                    if exemption.names_any(chosen.policies.iter().copied())
                        && self.objects.iter().enumerate().any(about)
                    {
                        note(&UNUSED, format!("no finding needs the exemption from {policy}"));
                    }
                }
            }
        }
        notes
    }
}
