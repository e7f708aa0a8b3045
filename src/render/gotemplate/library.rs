//! The templates that can call each other, by name.

use std::collections::HashMap;

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

    /// The template of a name.
    pub fn find(&self, name: &[u8]) -> Option<&Template> {
        self.templates.get(name).or_else(|| self.parent?.find(name))
    }
}
