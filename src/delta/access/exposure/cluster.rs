//! What guards a cluster or a namespace: Pod Security levels, and webhooks that see requests.

use super::extent::Extent;
use super::{Error, Object, Phrase, Said, Severity, Ways};
use crate::delta::access::view::View;
use crate::policy::reach::At;

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// Which pods a namespace takes. One that only one side has is not compared: what it was there is not known.
pub(super) fn namespace<'v>(
    ways: &mut Ways<'_, 'v>,
    object: &'v Object<'v>,
    root: &At<'_, 'v>,
    other: &View<'_>,
) -> Result<(), Error> {
    if other.values(ways.view.id(object)).next().is_none() {
        return Ok(());
    }
    let metadata = root.get("metadata")?;
    let labels = metadata.get("labels")?;
    let level = labels.get(ENFORCE)?;
    let taken: &[&str] = match level.text()? {
        "restricted" => &[],
        "baseline" => &["baseline"],
        _ => &["baseline", "privileged"],
    };
    for name in taken {
        let severity = if *name == "privileged" { Severity::Error } else { Severity::Warning };
        let said = Said::new(severity, Phrase::new("takes pods of the Pod Security level ", "", ""));
        let extents = [Extent::Nothing, Extent::Named((*name).to_owned())];
        ways.add(object, ("", "pod security"), extents, said, &level)?;
    }
    Ok(())
}

/// What webhooks are asked about, and what they may answer.
pub(super) fn webhooks<'v>(ways: &mut Ways<'_, 'v>, object: &'v Object<'v>, root: &At<'_, 'v>) -> Result<(), Error> {
    let verb = if object.kind.starts_with("Mutating") { "can change " } else { "can see and refuse " };
    for webhook in root.items("webhooks")? {
        let name = webhook.text_of("name")?;
        let client = webhook.get("clientConfig")?;
        let (service, url) = (client.get("service")?, client.text_of("url")?);
        let whom = match url {
            "" => format!("Service {}/{}", service.text_of("namespace")?, service.text_of("name")?),
            url => url.to_owned(),
        };
        for rule in webhook.items("rules")? {
            let operations = rule.texts("operations")?;
            for operation in &operations {
                for group in rule.texts("apiGroups")? {
                    for resource in rule.texts("resources")? {
                        let what = match (group, resource) {
                            ("*", "*") => "every resource".to_owned(),
                            ("", "*") => "every resource of the core group".to_owned(),
                            (group, "*") => format!("every resource of {group}"),
                            ("", resource) => resource.to_owned(),
                            (group, resource) => format!("{resource}.{group}"),
                        };
                        let operation = if *operation == "*" { "every request" } else { operation };
                        let extents = [Extent::Named(operation.to_owned()), Extent::Named(what)];
                        let phrase = Phrase::new(verb, " of ", format!(" through webhook {name}, answered by {whom}"));
                        ways.add(object, (name, "webhook"), extents, Said::new(Severity::Warning, phrase), &rule)?;
                    }
                }
            }
        }
        let policy = webhook.get("failurePolicy")?;
        if policy.text()? == "Ignore" {
            let phrase = Phrase::new(format!("lets requests pass where webhook {name} does not answer"), "", "");
            let extents = [Extent::Nothing, Extent::Nothing];
            ways.add(object, (name, "failurePolicy"), extents, Said::new(Severity::Info, phrase), &policy)?;
        }
    }
    Ok(())
}
