//! Streams as apimachinery's `YAMLReader` cuts them: line by line, before anything is known to be YAML.

use super::{Document, Error, Options, parse_map};
use crate::source::Span;

/// Reads all documents of a values file, each a mapping or null (`LoadValues`).
///
/// Lines that begin with `---` separate; only a comment may follow. Lines in errors count from the document's start,
/// as in Helm; spans are those of the whole text.
pub fn parse_split(text: &str, options: Options) -> Result<Vec<Document>, Error> {
    split(text)?
        .into_iter()
        .map(|span| {
            let part = &text[span.start..span.end];
            // The reader ends each line, the last one too.
            let value = match part.ends_with('\n') {
                true => parse_map(part, options),
                false => parse_map(&format!("{part}\n"), options),
            };
            Ok(Document { span, value: value.map_err(|error| error.shifted(span.start))?.into() })
        })
        .collect()
}

fn split(text: &str) -> Result<Vec<Span>, Error> {
    let mut spans = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        if let Some(rest) = line.strip_prefix("---") {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                return Err(Error::Separator { rest: rest.to_owned(), span: Span::new(at, end) });
            }
            // A separator before anything else belongs to the document that follows.
            if start < at {
                spans.push(Span::new(start, at));
                start = end;
            }
        }
        at = end;
    }
    if start < at {
        spans.push(Span::new(start, at));
    }
    Ok(spans)
}
