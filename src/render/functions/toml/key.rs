//! How TOML writes keys and strings.

/// A basic string in quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\u{8}' => out += "\\b",
            '\t' => out += "\\t",
            '\n' => out += "\\n",
            '\u{c}' => out += "\\f",
            '\r' => out += "\\r",
            '\0'..='\u{1f}' | '\u{7f}' => out += &format!("\\u{:04x}", c as u32),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key, in quotes where it has to be.
pub(super) fn part(key: &str) -> String {
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { quoted(key) }
}

/// A dotted key.
pub(super) fn dotted(keys: &[String]) -> String {
    keys.iter().map(|key| part(key)).collect::<Vec<_>>().join(".")
}

/// What a key may consist of without quotes.
pub(super) fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}
