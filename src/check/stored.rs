//! What a cluster has, or would store, judged like what was rendered.

use super::{Rules, Subject, lint};
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

/// The findings on what a cluster would store that were none on what it was given: a default, or a webhook, has made them.
///
/// Schemas are not asked: the cluster has its own.
///
/// # Errors
/// As of [`lint`].
pub fn slipped_in(given: Subject<'_>, stored: Subject<'_>, rules: &mut Rules<'_>) -> Result<Report, Vec<Fault>> {
    rules.chosen.policies.retain(|policy| policy.kind != PolicyKind::Schema);
    let before = lint(&[given], rules)?;
    let after = lint(&[stored], rules)?;
    let findings = Findings::compare(before.findings, after.findings, |_| true, |_| true).new;
    Ok(Report { findings, ..after })
}
