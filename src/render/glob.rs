//! Patterns for file names, as `.Files.Glob` takes them.

use regex::Regex;

/// A glob as a regular expression: `*` and `?` stay within a path segment, `**` does not, `[a-z]`, `[!a]`, `{a,b}`.
///
/// Source: github.com/gobwas/glob with the separator `/`, which Helm uses.
pub fn regex(glob: &str) -> Result<Regex, String> {
    let mut pattern = String::from("(?s)^");
    let mut chars = glob.chars().peekable();
    let mut depth = 0_usize;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => pattern.push_str(".*"),
            '*' => pattern.push_str("[^/]*"),
            '?' => pattern.push_str("[^/]"),
            '[' => {
                pattern.push('[');
                if chars.next_if_eq(&'!').is_some() {
                    pattern.push('^');
                }
                loop {
                    let c = chars.next().ok_or("the pattern has an open [")?;
                    if c == ']' {
                        break;
                    }
                    if c == '-' {
                        pattern.push('-');
                    } else {
                        pattern.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
                    }
                }
                pattern.push(']');
            }
            '{' => {
                depth += 1;
                pattern.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                pattern.push(')');
            }
            ',' if depth > 0 => pattern.push('|'),
            '\\' => {
                let escaped = chars.next().ok_or("the pattern ends with a backslash")?;
                pattern.push_str(&regex::escape(escaped.encode_utf8(&mut [0; 4])));
            }
            c => pattern.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    // An alternative that stays open is no error, but nothing matches it.
    pattern.push_str(&format!("{}{}$", if depth > 0 { r"[^\s\S]" } else { "" }, ")".repeat(depth)));
    Regex::new(&pattern).map_err(|_| format!("{glob:?} is no pattern"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_in_helm() {
        let hit = |glob: &str, path: &str| regex(glob).unwrap().is_match(path);
        assert!(hit("config/*", "config/a.toml") && !hit("config/*", "config/a/b"));
        assert!(hit("**.toml", "config/a/b.toml") && hit("**", "a/b"));
        assert!(hit("{a,b}/?.[jt]s", "b/x.ts") && !hit("{a,b}/?.[jt]s", "c/x.ts"));
        assert!(hit("[!a].txt", "b.txt") && !hit("[!a].txt", "a.txt"));
        assert!(hit("\\*.x", "*.x") && regex("\\").is_err() && regex("[z-a]").is_err());
    }
}
