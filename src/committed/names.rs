//! Names of objects as names of files.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The longest part of a name in bytes: the longest name of an object in Kubernetes is 253, that of a file 255.
const MAX_NAME: usize = 100;

/// The name of a file or folder for a name in Kubernetes: lower-case letters, digits, `-`, `_` and inner dots. A name that
/// has something else, such as `system:node`, is told from others like it by a digest.
pub(super) fn safe(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let is_safe = !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(is_plain) && !name.starts_with('.');
    if is_safe {
        return name.to_owned();
    }
    let plain = |c: char| if is_plain(c.to_ascii_lowercase()) { c.to_ascii_lowercase() } else { '_' };
    let safe: String = name.trim_start_matches('.').chars().take(MAX_NAME).map(plain).collect();
    distinct(&safe, &name)
}

/// A name of a file with a digest of what it stands for.
pub(super) fn distinct(name: &str, of: &impl std::fmt::Debug) -> String {
    let digest = Sha256::digest(format!("{of:?}"));
    digest.iter().take(4).fold(format!("{name}-"), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_stay_and_no_other_leaves_its_folder() {
        for plain in ["web", "web-1.2_x", "a.b.example.com", "0"] {
            assert_eq!(safe(plain), plain);
        }
        let long = "x".repeat(300);
        let hostile = [
            "",
            ".",
            "..",
            ".git",
            "../../x",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "a\0b",
            "a\nb",
            "\u{1b}[2J",
            "Web",
            "system:node",
            &long,
            "\u{202e}",
            "é",
        ];
        let mut seen = std::collections::BTreeSet::new();
        for name in hostile {
            let safe = safe(name);
            assert!(safe.len() <= MAX_NAME + 9, "{safe}");
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
            assert!(safe.chars().all(is_plain) && !safe.starts_with('.'), "{safe}");
            assert!(seen.insert(safe), "{name:?} is as another one");
        }
        assert_eq!(safe("system:node"), "system_node-40cc6558");
    }
}
