//! What expressions of Jinja templates are.

use minijinja::value::ValueKind;

use super::{Bound, Frame, Native};
use crate::render::jinja::ast::{BinOpKind, CompareOpKind, Expr, UnaryOpKind};
use crate::source::{Location, Span};
use crate::usage::Use;
use crate::usage::functions::tolerated;
use crate::usage::shape::{Atom, Shape};
use crate::value::Value;

impl<'a> Native<'a, '_> {
    pub(super) fn expression(&mut self, expression: &'a Expr<'a>, frame: &mut Frame<'a>) -> Shape {
        if !self.recorder.step() || !self.recorder.descend() {
            return Shape::other();
        }
        let value = self.value(expression, frame);
        self.recorder.ascend();
        value
    }

    fn value(&mut self, expression: &'a Expr<'a>, frame: &mut Frame<'a>) -> Shape {
        let at = self.place(frame, expression);
        match expression {
            Expr::Var(name) => match self.lookup(name.id, frame) {
                Bound::Shape(shape) => shape.named_at(&at),
                Bound::Macro(..) | Bound::Module(_) => Shape::other(),
            },
            Expr::Const(constant) => literal(&constant.value),
            Expr::Slice(slice) => {
                for bound in [&slice.start, &slice.stop, &slice.step].into_iter().flatten() {
                    let bound = self.expression(bound, frame);
                    self.recorder.consume(&bound, &Use::Call("slice"), true);
                }
                let list = self.expression(&slice.expr, frame);
                self.recorder.call("slice", &[list], &at)
            }
            Expr::UnaryOp(operation) => {
                let value = self.expression(&operation.expr, frame);
                match operation.op {
                    UnaryOpKind::Not => self.recorder.ask(&value, &Use::Condition),
                    UnaryOpKind::Neg => self.recorder.consume(&value, &Use::Call("-"), true),
                }
                Shape::other()
            }
            Expr::BinOp(operation) => self.binary(operation.op, &operation.left, &operation.right, frame),
            Expr::Compare(compared) => {
                let mut left = self.expression(&compared.expr, frame);
                for operation in &compared.ops {
                    let right = self.expression(&operation.expr, frame);
                    match operation.op {
                        CompareOpKind::In | CompareOpKind::NotIn => self.contains(&left, &right, &at),
                        _ => {
                            self.recorder.call("eq", &[left, right.clone()], &at);
                        }
                    }
                    left = right;
                }
                Shape::other()
            }
            Expr::IfExpr(branch) => {
                let mark = self.recorder.mark();
                self.condition(&branch.test_expr, frame);
                let before = self.recorder.guard(mark);
                let yes = self.expression(&branch.true_expr, frame);
                let no = branch.false_expr.as_ref().map(|no| self.expression(no, frame)).unwrap_or_default();
                self.recorder.unguard(before);
                tolerated(&yes).or(&tolerated(&no))
            }
            Expr::Filter(filter) => {
                let value = filter.expr.as_ref().map_or_else(Shape::other, |value| self.expression(value, frame));
                self.filter(filter.name, value, &filter.args, frame, &at)
            }
            Expr::Test(test) => {
                let value = self.expression(&test.expr, frame);
                let args = self.arguments(&test.args, frame);
                match (test.name, args.first()) {
                    ("defined" | "undefined" | "none", _) => self.recorder.ask(&value, &Use::Tested),
                    ("in", Some(container)) => self.contains(&value, container, &at),
                    (_, Some(other)) => {
                        self.recorder.call("eq", &[value, other.clone()], &at);
                    }
                    (_, None) => self.recorder.ask(&value, &Use::Call("is")),
                }
                Shape::other()
            }
            Expr::GetAttr(attribute) => {
                let value = self.expression(&attribute.expr, frame);
                let end = attribute.span().end_offset as usize;
                let span = Span::new(end.saturating_sub(attribute.name.len()), end);
                let at = Location::new(at.file, span);
                self.recorder.field(&value, attribute.name, &at)
            }
            Expr::GetItem(item) => {
                let value = self.expression(&item.expr, frame);
                let key = self.expression(&item.subscript_expr, frame);
                let at = self.place(frame, &item.subscript_expr);
                self.recorder.index(&value, &key, &at)
            }
            Expr::Call(call) => self.call(call, frame),
            Expr::List(list) => self.list(&list.items, frame),
            Expr::Tuple(tuple) => self.list(&tuple.items, frame),
            Expr::Map(map) => {
                let made = Shape(vec![Atom::Map(self.recorder.make())]);
                for (key, value) in map.keys.iter().zip(&map.values) {
                    let (key, value) = (self.expression(key, frame), self.expression(value, frame));
                    self.recorder.put(&made, &key, &value);
                }
                made
            }
        }
    }

    fn list(&mut self, items: &'a [Expr<'a>], frame: &mut Frame<'a>) -> Shape {
        let items = items.iter().map(|item| self.expression(item, frame)).collect();
        Shape::list(items, true)
    }

    fn binary(&mut self, op: BinOpKind, left: &'a Expr<'a>, right: &'a Expr<'a>, frame: &mut Frame<'a>) -> Shape {
        let at = self.place(frame, left);
        let mark = self.recorder.mark();
        let first = self.expression(left, frame);
        if matches!(op, BinOpKind::ScAnd | BinOpKind::ScOr) {
            self.recorder.ask(&first, &Use::Condition);
            let before = self.recorder.guard(mark);
            let second = self.expression(right, frame);
            self.recorder.unguard(before);
            return tolerated(&first).or(&tolerated(&second));
        }
        let second = self.expression(right, frame);
        match op {
            BinOpKind::In => self.contains(&first, &second, &at),
            BinOpKind::Eq | BinOpKind::Ne | BinOpKind::Lt | BinOpKind::Lte | BinOpKind::Gt | BinOpKind::Gte => {
                self.recorder.call("eq", &[first, second], &at);
            }
            BinOpKind::Concat => {
                self.recorder.consume(&first.or(&second), &Use::Call("~"), true);
            }
            _ => self.recorder.consume(&first.or(&second), &Use::Call("+"), true),
        }
        Shape::other()
    }

    /// `key in map`, `item in list`
    pub(super) fn contains(&mut self, item: &Shape, container: &Shape, at: &Location) {
        self.recorder.consume(item, &Use::Call("in"), true);
        if item.keys().is_some() {
            let found = self.recorder.index(container, item, at);
            self.recorder.ask(&found, &Use::Tested);
        }
        self.recorder.ask(container, &Use::Ranged);
    }
}

fn literal(value: &minijinja::Value) -> Shape {
    match value.kind() {
        ValueKind::String => Shape::literal(value.as_str().unwrap_or_default()),
        ValueKind::Bool => Shape::literal(value.is_true()),
        ValueKind::Number => match value.as_i64() {
            Some(number) => Shape::literal(number),
            None => Shape::other(),
        },
        ValueKind::None => Shape::literal(Value::Null),
        _ => Shape::other(),
    }
}
