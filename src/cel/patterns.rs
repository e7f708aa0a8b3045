//! Regular expressions, compiled when they are first used, and kept.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use regex::{Regex, RegexBuilder};

use crate::re2;

/// The largest compiled pattern in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// The most patterns that are kept compiled: those of policies are few, those of hostile objects need not be.
const MAX_KEPT: usize = 1000;

/// A pattern that is written as a literal. It is known to be well-formed; compiling it waits for a text to match.
#[derive(Debug)]
pub struct Literal {
    pattern: Arc<str>,
    compiled: OnceLock<Result<Arc<Regex>, String>>,
}

impl Literal {
    /// Checks a pattern. The error is one line of text.
    pub fn new(pattern: Arc<str>) -> Result<Self, String> {
        re2::translate(pattern.as_bytes())?;
        Ok(Self { pattern, compiled: OnceLock::new() })
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// The compiled pattern, which can still be too large.
    pub fn regex(&self) -> Result<Arc<Regex>, String> {
        self.compiled.get_or_init(|| compile(&self.pattern)).clone()
    }
}

/// Compiles a pattern, once a process: policies share patterns, and the memory that a pattern needs to match. The error is
/// one line of text.
pub fn compile(pattern: &str) -> Result<Arc<Regex>, String> {
    static KEPT: LazyLock<Mutex<HashMap<String, Arc<Regex>>>> = LazyLock::new(Mutex::default);
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = kept().get(pattern) {
        return Ok(regex.clone());
    }
    let regex = Arc::new(build(pattern)?);
    let mut kept = kept();
    if kept.len() < MAX_KEPT {
        kept.insert(pattern.to_owned(), regex.clone());
    }
    Ok(regex)
}

fn build(pattern: &str) -> Result<Regex, String> {
    let translated = re2::translate(pattern.as_bytes())?.pattern;
    let built =
        RegexBuilder::new(&translated).size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT).nest_limit(1_000).build();
    // What re2 lets through is well-formed: it can only be too large.
    built.map_err(|_| format!("error parsing regexp: expression too large: `{pattern}`"))
}

#[cfg(test)]
mod tests {
    use super::compile;

    #[test]
    fn classes_are_ascii_and_brackets_literal() {
        assert!(!compile(r"^\d$").unwrap().is_match("٣"));
        assert!(!compile(r"^\w$").unwrap().is_match("é"));
        assert!(compile(r"^[[&&~~x-]+$").unwrap().is_match("[&~x-"));
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
