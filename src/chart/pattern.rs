//! Go's shell patterns for paths: `*` and `?` stop at `/`, `[a-z]`, `\` escapes.
//!
//! Source: Go's `path/filepath`, `Match`.

/// A pattern that is not well formed. The text is Go's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Whether a pattern matches the whole of a slash-separated path.
///
/// # Errors
///
/// [`BadPattern`], also where the malformed part lies behind the first difference.
pub fn path_match(mut pattern: &str, mut path: &str) -> Result<bool, BadPattern> {
    'chunks: while !pattern.is_empty() {
        let (star, chunk, rest) = split_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!path.contains('/'));
        }
        match match_chunk(chunk, path)? {
            Some(left) if left.is_empty() || !pattern.is_empty() => {
                path = left;
                continue;
            }
            _ => {}
        }
        if star {
            for (i, c) in path.char_indices() {
                if c == '/' {
                    break;
                }
                match match_chunk(chunk, &path[i + c.len_utf8()..])? {
                    Some(left) if left.is_empty() || !pattern.is_empty() => {
                        path = left;
                        continue 'chunks;
                    }
                    _ => {}
                }
            }
        }
        while !pattern.is_empty() {
            let (_, chunk, rest) = split_chunk(pattern);
            match_chunk(chunk, "")?;
            pattern = rest;
        }
        return Ok(false);
    }
    Ok(path.is_empty())
}

/// Whether stars begin the pattern, the part up to the next star, and the rest.
fn split_chunk(pattern: &str) -> (bool, &str, &str) {
    let body = pattern.trim_start_matches('*');
    let (mut in_class, mut escaped) = (false, false);
    for (i, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '*' if !in_class => return (body.len() < pattern.len(), &body[..i], &body[i..]),
            _ => {}
        }
    }
    (body.len() < pattern.len(), body, "")
}

/// What is left of the text behind a chunk, or `None` where the chunk does not match. The chunk is read to its end in
/// any case, so that a malformed one is an error.
fn match_chunk<'a>(chunk: &str, text: &'a str) -> Result<Option<&'a str>, BadPattern> {
    let mut chunk = chunk.chars();
    let mut text = Some(text);
    while let Some(c) = chunk.next() {
        let mut rest = text.unwrap_or_default().chars();
        let next = rest.next();
        let matches = match c {
            '[' => {
                let (class, after) = class(chunk.as_str(), next)?;
                chunk = after.chars();
                class
            }
            '?' => next.is_some_and(|next| next != '/'),
            '\\' => Some(chunk.next().ok_or(BadPattern)?) == next,
            _ => Some(c) == next,
        };
        text = text.filter(|_| matches && next.is_some()).map(|_| rest.as_str());
    }
    Ok(text)
}

/// Whether a character is in the class that begins here (behind its bracket), and what follows the class.
fn class(pattern: &str, c: Option<char>) -> Result<(bool, &str), BadPattern> {
    let (negated, mut pattern) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let (mut found, mut empty) = (false, true);
    loop {
        if let Some(rest) = pattern.strip_prefix(']')
            && !empty
        {
            return Ok((found != negated, rest));
        }
        let (low, rest) = class_member(pattern)?;
        let (high, rest) = match rest.strip_prefix('-') {
            Some(rest) => class_member(rest)?,
            None => (low, rest),
        };
        found |= c.is_some_and(|c| (low..=high).contains(&c));
        (pattern, empty) = (rest, false);
    }
}

/// One character of a class; something must follow it.
fn class_member(pattern: &str) -> Result<(char, &str), BadPattern> {
    if pattern.starts_with(['-', ']']) {
        return Err(BadPattern);
    }
    let mut chars = pattern.strip_prefix('\\').unwrap_or(pattern).chars();
    let c = chars.next().ok_or(BadPattern)?;
    if chars.as_str().is_empty() { Err(BadPattern) } else { Ok((c, chars.as_str())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of Go's own test, `path/filepath/match_test.go`.
    #[test]
    fn as_go_matches() {
        for (pattern, path, expected) in [
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*", "a", Ok(true)),
            ("a*", "abc", Ok(true)),
            ("a*", "ab/c", Ok(false)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*/b", "a/c/b", Ok(false)),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", Ok(false)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", Ok(false)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Ok(true)),
            ("a*b?c*x", "abxbbxdbxebxczzy", Ok(false)),
            ("ab[c]", "abc", Ok(true)),
            ("ab[b-d]", "abc", Ok(true)),
            ("ab[e-g]", "abc", Ok(false)),
            ("ab[^c]", "abc", Ok(false)),
            ("ab[^b-d]", "abc", Ok(false)),
            ("ab[^e-g]", "abc", Ok(true)),
            ("a\\*b", "a*b", Ok(true)),
            ("a\\*b", "ab", Ok(false)),
            ("a?b", "a☺b", Ok(true)),
            ("a[^a]b", "a☺b", Ok(true)),
            ("a???b", "a☺b", Ok(false)),
            ("a[^a][^a][^a]b", "a☺b", Ok(false)),
            ("[a-ζ]*", "α", Ok(true)),
            ("*[a-ζ]", "A", Ok(false)),
            ("a?b", "a/b", Ok(false)),
            ("a*b", "a/b", Ok(false)),
            ("[\\]a]", "]", Ok(true)),
            ("[\\-]", "-", Ok(true)),
            ("[x\\-]", "z", Ok(false)),
            ("[]a]", "]", Err(BadPattern)),
            ("[-]", "-", Err(BadPattern)),
            ("[x-]", "x", Err(BadPattern)),
            ("[-x]", "x", Err(BadPattern)),
            ("\\", "a", Err(BadPattern)),
            ("[a-b-c]", "a", Err(BadPattern)),
            ("[", "a", Err(BadPattern)),
            ("[^", "a", Err(BadPattern)),
            ("[^bc", "a", Err(BadPattern)),
            ("a[", "a", Err(BadPattern)),
            ("a[", "ab", Err(BadPattern)),
            ("a[", "x", Err(BadPattern)),
            ("a/b[", "x", Err(BadPattern)),
            ("*x", "xxx", Ok(true)),
        ] {
            assert_eq!(path_match(pattern, path), expected, "{pattern:?} on {path:?}");
        }
    }
}
