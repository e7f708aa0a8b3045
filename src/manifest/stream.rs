//! Manifests as `helm template` prints them.

use std::fmt::Write as _;

use regex::Regex;

use super::{Manifest, split};

/// Which documents `helm template` would print.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stream {
    /// `--no-hooks`
    pub no_hooks: bool,
    /// `--skip-tests`
    pub skip_tests: bool,
}

/// The whole output (pkg/cmd/template.go): CRDs given as name and text, manifests, hooks, each with a `# Source:` line.
pub fn print(crds: &[(String, String)], manifests: &[Manifest], options: Stream) -> String {
    let (hooks, plain): (Vec<_>, Vec<_>) = manifests.iter().partition(|manifest| manifest.hook.is_some());
    let mut body = String::new();
    for (name, text) in crds {
        document(&mut body, name, text);
    }
    for manifest in plain {
        document(&mut body, &manifest.file.name, manifest.content());
    }
    let mut out = format!("{}\n", body.trim());
    if !options.no_hooks {
        for manifest in hooks {
            let is_test = manifest.hook.as_ref().is_some_and(|events| events.contains(&"test"));
            if !(options.skip_tests && is_test) {
                document(&mut out, &manifest.file.name, manifest.content());
            }
        }
    }
    out
}

fn document(out: &mut String, name: &str, text: &str) {
    let _ = write!(out, "---\n# Source: {name}\n{text}\n");
}

/// The documents of an output that `--show-only` asks for, in the order of the patterns.
///
/// # Errors
/// The first pattern that matches no document.
pub fn show_only<'a>(output: &str, patterns: &'a [String]) -> Result<String, &'a str> {
    let source = Regex::new("# Source: [^/\n]+/(.+)").expect("a valid expression");
    let documents: Vec<_> = split::split(output).into_iter().map(|span| &output[span.start..span.end]).collect();
    let mut shown = String::new();
    for pattern in patterns {
        let wanted = glob(pattern).ok_or(pattern.as_str())?;
        let before = shown.len();
        for document in &documents {
            if source.captures(document).is_some_and(|found| wanted.is_match(&found[1])) {
                let _ = write!(shown, "---\n{document}\n");
            }
        }
        if shown.len() == before {
            return Err(pattern);
        }
    }
    Ok(shown)
}

/// Go's `filepath.Match`; `None` for a malformed pattern.
fn glob(pattern: &str) -> Option<Regex> {
    let mut expression = String::from("^(?s:");
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => expression.push_str("[^/]*"),
            '?' => expression.push_str("[^/]"),
            '\\' => expression.push_str(&regex::escape(rest.next()?.encode_utf8(&mut [0; 4]))),
            '[' => expression.push_str(&class(&mut rest)?),
            other => expression.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    expression.push_str(")$");
    Regex::new(&expression).ok()
}

/// A character class up to its closing bracket, for the regex crate.
fn class(rest: &mut std::str::Chars<'_>) -> Option<String> {
    let mut class = String::from("[");
    let mut members = 0;
    loop {
        match rest.next()? {
            ']' if members > 0 => break,
            '^' if class == "[" => {
                class.push('^');
                continue;
            }
            '-' => class.push('-'),
            '\\' => class.push_str(&regex::escape(rest.next()?.encode_utf8(&mut [0; 4]))),
            c => class.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
        members += 1;
    }
    class.push(']');
    Some(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stop_at_slashes() {
        let matches = |pattern: &str, name: &str| glob(pattern).is_some_and(|regex| regex.is_match(name));
        assert!(matches("templates/*.yaml", "templates/a.yaml"));
        assert!(!matches("templates/*.yaml", "templates/sub/a.yaml"));
        assert!(matches("templates/[a-c]?.yaml", "templates/bx.yaml"));
        assert!(!matches("templates/[^a]", "templates/a"));
        assert!(!matches("[", "["));
    }
}
