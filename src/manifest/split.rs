//! Documents of a rendered file, cut as Helm cuts them.

use std::sync::LazyLock;

use regex::Regex;

use crate::source::Span;

/// Helm's `SplitManifests` (pkg/release/v1/util/manifest.go): text, not YAML, decides where a document ends.
///
/// Returns the spans of the documents without surrounding blanks. A document of nothing but blanks between two
/// separators is kept, as an empty span, unless it is completely empty.
pub fn split(text: &str) -> Vec<Span> {
    static SEPARATOR: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?:^|[\t\n\f\r ]*\n)---[\t\n\f\r ]*").expect("a valid expression"));
    let whole = trim(text, Span::new(0, text.len()));
    let (mut spans, mut start) = (Vec::new(), whole.start);
    let ends =
        SEPARATOR.find_iter(&text[whole.start..whole.end]).map(|m| (whole.start + m.start(), whole.start + m.end()));
    for (end, next) in ends.chain([(whole.end, whole.end)]) {
        if end > start {
            spans.push(trim(text, Span::new(start, end)));
        }
        start = next;
    }
    spans
}

/// Go's `strings.TrimSpace`.
fn trim(text: &str, span: Span) -> Span {
    let inner = &text[span.start..span.end];
    let start = span.start + inner.len() - inner.trim_start().len();
    Span::new(start, (start + inner.trim().len()).max(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(text: &str) -> Vec<&str> {
        split(text).into_iter().map(|span| &text[span.start..span.end]).collect()
    }

    #[test]
    fn separators_are_lines_that_begin_with_three_dashes() {
        assert_eq!(documents("---\na: 1\n---\nb: 2\n"), ["a: 1", "b: 2"]);
        // The blanks after a separator belong to it, so that the next line break is gone.
        assert_eq!(documents("a: 1\n---\n\n---\nb: 2\n"), ["a: 1", "---\nb: 2"]);
        assert_eq!(documents("a: ---\n ---\nb: 1"), ["a: ---\n ---\nb: 1"]);
        assert_eq!(documents("a: 1\n---apiVersion: v1"), ["a: 1", "apiVersion: v1"]);
        assert_eq!(documents("# only a comment\n"), ["# only a comment"]);
        assert_eq!(documents("  \n\n"), Vec::<&str>::new());
        assert_eq!(documents("---"), Vec::<&str>::new());
    }
}
