//! Templates that templates call by name, and texts that are executed as templates.

use std::rc::Rc;
use std::sync::Arc;

use super::Go;
use crate::render::gotemplate::Templates;
use crate::source::SourceFile;
use crate::usage::Use;
use crate::usage::shape::{Atom, Shape};
use crate::value::{Path, Value};

/// The most dots of `tpl` that are told apart.
const MAX_DOTS: usize = 64;

impl Go<'_> {
    /// Analyses a text as a template of which nobody knows whether it is one.
    pub fn text(&mut self, file: &Arc<SourceFile>, dot: &Shape) {
        for template in Templates::parse_text(file).iter().filter(|template| template.is_file) {
            if let Some(entered) = self.recorder.enter(&file.text, dot) {
                self.body(template, dot);
                self.recorder.leave(entered);
            }
        }
    }

    /// Analyses the strings of values that are templates, with everything that texts are executed with.
    pub fn texts_of(&mut self, values: &Value) {
        let mut texts = Vec::new();
        templates_in(values, &Path::default(), &mut texts);
        let mut known = 0;
        // A text may execute others with a dot of its own.
        while known < self.dots.len() {
            known = self.dots.len();
            let dots: Vec<Shape> = self.dots.values().cloned().collect();
            let before = self.recorder.guess(true);
            for (file, dot) in texts.iter().flat_map(|file| dots.iter().map(move |dot| (file, dot))) {
                self.text(file, dot);
            }
            self.recorder.guess(before);
        }
    }

    /// Analyses every template that a name may mean, with a dot.
    pub(super) fn include(&mut self, names: &Shape, dot: &Shape) {
        let templates = self.templates;
        if let Some(names) = names.keys() {
            for name in names {
                match templates.find(&name) {
                    Some(template) => self.template(template, dot),
                    // A chart that has all its subcharts does not render there.
                    None if self.complete => {}
                    None => {
                        self.recorder.unknown.insert(format!("template {name:?} is not there"));
                        self.recorder.consume(dot, &Use::Unknown, true);
                    }
                }
            }
            return;
        }
        self.recorder.consume(names, &Use::Call("include"), true);
        let known = |atom: &Atom| match atom {
            Atom::Literal(Value::String(text)) => Rc::from(&**text),
            Atom::Glob(glob) => glob.clone(),
            _ => Rc::from("*"),
        };
        let globs: Vec<Rc<str>> = names.0.iter().map(known).collect();
        let before = self.recorder.guess(true);
        for template in templates.named() {
            if globs.iter().any(|glob| fits(glob, &template.name)) {
                self.template(template, dot);
            }
        }
        self.recorder.guess(before);
    }

    /// Analyses a text that is executed as a template. Those in values are analysed by themselves.
    pub(super) fn tpl(&mut self, text: &Shape, dot: &Shape) {
        self.recorder.consume(text, &Use::Template, true);
        match dot.name() {
            Some(name) if self.dots.len() < MAX_DOTS => {
                self.dots.insert(name, dot.clone());
            }
            _ => self.recorder.consume(dot, &Use::Unknown, true),
        }
        for atom in &text.0 {
            match atom {
                Atom::Literal(Value::String(text)) if text.contains("{{") => {
                    let file = SourceFile::new("tpl", text.clone());
                    let before = self.recorder.guess(true);
                    self.text(&file, dot);
                    self.recorder.guess(before);
                }
                Atom::Glob(glob) if !glob.contains("{{") => {}
                Atom::Foreign | Atom::Glob(_) => self.recorder.consume(dot, &Use::Unknown, true),
                _ => {}
            }
        }
    }
}

/// Whether a name is one of those that `*` stands for.
fn fits(glob: &str, name: &str) -> bool {
    let mut parts = glob.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(found) = rest.find(part) else { return false };
        rest = rest.get(found + part.len()..).unwrap_or_default();
    }
    true
}

/// The strings of values that may be templates, named by their paths.
fn templates_in(values: &Value, at: &Path, found: &mut Vec<Arc<SourceFile>>) {
    match values {
        Value::String(text) if text.contains("{{") => {
            found.push(SourceFile::new(format!("values {at}"), text.clone()));
        }
        Value::List(items) => {
            items.iter().enumerate().for_each(|(index, item)| templates_in(item, &at.index(index), found));
        }
        Value::Map(map) => map.iter().for_each(|(key, value)| templates_in(value, &at.key(key.clone()), found)),
        _ => {}
    }
}
