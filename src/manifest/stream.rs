//! Manifests as `helm template` prints them.

use regex::Regex;

use super::{Manifest, split};
use crate::chart::path_match;

/// Which documents `helm template` would print.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stream {
    /// `--no-hooks`
    pub no_hooks: bool,
    /// `--skip-tests`
    pub skip_tests: bool,
}

/// The documents in the order of printing (CRDs given as name and text, manifests, hooks), each with the name of its
/// template, a separator and a `# Source:` line.
pub fn documents<'a>(
    crds: &'a [(String, String)],
    manifests: &'a [Manifest],
    options: Stream,
) -> impl Iterator<Item = (&'a str, String)> {
    let crds = crds.iter().map(|(name, text)| headed(name, text));
    crds.chain(selected(manifests, options).map(|manifest| (manifest.file.name.as_str(), document(manifest))))
}

/// The manifests that would be printed.
pub fn selected(manifests: &[Manifest], options: Stream) -> impl Iterator<Item = &Manifest> {
    manifests.iter().filter(move |manifest| {
        let Some(events) = &manifest.hook else { return true };
        !(options.no_hooks || options.skip_tests && events.contains(&"test"))
    })
}

/// A document as it is printed.
pub fn document(manifest: &Manifest) -> String {
    headed(&manifest.file.name, manifest.content()).1
}

fn headed<'a>(name: &'a str, text: &str) -> (&'a str, String) {
    (name, format!("---\n# Source: {name}\n{text}\n"))
}

/// The whole output of `helm template` (pkg/cmd/template.go).
pub fn print(crds: &[(String, String)], manifests: &[Manifest], options: Stream) -> String {
    let hooks = manifests.partition_point(|manifest| manifest.hook.is_none());
    let body: String = documents(crds, &manifests[..hooks], options).map(|(_, text)| text).collect();
    let hooks = documents(&[], &manifests[hooks..], options).map(|(_, text)| text);
    std::iter::once(format!("{}\n", body.trim())).chain(hooks).collect()
}

/// The documents of an output that `--show-only` asks for, in the order of the patterns; all of it without a pattern.
///
/// # Errors
/// The first pattern that matches no document.
pub fn show_only(output: &str, patterns: &[String]) -> Result<String, String> {
    if patterns.is_empty() {
        return Ok(output.to_owned());
    }
    let source = Regex::new("# Source: [^/\n]+/(.+)").expect("a valid expression");
    let documents: Vec<_> = split::split(output).into_iter().map(|span| &output[span.start..span.end]).collect();
    let mut shown = String::new();
    for pattern in patterns {
        let before = shown.len();
        for document in &documents {
            if source.captures(document).is_some_and(|found| path_match(pattern, &found[1]) == Ok(true)) {
                shown.extend(["---\n", document, "\n"]);
            }
        }
        if shown.len() == before {
            return Err(pattern.clone());
        }
    }
    Ok(shown)
}
