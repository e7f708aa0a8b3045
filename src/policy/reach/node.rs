//! The ways out of a container onto its node, where the Secrets of all its pods are.

use super::Error;
use super::field::{At, Field};
use super::volumes::Volumes;

/// Folders of the node from which other pods' Secrets or the kubelet's key are read, and sockets that command the
/// container runtime. `/run` is what `/var/run` links to.
const SENSITIVE: [&[&str]; 9] = [
    &["var", "lib", "kubelet", "pods"],
    &["var", "lib", "kubelet", "pki"],
    &["var", "lib", "etcd"],
    &["etc", "kubernetes"],
    &["proc"],
    &["run", "docker.sock"],
    &["run", "containerd", "containerd.sock"],
    &["run", "crio", "crio.sock"],
    &["run", "k3s", "containerd", "containerd.sock"],
];

/// Capabilities that are as good as being privileged: mounting, loading modules, opening files by handle.
const CAPABILITIES: [&str; 4] = ["ALL", "SYS_ADMIN", "SYS_MODULE", "DAC_READ_SEARCH"];

/// The fields by which a container of a pod reaches the node.
///
/// With `hostUsers: false` privileges hold for the pod's own user namespace only (KEP-127).
pub(super) fn reached<'a>(
    spec: &At<'_, 'a>,
    container: &At<'_, 'a>,
    volumes: &Volumes<'a>,
) -> Result<Vec<Field<'a>>, Error> {
    let mut fields = Vec::new();
    if spec.flag("hostPID")?.unwrap_or_default() {
        fields.push(spec.get("hostPID")?.field());
    }
    let context = container.get("securityContext")?;
    if spec.flag("hostUsers")?.unwrap_or(true) {
        if context.flag("privileged")?.unwrap_or_default() {
            fields.push(context.get("privileged")?.field());
        }
        for capability in context.get("capabilities")?.items("add")? {
            let name = capability.text()?.to_ascii_uppercase();
            if CAPABILITIES.contains(&name.strip_prefix("CAP_").unwrap_or(&name)) {
                fields.push(capability.field());
            }
        }
    }
    for mount in container.items("volumeMounts")? {
        let volume = volumes.get(mount.text_of("name")?);
        if let Some((path, field)) = volume.and_then(|volume| volume.host_path.as_ref())
            && is_sensitive(path, mount.text_of("subPath")?)
        {
            fields.extend([mount.get("name")?.field(), field.clone()]);
        }
    }
    Ok(fields)
}

/// A folder above a sensitive one holds it, and what is inside one is a part of it.
fn is_sensitive(path: &str, part: &str) -> bool {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/').chain(part.split('/')) {
        match step {
            "" | "." => {}
            ".." => _ = steps.pop(),
            step => steps.push(step),
        }
    }
    if steps.starts_with(&["var", "run"]) {
        steps.remove(0);
    }
    SENSITIVE
        .iter()
        .any(|known| known.starts_with(&steps) || steps.starts_with(known) && steps.first() != Some(&"proc"))
}

#[cfg(test)]
mod tests {
    use super::is_sensitive;

    #[test]
    fn folders_above_and_below_count() {
        for path in
            ["/", "/var", "/var/lib/kubelet", "/var/lib/kubelet/pods/x", "/var/run", "/run/docker.sock", "/proc"]
        {
            assert!(is_sensitive(path, ""), "{path}");
        }
        for path in ["/var/log", "/var/lib/kubelet/device-plugins", "/proc/sys", "/etc/ssl", "/data/../tmp"] {
            assert!(!is_sensitive(path, ""), "{path}");
        }
        assert!(is_sensitive("/var/../var/./lib", "kubelet"));
        assert!(!is_sensitive("/", "tmp"));
    }
}
