//! Why a template could not be executed, and how Helm words it (`pkg/engine/engine.go`).

use crate::render::functions::Failure;
use crate::render::strconv::quote;
use crate::source::Location;

/// Marks the message of `fail` and `required` inside a longer text, as Helm does.
const WARNING_START: &str = "HELM_ERR_START";
const WARNING_END: &str = "HELM_ERR_END";

/// A failure, and the templates and functions that it went through.
#[derive(Debug, Clone)]
pub struct ExecError {
    /// What is wrong, in Go's words.
    pub message: String,
    /// The way out, where a function knows one.
    pub help: Option<String>,
    /// Whether the message is an error of its own that a function returned, and not one of the executor.
    returned: bool,
    /// What the error went through, innermost first.
    levels: Vec<Level>,
}

/// Something that an error went through.
#[derive(Debug, Clone)]
struct Level {
    /// What it puts before the text.
    prefix: String,
    /// Where, if it is an action of a template.
    location: Option<Location>,
}

/// What one link of the chain says, as Helm reads it back from the text.
#[derive(PartialEq)]
struct Traceable<'a> {
    location: &'a str,
    executing: String,
    message: &'a str,
}

impl ExecError {
    /// An error that a function returns.
    pub fn returned(message: impl Into<String>) -> Box<Self> {
        Box::new(Self { message: message.into(), help: None, returned: true, levels: Vec::new() })
    }

    /// The failure of a function of the shared table.
    pub fn failed(failure: Failure) -> Box<Self> {
        Box::new(Self { help: failure.help, ..*Self::returned(failure.message) })
    }

    /// The error of `fail` and `required`: Helm shows only the message.
    pub fn warning(message: &str) -> Box<Self> {
        Self::returned(format!("{WARNING_START}{message}{WARNING_END}"))
    }

    /// An error of the executor, at an action.
    pub fn at(prefix: String, location: Location, message: impl Into<String>) -> Box<Self> {
        let level = Level { prefix, location: Some(location) };
        Box::new(Self { message: message.into(), help: None, returned: false, levels: vec![level] })
    }

    /// The same error, seen from an action that it went through.
    pub fn through(mut self: Box<Self>, prefix: String, location: Option<Location>) -> Box<Self> {
        self.levels.push(Level { prefix, location });
        self
    }

    /// The places in templates that it went through, innermost first.
    pub fn locations(&self) -> impl Iterator<Item = &Location> {
        self.levels.iter().filter_map(|level| level.location.as_ref())
    }

    /// The message without Helm's marks.
    pub fn reason(&self) -> &str {
        let message = self.message.as_str();
        warning(message).unwrap_or(message)
    }

    /// The whole text as Helm prints it for a file that does not render.
    pub fn helm_text(&self, file_name: &str) -> String {
        let mut full = String::new();
        let mut starts = Vec::with_capacity(self.levels.len() + 1);
        for level in self.levels.iter().rev() {
            starts.push(full.len());
            full.push_str(&level.prefix);
        }
        if self.returned {
            starts.push(full.len());
        }
        full.push_str(&self.message);
        let mut tokens = full.splitn(3, ": ").skip(1);
        let (Some(location), Some(rest)) = (tokens.next(), tokens.next()) else {
            return format!("execution error in ({file_name}): {full}");
        };
        if let Some(message) = warning(rest) {
            return format!("execution error at ({location}): {message}");
        }
        let mut links: Vec<Traceable<'_>> = Vec::new();
        for start in starts {
            match Traceable::parse(&full[start..]) {
                Some(link) if links.last() == Some(&link) => {}
                Some(link) => links.push(link),
                None => return full,
            }
        }
        let text: String = links.iter().map(Traceable::to_text).collect();
        text.trim().to_owned()
    }
}

fn warning(text: &str) -> Option<&str> {
    let start = text.find(WARNING_START)? + WARNING_START.len();
    let end = text.rfind(WARNING_END)?;
    text.get(start..end)
}

impl<'a> Traceable<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            return Some(Self { location: "", executing: String::new(), message: text });
        }
        let cut = |message: &'a str| message.find(" template:").map_or(message, |at| &message[..at]);
        if let Some((location, after)) = rest.split_once(": executing ") {
            let parsed = after.strip_prefix('"').and_then(|after| after.split_once('"')).and_then(|(name, after)| {
                let (context, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
                let executing = format!("executing \"{name}\" at <{context}>:");
                Some(Self { location, executing, message: cut(message) })
            });
            if parsed.is_some() {
                return parsed;
            }
        }
        let (location, message) = rest.rsplit_once(": ")?;
        Some(Self { location, executing: String::new(), message: cut(message) })
    }

    fn to_text(&self) -> String {
        let mut text = String::new();
        for (part, after) in [(self.location, "\n  "), (&self.executing, "\n    "), (self.message, "\n")] {
            if !part.is_empty() {
                text.push_str(part);
                text.push_str(after);
            }
        }
        text
    }
}

/// What Helm makes of a parse error's text.
pub fn helm_parse_text(file_name: &str, text: &str) -> String {
    let mut parts = text.split(": ");
    let (_, Some(location)) = (parts.next(), parts.next()) else {
        return format!("parse error in ({file_name}): {text}");
    };
    let message = parts.last().unwrap_or(location);
    format!("parse error at ({location}): {message}")
}

/// The text that Go puts before the message of an error at an action.
pub fn executing(file_name: &str, line: usize, column: usize, template: &str, context: &str) -> String {
    format!("template: {file_name}:{line}:{column}: executing {} at <{context}>: ", quote(template.as_bytes(), false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, Span};

    fn level(name: &str, what: &str) -> (String, Location) {
        let file = SourceFile::new(name, "");
        (executing(name, 1, 3, name, "x") + what, Location::new(file, Span::new(0, 0)))
    }

    #[test]
    fn errors_of_templates_take_a_line_each() {
        let (prefix, location) = level("b", "");
        let inner = ExecError::at(prefix, location, "nil pointer evaluating interface {}.x");
        let (prefix, location) = level("a", "error calling include: ");
        let error = inner.through(prefix, Some(location));
        assert_eq!(
            error.helm_text("a"),
            "a:1:3\n  executing \"a\" at <x>:\n    error calling include:\n\
             b:1:3\n  executing \"b\" at <x>:\n    nil pointer evaluating interface {}.x"
        );
        assert_eq!(error.locations().map(|location| location.file.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn errors_of_functions_stay_on_one_line() {
        let (prefix, location) = level("a", "error calling index: ");
        let error = ExecError::returned("index out of range: 5").through(prefix, Some(location));
        assert_eq!(
            error.helm_text("a"),
            "template: a:1:3: executing \"a\" at <x>: error calling index: index out of range: 5"
        );
    }

    #[test]
    fn fail_shows_only_its_message() {
        let (prefix, location) = level("a", "error calling fail: ");
        let error = ExecError::warning("first: second").through(prefix, Some(location));
        assert_eq!(error.helm_text("a"), "execution error at (a:1:3): first: second");
        assert_eq!(error.reason(), "first: second");
    }

    #[test]
    fn parse_errors_keep_place_and_reason() {
        let text = "template: a:2: unclosed action started at a:1";
        assert_eq!(helm_parse_text("a", text), "parse error at (a:2): unclosed action started at a:1");
    }
}
