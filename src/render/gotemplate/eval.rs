//! The executor's expressions (`text/template/exec.go`): pipelines, fields, methods and calls.

use super::ast::{Builtin, Command, Expr, Function, Number, Operand, Pipe};
use super::builtins;
use super::error::ExecError;
use super::exec::{At, Exec, Run, Val};
use crate::render::any::{Any, Elem, Map, MapType, Text};
use crate::render::functions::{Failure, Type};
use crate::render::objects::{MapMethod, map_method};

impl<'a> Run<'a, '_, '_> {
    /// The value of a pipeline, which its variables get.
    pub fn pipe(&mut self, dot: &Val, pipe: &'a Pipe) -> Exec<Val> {
        self.at = At::Pipe(pipe);
        let begin = self.begin();
        let mut value: Option<Val> = None;
        for command in &pipe.commands {
            let mut result = self.command(dot, command, value)?;
            result.boxed = false;
            value = Some(result);
        }
        let value = value.unwrap_or_default();
        for name in &pipe.variables {
            let keys = self.keys(begin);
            if pipe.assign {
                self.set(name.id, &name.text, value.clone(), keys)?;
            } else {
                self.declare(name.id, value.clone(), keys);
            }
        }
        Ok(value)
    }

    fn nested_pipe(&mut self, dot: &Val, pipe: &'a Pipe) -> Exec<Val> {
        self.engine.enter().map_err(|message| self.fail(message))?;
        let value = self.pipe(dot, pipe);
        self.engine.leave();
        value
    }

    fn command(&mut self, dot: &Val, command: &'a Command, last: Option<Val>) -> Exec<Val> {
        self.step()?;
        let head = &command.head;
        let args = command.args.as_slice();
        match &head.kind {
            Expr::Function(function) => {
                self.at = At::Operand(head);
                self.call_function(dot, *function, At::Command(command), args, last)
            }
            Expr::Pipe(pipe) => {
                self.not_a_function(head, args, last.as_ref())?;
                self.nested_pipe(dot, pipe)
            }
            Expr::Field(_) | Expr::Chain(..) | Expr::Variable(..) => self.path(dot, head, args, last),
            _ => {
                self.at = At::Operand(head);
                self.not_a_function(head, args, last.as_ref())?;
                match &head.kind {
                    Expr::Dot => Ok(self.dot(dot)),
                    Expr::Nil => Err(self.fail("nil is not a command")),
                    _ => self.literal(head),
                }
            }
        }
    }

    fn not_a_function(&self, head: &Operand, args: &[Operand], last: Option<&Val>) -> Exec<()> {
        if args.is_empty() && last.is_none() {
            return Ok(());
        }
        Err(self.fail(format!("can't give argument to non-function {head}")))
    }

    /// A field, a chain of fields or a variable, the last of which may be a method with arguments.
    fn path(&mut self, dot: &Val, operand: &'a Operand, args: &'a [Operand], last: Option<Val>) -> Exec<Val> {
        self.at = At::Operand(operand);
        let (mut receiver, fields) = match &operand.kind {
            Expr::Field(fields) => (dot.clone(), fields),
            Expr::Variable(name, fields) => {
                let value = self.variable(name.id, &name.text)?;
                if fields.is_empty() {
                    self.not_a_function(operand, args, last.as_ref())?;
                    return Ok(value);
                }
                (value, fields)
            }
            Expr::Chain(inner, fields) => (self.value(dot, inner)?, fields),
            _ => return Err(self.fail(format!("can't evaluate command {operand}"))),
        };
        let Some((name, before)) = fields.split_last() else { return Ok(receiver) };
        for name in before {
            receiver = self.field(dot, receiver, name, operand, &[], None)?;
        }
        self.field(dot, receiver, name, operand, args, last)
    }

    fn field(
        &mut self,
        dot: &Val,
        receiver: Val,
        name: &Text,
        operand: &'a Operand,
        args: &'a [Operand],
        last: Option<Val>,
    ) -> Exec<Val> {
        let type_name = if receiver.boxed { "interface {}" } else { receiver.any.type_name() };
        let shown = name.to_str();
        let has_args = !args.is_empty() || last.is_some();
        let no_method = |run: &Self| {
            if has_args { Err(run.fail(format!("{shown} is not a method but has arguments"))) } else { Ok(()) }
        };
        match &receiver.any {
            Any::Nil if !receiver.boxed => Ok(Val::default()),
            Any::Nil => Err(self.fail(format!("nil pointer evaluating {type_name}.{shown}"))),
            Any::Map(map) => {
                if map.of == MapType::Values
                    && let Some(method) = map_method(&shown)
                {
                    return self.call_map_method(dot, map, &shown, method, operand, args, last);
                }
                no_method(self)?;
                Ok(self.lookup(map, name))
            }
            Any::Object(object) => {
                if let Some(method) = object.method(&shown) {
                    let argv = self.arguments(dot, &shown, method.params, None, args, last)?;
                    return self.returned(&shown, operand, (method.call)(&**object, &argv));
                }
                if let Some(Any::Map(map)) = object.underlying() {
                    no_method(self)?;
                    return Ok(self.lookup(&map, name));
                }
                match object.field(&shown) {
                    Some(_) if has_args => {
                        Err(self.fail(format!("{shown} has arguments but cannot be invoked as function")))
                    }
                    Some(any) => Ok(any.into()),
                    None => Err(self.fail(format!("can't evaluate field {shown} in type {type_name}"))),
                }
            }
            _ => Err(self.fail(format!("can't evaluate field {shown} in type {type_name}"))),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn call_map_method(
        &mut self,
        dot: &Val,
        map: &Map,
        name: &str,
        method: MapMethod,
        operand: &'a Operand,
        args: &'a [Operand],
        last: Option<Val>,
    ) -> Exec<Val> {
        let argv = self.arguments(dot, name, method.params, None, args, last)?;
        let result = (method.call)(map, &argv, self.engine.host);
        self.returned(name, operand, result)
    }

    fn returned(&mut self, name: &str, operand: &'a Operand, result: Result<Any, Failure>) -> Exec<Val> {
        result.map(Val::from).map_err(|failure| {
            self.at = At::Operand(operand);
            self.calling(name, ExecError::returned(failure.message))
        })
    }

    /// Checks the number of arguments and evaluates them as the declared types.
    fn arguments(
        &mut self,
        dot: &Val,
        name: &str,
        params: &[Type],
        variadic: Option<Type>,
        args: &'a [Operand],
        last: Option<Val>,
    ) -> Exec<Vec<Any>> {
        let given = args.len() + usize::from(last.is_some());
        if variadic.is_some() && given < params.len() {
            let (want, got) = (params.len(), args.len());
            return Err(self.fail(format!("wrong number of args for {name}: want at least {want} got {got}")));
        }
        if variadic.is_none() && given != params.len() {
            return Err(self.fail(format!("wrong number of args for {name}: want {} got {given}", params.len())));
        }
        let of = |index: usize| params.get(index).copied().or(variadic).unwrap_or(Type::Any);
        let mut argv = Vec::with_capacity(given);
        for (i, arg) in args.iter().enumerate() {
            argv.push(self.argument(dot, arg, of(i))?);
        }
        if let Some(last) = last {
            argv.push(self.checked(last, of(args.len()))?);
        }
        Ok(argv)
    }

    fn call_function(
        &mut self,
        dot: &Val,
        function: Function,
        node: At<'a>,
        args: &'a [Operand],
        last: Option<Val>,
    ) -> Exec<Val> {
        let name = function.name();
        let result = match function {
            Function::Row(row) => {
                let argv = self.arguments(dot, name, row.params, row.variadic, args, last)?;
                (row.call)(self.engine.host, &argv).map_err(ExecError::failed)
            }
            Function::Builtin(Builtin::And | Builtin::Or) if !args.is_empty() => {
                return self.logic(dot, name == "or", args, last);
            }
            Function::Builtin(builtin) => {
                let (params, variadic) = builtin.params();
                if builtin == Builtin::Len && args.len() == 1 && last.is_none() {
                    let value = self.value(dot, &args[0])?;
                    builtins::call(builtin, &[value.any], value.boxed).map_err(ExecError::returned)
                } else {
                    let argv = self.arguments(dot, name, params, variadic, args, last)?;
                    self.call_builtin(builtin, args, argv)
                }
            }
        };
        let made = |any: Any| {
            if let Any::String(text) = &any {
                self.engine.charge(text.as_bytes().len()).map_err(ExecError::returned)?;
            }
            Ok(any)
        };
        match result.and_then(made) {
            Ok(any) => {
                self.saw(&any);
                Ok(any.into())
            }
            Err(error) => {
                self.at = node;
                Err(self.calling(name, error))
            }
        }
    }

    /// `and` and `or`: the first argument that decides, or the last.
    fn logic(&mut self, dot: &Val, or: bool, args: &'a [Operand], last: Option<Val>) -> Exec<Val> {
        let mut value = Val::default();
        for arg in args {
            value = self.value(dot, arg)?;
            if value.any.truth() == or {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// An argument as a declared type.
    fn argument(&mut self, dot: &Val, arg: &'a Operand, of: Type) -> Exec<Any> {
        match (&arg.kind, of) {
            (Expr::Dot, _) => {
                self.at = At::Operand(arg);
                let dot = self.dot(dot);
                self.checked(dot, of)
            }
            (Expr::Nil, _) => {
                self.at = At::Operand(arg);
                if !can_be_nil(of) {
                    return Err(self.fail(format!("cannot assign nil to {}", type_name(of))));
                }
                Ok(Any::Nil)
            }
            (Expr::Field(_) | Expr::Variable(..) | Expr::Chain(..) | Expr::Pipe(_) | Expr::Function(_), _) => {
                let value = self.value(dot, arg)?;
                self.checked(value, of)
            }
            (_, Type::Any) => {
                self.at = At::Operand(arg);
                Ok(self.literal(arg)?.any)
            }
            (literal, _) => {
                self.at = At::Operand(arg);
                let found = |what: &str| Err(self.fail(format!("expected {what}; found {arg}")));
                let number = |pick: fn(&Number) -> Option<Any>| match literal {
                    Expr::Number(number) => pick(number),
                    _ => None,
                };
                match of {
                    Type::Bool => match literal {
                        Expr::Bool(value) => Ok(Any::Bool(*value)),
                        _ => found("bool"),
                    },
                    Type::String => match literal {
                        Expr::String(_, text) => Ok(Any::String(text.clone())),
                        _ => found("string"),
                    },
                    Type::Int => number(|n| n.int.map(Any::Int)).map_or_else(|| found("integer"), Ok),
                    Type::Int64 => number(|n| n.int.map(Any::Int64)).map_or_else(|| found("integer"), Ok),
                    Type::Uint32 => {
                        number(|n| n.int.filter(|value| *value >= 0).map(|value| Any::Int(i64::from(value as u32))))
                            .map_or_else(|| found("unsigned integer"), Ok)
                    }
                    Type::Float64 => number(|n| n.float.map(Any::Float64)).map_or_else(|| found("float"), Ok),
                    _ => Err(self.fail(format!("can't handle {arg} for arg of type {}", type_name(of)))),
                }
            }
        }
    }

    /// The value of an operand where any type will do.
    fn value(&mut self, dot: &Val, operand: &'a Operand) -> Exec<Val> {
        self.at = At::Operand(operand);
        match &operand.kind {
            Expr::Dot => Ok(self.dot(dot)),
            Expr::Nil => Ok(Val::default()),
            Expr::Field(_) | Expr::Variable(..) | Expr::Chain(..) => self.path(dot, operand, &[], None),
            Expr::Pipe(pipe) => self.nested_pipe(dot, pipe),
            Expr::Function(function) => {
                let mut value = self.call_function(dot, *function, At::Operand(operand), &[], None)?;
                // Only a function that is declared to return an `interface {}` can return nil.
                value.boxed = matches!(value.any, Any::Nil);
                Ok(value)
            }
            Expr::Bool(_) | Expr::Number(_) | Expr::String(..) => self.literal(operand),
        }
    }

    fn dot(&mut self, dot: &Val) -> Val {
        self.saw_dot();
        dot.clone()
    }

    /// A field of a map: a missing one has the zero value of the element type.
    fn lookup(&mut self, map: &Map, name: &Text) -> Val {
        let any = map.get(name.as_bytes()).unwrap_or_else(|| map.of.zero());
        self.saw_field(map, name, &any);
        Val { any, boxed: map.of.holds_interfaces() }
    }

    fn literal(&self, operand: &Operand) -> Exec<Val> {
        Ok(Val::from(match &operand.kind {
            Expr::Bool(value) => Any::Bool(*value),
            Expr::String(_, text) => Any::String(text.clone()),
            Expr::Number(number) => constant(number).map_err(|message| self.fail(message))?,
            _ => return Err(self.fail(format!("can't evaluate command {operand}"))),
        }))
    }

    /// Checks that a value can be assigned to a declared type.
    fn checked(&self, value: Val, of: Type) -> Exec<Any> {
        if of == Type::Any {
            return Ok(value.any);
        }
        let wanted = type_name(of);
        if matches!(value.any, Any::Nil) {
            return match (value.boxed, can_be_nil(of)) {
                (true, _) => Err(self.fail(format!("wrong type for value; expected {wanted}; got interface {{}}"))),
                (false, true) => Ok(Any::Nil),
                (false, false) => Err(self.fail(format!("invalid value; expected {wanted}"))),
            };
        }
        let fits = match (&value.any, of) {
            (Any::String(_), Type::String)
            | (Any::Bool(_), Type::Bool)
            | (Any::Int(_), Type::Int)
            | (Any::Int64(_), Type::Int64)
            | (Any::Float64(_), Type::Float64) => true,
            (Any::List(list), Type::List) => list.of == Elem::Interface,
            (Any::List(list), Type::Strings) => list.of == Elem::String,
            (Any::Map(map), Type::Map) => map.of.holds_interfaces(),
            (Any::Object(object), _) => object.type_name() == wanted,
            _ => false,
        };
        if fits {
            return Ok(value.any);
        }
        Err(self.fail(format!("wrong type for value; expected {wanted}; got {}", value.any.type_name())))
    }
}

/// The value of an untyped constant.
fn constant(number: &Number) -> Result<Any, String> {
    let text = number.text.as_str();
    let hexadecimal = (text.starts_with("0x") || text.starts_with("0X")) && !text.contains(['p', 'P']);
    if let Some((re, im)) = number.complex {
        return Ok(Any::Complex(re, im));
    }
    if let Some(float) = number.float
        && !hexadecimal
        && !text.starts_with('\'')
        && text.contains(['.', 'e', 'E', 'p', 'P'])
    {
        return Ok(Any::Float64(float));
    }
    number.int.map(Any::Int).ok_or_else(|| format!("{text} overflows int"))
}

fn can_be_nil(of: Type) -> bool {
    matches!(of, Type::Any | Type::List | Type::Strings | Type::Map | Type::Version)
}

/// What Go calls a declared type.
fn type_name(of: Type) -> &'static str {
    match of {
        Type::Any => "interface {}",
        Type::String => "string",
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Int64 => "int64",
        Type::Uint32 => "uint32",
        Type::Float64 => "float64",
        Type::List => "[]interface {}",
        Type::Strings => "[]string",
        Type::Map => "map[string]interface {}",
        Type::Time => "time.Time",
        Type::Version => "*semver.Version",
        Type::Certificate => "sprig.certificate",
    }
}
