//! The policies that are asked at the door of a cluster, from arguments and the project file.

use super::Stop;
use super::select_args::SelectArgs;
use crate::admission::{Judge, Settings};
use crate::chart::KubeVersion;
use crate::policy::exemption::Honoured;
use crate::project::Project;

/// Compiles them.
pub(super) fn judge(
    select: &SelectArgs,
    project: &Project,
    version: &KubeVersion,
    honoured: Honoured,
    no_schemas: bool,
) -> Result<Judge, Stop> {
    let catalogue = select.catalogue(project)?;
    let chosen = select.choose(project, None, &catalogue, no_schemas)?;
    let settings = Settings {
        policies: chosen.ids().into_iter().map(str::to_owned).collect(),
        exemptions: project.exemptions.clone(),
        honoured,
        kube_version: version.version.clone(),
        namespaces: None,
    };
    Ok(Judge::new(catalogue, settings)?)
}

/// Which exemptions count. Whoever creates an object writes its annotations, so those count only where `--exemptions all`
/// says so.
pub(super) fn honoured(named: Option<Honoured>, project: &Project) -> Honoured {
    match (named, project.honoured) {
        (Some(named), _) => named,
        (None, Honoured::None) => Honoured::None,
        (None, Honoured::All | Honoured::Project) => Honoured::Project,
    }
}
