//! Go's regular expressions (RE2) on crate `regex`: `\d`, `\w`, `\s` and `\b` mean ASCII.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use regex::{Regex, RegexBuilder};

/// The largest compiled pattern in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// The most patterns that are kept compiled: those of policies are few, those of hostile objects need not be.
const MAX_KEPT: usize = 1000;

/// Compiles a pattern, once a process: policies share patterns. The error is one line of text.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    static KEPT: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = kept().get(pattern) {
        return Ok(regex.clone());
    }
    let regex = build(pattern)?;
    let mut kept = kept();
    if kept.len() < MAX_KEPT {
        kept.insert(pattern.to_owned(), regex.clone());
    }
    Ok(regex)
}

fn build(pattern: &str) -> Result<Regex, String> {
    let translated = translate(pattern)?;
    RegexBuilder::new(&translated).size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT).nest_limit(100).build().map_err(
        |error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
            error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        },
    )
}

fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut repeated = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(&mut out, &mut chars, false)?,
            '[' => class(&mut out, &mut chars)?,
            '*' | '+' | '?' if repeated && c != '?' => {
                return Err(format!("invalid nested repetition operator: `{c}`"));
            }
            c => out.push(c),
        }
        repeated = matches!(c, '*' | '+' | '?');
    }
    Ok(out)
}

fn escape(out: &mut String, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, class: bool) -> Result<(), String> {
    let text = match chars.next() {
        None => return Err("trailing backslash at end of expression".into()),
        Some('d') if class => "0-9",
        Some('w') if class => "0-9A-Za-z_",
        Some('s') if class => r"\t\n\x0c\r ",
        Some('d') => "[0-9]",
        Some('D') => "[^0-9]",
        Some('w') => "[0-9A-Za-z_]",
        Some('W') => "[^0-9A-Za-z_]",
        Some('s') => r"[\t\n\x0c\r ]",
        Some('S') => r"[^\t\n\x0c\r ]",
        Some('b') if !class => r"(?-u:\b)",
        // Between the bytes of one character Rust sees no non-boundary, as Go does not.
        Some('B') if !class => r"\B",
        Some('Q') if !class => {
            let mut literal = String::new();
            for c in chars.by_ref() {
                literal.push(c);
                if literal.ends_with("\\E") {
                    literal.truncate(literal.len() - 2);
                    break;
                }
            }
            out.push_str(&regex::escape(&literal));
            return Ok(());
        }
        Some(c @ ('<' | '>' | 'u' | 'U' | 'h' | 'R' | 'Z' | 'G' | 'K' | '1'..='9')) => {
            return Err(format!("invalid escape sequence: `\\{c}`"));
        }
        Some(c) => {
            out.push('\\');
            out.push(c);
            return Ok(());
        }
    };
    out.push_str(text);
    Ok(())
}

/// A bracket expression: in Go `[`, `&&`, `--` and `~~` mean themselves inside one.
fn class(out: &mut String, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<(), String> {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            ']' if !first => {
                out.push(']');
                return Ok(());
            }
            '\\' => escape(out, chars, true)?,
            '[' if chars.peek() == Some(&':') => {
                // `[:alpha:]`, ASCII in both.
                out.push('[');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' | '&' | '~' | ']' => {
                out.push('\\');
                out.push(c);
            }
            '-' if chars.peek() == Some(&'-') || first || chars.peek() == Some(&']') => out.push_str(r"\-"),
            c => out.push(c),
        }
        first = false;
    }
    Err("missing closing ]".into())
}

#[cfg(test)]
mod tests {
    use super::compile;

    #[test]
    fn classes_are_ascii_and_brackets_literal() {
        assert!(!compile(r"^\d$").unwrap().is_match("٣"));
        assert!(!compile(r"^\w$").unwrap().is_match("é"));
        assert!(compile(r"^[[&&~~x--]+$").unwrap().is_match("[&~x-"));
        assert!(compile(r"^[\w.-]+$").unwrap().is_match("a_0.-"));
        assert!(compile(r"^[^\D]$").unwrap().is_match("1"));
        assert!(compile(r"^\Qa.b\E$").unwrap().is_match("a.b"));
        assert!(compile(r"^[]a]+$").unwrap().is_match("]a"));
    }

    #[test]
    fn bombs_and_foreign_syntax_are_refused() {
        for pattern in ["(a{1000}){1000}", "a**", "(?=a)", r"\1", "[a", "(", &"(".repeat(5000)] {
            assert!(compile(pattern).is_err(), "{pattern:.20}");
        }
    }
}
