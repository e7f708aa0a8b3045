//! Texts with expressions in them that are no file of a chart: the names of releases in a project file.

use minijinja::machinery::ast::Stmt;

use super::objects::Globals;
use super::session::Session;
use super::{Engine, Error, Template};
use crate::render::host::Source;
use crate::source::{Location, SourceFile, Span};
use crate::value::Value;

/// A text with `{{ expressions }}`, parsed once for any number of scopes.
#[derive(Debug, Clone)]
pub struct Text {
    engine: std::sync::Arc<Engine>,
}

impl Text {
    /// Parses a text. It has no statements: what cannot loop or define macros is done soon, and on any stack.
    ///
    /// # Errors
    ///
    /// Where it does not parse, or has a statement.
    pub fn new(text: &str) -> Result<Self, Error> {
        let source = SourceFile::new("text", text);
        if let Stmt::Template(parsed) = super::parse(&source)? {
            let is_plain = |part: &Stmt<'_>| matches!(part, Stmt::EmitRaw(_) | Stmt::EmitExpr(_));
            if !parsed.children.iter().all(is_plain) {
                let message = "a statement in {% %}, expected only expressions in {{ }}".to_owned();
                return Err(Error::Syntax { at: Some(Location::new(source.clone(), Span::default())), message });
            }
        }
        let template = Template { name: source.name.clone(), source };
        Ok(Self { engine: Engine::new(&[template])?.into() })
    }

    /// What it says where these names are in scope.
    ///
    /// # Errors
    ///
    /// An expression without a value, or that cannot be evaluated.
    pub fn render(&self, data: Vec<(&'static str, Value)>, source: Source) -> Result<String, Error> {
        let globals = Globals::of(data);
        Session::begin(source.host(0), Value::Null, false);
        let parts = self.engine.templates.iter().enumerate();
        let texts = parts.map(|(index, template)| self.engine.render_one(index, template, &globals, false));
        let text = texts.map(|file| Ok(file?.text)).collect();
        Session::end();
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> Result<String, String> {
        let values = crate::yaml::parse("{user: {name: Alice, id: 7}, empty: null}", crate::yaml::Options::default());
        let data = vec![("values", values.unwrap()), ("stem", "values".into())];
        let text = Text::new(text).map_err(|error| error.message())?;
        text.render(data, Source::reproducible(0)).map_err(|error| error.message())
    }

    #[test]
    fn expressions_are_those_of_the_native_dialect() {
        assert_eq!(render("plain").unwrap(), "plain");
        assert_eq!(render("u-{{ values.user.name | lower }}-{{ values.user.id }}").unwrap(), "u-alice-7");
        assert_eq!(render("{{ values.empty }}{{ stem }}").unwrap(), "values");
    }

    #[test]
    fn what_is_not_there_is_an_error_and_so_is_a_statement() {
        assert_eq!(
            render("{{ values.user.nmae }}").unwrap_err(),
            "`values.user` has no key `nmae`, it is an object with a similar key `name`"
        );
        assert_eq!(render("{{ release }}").unwrap_err(), "`release` is not defined");
        assert!(render("{% for i in range(9) %}{{ i }}{% endfor %}").unwrap_err().starts_with("a statement"));
        assert!(render("{{ values.").is_err());
        assert!(render("{{ values.user }}").unwrap_err().contains("a map cannot be printed"));
    }
}
