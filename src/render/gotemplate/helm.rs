//! The functions with which Helm reaches into its engine: `include`, `tpl`, `required`, `fail`
//! (`pkg/engine/engine.go`).

use std::sync::Arc;

use memchr::memmem;

use super::ast::{Builtin, Operand};
use super::builtins;
use super::error::ExecError;
use super::exec::{Exec, Printed, Run};
use super::library::Library;
use super::parser::parse;
use crate::render::any::{Any, Text};
use crate::render::strconv::quote;
use crate::source::SourceFile;

/// How often a template may be included inside itself. Source: Helm's `recursionMaxNums`.
const MAX_INCLUDES: u32 = 1_000;

/// What Helm calls the text of `tpl`, and the template that all others belong to.
const ROOT: &str = "gotpl";

impl<'a> Run<'a, '_, '_> {
    /// Calls a function that is not one of the shared rows.
    pub fn call_builtin(&mut self, builtin: Builtin, args: &'a [Operand], argv: Vec<Any>) -> Exec<Any> {
        match (builtin, argv.as_slice()) {
            (Builtin::And | Builtin::Or, [value, ..]) => Ok(value.clone()),
            (Builtin::Include, [Any::String(name), data]) => self.include(name, data).map(Any::String),
            (Builtin::Tpl, [Any::String(text), data]) => self.tpl(text, data).map(Any::String),
            (Builtin::Required, [Any::String(message), value]) => match value {
                Any::Nil => Err(ExecError::warning(&message.to_str())),
                Any::String(text) if text.as_bytes().is_empty() => Err(ExecError::warning(&message.to_str())),
                _ => Ok(value.clone()),
            },
            (Builtin::Fail, [Any::String(message)]) => Err(ExecError::warning(&message.to_str())),
            (Builtin::Call, [callee, ..]) => Err(ExecError::returned(match callee {
                Any::Nil => "call of nil".to_owned(),
                _ => {
                    let shown = match (args.first(), callee) {
                        (Some(operand), _) => operand.to_string(),
                        (None, Any::String(text)) => text.to_str().into_owned(),
                        (None, other) => format!("<{} Value>", other.type_name()),
                    };
                    format!("non-function {shown} of type {}", callee.type_name())
                }
            })),
            _ => builtins::call(builtin, &argv, false).map_err(ExecError::returned),
        }
    }

    fn include(&mut self, name: &Text, data: &Any) -> Exec<Text> {
        match self.engine.included.get_mut(name.as_bytes()) {
            Some(count) if *count > MAX_INCLUDES => {
                let name = name.to_str();
                return Err(ExecError::returned(format!(
                    "rendering template has a nested reference name: {name}: unable to execute template"
                )));
            }
            Some(count) => *count += 1,
            None => {
                self.engine.included.insert(name.clone(), 1);
            }
        }
        self.engine.enter().map_err(ExecError::returned)?;
        let library = self.library;
        let result = match library.find(name.as_bytes()) {
            Some(template) => {
                let caller = self.caller();
                Run::execute(self.engine, library, template, data.clone(), Some(caller))
            }
            None => Err(ExecError::returned(format!(
                "template: no template {} associated with template \"{ROOT}\"",
                quote(name.as_bytes(), false)
            ))),
        };
        self.engine.leave();
        if let Some(count) = self.engine.included.get_mut(name.as_bytes()) {
            *count -= 1;
        }
        let printed = result?;
        let text = Text::from(printed.text);
        self.saw_included(&text, printed.marks);
        Ok(text)
    }

    fn tpl(&mut self, text: &Text, data: &Any) -> Exec<Text> {
        if memmem::find(text.as_bytes(), b"{{").is_none() {
            return Ok(without_no_value(text.clone()));
        }
        let quoted = || quote(text.as_bytes(), false);
        let name: Arc<str> = ROOT.into();
        let file = SourceFile::new(ROOT, text.to_str());
        let templates = parse(&name, &file)
            .map_err(|error| ExecError::returned(format!("cannot parse template {}: {error}", quoted())))?;
        self.engine.enter().map_err(ExecError::returned)?;
        let mut caller = self.caller();
        self.saw_text(text, &mut caller);
        let library = self.library;
        let mut added = Library::within(library);
        let mut main = None;
        for template in templates {
            if template.name == name && template.is_empty() {
                main = Some(template);
            } else {
                added.add(template);
            }
        }
        let result = match main.as_ref().or_else(|| added.find(ROOT.as_bytes())) {
            Some(template) => Run::execute(self.engine, &added, template, data.clone(), Some(caller)),
            None => Ok(Printed::default()),
        };
        self.engine.leave();
        match result {
            Ok(printed) => {
                let text = Text::from(printed.text);
                self.saw_included(&text, printed.marks);
                Ok(without_no_value(text))
            }
            Err(error) => Err(error.through(format!("error during tpl function execution for {}: ", quoted()), None)),
        }
    }
}

/// What an action prints for nil. Helm takes it out of whole files and of what `tpl` returns.
pub const NO_VALUE: &[u8] = b"<no value>";

/// Where [`NO_VALUE`] stands.
pub fn no_values(text: &[u8]) -> Vec<usize> {
    memmem::find_iter(text, NO_VALUE).collect()
}

/// A text without its [`NO_VALUE`]s.
pub fn without(text: &[u8], found: &[usize]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    for at in found {
        out.extend_from_slice(&text[from..*at]);
        from = at + NO_VALUE.len();
    }
    out.extend_from_slice(&text[from..]);
    out
}

fn without_no_value(text: Text) -> Text {
    let found = no_values(text.as_bytes());
    if found.is_empty() { text } else { without(text.as_bytes(), &found).into() }
}
