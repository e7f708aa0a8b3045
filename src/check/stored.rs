//! What a cluster has, or would store, judged like what was rendered.

use super::{Rules, Subject, explain, lint};
use crate::delta::Findings;
use crate::finding::{Fault, ObjectRef, Report};
use crate::manifest::{self, Manifest};
use crate::policy::PolicyKind;
use crate::source::SourceFile;
use crate::value::Value;
use crate::yaml;

/// Objects as manifests, each in a file that is called after it: `Deployment shop/web (stored)`.
pub fn manifests<'v>(
    objects: impl IntoIterator<Item = (&'v ObjectRef, &'v Value)>,
    whose: &str,
) -> Result<Vec<Manifest>, Vec<Fault>> {
    let file = |(reference, value): (&ObjectRef, &Value)| {
        let text = yaml::to_yaml_pretty(value).map_err(|error| vec![Fault::new(format!("{reference}: {error}"))])?;
        Ok((SourceFile::new(format!("{reference} ({whose})"), text), None))
    };
    let files = objects.into_iter().map(file).collect::<Result<Vec<_>, Vec<Fault>>>()?;
    manifest::read(files).map_err(|error| vec![error.into()])
}

/// The findings on what a cluster has, or was given, and on what it would store. A side without objects has none.
///
/// Schemas are not asked: the cluster has its own.
///
/// # Errors
/// As of [`lint`].
pub fn compare_findings(
    before: Option<Subject<'_>>,
    after: Subject<'_>,
    rules: &mut Rules<'_>,
) -> Result<Findings, Vec<Fault>> {
    rules.chosen.policies.retain(|policy| policy.kind != PolicyKind::Schema);
    let before = before.map(|before| lint(&[before], rules)).transpose()?.unwrap_or_default();
    let after = lint(&[after], rules)?;
    Ok(Findings::compare(before.findings, after.findings, |_| true, |_| true))
}

/// The findings on what a cluster would store that were none on what it was given: a default, or a webhook, has made them.
///
/// # Errors
/// As of [`lint`].
pub fn slipped_in(given: Subject<'_>, stored: Subject<'_>, rules: &mut Rules<'_>) -> Result<Report, Vec<Fault>> {
    let findings = compare_findings(Some(given), stored, rules)?.new;
    let policies = rules.chosen.policies.iter().copied();
    Ok(Report {
        rules: explain::rules(&findings, policies),
        findings,
        objects: stored.manifests.len(),
        policies: rules.chosen.policies.len(),
        profiles: rules.chosen.profiles.iter().map(ToString::to_string).collect(),
        ..Report::default()
    })
}
