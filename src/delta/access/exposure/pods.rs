//! What pods take of their nodes: host namespaces, ports and folders, privileges.

use super::extent::Extent;
use super::{Error, Object, Phrase, Said, Severity, Ways};
use crate::policy::reach::{At, template, words};

/// Capabilities with which a container is as good as its node.
const STRONG: [&str; 9] =
    ["ALL", "BPF", "DAC_READ_SEARCH", "NET_ADMIN", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_BOOT"];

/// What a container may have of capabilities and Pod Security's level `baseline` still takes it.
const USUAL: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

pub(super) fn workload<'v>(ways: &mut Ways<'_, 'v>, object: &'v Object<'v>, root: &At<'_, 'v>) -> Result<(), Error> {
    match template(object.group, object.kind) {
        Some(way) => root.descend(way, &mut |template| pod(ways, object, &template.get("spec")?)),
        None => Ok(()),
    }
}

fn pod<'v>(ways: &mut Ways<'_, 'v>, object: &'v Object<'v>, spec: &At<'_, 'v>) -> Result<(), Error> {
    let pods = format!("pods of {}", words::owner(ways.view.graph, spec.object));
    for (key, what) in [
        ("hostNetwork", "share the network of their node, past every NetworkPolicy"),
        ("hostPID", "see and signal every process of their node"),
        ("hostIPC", "share the memory of other processes of their node"),
    ] {
        if spec.flag(key)?.unwrap_or_default() {
            let said = Said::of(&pods, Severity::Error, Phrase::new(what, "", ""));
            ways.add(object, ("", key), [Extent::Nothing, Extent::Nothing], said, &spec.get(key)?)?;
        }
    }
    for volume in spec.items("volumes")? {
        let path = volume.get("hostPath")?;
        if path.exists() {
            let said = Said::of(&pods, Severity::Error, Phrase::new("can mount the folder ", "", " of their node"));
            let extents = [Extent::Nothing, Extent::Named(path.text_of("path")?.to_owned())];
            ways.add(object, ("", "hostPath"), extents, said, &path.get("path")?)?;
        }
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for at in spec.items(list)? {
            container(ways, object, &at)?;
        }
    }
    Ok(())
}

fn container<'v>(ways: &mut Ways<'_, 'v>, object: &'v Object<'v>, at: &At<'_, 'v>) -> Result<(), Error> {
    let name = at.text_of("name")?;
    let subject = format!("container {name} of {}", words::owner(ways.view.graph, at.object));
    for port in at.items("ports")? {
        if port.get("hostPort")?.exists() {
            let said = Said::of(&subject, Severity::Warning, Phrase::new("can be reached on its node at ", "", ""));
            let extents = [Extent::Nothing, super::extent::port(&port, "hostPort")?];
            ways.add(object, (name, "hostPort"), extents, said, &port.get("hostPort")?)?;
        }
    }
    let context = at.get("securityContext")?;
    if context.flag("privileged")?.unwrap_or_default() {
        let said = Said::of(&subject, Severity::Error, Phrase::new("is privileged: it can take over its node", "", ""));
        ways.add(object, (name, "privileged"), [Extent::Nothing, Extent::Nothing], said, &context.get("privileged")?)?;
    }
    for capability in context.get("capabilities")?.items("add")? {
        let upper = capability.text()?.to_ascii_uppercase();
        let known = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let severity = match known {
            known if STRONG.contains(&known) => Severity::Error,
            known if USUAL.contains(&known) => Severity::Info,
            _ => Severity::Warning,
        };
        let extent = if known == "ALL" { Extent::All("ALL") } else { Extent::Named(known.to_owned()) };
        let said = Said::of(&subject, severity, Phrase::new("has the capability ", "", ""));
        ways.add(object, (name, "capabilities"), [Extent::Nothing, extent], said, &capability)?;
    }
    if context.get("windowsOptions")?.flag("hostProcess")?.unwrap_or_default() {
        let said = Said::of(&subject, Severity::Error, Phrase::new("runs as a process of its Windows node", "", ""));
        let extents = [Extent::Nothing, Extent::Nothing];
        ways.add(object, (name, "hostProcess"), extents, said, &context.get("windowsOptions")?)?;
    }
    Ok(())
}
