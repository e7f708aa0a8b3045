//! Filters, functions, methods and macros of Jinja templates.

use super::{Bound, Frame, Native};
use crate::render::functions;
use crate::render::jinja::ast::{Call, CallArg, Expr, Macro, Spanned};
use crate::source::Location;
use crate::usage::Use;
use crate::usage::functions::tolerated;
use crate::usage::shape::{Atom, Shape};

impl<'a> Native<'a, '_> {
    pub(super) fn arguments(&mut self, args: &'a [CallArg<'a>], frame: &mut Frame<'a>) -> Vec<Shape> {
        let value = |arg: &'a CallArg<'a>| match arg {
            CallArg::Pos(value) | CallArg::Kwarg(_, value) | CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                value
            }
        };
        args.iter().map(|arg| self.expression(value(arg), frame)).collect()
    }

    pub(super) fn filter(
        &mut self,
        name: &str,
        value: Shape,
        args: &'a [CallArg<'a>],
        frame: &mut Frame<'a>,
        at: &Location,
    ) -> Shape {
        let mut args = self.arguments(args, frame);
        if let Some(row) = functions::find(name) {
            args.push(value);
            return self.recorder.call(row.name, &args, at);
        }
        match name {
            "required" => {
                args.push(value);
                self.recorder.call("required", &args, at)
            }
            "items" | "dictsort" => self.pairs(&value, at),
            "length" | "count" => {
                self.recorder.ask(&value, &Use::Call("len"));
                Shape::other()
            }
            "attr" => args.first().map(|key| self.recorder.index(&value, key, at)).unwrap_or_default(),
            "select" | "reject" | "selectattr" | "rejectattr" | "sort" | "unique" | "list" => {
                self.recorder.ask(&value, &Use::Ranged);
                let each = self.recorder.each(&value, at);
                for key in &args {
                    let field = self.recorder.index(&each, key, at);
                    self.recorder.ask(&field, &Use::Condition);
                }
                Shape::list(vec![each], false)
            }
            _ => {
                args.push(value);
                args.iter().for_each(|arg| self.recorder.consume(arg, &Use::Call("filter"), true));
                Shape::other()
            }
        }
    }

    /// The keys and values of a map.
    fn pairs(&mut self, map: &Shape, at: &Location) -> Shape {
        self.recorder.ask(map, &Use::Ranged);
        let each = self.recorder.each(map, at);
        Shape::list(vec![Shape::list(vec![self.recorder.keys_of(map), each], true)], false)
    }

    pub(super) fn call(&mut self, call: &'a Spanned<Call<'a>>, frame: &mut Frame<'a>) -> Shape {
        let at = self.place(frame, &call.expr);
        match &call.expr {
            Expr::Var(name) => match self.lookup(name.id, frame) {
                Bound::Macro(template, declared) => self.macro_call(template, declared, &call.args, frame),
                _ if name.id == "namespace" => {
                    let made = Shape(vec![Atom::Map(self.recorder.make())]);
                    for arg in &call.args {
                        if let CallArg::Kwarg(key, value) = arg {
                            let value = self.expression(value, frame);
                            self.recorder.put(&made, &Shape::literal(*key), &value);
                        }
                    }
                    made
                }
                _ => {
                    let args = self.arguments(&call.args, frame);
                    let known = functions::find(name.id).map(|row| row.name);
                    let engine = ["required", "printf", "fail"].into_iter().find(|known| *known == name.id);
                    self.recorder.call(known.or(engine).unwrap_or("call"), &args, &at)
                }
            },
            Expr::GetAttr(method) => {
                if let Expr::Var(name) = &method.expr
                    && let Bound::Module(index) = self.lookup(name.id, frame)
                {
                    let module = self.module(index);
                    let found = module.into_iter().rev().find(|(known, _)| *known == method.name);
                    return match found {
                        Some((_, Bound::Macro(template, declared))) => {
                            self.macro_call(template, declared, &call.args, frame)
                        }
                        _ => Shape::other(),
                    };
                }
                let value = self.expression(&method.expr, frame);
                let args = self.arguments(&call.args, frame);
                match (method.name, &args[..]) {
                    ("items", []) => self.pairs(&value, &at),
                    ("keys", []) => self.recorder.call("keys", &[value], &at),
                    ("values", []) => self.recorder.call("values", &[value], &at),
                    ("get", [key, rest @ ..]) => {
                        let found = self.recorder.index(&value, key, &at);
                        rest.iter().fold(tolerated(&found), |found, default| found.or(&tolerated(default)))
                    }
                    _ => {
                        args.iter().for_each(|arg| self.recorder.consume(arg, &Use::Call("method"), true));
                        self.recorder.consume(&value, &Use::Call("method"), true);
                        Shape::other()
                    }
                }
            }
            other => {
                let value = self.expression(other, frame);
                let args = self.arguments(&call.args, frame);
                self.recorder.consume(&value, &Use::Unknown, true);
                args.iter().for_each(|arg| self.recorder.consume(arg, &Use::Unknown, true));
                Shape::other()
            }
        }
    }

    fn macro_call(
        &mut self,
        template: usize,
        declared: &'a Macro<'a>,
        args: &'a [CallArg<'a>],
        frame: &mut Frame<'a>,
    ) -> Shape {
        let given: Vec<(Option<&str>, Shape)> = args
            .iter()
            .map(|arg| match arg {
                CallArg::Kwarg(name, value) => (Some(*name), self.expression(value, frame)),
                CallArg::Pos(value) | CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                    (None, self.expression(value, frame))
                }
            })
            .collect();
        // A macro sees its file, and not who calls it.
        let names = if template == frame.template { frame.names.clone() } else { self.module(template) };
        let mut inner = Frame { template, names, changes: 0 };
        let first_default = declared.args.len().saturating_sub(declared.defaults.len());
        let mut bound = Vec::with_capacity(declared.args.len());
        for (index, arg) in declared.args.iter().enumerate() {
            let Expr::Var(name) = arg else { continue };
            let named = given.iter().find(|(known, _)| *known == Some(name.id));
            let at = given.iter().filter(|(name, _)| name.is_none()).nth(index);
            let default = index.checked_sub(first_default).and_then(|index| declared.defaults.get(index));
            let value = match (named.or(at), default) {
                (Some((_, value)), _) => value.clone(),
                (None, Some(default)) => self.expression(default, &mut inner),
                (None, None) => Shape::other(),
            };
            inner.names.push((name.id, Bound::Shape(value.clone())));
            bound.push(value);
        }
        let key = self.templates.get(template).map_or("", |template| template.key);
        // Names of the file are the same for each call, but for what conditions and loops around it gave them.
        let name = format!("{key}\0{}\0{}", declared.name, inner.names.len());
        if let Some(entered) = self.recorder.enter(&name, &Shape::list(bound, true)) {
            self.statements(&declared.body, &mut inner);
            self.recorder.leave(entered);
        }
        Shape::other()
    }
}
