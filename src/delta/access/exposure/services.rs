//! Services that are reached from outside the cluster, or lead out of it.

use super::extent::{self, Extent};
use super::{Error, Object, Phrase, Said, Severity, Ways};
use crate::policy::reach::At;

/// Annotations by which clouds are told to keep a load balancer inside their network, and what they say then.
const INTERNAL: [(&str, &str); 9] = [
    ("cloud.google.com/load-balancer-type", "internal"),
    ("networking.gke.io/load-balancer-type", "internal"),
    ("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type", "intranet"),
    ("service.beta.kubernetes.io/aws-load-balancer-internal", "true"),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internal"),
    ("service.beta.kubernetes.io/azure-load-balancer-internal", "true"),
    ("service.beta.kubernetes.io/oci-load-balancer-internal", "true"),
    ("service.beta.kubernetes.io/openstack-internal-load-balancer", "true"),
    ("service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type", "private"),
];

pub(super) fn service<'v>(ways: &mut Ways<'_, 'v>, object: &'v Object<'v>, root: &At<'_, 'v>) -> Result<(), Error> {
    let spec = root.get("spec")?;
    let kind = spec.text_of("type")?;
    for ip in spec.items("externalIPs")? {
        let phrase = Phrase::new("can be reached at the external address ", "", "");
        let extents = [Extent::Nothing, Extent::Named(ip.text()?.to_owned())];
        ways.add(object, ("", "external IPs"), extents, Said::new(Severity::Error, phrase), &ip)?;
    }
    match kind {
        "ExternalName" => {
            let name = spec.get("externalName")?;
            let extents = [Extent::Nothing, Extent::Named(name.text()?.to_owned())];
            let said = Said::new(Severity::Warning, Phrase::new("leads to ", "", ", outside of the cluster"));
            ways.add(object, ("", "external name"), extents, said, &name)?;
        }
        "NodePort" => {
            for port in spec.items("ports")? {
                let phrase = Phrase::new("can be reached on a port of every node, for ", "", "");
                let extents = [Extent::Nothing, extent::port(&port, "port")?];
                ways.add(
                    object,
                    ("", "node ports"),
                    extents,
                    Said::new(Severity::Warning, phrase),
                    &spec.get("type")?,
                )?;
            }
        }
        "LoadBalancer" => balanced(ways, object, root, &spec)?,
        _ => {}
    }
    Ok(())
}

fn balanced<'v>(
    ways: &mut Ways<'_, 'v>,
    object: &'v Object<'v>,
    root: &At<'_, 'v>,
    spec: &At<'_, 'v>,
) -> Result<(), Error> {
    let metadata = root.get("metadata")?;
    let annotations = metadata.get("annotations")?;
    let mut is_internal = false;
    for (key, wanted) in INTERNAL {
        is_internal |= annotations.text_of(key)?.eq_ignore_ascii_case(wanted);
    }
    let (topic, middle, severity) = match is_internal {
        true => ("internal load balancer", " through an internal load balancer on ", Severity::Info),
        false => ("load balancer", " through a load balancer on ", Severity::Warning),
    };
    let mut sources = Vec::new();
    for at in spec.items("loadBalancerSourceRanges")? {
        sources.push((Extent::network(at.text()?.trim(), &[]), at));
    }
    for port in spec.items("ports")? {
        let of = extent::port(&port, "port")?;
        for (source, at) in &sources {
            let said = Said::new(severity, Phrase::new("can be reached from ", middle, ""));
            ways.add(object, ("", topic), [source.clone(), of.clone()], said, at)?;
        }
        if sources.is_empty() {
            let said = Said::new(severity, Phrase::new("can be reached from ", middle, ""));
            ways.add(object, ("", topic), [Extent::All("everywhere"), of], said, &spec.get("type")?)?;
        }
    }
    Ok(())
}
