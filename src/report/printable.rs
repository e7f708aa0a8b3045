//! What comes from a chart must not steer the terminal that shows it.

use std::borrow::Cow;

/// The same text without characters that a terminal obeys or that reorder a line: byte for byte as long, so that
/// positions stay true. Line breaks and tabs stay.
pub fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push_str(&"??"[..c.len_utf8()]),
            c if is_steering(c) => out.push('\u{FFFD}'),
            c => out.push(c),
        }
        out
    })
}

/// Whether a terminal obeys a character, or lets it reorder a line so that it looks like another one.
pub(super) fn is_steering(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The runner of GitHub Actions obeys lines that begin with `::`, after whatever blanks: a chart may have written it.
pub(super) fn no_command(line: &str) -> Cow<'_, str> {
    match line.trim_start().starts_with("::") {
        true => Cow::Owned(line.replacen("::", ": :", 1)),
        false => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_for_a_terminal_to_obey() {
        let hostile = "a\u{1b}[2Jb\u{9b}31mc\rd\u{202e}e\u{7}\tf\nhé";
        let shown = printable(hostile);
        assert_eq!(shown, "a?[2Jb??31mc?d\u{FFFD}e?\tf\nhé");
        assert_eq!(shown.len(), hostile.len());
    }
}
