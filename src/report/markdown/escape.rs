//! What comes from a chart must neither call people, nor link, nor hide anything in the Markdown that shows it: GitHub's,
//! and GitLab's.
//!
//! Names and fields stand in code, where neither reads mentions, references or links. Sentences are escaped, and a blank of
//! no width keeps apart what would be read as one.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_general_category::{GeneralCategory, get_general_category};

use crate::report::printable;
use crate::report::printable::no_command;

/// The most characters of one piece of text; more is cut off.
const MAX_TEXT: usize = 400;

/// Keeps characters apart, and takes no room.
const APART: &str = "&#8203;";

/// A text that hides nothing and steers nothing: what has no width of its own is shown as `�`.
fn visible(text: &str) -> String {
    let is_hidden =
        |c: char| get_general_category(c) == GeneralCategory::Format || ('\u{FE00}'..='\u{FE0F}').contains(&c);
    printable(text).chars().map(|c| if is_hidden(c) { '\u{FFFD}' } else { c }).collect()
}

/// The same on one line, of bounded length.
fn line(text: &str) -> String {
    let cut = text.char_indices().nth(MAX_TEXT).map(|(at, _)| at);
    let shown = visible(cut.and_then(|at| text.get(..at)).unwrap_or(text));
    let mut out = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    if cut.is_some() {
        out.push('…');
    }
    out
}

/// A name, a field, a file: as code within a sentence.
pub(in crate::report) fn code(text: &str) -> String {
    let text = line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    // A blank on either side is taken off again, and without them a backtick would join the fence.
    let blank = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// A sentence, in which what stands between backticks is code.
pub(in crate::report) fn prose(text: &str) -> String {
    let text = line(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return words(&text);
    }
    let part = |(index, part): (usize, &&str)| match index % 2 {
        0 => Cow::Owned(words(part)),
        _ if part.trim().is_empty() => Cow::Borrowed(""),
        _ => Cow::Owned(code(part)),
    };
    parts.iter().enumerate().map(part).collect()
}

/// Text of a sentence: its punctuation means nothing to Markdown.
fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    escape(text, &mut out, |c| "\\`*_[]|~$".contains(c));
    out
}

/// Text where Markdown is not read, as in `<summary>`.
pub(in crate::report) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    escape(&line(text), &mut out, |_| false);
    out
}

/// A name, a field, a file where Markdown is not read.
pub(in crate::report) fn html_code(text: &str) -> String {
    let text = line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<code>{text}</code>")
}

fn escape(text: &str, out: &mut String, is_special: impl Fn(char) -> bool) {
    for (at, c) in text.char_indices() {
        let rest = text.get(at + c.len_utf8()..).unwrap_or_default();
        let next = rest.chars().next();
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => {
                if is_special(c) {
                    out.push('\\');
                }
                out.push(c);
            }
        }
        // `@name`, `#1`, `!1`, `~label`, `%milestone`, `$snippet`, `&epic`, `^alert`; `://` and `www.`; `GH-1`.
        let word = next.is_some_and(|next| next.is_alphanumeric() || next == '"' || next == '_');
        let before = |word: &str| text.get(..at).is_some_and(|text| ends_with(text, word));
        let apart = match c {
            '@' | '#' | '!' | '~' | '%' | '$' | '&' | '^' => word,
            ':' => rest.starts_with("//"),
            '.' => before("www"),
            '-' => word && before("GH"),
            _ => false,
        };
        if apart {
            out.push_str(APART);
        }
    }
}

fn ends_with(text: &str, word: &str) -> bool {
    let tail = text.len().checked_sub(word.len()).and_then(|at| text.get(at..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(word))
}

/// Lines as a block of code, between fences that nothing in it closes. Each line ends with a line break.
pub(in crate::report) fn fence(language: &str, lines: &str) -> String {
    let lines: String = visible(lines).split_inclusive('\n').map(no_command).collect();
    let fence = "`".repeat(longest_run(&lines).max(2) + 1);
    let mut out = String::new();
    _ = write!(out, "{fence}{language}\n{lines}");
    if !lines.ends_with('\n') && !lines.is_empty() {
        out.push('\n');
    }
    out + &fence + "\n"
}

/// The length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_ends_where_it_should() {
        for (text, expected) in [
            ("web", "`web`"),
            ("a`b", "``a`b``"),
            ("``", "``` `` ```"),
            ("", "`  `"),
            ("a\nb\u{1b}[2J", "`a b?[2J`"),
            ("a\u{200b}\u{e0041}b", "`a\u{fffd}\u{fffd}b`"),
        ] {
            assert_eq!(code(text), expected);
        }
        assert!(code(&"x".repeat(1 << 20)).len() < 2000);
    }

    #[test]
    fn nobody_is_called_and_nothing_is_linked() {
        for (text, expected) in [
            ("see `plimsoll deps`, *now*", "see `plimsoll deps`, \\*now\\*"),
            ("an odd ` one", "an odd \\` one"),
            ("four ` of `them` are ` two", "four `of`them`are` two"),
            ("@team or a@b.c", "@&#8203;team or a@&#8203;b.c"),
            ("fixes #12 and o/r#3, gh-4, !5", "fixes #&#8203;12 and o/r#&#8203;3, gh-&#8203;4, !&#8203;5"),
            ("https://x.y www.x.y", "https:&#8203;//x.y www.&#8203;x.y"),
            ("![x](y) <img src=a> &lt;", "!\\[x\\](y) &lt;img src=a&gt; &amp;&#8203;lt;"),
            ("a | b\n\n# c", "a \\| b # c"),
            ("$x$ ~~y~~ a_b_", "\\$&#8203;x\\$ \\~\\~&#8203;y\\~\\~ a\\_b\\_"),
        ] {
            assert_eq!(prose(text), expected, "{text}");
        }
        assert_eq!(html("<b> @x **y** </summary>"), "&lt;b&gt; @&#8203;x **y** &lt;/summary&gt;");
        assert_eq!(html_code("<b>&@x"), "<code>&lt;b&gt;&amp;@x</code>");
    }

    #[test]
    fn fences_are_longer_than_what_they_hold() {
        assert_eq!(fence("yaml", "a: b\n"), "```yaml\na: b\n```\n");
        assert_eq!(fence("", "````\nx"), "`````\n````\nx\n`````\n");
        assert_eq!(fence("", ""), "```\n```\n");
    }
}
