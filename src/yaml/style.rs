//! How a text can be written: libyaml's analysis of scalars, with go-yaml's rules for quoting.

use super::scalar::{self, Scalar};

/// The two emitters of Helm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `toYaml`: go-yaml v2 behind sigs.k8s.io/yaml
    V2,
    /// `toYamlPretty`: go-yaml v3
    V3,
}

/// A way to write a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// What a text allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Analysis {
    /// Has line breaks of any kind.
    pub multiline: bool,
    plain: bool,
    single_quoted: bool,
    block: bool,
}

impl Analysis {
    /// Looks at a text (`yaml_emitter_analyze_scalar`).
    pub fn new(text: &str, dialect: Dialect) -> Self {
        if text.is_empty() {
            return Self { multiline: false, plain: true, single_quoted: true, block: false };
        }
        let (mut indicators, mut special, mut tabs, mut multiline) = (false, false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut previous_space, mut previous_break, mut after_blank) = (false, false, true);
        indicators |= text.starts_with("---") || text.starts_with("...");
        let mut chars = text.chars().peekable();
        let mut first = true;
        while let Some(c) = chars.next() {
            let before_blank = chars.peek().is_none_or(|next| matches!(next, ' ' | '\t'));
            indicators |= match c {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`'
                    if first =>
                {
                    true
                }
                '?' | '-' if first => before_blank,
                ':' => before_blank,
                '#' => after_blank,
                _ => false,
            };
            match c {
                '\t' if dialect == Dialect::V3 => tabs = true,
                c => special |= !is_printable(c),
            }
            break_space |= c == ' ' && previous_break;
            space_break |= is_break(c) && previous_space;
            multiline |= is_break(c);
            (previous_space, previous_break) = (c == ' ', is_break(c));
            after_blank = matches!(c, ' ' | '\t' | '\0') || is_break(c);
            first = false;
        }
        let edge = |c: char| c == ' ' || is_break(c);
        let trimmed = !text.starts_with(edge) && !text.ends_with(edge);
        let quotable = !(space_break || special || tabs);
        Self {
            multiline,
            plain: trimmed && !break_space && quotable && !multiline && !indicators,
            single_quoted: !break_space && quotable,
            block: !text.ends_with(' ') && !space_break && !special,
        }
    }

    /// The style that is written (`stringv`, `yaml_emitter_select_scalar_style`); `key` is a simple key.
    pub fn style(self, text: &str, dialect: Dialect, key: bool) -> Style {
        let wanted = if text.contains('\n') {
            Style::Literal
        } else if is_text(text, dialect) {
            Style::Plain
        } else {
            Style::DoubleQuoted
        };
        match wanted {
            Style::Literal if self.block && !key => Style::Literal,
            Style::Plain if key && self.multiline => Style::DoubleQuoted,
            Style::Plain if self.plain => Style::Plain,
            Style::Plain if self.single_quoted => Style::SingleQuoted,
            _ => Style::DoubleQuoted,
        }
    }
}

/// Whether a plain text would be read as text, by YAML 1.1 readers too.
fn is_text(text: &str, dialect: Dialect) -> bool {
    let read = match scalar::plain(text) {
        // go-yaml v3 reads octal numbers with a second sign.
        Scalar::Text if dialect == Dialect::V3 => !is_signed_octal(text),
        found => found == Scalar::Text,
    };
    read && !is_base60(text)
}

fn is_signed_octal(text: &str) -> bool {
    let plain = text.replace('_', "");
    let digits = plain.strip_prefix("0o+").or_else(|| plain.strip_prefix("0o-"));
    digits.is_some_and(|digits| i64::from_str_radix(digits, 8).is_ok())
}

/// `[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?`.
fn is_base60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let digit_or_underscore = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let sixtieth = |part: &str| match part.as_bytes() {
        [ones] => ones.is_ascii_digit(),
        [tens, ones] => matches!(tens, b'0'..=b'5') && ones.is_ascii_digit(),
        _ => false,
    };
    first.starts_with(|c: char| c.is_ascii_digit())
        && digit_or_underscore(first)
        && whole.contains(':')
        && parts.all(sixtieth)
        && digit_or_underscore(fraction)
}

/// What needs no escape. Characters beyond the BMP do, in both emitters.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// YAML 1.1's line breaks.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_60_is_told_from_other_text_with_colons() {
        for (text, expected) in
            [("1:30", true), ("-1_0:5:59.5_", true), ("1:60", false), ("1:", false), ("_1:30", false), ("1.5", false)]
        {
            assert_eq!(is_base60(text), expected, "{text}");
        }
    }
}
