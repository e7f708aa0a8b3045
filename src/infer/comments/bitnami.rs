//! The comments of Bitnami's readme-generator: `## @param some.key [modifiers] description`, anywhere in the file.
//!
//! Source: readme-generator-for-helm 2.7.2, `lib/parser.js` and `lib/builder.js`.

use super::Note;
use crate::infer::types::Types;

/// A documented key.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::infer) struct Param {
    /// The path, keys behind dots and indices in brackets: `containers[0].name`.
    pub path: String,
    /// What is said of it.
    pub note: Note,
    /// A map that is described beside its keys (`@extra`), or a key that values.yaml may leave out (`@param`).
    pub is_extra: bool,
}

/// The documented keys of a file, in its order.
pub(super) fn params(lines: &[&str]) -> Vec<Param> {
    lines.iter().filter_map(|line| param(line)).collect()
}

fn param(line: &str) -> Option<Param> {
    let line = line.trim_start().strip_prefix("##")?.trim_start();
    let (rest, is_extra) = match line.strip_prefix("@param") {
        Some(rest) => (rest, false),
        None => (line.strip_prefix("@extra")?, true),
    };
    let rest = rest.strip_prefix(char::is_whitespace)?.trim();
    let (path, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let rest = rest.trim_start();
    let (modifiers, description) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).unwrap_or(("", rest));
    let mut note = Note { description: description.trim_start().to_owned(), ..Note::default() };
    for modifier in modifiers.split(',').map(str::trim) {
        match modifier {
            "nullable" => note.nullable = true,
            "array" | "object" | "string" => note.types = Types::named(modifier),
            // `default: TEXT` is what the README shows in place of the value.
            _ => {}
        }
    }
    (!path.is_empty()).then(|| Param { path: path.to_owned(), note, is_extra })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_param_names_its_key() {
        let found =
            param("  ##   @param image.tag [string, default: TAG] The tag, fixed (see README)").expect("a param");
        assert_eq!((found.path.as_str(), found.is_extra), ("image.tag", false));
        assert_eq!(found.note.description, "The tag, fixed (see README)");
        assert_eq!(found.note.types, Some(Types::STRING));
        let nullable = param("## @param pods[0].limit [nullable] At most").expect("a param");
        assert_eq!((nullable.path.as_str(), nullable.note.nullable), ("pods[0].limit", true));
        assert!(param("## @extra tls How to encrypt").expect("an extra").is_extra);
    }

    #[test]
    fn other_comments_are_no_params() {
        for line in
            ["# @param a b", "## @skip a.b", "## @section One", "### @param a b", "## @params a b", "## @param", "a: 1"]
        {
            assert_eq!(param(line), None, "{line}");
        }
        assert_eq!(param("##@param a").map(|param| param.path).as_deref(), Some("a"));
    }
}
