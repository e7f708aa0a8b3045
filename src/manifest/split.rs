//! Documents of a rendered file, cut as Helm cuts them.

use memchr::memmem;

use crate::source::Span;

/// What begins the line that separates documents.
const DASHES: &[u8] = b"---";

/// Helm's `SplitManifests` (pkg/release/v1/util/manifest.go): text, not YAML, decides where a document ends.
///
/// Returns the spans of the documents without surrounding blanks. A document of nothing but blanks between two
/// separators is kept, as an empty span, unless it is completely empty.
///
/// The rule is the expression `(?:^|\s*\n)---\s*`.
pub fn split(text: &str) -> Vec<Span> {
    let whole = trim(text, Span::new(0, text.len()));
    let (mut spans, mut start, mut from) = (Vec::new(), whole.start, whole.start);
    let bytes = &text.as_bytes()[..whole.end];
    while let Some(at) = bytes.get(from..).and_then(|rest| memmem::find(rest, DASHES)).map(|at| from + at) {
        // A line begins here, or the text: the blanks before it and behind the dashes belong to the separator.
        from = at + 1;
        let is_separator = at == whole.start || at > start && bytes[at - 1] == b'\n';
        if is_separator {
            push(text, start, at - blanks(bytes[start..at].iter().rev()), &mut spans);
            from = at + DASHES.len() + blanks(bytes[at + DASHES.len()..].iter());
            start = from;
        }
    }
    push(text, start, whole.end, &mut spans);
    spans
}

fn push(text: &str, start: usize, end: usize, spans: &mut Vec<Span>) {
    if end > start {
        spans.push(trim(text, Span::new(start, end)));
    }
}

/// How many blanks come first: those that `\s` of Go's expressions means.
fn blanks<'b>(bytes: impl Iterator<Item = &'b u8>) -> usize {
    bytes.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)).count()
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
