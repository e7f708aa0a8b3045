//! The versions of a custom resource, as its CRD lists them.

use std::cmp::Reverse;
use std::sync::Arc;

use super::node::{Flaw, Node};
use crate::value::Path;

/// The longest warning of a version, in bytes.
const MAX_WARNING: usize = 256;

/// A version of a custom resource.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub name: Arc<str>,
    /// The way to `openAPIV3Schema` in the CRD
    pub schema: Path,
    pub is_served: bool,
    pub is_deprecated: bool,
    /// What the API server says to whoever uses it
    pub warning: Option<Arc<str>>,
}

/// The versions of a CRD. `common` is the way to the schema of those that have none of their own.
pub(super) fn read(spec: &Node<'_>, common: Option<&Path>) -> Result<Vec<Version>, Flaw> {
    let list = spec.at.key("versions");
    let mut versions: Vec<Version> = Vec::new();
    let mut stored = 0;
    for (i, version) in spec.list("versions")?.iter().enumerate() {
        let at = list.index(i);
        let node = Node::new(version, &at)?;
        let name = node.need("name")?;
        if versions.iter().any(|known| known.name == *name) {
            return Err(node.flaw("name", format!("the version {name} is there twice")));
        }
        stored += usize::from(node.flag("storage")? == Some(true));
        let own = at.key("schema").key("openAPIV3Schema").path();
        let is_deprecated = node.flag("deprecated")? == Some(true);
        versions.push(Version {
            name: name.clone(),
            schema: common.filter(|_| node.get("schema").is_none()).cloned().unwrap_or(own),
            is_served: node.flag("served")? == Some(true),
            is_deprecated,
            warning: warning(&node, is_deprecated)?,
        });
    }
    if stored != 1 {
        return Err(spec.flaw("versions", format!("exactly one version must be the one that is stored, not {stored}")));
    }
    Ok(versions)
}

/// The versions of a CRD of v1beta1: listed, or the one of `spec.version`, which is served.
pub(super) fn read_old(spec: &Node<'_>) -> Result<Vec<Version>, Flaw> {
    let schema = spec.at.key("validation").key("openAPIV3Schema").path();
    match spec.text("version")? {
        Some(name) if spec.list("versions")?.is_empty() => {
            Ok(vec![Version { name: name.clone(), schema, is_served: true, is_deprecated: false, warning: None }])
        }
        _ => read(spec, Some(&schema)),
    }
}

/// `deprecationWarning`. Here an empty text is not as good as none.
fn warning(node: &Node<'_>, is_deprecated: bool) -> Result<Option<Arc<str>>, Flaw> {
    let flaw = |message: &str| Err(node.flaw("deprecationWarning", message));
    match node.text("deprecationWarning")? {
        None if node.get("deprecationWarning").is_none() => Ok(None),
        _ if !is_deprecated => flaw("can only be set where `deprecated` is true"),
        None => flaw("must not be empty"),
        Some(text) if text.len() > MAX_WARNING => flaw("must have at most 256 bytes"),
        Some(text) if text.chars().any(char::is_control) => flaw("must be a single line of printable characters"),
        Some(text) => Ok(Some(text.clone())),
    }
}

/// Gives the versions that are deprecated without a warning the API server's own, which names the best one that is newer.
///
/// Source: `defaultDeprecationWarning` in apiextensions-apiserver's `pkg/apiserver/customresource_handler.go`.
pub(super) fn warn(versions: &mut [Version], group: &str, kind: &str) {
    let lasting = versions.iter().filter(|version| version.is_served && !version.is_deprecated);
    let best = lasting.map(|version| version.name.clone()).max_by(|a, b| rank(a).cmp(&rank(b)));
    for version in versions.iter_mut().filter(|version| version.is_deprecated && version.warning.is_none()) {
        let name = &version.name;
        let newer = best.as_ref().filter(|best| rank(best) > rank(name));
        let way_out = newer.map_or_else(String::new, |newer| format!("; use {group}/{newer} {kind}"));
        version.warning = Some(format!("{group}/{name} {kind} is deprecated{way_out}").into());
    }
}

/// The order of Kubernetes' versions: v2 is above v1, which is above v1beta1, which is above v2alpha1; what is no such
/// name is below, the first of the alphabet on top.
fn rank(name: &str) -> (Option<(u8, u64, u64)>, Reverse<&str>) {
    let parsed = name.strip_prefix('v').and_then(|rest| {
        let (major, stage, minor) = match (rest.split_once("alpha"), rest.split_once("beta")) {
            (Some((major, minor)), _) => (major, 0, minor),
            (_, Some((major, minor))) => (major, 1, minor),
            (None, None) => (rest, 2, "0"),
        };
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        Some((stage, number(major)?, number(minor)?))
    });
    (parsed, Reverse(if parsed.is_some() { "" } else { name }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str, is_served: bool, is_deprecated: bool) -> Version {
        Version { name: name.into(), schema: Path::default(), is_served, is_deprecated, warning: None }
    }

    #[test]
    fn the_best_newer_version_is_named() {
        let mut versions = [
            version("v1beta1", true, true),
            version("v1", true, false),
            version("v1beta2", true, false),
            version("v2", false, false),
            version("v3", true, true),
        ];
        warn(&mut versions, "example.com", "Widget");
        let said = versions.map(|version| version.warning.unwrap_or_default().to_string());
        let expected = [
            "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget",
            "",
            "",
            "",
            "example.com/v3 Widget is deprecated",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn versions_are_in_the_order_of_kubernetes() {
        let names = ["foo10", "foo1", "v3alpha1", "v11alpha2", "v12alpha1", "v3beta1", "v10beta3", "v1", "v2", "v10"];
        assert!(names.is_sorted_by(|a, b| rank(a) < rank(b)), "{:?}", names.map(rank));
    }
}
