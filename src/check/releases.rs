//! All releases of a project, rendered on all cores.

use super::{Charts, Job, Rendered, Subject, render};
use crate::finding::{Failed, Fault};
use crate::parallel;

/// Renders releases, each given with what it is called. The first ones are told of first, on whichever thread; what comes
/// of them is in their order. A release without objects has failed: an empty result is no proof of safety.
pub fn render_all(jobs: &[(String, Job)], charts: &Charts, done: &(dyn Fn() + Sync)) -> Vec<Result<Rendered, Failed>> {
    parallel::map(jobs, jobs.len(), |_, (label, job)| {
        let rendered = render(job, charts).and_then(|rendered| {
            Subject::from(&rendered).objects()?;
            Ok(rendered)
        });
        done();
        rendered.map_err(|faults: Vec<Fault>| Failed { release: label.clone(), faults })
    })
}
