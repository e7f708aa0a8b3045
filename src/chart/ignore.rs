//! `.helmignore`.
//!
//! Source: Helm's `pkg/ignore/rules.go`, quirks included: the first rule that matches decides, and a `!` rule ignores
//! everything that it does not match.

use super::pattern::{BadPattern, path_match};

/// The rules of a `.helmignore`, and Helm's own.
#[derive(Debug, Clone)]
pub(super) struct Rules(Vec<Rule>);

/// A line that is no rule. The texts are Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    /// `**`
    #[error("double-star (**) syntax is not supported")]
    DoubleStar,
    /// An unclosed class or a lonely escape.
    #[error(transparent)]
    Pattern(#[from] BadPattern),
}

#[derive(Debug, Clone)]
struct Rule {
    pattern: String,
    negate: bool,
    only_folders: bool,
    /// Whether the pattern is for the last part of a path only.
    base_name: bool,
}

impl Rules {
    /// Reads the text of a `.helmignore` (nothing where there is none) and adds Helm's rule: dotfiles in `templates/`.
    ///
    /// An error carries the number of the line, from 1.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, IgnoreError)> {
        let mut rules = Vec::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (i, line) in text.lines().chain(["templates/.?*"]).enumerate() {
            rules.extend(Rule::parse(line).map_err(|error| (i + 1, error))?);
        }
        Ok(Self(rules))
    }

    /// Whether a path, relative to the chart and with `/`, is left out.
    pub(super) fn ignores(&self, path: &str, is_folder: bool) -> bool {
        for rule in &self.0 {
            let matches = (is_folder || !rule.only_folders) && rule.matches(path);
            if matches != rule.negate {
                return true;
            }
        }
        false
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Option<Self>, IgnoreError> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        if line.contains("**") {
            return Err(IgnoreError::DoubleStar);
        }
        path_match(line, "abc")?;
        let (negate, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (only_folders, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
        let (pattern, base_name) = match line.strip_prefix('/') {
            Some(rooted) => (rooted, false),
            None => (line, !line.contains('/')),
        };
        Ok(Some(Self { pattern: pattern.to_string(), negate, only_folders, base_name }))
    }

    fn matches(&self, path: &str) -> bool {
        let subject = match path.rsplit_once('/') {
            Some((_, base)) if self.base_name => base,
            _ => path,
        };
        // Cutting `!` and slashes off can leave a malformed pattern; it matches nothing.
        path_match(&self.pattern, subject).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(rules: &str, path: &str) -> bool {
        Rules::parse(rules).unwrap().ignores(path.trim_end_matches('/'), path.ends_with('/'))
    }

    /// After the cases of Helm's `pkg/ignore/rules_test.go`.
    #[test]
    fn as_helm_ignores() {
        for (rules, path, expected) in [
            ("helm.txt", "helm.txt", true),
            ("helm.*", "helm.txt", true),
            ("helm.*", "rudder.txt", false),
            ("*.txt", "tiller.txt", true),
            ("*.txt", "cargo/a.txt", true),
            ("cargo/*.txt", "cargo/a.txt", true),
            ("cargo/*.*", "cargo/a.txt", true),
            ("cargo/*.txt", "mast/a.txt", false),
            ("ru[c-e]?er.txt", "rudder.txt", true),
            ("templates/.?*", "templates/.dotfile", true),
            (".*", ".", true),
            (".*", ".joonix", true),
            ("cargo/", "cargo/", true),
            ("cargo/", "cargo", false),
            ("cargo/", "mast/", false),
            ("helm.txt/", "helm.txt", false),
            ("!helm.txt", "helm.txt", false),
            ("!helm.txt", "tiller.txt", true),
            ("!*.txt", "cargo/", true),
            ("!cargo/", "mast/", true),
            ("!cargo/", "cargo", true),
            ("/a.txt", "a.txt", true),
            ("/a.txt", "cargo/a.txt", false),
            ("/cargo/a.txt", "cargo/a.txt", true),
            ("helm.txt\n!helm.txt", "helm.txt", true),
            ("!helm.txt\nhelm.txt", "helm.txt", true),
            ("# c\n\n  *.log \r\n", "d/y.log", true),
            ("", "templates/.dotfile", true),
            ("", ".hidden", false),
        ] {
            assert_eq!(ignored(rules, path), expected, "{rules:?} on {path:?}");
        }
    }

    #[test]
    fn wrong_rules_are_errors() {
        assert_eq!(Rules::parse("a\n**/x").unwrap_err(), (2, IgnoreError::DoubleStar));
        assert_eq!(Rules::parse("[").unwrap_err().1.to_string(), "syntax error in pattern");
    }
}
