//! The templates that can call each other, by name.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::Template;
use crate::render::any::Text;

/// Named templates: those of a chart, or those that the text of one `tpl` adds to them.
#[derive(Debug, Default)]
pub struct Library<'p> {
    templates: HashMap<Text, Template>,
    parent: Option<&'p Library<'p>>,
}

impl<'p> Library<'p> {
    /// An empty library whose templates hide those of another.
    pub fn within(parent: &'p Library<'p>) -> Self {
        Self { templates: HashMap::new(), parent: Some(parent) }
    }

    /// Adds a template. It replaces one of the same name, unless it is empty.
    pub fn add(&mut self, template: Template) {
        let name = Text::from(&*template.name);
        if template.is_empty() && self.find(name.as_bytes()).is_some() {
            return;
        }
        self.templates.insert(name, template);
    }

    /// All templates of this library itself, in the order of their names.
    pub fn all(&self) -> Vec<&Template> {
        let mut all: Vec<&Template> = self.templates.values().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The template of a name.
    pub fn find(&self, name: &[u8]) -> Option<&Template> {
        self.templates.get(name).or_else(|| self.parent?.find(name))
    }
}

/// The templates of a file that was parsed under another name; `None` where the names in it do not allow it.
///
/// A `define` that has the name of its file and the file itself become one template.
pub fn renamed(templates: &[Template], file_name: &Arc<str>) -> Option<Vec<Template>> {
    let collides = templates.iter().any(|template| template.name == *file_name);
    if collides || !templates.iter().any(|template| template.is_file) {
        return None;
    }
    let rename = |template: &Template| Template {
        name: if template.is_file { file_name.clone() } else { template.name.clone() },
        file_name: file_name.clone(),
        ..template.clone()
    };
    Some(templates.iter().map(rename).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::gotemplate::parser::parse;
    use crate::source::SourceFile;

    #[test]
    fn a_file_is_shared_under_another_name_unless_its_definitions_have_that_name() {
        let under = |text: &str, name: &str| {
            let templates = parse(&"c/a".into(), &SourceFile::new("a", text)).unwrap();
            let found = renamed(&templates, &name.into())?;
            Some(
                found.iter().map(|template| format!("{} in {}", template.name, template.file_name)).collect::<Vec<_>>(),
            )
        };
        assert_eq!(under(r#"{{ define "x" }}1{{ end }}2"#, "d/a").unwrap(), ["x in d/a", "d/a in d/a"]);
        assert_eq!(under(r#"{{ define "d/a" }}1{{ end }}2"#, "d/a"), None);
        assert_eq!(under(r#"{{ define "c/a" }}1{{ end }}"#, "d/a"), None);
    }
}
